//! A session in a handler: how it comes in and how it leaves.

use std::future::Future;

use ::axum::response::Response;
use http::HeaderMap;

use super::transport;
use crate::declaration::Transport;
use crate::error::Error;
use crate::lease::Renewal;
use crate::session::TokenChange;
use crate::sessions::{SessionData, Sessions, Snapshot};

/// A member of a handler's sessions: how it comes in and how it leaves.
pub trait Member: Send {
    /// Locks are taken in this order, the same in every handler, so that two never wait for each other.
    fn order(&self) -> &str;

    /// What is left to do once every extractor has succeeded.
    fn enter(&mut self) -> impl Future<Output = Result<(), Response>> + Send {
        async { Ok(()) }
    }

    /// What entering brings with it, once every session has been entered: nobody turns the request away after it.
    fn settle(&mut self) -> impl Future<Output = Result<(), Response>> + Send {
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

impl<A: Member> Member for &mut A {
    fn order(&self) -> &str {
        (**self).order()
    }

    fn enter(&mut self) -> impl Future<Output = Result<(), Response>> + Send {
        (**self).enter()
    }

    fn settle(&mut self) -> impl Future<Output = Result<(), Response>> + Send {
        (**self).settle()
    }

    fn renewal(&self) -> Option<Renewal> {
        (**self).renewal()
    }

    fn commit(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        (**self).commit()
    }

    fn discard(&mut self) {
        (**self).discard();
    }

    fn announcement(&mut self) -> TokenChange {
        (**self).announcement()
    }

    fn announce(&mut self, headers: &mut HeaderMap) -> Result<(), Error> {
        (**self).announce(headers)
    }

    fn vary(&self, headers: &mut HeaderMap) {
        (**self).vary(headers);
    }
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
pub(super) fn reissued<T: SessionData>(sessions: &Sessions<T>, session: Option<&Snapshot<T>>) -> TokenChange {
    session.and_then(|session| Some(TokenChange::set(sessions.reissue(session)?, session))).unwrap_or_default()
}

/// The token of a session that was renewed when it was entered, or one that is due for another reason.
pub(super) fn entered<T: SessionData>(
    sessions: &Sessions<T>,
    session: Option<&Snapshot<T>>,
    token: Option<String>,
) -> TokenChange {
    match (session, token) {
        (Some(session), Some(token)) => TokenChange::set(token, session),
        (session, _) => reissued(sessions, session),
    }
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
