//! The two backends, so that one scenario runs on both.

use std::sync::Arc;

use redis::cmd;
use session_runtime::{
    Builder, Clock as _, SessionData, Sessions,
    backend::{self, Memory},
};
use session_tests::Redis;

/// A store of its own for one test.
pub(crate) enum Store {
    Memory(Arc<Memory>),
    Redis(Redis),
}

/// A well-formed Fernet key, another one for each letter.
pub(crate) fn key(letter: char) -> String {
    format!("{}A=", letter.to_string().repeat(42))
}

impl Store {
    pub(crate) fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    pub(crate) async fn redis() -> Self {
        Self::Redis(Redis::start().await)
    }

    /// Sessions in this store, under `key('k')` by default. Each builder makes an instance of its own, as
    /// each process of a fleet does.
    pub(crate) fn builder<T: SessionData>(&self) -> Builder<T> {
        let builder = Sessions::<T>::builder().key(&key('k'));
        match self {
            Self::Memory(memory) => builder.shared_backend(Arc::clone(memory)),
            Self::Redis(redis) => builder.backend(backend::Redis::new(&redis.url(), "test:").expect("a Redis URL")),
        }
    }

    pub(crate) async fn sessions<T: SessionData>(&self) -> Sessions<T> {
        self.builder().open().await.expect("the sessions open")
    }

    /// Loses every record, as if each session had been ended.
    pub(crate) async fn forget_all(&self) {
        match self {
            Self::Memory(memory) => {
                let far = session_runtime::SystemClock.now().plus(std::time::Duration::from_secs(400 * 24 * 3600));
                session_runtime::backend::Sweep::sweep(&**memory, far, usize::MAX).await.expect("memory answers");
            }
            Self::Redis(redis) => cmd("FLUSHALL").exec_async(&mut redis.connect().await).await.expect("Redis answers"),
        }
        assert_eq!(self.records().await, 0);
    }

    /// How many records it holds.
    pub(crate) async fn records(&self) -> usize {
        match self {
            Self::Memory(memory) => memory.len(),
            Self::Redis(redis) => {
                let mut connection = redis.connect().await;
                let keys: Vec<String> = cmd("KEYS").arg("*").query_async(&mut connection).await.expect("Redis answers");
                keys.iter().filter(|key| !key.ends_with(":lease")).count()
            }
        }
    }
}

/// Makes a test of each scenario (`async fn scenario(store: Store)`) for each backend.
macro_rules! on_every_backend {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            #[tokio::test]
            async fn on_memory() {
                super::$scenario($crate::support::Store::memory()).await;
            }

            #[tokio::test]
            async fn on_redis() {
                super::$scenario($crate::support::Store::redis().await).await;
            }
        }
    )+};
}
pub(crate) use on_every_backend;
