//! Finding out what a write has done whose answer did not come in time.
//!
//! A store that is slow may have done what it was asked, or may do it later. For data that is a nuisance: the client is
//! told that the outcome is not known. For a rotation it would be a logout: the client keeps the id that it has, and the
//! store knows another one. So a rotation without an answer is looked up at once, and if it is in force the client gets
//! the new token as if nothing had happened. If it is not in force, the version is moved on, so that it can't come into
//! force late. While the store can't be asked, both are tried again in the background: a rotation of which nobody was told
//! is taken back, so that the id that the client has is good again.

use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::snapshot::TokenEntry;
use crate::backend::{Record, Touch, Written};
use crate::error::{BackendError, Error};
use crate::id::IdHash;
use crate::record::Envelope;

/// A conditional write as it was sent.
pub(super) struct Attempt<'a> {
    /// Whose record it is: the id in force before the write.
    pub(super) entry: &'a Arc<TokenEntry>,
    pub(super) before: &'a Record,
    pub(super) after: &'a Record,
    pub(super) touch: Touch,
    /// Whether it puts another id in force.
    pub(super) rotates: bool,
}

/// What a write has done.
enum Outcome {
    Done,
    /// Nothing, and it never will.
    Nothing,
    /// Nothing, since another one came first.
    Conflict,
    /// There is no such session any more.
    Ended,
    /// The store can't be asked.
    Unknown,
}

/// How often an outcome is asked for in the background, and after which pauses.
const TRIES: u32 = 40;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Core {
    /// What a write came to: as the store said, or as the store shows if it did not say.
    pub(super) async fn settle(&self, written: Result<(), Error>, attempt: Attempt<'_>) -> Result<(), Error> {
        match written {
            // The new id is in force: whoever is not told of it is logged out.
            Err(Error::Unavailable(why)) if why.is_of_a_done_write() && attempt.rotates => Ok(()),
            Err(Error::Unavailable(why)) if why.is_of_a_done_write() => Err(Error::Unavailable(why)),
            // Boxed, as it seldom happens.
            Err(Error::Unavailable(why)) => Box::pin(self.find_out(attempt, why)).await,
            known => known,
        }
    }

    async fn find_out(&self, attempt: Attempt<'_>, why: BackendError) -> Result<(), Error> {
        match self.outcome(&attempt).await {
            Outcome::Done => Ok(()),
            Outcome::Nothing => Err(Error::Unavailable(why)),
            Outcome::Conflict => Err(Error::Conflict),
            Outcome::Ended => Err(Error::Ended),
            Outcome::Unknown => {
                if attempt.rotates {
                    self.take_back_later(&attempt);
                }
                Err(Error::Unavailable(why.unconfirmed()))
            }
        }
    }

    async fn outcome(&self, attempt: &Attempt<'_>) -> Outcome {
        let Attempt { entry, before, after, touch, rotates } = attempt;
        let (client, backend) = (&self.0.client, self.0.client.store.backend());
        // Twice: the write that is looked for may come in between.
        for _ in 0..2 {
            let stored = match client.quietly(backend.peek(&entry.key)).await {
                Ok(Some(stored)) => stored,
                Ok(None) => return Outcome::Ended,
                Err(_) => return Outcome::Unknown,
            };
            let is_in_force = *rotates && id_hash(&stored).is_some() && id_hash(&stored) == id_hash(after);
            if is_in_force || (stored.version == after.version && stored.body == after.body) {
                return Outcome::Done;
            }
            if stored.version != before.version {
                // Another write came before it, or after it.
                return if *rotates { Outcome::Conflict } else { Outcome::Unknown };
            }
            if !*rotates {
                return Outcome::Unknown;
            }
            let _writing = client.writing(&entry.key);
            let fence = Record { version: before.version + 1, ..stored };
            match client.quietly(backend.update(&entry.key, before.version, fence, *touch)).await {
                Ok(Written::Done) => return Outcome::Nothing,
                Ok(Written::Absent) => return Outcome::Ended,
                Ok(Written::Conflict) => {}
                Err(_) => return Outcome::Unknown,
            }
        }
        Outcome::Unknown
    }

    /// Goes on asking for a rotation's outcome, and takes it back: its client was not told of the new id. Until that is
    /// done, a request with the old one is answered 503 here, and not as one without a session.
    fn take_back_later(&self, attempt: &Attempt<'_>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let Attempt { entry, before, after, touch, rotates } = *attempt;
        let (core, entry) = (self.clone(), Arc::clone(entry));
        let (before, after) = (before.clone(), after.clone());
        entry.set_unsettled(true);
        runtime.spawn(async move {
            let mut pause = FIRST_PAUSE;
            for _ in 0..TRIES {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                let attempt = Attempt { entry: &entry, before: &before, after: &after, touch, rotates };
                match core.outcome(&attempt).await {
                    Outcome::Unknown => {}
                    Outcome::Done if !core.take_back(&attempt).await => {}
                    _ => break,
                }
            }
            entry.set_unsettled(false);
        });
    }

    /// Puts the id before a rotation in force again. `false`: to be tried again.
    async fn take_back(&self, attempt: &Attempt<'_>) -> bool {
        let (client, backend) = (&self.0.client, self.0.client.store.backend());
        let key = &attempt.entry.key;
        let stored = match client.quietly(backend.peek(key)).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let (Some((rotated, payload)), Some((former, _))) =
            (Envelope::read(&stored.body), Envelope::read(&attempt.before.body))
        else {
            return true;
        };
        if Some(rotated.id_hash) != id_hash(attempt.after) {
            return true;
        }
        let Some(decoded) = self.decode(key, &stored, &rotated, payload) else { return true };
        let mut meta = former.meta;
        meta.label = decoded.meta.label;
        meta.generation = rotated.meta.generation;
        let Ok(body) = self.write(key, meta, former.id_hash, &*decoded.data, stored.body.len()) else { return true };
        let record = Record { version: stored.version + 1, body: body.body, ..stored.clone() };
        let _writing = client.writing(key);
        match client.quietly(backend.update(key, stored.version, record, attempt.touch)).await {
            Ok(Written::Done | Written::Absent) => true,
            Ok(Written::Conflict) | Err(_) => false,
        }
    }
}

/// The id that a record holds.
fn id_hash(record: &Record) -> Option<IdHash> {
    Envelope::read(&record.body).map(|(envelope, _)| envelope.id_hash)
}
