//! Where sessions live: the contract that a store is held to, and the stores that come with the crate.
//!
//! A [`Backend`] is conditional by construction: creating and updating are different operations and
//! an update names the version that it read. What a store can do besides is a capability with a trait
//! of its own ([`Leases`], [`KeepLease`], [`CompareAndSet`], [`Sweep`], [`Watch`], [`List`]), named in
//! [`Backend::capabilities`].

mod cookie;
mod erased;
mod exclusive;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "testing")]
pub(crate) mod fuzz;
mod list;
mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::Timestamp;

pub use self::cookie::Cookie;
pub use self::erased::Capabilities;
pub(crate) use self::erased::Store;
pub use self::exclusive::{Acquired, CompareAndSet, Holder, KeepLease, Kept, Lease, Leases};
#[cfg(feature = "file")]
pub use self::file::{File, FileConfig};
pub use self::list::{List, ListCursor, ListPage, ListedRecord};
pub use self::memory::{Memory, MemoryConfig};
#[cfg(feature = "redis-tls")]
pub use self::redis::Pem;
#[cfg(feature = "redis-cluster")]
pub use self::redis::RedisNodes;
#[cfg(feature = "redis")]
pub use self::redis::{Redis, RedisConfig, RedisUrl};
#[cfg(feature = "redis-sentinel")]
pub use self::redis::{RedisMaster, RedisSentinels};
#[cfg(feature = "mysql")]
pub use self::sql::{MySql, MySqlConfig, MySqlUrl};
#[cfg(feature = "postgres")]
pub use self::sql::{Postgres, PostgresConfig, PostgresUrl};
#[cfg(feature = "sqlite")]
pub use self::sql::{Sqlite, SqliteConfig};
pub use crate::error::{BackendError, OpenError};
pub use crate::id::{PublicId, RecordKey};
pub use crate::record::{Record, Touch, touch_interval};

/// What became of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// The record is stored.
    Done,
    /// The stored version is another one, or the lease is no longer the writer's, or is somebody else's. Nothing changed.
    Conflict,
    /// There is no such record: it ended or expired. Nothing was created.
    Absent,
}

/// A store of sessions.
///
/// The runtime calls it with a deadline on every call and drops the future when that has passed, so
/// each operation must leave the store whole wherever it is dropped. Expiry is decided by the runtime
/// against the record; a store may forget an expired record by itself, never a live one.
///
/// A record that is used with an idle timeout of [`Duration::MAX`] does not idle out, and makes room for no
/// other: it is kept until it `expires`. In such the runtime keeps which sessions an owner has.
///
/// The edges: loading, updating or deleting what isn't there is not an error. An `Err` means that the
/// store could not be asked.
pub trait Backend: Send + Sync + 'static {
    /// Stores a new record if nothing is stored under the key; `false` if something is.
    fn create(
        &self,
        key: &RecordKey,
        record: Record,
        touch: Touch,
    ) -> impl Future<Output = Result<bool, BackendError>> + Send;

    /// The record under the key, with `last_seen` as it was before this load; sets `last_seen` to
    /// `touch.now`, unless the record has expired by then.
    fn load(&self, key: &RecordKey, touch: Touch) -> impl Future<Output = Result<Option<Record>, BackendError>> + Send;

    /// The record under the key as it is stored. Nothing is noted: looking at a session is no use of it.
    fn peek(&self, key: &RecordKey) -> impl Future<Output = Result<Option<Record>, BackendError>> + Send;

    /// Replaces the record if the stored version is `expected`.
    fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> impl Future<Output = Result<Written, BackendError>> + Send;

    /// Removes the record, and with it any lease on it; `false` if there was none.
    fn delete(&self, key: &RecordKey) -> impl Future<Output = Result<bool, BackendError>> + Send;

    /// How much older than the last use a stored `last_seen` may be: zero for a store that writes it
    /// on every load, more for one that writes it only when it is due.
    fn idle_slack(&self, idle: Duration) -> Duration {
        let _ = idle;
        Duration::ZERO
    }

    /// What this store can do besides. A type that implements [`Leases`], [`KeepLease`], [`CompareAndSet`], [`Sweep`],
    /// [`Watch`] or [`List`] says so here:
    ///
    /// ```
    /// # use session_runtime::backend::*;
    /// # use std::sync::Arc;
    /// # fn example<B: KeepLease + CompareAndSet + Sweep + Watch + List>(backend: &Arc<B>) -> Capabilities {
    /// let changes = Capabilities::none().leases(backend).keep_lease(backend).compare_and_set(backend);
    /// changes.sweep(backend).watch(backend).list(backend)
    /// # }
    /// ```
    fn capabilities(self: &Arc<Self>) -> Capabilities
    where
        Self: Sized,
    {
        Capabilities::none()
    }
}

/// A backend that an attribute can name: `backend = path::to::Type(argument = value)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be opened by `backend = ...`",
    label = "this type doesn't implement `OpenBackend`",
    note = "implement `session_runtime::backend::OpenBackend` for it, or name one that comes with the crate: `memory`, \
            `file`, `redis`, `sqlite`, `postgres`, `mysql` or `cookie`"
)]
pub trait OpenBackend: Backend + Sized {
    /// The arguments: each `argument = value` of the attribute sets the field of that name, so a field's
    /// type implements [`FromSetting`](crate::FromSetting).
    type Config: Default + Send;

    /// Whether a session's record travels in its token, so that this store keeps nothing.
    #[doc(hidden)]
    const CARRIED: bool = false;

    /// Opens the store.
    ///
    /// # Errors
    /// What is wrong with the arguments. A store that is merely down at the moment is no error: its
    /// calls will fail until it is up. What is wrong with one argument is told by
    /// [`OpenError::option`] of `"backend = Type(argument)"`: if its value came from an environment variable,
    /// that is added.
    fn open(config: Self::Config, scope: &Scope) -> impl Future<Output = Result<Self, OpenError>> + Send;
}

/// Whose sessions a backend is opened for, so that several types and applications can share a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scope {
    /// The application: the name of the cargo package that declares the type.
    pub application: &'static str,
    /// The name of the session's type.
    pub type_name: &'static str,
    /// The path of the module that declares the type, the crate first; empty if it is not known.
    module: &'static str,
    /// The option `name`, where the type has it.
    name: Option<&'static str>,
}

impl Scope {
    /// The scope of a session type of an application.
    pub const fn new(application: &'static str, type_name: &'static str) -> Self {
        Self { application, type_name, module: "", name: None }
    }

    /// The type's path, as far as it is known.
    #[cfg(feature = "utoipa")]
    pub(crate) fn type_path(&self) -> String {
        let segments = self.module.split("::").filter(|segment| !segment.is_empty());
        segments.chain([self.type_name]).collect::<Vec<_>>().join("::")
    }

    /// That of a type in this module.
    pub(crate) const fn in_module(self, module: &'static str) -> Self {
        Self { module, ..self }
    }

    /// The scope of a type that states its `name`.
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Whether the type states its `name`.
    pub(crate) const fn is_named(&self) -> bool {
        self.name.is_some()
    }

    /// What tells these sessions from all others in a store: the option `name` if there is one, else `application/Type`,
    /// with the modules in between where the type is not at the root of a crate named like the application:
    /// `shop/admin.User`. Letters, digits, `-`, `_` and `.`, and at most one `/`.
    ///
    /// ```
    /// use session_runtime::backend::Scope;
    /// assert_eq!(Scope::new("shop", "User").identity(), "shop/User");
    /// assert_eq!(Scope::new("shop", "User").named("accounts").identity(), "accounts");
    /// ```
    pub fn identity(&self) -> String {
        if let Some(name) = self.name {
            return name.to_owned();
        }
        let mut segments = self.module.split("::").filter(|segment| !segment.is_empty()).peekable();
        // The package's own crate says nothing more; another program of the package has another name.
        segments.next_if(|root| *root == self.application.replace('-', "_"));
        let path: Vec<&str> = segments.chain([self.type_name]).map(|name| name.trim_start_matches("r#")).collect();
        format!("{}/{}", self.application, path.join("."))
    }
}

/// Removing records that have expired, for stores that don't forget by themselves.
pub trait Sweep: Backend {
    /// Removes at most `limit` records that have expired by `now`, and says how many.
    ///
    /// Types with other timeouts may share the store, so each record goes by its own: the store remembers with it
    /// the idle timeout of the [`Touch`] that it was last written with.
    fn sweep(&self, now: Timestamp, limit: usize) -> impl Future<Output = Result<usize, BackendError>> + Send;

    /// At most `limit` records that have expired by `now`, none of them removed: what types that have `on_end` are told of
    /// before [`forget`](Sweep::forget). It may return fewer than there are; an empty list ends the sweep.
    ///
    /// By default it is `None`: such a store is swept without a word, and `on_end` is not told of what expires.
    fn expired(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Option<Vec<ListedRecord>>, BackendError>> + Send {
        let _ = (now, limit);
        async { Ok(None) }
    }

    /// Removes those of these records that have expired by `now`, and says how many. One that was made anew meanwhile
    /// stays, so a store that has [`expired`](Sweep::expired) has this as well.
    fn forget(&self, now: Timestamp, keys: &[RecordKey]) -> impl Future<Output = Result<usize, BackendError>> + Send {
        let _ = (now, keys);
        async { Ok(0) }
    }
}

/// Telling at once that a session was ended, for connections that live long.
///
/// A store without it is looked at twice a second for as long as somebody waits for a session's end.
pub trait Watch: Backend {
    /// Watches a record from the moment at which this answers: the future resolves when it is worth looking
    /// again, at the latest when the record has been [deleted](Backend::delete) through any handle on the
    /// store, or the store may have missed that. It may resolve without a reason, and need not when a record
    /// expires: that is reckoned by who watches. Dropping it leaves nothing behind.
    ///
    /// Watching is no use of the session, and watching what isn't there is no error.
    fn watch(&self, key: &RecordKey) -> impl Future<Output = Result<BoxFuture<'static, ()>, BackendError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_names_the_package_the_program_the_modules_and_the_type() {
        for (package, module, identity) in [
            ("shop", "shop", "shop/User"),
            ("shop-app", "shop_app", "shop-app/User"),
            ("shop", "shop::admin", "shop/admin.User"),
            ("shop", "shop::admin::r#mod", "shop/admin.mod.User"),
            // Another program of the package.
            ("shop", "staff", "shop/staff.User"),
            ("shop", "staff::shop", "shop/staff.shop.User"),
            ("shop", "", "shop/User"),
        ] {
            let scope = Scope::new(package, "User").in_module(module);
            assert_eq!(scope.identity(), identity, "{package} {module}");
            assert_eq!(scope.named("accounts").identity(), "accounts");
        }
    }
}
