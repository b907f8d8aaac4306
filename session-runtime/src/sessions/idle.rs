//! When a session ends that nobody uses.

use std::time::Duration;

use super::core::Core;
use super::snapshot::{Ends, TokenEntry};
use crate::backend::{Record, Touch};
use crate::clock::Timestamp;
use crate::token::Claims;

impl Core {
    /// The use of a token's session at a moment.
    pub(super) fn touch(&self, now: Timestamp, claims: &Claims) -> Touch {
        Touch { now, idle: self.idle(claims.idle), expires: claims.expires }
    }

    /// The idle timeout of a session: at most that of its type, which another release may have made shorter.
    pub(super) fn idle(&self, of_its_own: Option<Duration>) -> Duration {
        of_its_own.map_or(self.0.idle, |idle| idle.min(self.0.idle))
    }

    /// When a session ends that was used last at this moment. What travels in a token was used when the token says, as a
    /// new one is made only now and then.
    pub(super) fn ends(&self, entry: &TokenEntry, record: &Record, used: Timestamp) -> Ends {
        let used = if self.0.carried { record.last_seen } else { used };
        let idle_expires = used.plus(self.idle(entry.claims.idle)).min(record.expires);
        Ends { expires: record.expires, idle_expires }
    }

    /// Whether a record is alive at the moment of this touch, as exactly as the store notes uses.
    pub(super) fn is_live_at(&self, record: &Record, touch: Touch) -> bool {
        touch.is_live(record, self.slack(touch.idle))
    }

    pub(super) fn slack(&self, idle: Duration) -> Duration {
        if idle == self.0.idle { self.0.slack } else { self.0.client.store.backend().idle_slack(idle) }
    }
}
