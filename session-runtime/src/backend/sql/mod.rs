//! Sessions in SQL databases: one store over the differences between their dialects.
//!
//! A record is a row: `id_hash` (32 bytes), `version`, `last_seen`, `expires`, `keep_until` (milliseconds
//! since 1970, as all times here), `body`, and the lease on it: `lease_holder` (16 bytes) and
//! `lease_until`, which is an odd number once another process waits for the lease. Nothing is held open between two statements, each of which is conditional and complete
//! in itself.
//!
//! `last_seen` and `expires` are the runtime's, which decides by them whether a session may be used. What
//! processes have to agree on goes by the database's clock, which each statement asks for itself:
//! `keep_until`, after which a sweep removes the record, `lease_until`, and who sweeps. Otherwise a machine
//! whose clock is ahead would sweep the sessions of people who are using them, and take leases that are held.

mod batch;
mod dialect;
mod driver;
#[cfg_attr(
    not(all(feature = "sqlite", any(feature = "postgres", feature = "mysql"))),
    allow(dead_code, reason = "some of it is for SQLite, some for databases behind a network")
)]
mod failure;
#[cfg(feature = "testing")]
pub(super) mod fuzz;
mod joined;
mod leases;
mod listing;
mod many;
#[cfg(feature = "mysql")]
mod mysql;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg_attr(
    not(all(feature = "sqlite", any(feature = "postgres", feature = "mysql"))),
    allow(dead_code, reason = "some of it is for SQLite, some for databases behind a network")
)]
mod probe;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod remote;
mod schema;
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg_attr(
    not(all(feature = "sqlite", any(feature = "postgres", feature = "mysql"))),
    allow(dead_code, reason = "some of it is for SQLite, some for databases behind a network")
)]
mod store;
mod sweep;
mod taking;
mod waiting;

#[cfg(feature = "mysql")]
pub use self::mysql::{MySql, MySqlConfig, MySqlUrl};
#[cfg(feature = "postgres")]
pub use self::postgres::{Postgres, PostgresConfig, PostgresUrl};
#[cfg(feature = "sqlite")]
pub use self::sqlite::{Sqlite, SqliteConfig};

/// The default name of the table.
const TABLE: &str = "sessions";

/// What a backend with a `store` in it can do.
macro_rules! backend {
    ($backend:ident) => {
        impl std::fmt::Debug for $backend {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($backend)).field("table", &self.table).finish_non_exhaustive()
            }
        }

        impl Backend for $backend {
            async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
                self.store.create(key, record, touch).await
            }

            async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
                self.store.load(key, touch).await
            }

            async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
                self.store.peek(key).await
            }

            async fn update(
                &self,
                key: &RecordKey,
                expected: u64,
                record: Record,
                touch: Touch,
            ) -> Result<Written, BackendError> {
                self.store.update(&self.store.statements.update, key, expected, record, touch).await
            }

            async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
                self.store.delete(key).await
            }

            fn idle_slack(&self, idle: Duration) -> Duration {
                crate::backend::touch_interval(idle)
            }

            fn capabilities(self: &Arc<Self>) -> Capabilities {
                Capabilities::none().leases(self).keep_lease(self).compare_and_set(self).sweep(self).list(self)
            }
        }

        impl Leases for $backend {
            async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
                self.store.acquire(key, lease, touch).await
            }

            async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
                self.store.extend(key, lease).await
            }

            async fn save(
                &self,
                key: &RecordKey,
                lease: Lease,
                expected: u64,
                record: Record,
                touch: Touch,
            ) -> Result<Written, BackendError> {
                self.store.save(key, lease, expected, record, touch).await
            }

            async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
                self.store.release(key, lease).await
            }
        }

        impl KeepLease for $backend {
            async fn save_and_keep(
                &self,
                key: &RecordKey,
                lease: Lease,
                expected: u64,
                record: Record,
                touch: Touch,
            ) -> Result<Kept, BackendError> {
                self.store.save_and_keep(key, lease, expected, record, touch).await
            }
        }

        impl CompareAndSet for $backend {
            async fn compare_and_set(
                &self,
                key: &RecordKey,
                expected: u64,
                record: Record,
                touch: Touch,
            ) -> Result<Written, BackendError> {
                self.store.update(&self.store.statements.compare_and_set, key, expected, record, touch).await
            }
        }

        impl Sweep for $backend {
            /// Each record knows until when it is kept, by the database's clock: the runtime's is not asked.
            async fn sweep(&self, _: Timestamp, limit: usize) -> Result<usize, BackendError> {
                self.store.sweep(limit).await
            }

            async fn expired(&self, _: Timestamp, limit: usize) -> Result<Option<Vec<ListedRecord>>, BackendError> {
                self.store.expired(limit).await.map(Some)
            }

            async fn forget(&self, _: Timestamp, keys: &[RecordKey]) -> Result<usize, BackendError> {
                self.store.forget(keys).await
            }
        }

        impl List for $backend {
            async fn list(&self, after: Option<&ListCursor>, limit: usize) -> Result<ListPage, BackendError> {
                self.store.list(after, limit).await
            }
        }
    };
}
use backend;

/// What the backends' files have in common.
mod prelude {
    pub(super) use std::sync::Arc;
    pub(super) use std::time::Duration;

    pub(super) use super::store::SqlStore;
    pub(super) use super::{TABLE, backend};
    pub(super) use crate::backend::{
        Acquired, Backend, BackendError, Capabilities, CompareAndSet, KeepLease, Kept, Lease, Leases, List, ListCursor,
        ListPage, ListedRecord, OpenBackend, OpenError, Record, RecordKey, Scope, Sweep, Touch, Written,
    };
    pub(super) use crate::clock::Timestamp;
}
