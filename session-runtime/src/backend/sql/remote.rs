//! Stores on a server, which may be down.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::driver::{Driver, Options};
use super::failure::{failure, is};
use super::pool::Pool;
use super::store::SqlStore;
use crate::error::OpenError;

/// The most connections of one process.
const MOST: usize = 10;
/// How long opening may take. A database that needs longer is treated as one that is down.
const OPENING: Duration = Duration::from_secs(10);

/// A type for URLs that a driver can read, so that others are refused at start-up by the name of their variable.
macro_rules! url {
    ($(#[$doc:meta])* $url:ident: $options:ty, $schemes:expr, $example:literal, $otherwise:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $url($options);

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
                text.parse().ok().filter(|_| known).map(Self).ok_or_else(|| $otherwise.into())
            }
        }
    };
}
pub(super) use url;

impl<D: Driver> SqlStore<D> {
    /// A store on a server, with as many connections as are needed up to a bound.
    pub(super) fn remote(options: Options<D>, table: &str) -> Result<Self, OpenError> {
        let pool = Arc::new(Pool::new(options, MOST, true));
        Self::new(Arc::clone(&pool), pool, table)
    }

    /// [`SqlStore::prepare`] while the application starts. A server that is down is no error: the calls
    /// will fail until it is up, and the first that succeeds makes the tables.
    pub(super) async fn warm_up(&self) -> Result<(), OpenError> {
        let name = D::DIALECT.name;
        let late = || Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
        let Err(error) = timeout(OPENING, self.prepare()).await.unwrap_or_else(|_| late()) else { return Ok(()) };
        if let Some(why) = refusal(&error) {
            return Err(OpenError::backend(&format!("{name}(url)"), why, failure(error)));
        }
        event!(warn, "session.backend_down", backend = name, %error, "the database is not reachable yet");
        Ok(())
    }
}

/// What to look at if waiting won't help: the user, the password, the database's name, the rights, the
/// table's columns or the way there are wrong.
fn refusal(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => Some(
            "asks for a way to the database that isn't there; TLS needs the cargo feature `sql-tls` of session-runtime",
        ),
        error if is(error, &["28", "3D", "3F", "42"]) => {
            Some("was refused by the database; check the URL, the rights of its user and the table's name")
        }
        _ => None,
    }
}
