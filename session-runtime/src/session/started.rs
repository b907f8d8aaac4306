//! A session that was started without a request.

use std::fmt;
use std::time::SystemTime;

use super::{Token, TokenChange};
use crate::id::PublicId;
use crate::sessions::{Core, LoadedSession};

/// A session that [`Sessions::start`](crate::Sessions::start) has started: its token, and the headers that carry it.
///
/// As a part of a response it hands the token to the client, as a login handler does: by the first transport of the type.
#[must_use = "without its token nobody can use the session"]
pub struct Started {
    core: Core,
    session: LoadedSession,
    token: String,
}

impl Started {
    pub(super) fn new(core: Core, session: LoadedSession, token: String) -> Self {
        Self { core, session, token }
    }

    /// The token, as the client will send it.
    #[doc = include_str!("../docs/examples/started_token.md")]
    pub fn token(&self) -> Token {
        Token(self.token.clone())
    }

    /// The session's name for logs and pages: a hash, of no use to an attacker.
    #[doc = include_str!("../docs/examples/started_public_id.md")]
    pub fn public_id(&self) -> PublicId {
        self.session.entry.key.public_id()
    }

    /// When the session's lifetime ends, however much it is used.
    #[doc = include_str!("../docs/examples/started_expires_at.md")]
    pub fn expires_at(&self) -> SystemTime {
        self.session.expires.into()
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// What the client is told.
    pub(crate) fn change(&self) -> TokenChange {
        TokenChange::set(self.token.clone(), &self.session)
    }
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").field("id", &self.public_id()).finish_non_exhaustive()
    }
}
