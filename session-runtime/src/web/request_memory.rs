//! What a request has loaded, for whoever asks in the same request: a middleware, `protect()`, an extractor, the handler.
//!
//! It stands in the request's extensions, so it goes where the request goes and ends with it. What this process has
//! written since is loaded again, so that nobody in the request sees what the handler has changed, rotated or ended.
//! What another process may have written is believed for a moment only: a request that lasts, such as a stream of
//! events, does not keep the session of its beginning. An exclusive borrow asks nobody but the store.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::request::Parts;

use super::passive::Reading;
use crate::clock::Timestamp;
use crate::sessions::{Core, LoadedSession, TokenEntry};

/// How long what was loaded counts as what is stored.
const CURRENT: Duration = Duration::from_secs(1);

/// In a request's extensions.
#[derive(Clone, Default)]
struct RequestMemory(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    last: Option<Loaded>,
    /// Empty, and so without an allocation, unless a request has sessions of several types.
    others: Vec<Loaded>,
}

/// What a token was found to open.
struct Loaded {
    core: Core,
    entry: Arc<TokenEntry>,
    found: Option<LoadedSession>,
    reading: Reading,
    writes: u64,
    at: Timestamp,
}

/// Lets a request remember what is loaded from here on.
pub(super) fn begin(parts: &mut Parts) {
    parts.extensions.get_or_insert_default::<RequestMemory>();
}

fn with<R>(parts: &Parts, read: impl FnOnce(&mut Memory) -> R) -> Option<R> {
    let RequestMemory(memory) = parts.extensions.get()?;
    Some(read(&mut memory.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// What was loaded for this token, if that is still what is stored: perhaps that there is no such session. Who uses the
/// session does not take what was only looked at: that use is to be noted.
pub(super) fn recall(
    core: &Core,
    parts: &Parts,
    entry: &TokenEntry,
    reading: Reading,
) -> Option<Option<LoadedSession>> {
    with(parts, |memory| {
        let loaded = memory.last.iter().chain(&memory.others).find(|loaded| loaded.is_of(core, entry))?;
        let now = core.now();
        // A clock that was set back makes nothing last.
        let current = now.since(loaded.at) < CURRENT && loaded.at.since(now) < CURRENT;
        let noted = reading == Reading::Look || loaded.reading == Reading::Use;
        (current && noted && core.writes(entry) == loaded.writes).then(|| loaded.found.clone())
    })?
}

/// Keeps what was loaded; `writes` and `at` are from before that.
pub(super) fn remember(
    core: &Core,
    parts: &Parts,
    entry: &Arc<TokenEntry>,
    (found, reading): (Option<&LoadedSession>, Reading),
    (writes, at): (u64, Timestamp),
) {
    with(parts, |memory| {
        let loaded =
            Loaded { core: core.clone(), entry: Arc::clone(entry), found: found.cloned(), reading, writes, at };
        memory.others.retain(|other| !other.is_of(core, entry));
        memory.others.extend(memory.last.replace(loaded).filter(|last| !last.is_of(core, entry)));
    });
}

impl Loaded {
    fn is_of(&self, core: &Core, entry: &TokenEntry) -> bool {
        self.core.is(core) && self.entry.claims == entry.claims
    }
}
