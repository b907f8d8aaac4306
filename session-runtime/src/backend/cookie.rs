//! Sessions carried by the client.

use std::time::Duration;

use super::{Backend, BackendError, OpenBackend, OpenError, Record, RecordKey, Scope, Touch, Written, touch_interval};

/// Sessions carried by their tokens: the whole record travels in the cookie, encrypted and signed, and no
/// store is needed.
///
/// What that can't do: a session can't be ended anywhere but at its client (an old cookie that somebody
/// kept works until it expires), and name and value must stay within 4,096 bytes. The client keeps the
/// answer that it heard last, so of two requests at once one overwrites the other's change; a read may be
/// that one, since it answers with a new cookie when the use is due to be noted (a sixteenth of the idle
/// timeout, at most a minute). So `&mut T` does not compile with it; [`Session::update`] answers with a new
/// cookie.
///
/// What the conformance suite asks of every backend is asked of this one as far as it goes:
/// `tests/backends/cookie.rs` lists what is held, and what is not, with the reason.
///
/// [`Session::update`]: crate::Session::update
#[derive(Debug, Clone, Copy, Default)]
pub struct Cookie;

/// As a store it keeps nothing: the runtime never needs to ask.
impl Backend for Cookie {
    async fn create(&self, _: &RecordKey, _: Record, _: Touch) -> Result<bool, BackendError> {
        Ok(true)
    }

    async fn load(&self, _: &RecordKey, _: Touch) -> Result<Option<Record>, BackendError> {
        Ok(None)
    }

    async fn peek(&self, _: &RecordKey) -> Result<Option<Record>, BackendError> {
        Ok(None)
    }

    async fn update(&self, _: &RecordKey, _: u64, _: Record, _: Touch) -> Result<Written, BackendError> {
        Ok(Written::Absent)
    }

    async fn delete(&self, _: &RecordKey) -> Result<bool, BackendError> {
        Ok(false)
    }

    fn idle_slack(&self, idle: Duration) -> Duration {
        touch_interval(idle)
    }
}

impl OpenBackend for Cookie {
    type Config = ();

    const CARRIED: bool = true;

    async fn open((): (), _: &Scope) -> Result<Self, OpenError> {
        Ok(Self)
    }
}
