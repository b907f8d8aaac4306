//! One pool for all the session types of a process that keep their sessions in the same database.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::driver::{Driver, Options};
use super::pool::{Pool, PoolSettings};

type Pools = HashMap<[u8; 32], Weak<dyn Any + Send + Sync>>;

/// By the hash of what they were made with, which may hold a password.
static POOLS: LazyLock<Mutex<Pools>> = LazyLock::new(Mutex::default);

/// The pool that was made in this process with the same settings for the same place, or a new one. A connection belongs
/// to the runtime that it was made in, so that another runtime has a pool of its own.
pub(super) fn shared<D: Driver>(
    place: &str,
    settings: PoolSettings,
    options: impl FnOnce() -> Options<D>,
) -> Arc<Pool<D>> {
    let runtime = Handle::try_current().map(|handle| handle.id());
    let key = format!("{}\0{place}\0{settings:?}\0{runtime:?}", D::DIALECT.name);
    let key = Sha256::digest(key.as_bytes()).into();
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    pools.retain(|_, pool| pool.strong_count() > 0);
    if let Some(pool) = pools.get(&key).and_then(Weak::upgrade)
        && let Ok(pool) = pool.downcast()
    {
        return pool;
    }
    let pool = Pool::new(options(), settings);
    let weak = Arc::downgrade(&pool);
    pools.insert(key, weak);
    pool
}
