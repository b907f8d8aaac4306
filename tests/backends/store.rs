//! A store as two processes have it.

use std::sync::Arc;

use session_runtime::{backend::Backend, testing::Pair};

/// Two handles on one store.
pub(crate) struct Store<B> {
    pub(crate) one: Arc<B>,
    pub(crate) other: Arc<B>,
}

/// With what it lives in, for the suite of all backends.
pub(crate) fn pair<B: Backend>((store, home): (Store<B>, impl Send + Sync + 'static)) -> Pair {
    Pair::new(store.one, store.other).keeping(home)
}
