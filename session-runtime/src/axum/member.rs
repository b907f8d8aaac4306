//! A session in a handler: how it comes in and how it leaves.

use ::axum::response::Response;
use http::HeaderMap;

use super::transport;
use crate::declaration::Transport;
use crate::error::Error;
use crate::lease::Renewal;
use crate::session::TokenChange;
use crate::sessions::{Known, SessionData, Sessions};

/// A member of a handler's sessions: how it comes in and how it leaves.
pub trait Member: Send {
    /// Locks are taken in this order, the same in every handler, so that two never wait for each other.
    fn order(&self) -> &str;

    /// What is left to do once every extractor has succeeded.
    fn enter(&mut self) -> impl Future<Output = Result<(), Response>> + Send {
        async { Ok(()) }
    }

    /// What keeps its lease alive.
    #[doc(hidden)]
    fn renewal(&self) -> Option<Renewal> {
        None
    }

    /// Stores what the handler changed.
    fn commit(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// Forgets what the handler changed.
    fn discard(&mut self) {}

    /// What the client has to be told.
    #[doc(hidden)]
    fn announcement(&mut self) -> TokenChange;

    /// Writes it into the answer's headers.
    ///
    /// # Errors
    /// The cookie is too large: nothing was written.
    fn announce(&mut self, headers: &mut HeaderMap) -> Result<(), Error>;

    /// Says in an answer's headers what it depends on.
    fn vary(&self, headers: &mut HeaderMap);
}

/// Writes a change of the token into an answer's headers.
pub(super) fn announce<T: SessionData>(
    sessions: &Sessions<T>,
    by: &Transport,
    change: &TokenChange,
    headers: &mut HeaderMap,
) -> Result<(), Error> {
    transport::vary(sessions, headers);
    transport::announce(sessions, by, change, headers)?;
    if T::CLEAR_SITE_DATA && matches!(change, TokenChange::Removed) {
        transport::clear_site_data(headers);
    }
    Ok(())
}

/// A new token, where the one that was presented is due for one.
pub(super) fn reissued<T: SessionData>(sessions: &Sessions<T>, known: Option<&Known<T>>) -> TokenChange {
    known
        .and_then(|known| Some(TokenChange::Set { token: sessions.reissue(known)?, expires: known.claims.expires }))
        .unwrap_or_default()
}

macro_rules! announces {
    () => {
        fn order(&self) -> &str {
            self.sessions.purpose()
        }

        fn announce(&mut self, headers: &mut HeaderMap) -> Result<(), Error> {
            let change = self.announcement();
            $crate::axum::member::announce(&self.sessions, &self.by, &change, headers)
        }

        fn vary(&self, headers: &mut HeaderMap) {
            $crate::axum::transport::vary(&self.sessions, headers);
        }
    };
}
pub(super) use announces;
