//! An owner's book, changed by many at once: each change is one conditional write.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::super::core::Core;
use super::super::end_hook::EndReason;
use super::super::ending;
use super::owner_index::{Entry, OwnerIndex, touch};
use crate::backend::{BackendError, Record, RecordKey, Touch, Written};
use crate::declaration::{Limit, OnExcess};
use crate::error::Error;
use crate::id::PublicId;
use crate::lease::{Queue, StoreClient, Turn};
use crate::record::Envelope;
use crate::telemetry;

/// The book of one owner, in the store.
pub(crate) struct IndexStore<'a> {
    pub(super) client: &'a Arc<StoreClient>,
    pub(super) queue: &'a Arc<Queue>,
    /// The book's own name.
    pub(super) key: RecordKey,
    /// The idle timeout of the sessions, and how much older their last use may seem.
    pub(super) idle: Duration,
    pub(super) slack: Duration,
    /// Who tells of what ends here, where somebody is to be told.
    pub(super) ending: Option<&'a Core>,
}

/// How many sessions are asked for at once.
const AT_ONCE: usize = 16;
/// How long one may queue, and how long one tries to write where others write as well.
const PATIENCE: Duration = Duration::from_secs(10);

/// A change under way: of this process one at a time, so that only processes meet in the store.
struct Attempts {
    turn: Turn,
    until: Instant,
    pause: Duration,
}

impl Attempts {
    /// Somebody else wrote first: waits a moment, never the same twice, so that two don't keep meeting.
    async fn again(&mut self) -> Result<(), Error> {
        if Instant::now() >= self.until {
            return Err(Error::Busy);
        }
        let [random] = crate::id::random();
        tokio::time::sleep(self.pause * u32::from(random) / 256).await;
        self.pause = (self.pause * 2).min(Duration::from_millis(50));
        Ok(())
    }
}

impl IndexStore<'_> {
    async fn attempts(&self) -> Result<Attempts, Error> {
        let until = Instant::now() + PATIENCE;
        let turn = tokio::time::timeout_at(until, self.queue.enter(&self.key)).await.map_err(|_| Error::Busy)??;
        Ok(Attempts { turn, until, pause: Duration::from_millis(2) })
    }

    /// The book, and its record if there is one.
    pub(super) async fn read(&self) -> Result<(OwnerIndex, Option<Record>), Error> {
        let Some(record) = self.peek(&self.key).await? else { return Ok((OwnerIndex::default(), None)) };
        match OwnerIndex::read(&record.body) {
            Some(book) => Ok((book, Some(record))),
            None => {
                telemetry::owner_unreadable(self.client.session_type);
                Err(Error::Unavailable(BackendError::new("the list of an owner's sessions has an unknown format")))
            }
        }
    }

    pub(super) async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, Error> {
        self.client.within(self.client.store.backend().peek(key)).await
    }

    /// Writes the book if it is still the one that was read.
    async fn write(&self, stored: Option<&Record>, book: &OwnerIndex) -> Result<bool, Error> {
        let (now, backend) = (self.client.now(), self.client.store.backend());
        let Some(stored) = stored else {
            // Not 1: a book that ended and began anew meanwhile has no version that was read before.
            let version = u64::from_be_bytes(crate::id::random()) >> 1;
            let record = book.record(version, now);
            let touch = Touch { now, idle: Duration::MAX, expires: record.expires };
            return self.client.within(backend.create(&self.key, record, touch)).await;
        };
        let record = book.record(stored.version.wrapping_add(1), now);
        let touch = Touch { expires: record.expires, ..touch(now, stored) };
        let written = self.client.within(backend.update(&self.key, stored.version, record, touch)).await?;
        Ok(written == Written::Done)
    }

    /// Enters a session that has started, and ends those that are too many. `replaced` is one that ends anyway and
    /// takes nobody's place.
    pub(crate) async fn enter(
        &self,
        new: Entry,
        replaced: Option<RecordKey>,
        limit: Option<Limit>,
    ) -> Result<(), Error> {
        let mut attempts = self.attempts().await?;
        let entered = self.try_enter(&mut attempts, new, replaced, limit).await;
        attempts.turn.share(entered)
    }

    async fn try_enter(
        &self,
        attempts: &mut Attempts,
        new: Entry,
        replaced: Option<RecordKey>,
        limit: Option<Limit>,
    ) -> Result<(), Error> {
        loop {
            let (mut book, stored) = self.read().await?;
            if limit.is_some_and(|limit| book.entries.len() >= limit.max.get()) || book.is_due_for_a_look() {
                book = self.alive(book).await?;
            }
            let excess = match limit {
                None => Vec::new(),
                Some(Limit { max, on_excess }) => {
                    let others: Vec<RecordKey> = book.keys().filter(|key| Some(*key) != replaced).collect();
                    let excess = (others.len() + 1).saturating_sub(max.get());
                    if excess > 0 && on_excess == OnExcess::Refuse {
                        return Err(Error::TooManySessions);
                    }
                    others[..excess].to_vec()
                }
            };
            book.entries.push(new);
            if self.write(stored.as_ref(), &book).await? {
                // Only now: had the book not been written, nothing would have changed. They stay in it until the
                // next change finds that they have ended, so that none is lost sight of if this is as far as it gets.
                self.delete(&excess, EndReason::Evicted).await?;
                return Ok(());
            }
            attempts.again().await?;
        }
    }

    /// The book without what has ended. What has expired is removed from the store first, so that no machine, whose
    /// clock may be behind, takes it for alive.
    async fn alive(&self, book: OwnerIndex) -> Result<OwnerIndex, Error> {
        let mut alive = OwnerIndex { whole_from: book.whole_from, ..OwnerIndex::default() };
        for chunk in book.entries.chunks(AT_ONCE) {
            // All of them, also after a failure: one that is dropped may have removed its session, and tells of it.
            let lives = join_all(chunk.iter().map(|entry| self.is_alive(entry))).await;
            for (entry, lives) in chunk.iter().zip(lives) {
                if lives? {
                    alive.entries.push(*entry);
                }
            }
        }
        Ok(alive)
    }

    async fn is_alive(&self, entry: &Entry) -> Result<bool, Error> {
        let Some(record) = self.peek(&entry.key).await? else { return Ok(false) };
        let lives = self.lives(&record);
        if !lives {
            self.remove(&entry.key, EndReason::Expired).await?;
        }
        Ok(lives)
    }

    /// Whether a session's record is one that may still be used.
    pub(super) fn lives(&self, record: &Record) -> bool {
        let touch = self.touch(record);
        let of_its_type = touch.idle == self.idle;
        let slack = if of_its_type { self.slack } else { self.client.store.backend().idle_slack(touch.idle) };
        touch.is_live(record, slack)
    }

    fn touch(&self, record: &Record) -> Touch {
        let of_its_own = Envelope::read(&record.body).and_then(|(envelope, _)| envelope.meta.idle);
        let idle = of_its_own.map_or(self.idle, |idle| idle.min(self.idle));
        Touch { now: self.client.now(), idle, expires: record.expires }
    }

    async fn remove(&self, key: &RecordKey, reason: EndReason) -> Result<bool, Error> {
        let last = match self.ending {
            Some(core) => self.peek(key).await?.map(|record| (core, record)),
            None => None,
        };
        let removed = ending::remove(self.client, key).await?;
        if removed && let Some((core, record)) = last {
            let reason = if self.lives(&record) { reason } else { EndReason::Expired };
            core.tell_removed(key, &record, reason);
        }
        Ok(removed)
    }

    /// Ends these sessions, and says how many there were. Those that are asked for together with one that fails have their
    /// answers as well: they may have ended, and are told then.
    async fn delete(&self, keys: &[RecordKey], reason: EndReason) -> Result<usize, Error> {
        let mut ended = 0;
        for chunk in keys.chunks(AT_ONCE) {
            let found = join_all(chunk.iter().map(|key| self.remove(key, reason))).await;
            for (key, _) in chunk.iter().zip(&found).filter(|(_, found)| matches!(found, Ok(true))) {
                telemetry::ended(self.client.session_type, key);
                ended += 1;
            }
            found.into_iter().collect::<Result<Vec<_>, _>>()?;
        }
        Ok(ended)
    }

    /// Sees that a session that is used is in the list. A store that evicts what was used least has to see the list used
    /// as its sessions are: without its list a session is not found by who ends all of an owner's.
    ///
    /// Nothing is told of a failure: the session was found, and its next use tries again.
    pub(crate) async fn keep(&self, session: Entry) {
        let _ = tokio::time::timeout(self.client.deadline, self.try_keep(session)).await;
    }

    async fn try_keep(&self, session: Entry) -> Result<(), Error> {
        let (book, _) = self.read().await?;
        if book.keys().any(|key| key == session.key) {
            return Ok(());
        }
        let mut attempts = self.attempts().await?;
        loop {
            let (mut book, stored) = self.read().await?;
            // One that has ended meanwhile is struck by who ended it, after the record is gone.
            if book.keys().any(|key| key == session.key) || self.peek(&session.key).await?.is_none() {
                return Ok(());
            }
            // Every session is entered before its token is anybody's: what the list lacks, it has lost.
            let now = self.client.now();
            if book.is_whole(now) {
                book.was_lost(now, self.idle);
            }
            book.entries.push(session);
            if self.write(stored.as_ref(), &book).await? {
                telemetry::relisted(self.client.session_type, &session.key);
                return Ok(());
            }
            attempts.again().await?;
        }
    }

    /// Strikes sessions that have ended. Nothing depends on it: who finds one that is left strikes it.
    pub(crate) async fn strike(&self, keys: &[RecordKey]) {
        // A failure is logged where the deadline is kept.
        let _ = self.try_strike(keys).await;
    }

    async fn try_strike(&self, keys: &[RecordKey]) -> Result<(), Error> {
        let mut attempts = self.attempts().await?;
        let struck = self.strike_in_turn(&mut attempts, keys).await;
        attempts.turn.share(struck)
    }

    async fn strike_in_turn(&self, attempts: &mut Attempts, keys: &[RecordKey]) -> Result<(), Error> {
        loop {
            let (mut book, stored) = self.read().await?;
            if !book.strike(keys) || self.write(stored.as_ref(), &book).await? {
                return Ok(());
            }
            attempts.again().await?;
        }
    }

    /// Ends the session of this name; `false` if there is none.
    pub(super) async fn end(&self, public_id: PublicId) -> Result<bool, Error> {
        let (book, _) = self.read().await?;
        let Some(key) = book.keys().find(|key| key.public_id() == public_id) else { return Ok(false) };
        let ended = self.delete(&[key], EndReason::Revoked).await?;
        self.strike(&[key]).await;
        Ok(ended > 0)
    }

    /// Ends every session but the one of this name, and says how many there were. Whoever is in the book when it is
    /// written has ended.
    ///
    /// # Errors
    /// [`Error::NotListed`] if the book is known not to be whole, or lacks the one of this name. Those in it have ended.
    pub(super) async fn end_all_but(&self, keep: Option<PublicId>) -> Result<usize, Error> {
        let mut attempts = self.attempts().await?;
        let ended = self.end_in_turn(&mut attempts, keep).await;
        attempts.turn.share(ended)
    }

    async fn end_in_turn(&self, attempts: &mut Attempts, keep: Option<PublicId>) -> Result<usize, Error> {
        let mut ended = 0;
        loop {
            let (mut book, stored) = self.read().await?;
            let is_listed = |keep| book.keys().any(|key| key.public_id() == keep);
            let whole = book.is_whole(self.client.now()) && keep.is_none_or(is_listed);
            let keys: Vec<RecordKey> = book.keys().filter(|key| Some(key.public_id()) != keep).collect();
            ended += self.delete(&keys, EndReason::Revoked).await?;
            if !book.strike(&keys) || self.write(stored.as_ref(), &book).await? {
                return if whole { Ok(ended) } else { Err(Error::NotListed) };
            }
            attempts.again().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Memory, Store};
    use crate::clock::{Clock as _, SystemClock};

    const IDLE: Duration = Duration::from_secs(1800);

    /// Enters a session that was used, in a list that lacks it, and says what the list has then.
    async fn kept(is_alive: bool) -> OwnerIndex {
        let memory = Arc::new(Memory::default());
        let client = Arc::new(StoreClient {
            session_type: "User",
            store: Store::new(Arc::clone(&memory)),
            clock: Arc::new(SystemClock),
            deadline: Duration::from_secs(10),
            writes: Arc::default(),
        });
        let index = IndexStore {
            client: &client,
            queue: &Queue::new(),
            key: RecordKey::from_bytes([9; 32]),
            idle: IDLE,
            slack: Duration::ZERO,
            ending: None,
        };
        let now = SystemClock.now();
        let session = Entry { key: RecordKey::from_bytes([1; 32]), expires: now.plus(IDLE) };
        if is_alive {
            let touch = Touch { now, idle: IDLE, expires: session.expires };
            let record = Record { version: 1, last_seen: now, expires: session.expires, body: Vec::new().into() };
            assert!(crate::backend::Backend::create(&*memory, &session.key, record, touch).await.unwrap());
        }
        index.keep(session).await;
        index.read().await.unwrap().0
    }

    #[tokio::test]
    async fn a_session_that_its_list_lacks_shows_that_the_list_was_lost_unless_it_has_just_ended() {
        let book = kept(true).await;
        assert_eq!((book.entries.len(), book.is_whole(SystemClock.now())), (1, false));
        assert_eq!(kept(false).await, OwnerIndex::default());
    }
}
