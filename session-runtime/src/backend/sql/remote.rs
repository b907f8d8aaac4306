//! Stores on a server, which may be down.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::driver::{Driver, Mode};
use super::failure::failure;
use super::pool::{Pool, PoolSettings};
use super::probe::{Probe, refusal};
use super::store::SqlStore;
use crate::error::OpenError;

/// The most connections of one process, unless `max_connections` says otherwise.
const MAX_CONNECTIONS: u32 = 10;
/// How long a call waits for a connection, unless `acquire_timeout` says otherwise. The runtime's deadline is usually
/// the shorter.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long opening may take. A database that needs longer is treated as one that is down.
const OPENING: Duration = Duration::from_secs(10);

/// The settings of a pool, from the arguments of a backend.
pub(super) fn settings<D: Driver>(
    max_connections: Option<u32>,
    acquire_timeout: Option<Duration>,
    mode: Mode,
) -> Result<PoolSettings, OpenError> {
    let max_connections = max_connections.unwrap_or(MAX_CONNECTIONS);
    let acquire_timeout = acquire_timeout.unwrap_or(ACQUIRE_TIMEOUT);
    let refuse = |argument: &str, why: &str| {
        Err(OpenError::option(format!("backend = {}({argument})", D::DIALECT.name), None, why))
    };
    if !(1..=10_000).contains(&max_connections) {
        return refuse("max_connections", "is no number of connections; write 1 to 10000");
    }
    if !(Duration::from_millis(1)..=Duration::from_secs(3600)).contains(&acquire_timeout) {
        return refuse("acquire_timeout", "is no time to wait for a connection; write \"1s\", at most \"1h\"");
    }
    let max_connections = usize::try_from(max_connections).unwrap_or(usize::MAX);
    Ok(PoolSettings { max_connections, acquire_timeout, remote: true, lasting: mode == Mode::Prepared })
}

/// A type for URLs that a driver can read, so that others are refused at start-up by the name of their variable.
macro_rules! url {
    ($(#[$doc:meta])* $url:ident: $options:ty, $schemes:expr, $example:literal, $otherwise:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $url {
            options: $options,
            text: std::sync::Arc<str>,
        }

        impl std::fmt::Debug for $url {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($url), "(..)"))
            }
        }

        impl $crate::setting::FromSetting for $url {
            const EXAMPLE: Option<&'static str> = Some($example);

            fn from_setting(text: &str) -> Result<Self, String> {
                let known = $schemes.iter().any(|scheme| text.starts_with(scheme));
                // The driver's own message may repeat the URL, and with it the password.
                let options = text.parse().ok().filter(|_| known);
                options.map(|options| Self { options, text: text.into() }).ok_or_else(|| $otherwise.into())
            }
        }
    };
}
pub(super) use url;

impl<D: Driver> SqlStore<D> {
    /// A store on a server.
    pub(super) fn remote(pool: Arc<Pool<D>>, table: &str, mode: Mode) -> Result<Self, OpenError> {
        Self::new(Arc::clone(&pool), pool, table, mode)
    }

    /// [`SqlStore::probe`] while the application starts. A server that is down is no error: the calls
    /// will fail until it is up, and the first that succeeds makes the tables. `place` is the argument that says where
    /// the server is.
    pub(super) async fn warm_up(&self, place: &str) -> Result<(), OpenError> {
        let name = D::DIALECT.name;
        let late = || Err(Probe::Failed(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())));
        let error = match timeout(OPENING, self.probe()).await.unwrap_or_else(|_| late()) {
            Ok(()) => return Ok(()),
            Err(Probe::Refused(why)) => {
                return Err(OpenError::option(format!("backend = {name}({place})"), None, why));
            }
            Err(Probe::Failed(error)) => error,
        };
        if let Some(why) = refusal(&error) {
            return Err(OpenError::backend(&format!("{name}({place})"), why, failure(error)));
        }
        event!(warn, "session.backend_down", backend = name, %error, "the database is not reachable yet");
        Ok(())
    }
}
