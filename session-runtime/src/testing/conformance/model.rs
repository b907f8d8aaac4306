//! What a store may answer: a model so simple that one sees that it is right.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::operations::{Expecting, HOLDERS, KEYS, Operation};
use super::pair::key;
use super::{IDLE, LIFETIME, Pair};
use crate::backend::{Acquired, Holder, Kept, Record, RecordKey, Touch, Written};
use crate::clock::Timestamp;

/// The store that is asked, and what should be in it.
pub(super) struct Model<'a> {
    pair: &'a Pair,
    keys: [RecordKey; KEYS],
    holders: [Holder; HOLDERS],
    stored: [Option<ModelRecord>; KEYS],
    writes: u32,
}

#[derive(Debug, Clone)]
struct ModelRecord {
    version: u64,
    expires: Timestamp,
    body: Bytes,
    last_use: Timestamp,
    lease: Option<ModelLease>,
}

#[derive(Debug, Clone, Copy)]
struct ModelLease {
    holder: usize,
    until: Timestamp,
}

/// What a store did that it mustn't.
pub(super) type Outcome<T = ()> = Result<T, String>;

fn expect<T: PartialEq + Copy + fmt::Debug>(what: &str, found: T, right: T) -> Outcome {
    if found == right { Ok(()) } else { Err(format!("{what}: {found:?}, not {right:?}")) }
}

impl ModelRecord {
    /// Whether the lease is this holder's.
    fn is_held_by(&self, holder: usize, now: Timestamp) -> bool {
        self.lease.is_some_and(|held| held.holder == holder && now < held.until)
    }

    fn is_held_by_another(&self, holder: usize, now: Timestamp) -> bool {
        self.lease.is_some_and(|held| held.holder != holder && now < held.until)
    }

    fn is_held(&self, now: Timestamp) -> bool {
        self.lease.is_some_and(|held| now < held.until)
    }

    /// Whether no store may have forgotten it.
    fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires && now.since(self.last_use) < IDLE
    }

    fn version(&self, expecting: Expecting) -> u64 {
        match expecting {
            Expecting::Stored => self.version,
            Expecting::Older => self.version - 1,
            Expecting::Newer => self.version + 1,
        }
    }

    fn check(&self, found: &Record, slack: Duration) -> Outcome {
        expect("the version that is loaded", found.version, self.version)?;
        expect("the end of the record that is loaded", found.expires, self.expires)?;
        expect("the body that is loaded", &found.body, &self.body)?;
        let (seen, used) = (found.last_seen, self.last_use);
        if seen > used || used.since(seen) > slack {
            return Err(format!("the last use is {seen:?}, not {used:?}, with a slack of {slack:?}"));
        }
        Ok(())
    }
}

impl<'a> Model<'a> {
    pub(super) fn new(pair: &'a Pair) -> Self {
        let (keys, holders) = ([(); KEYS].map(|()| key()), [(); HOLDERS].map(|()| Holder::new()));
        Self { pair, keys, holders, stored: [const { None }; KEYS], writes: 0 }
    }

    /// Runs a sequence, and leaves the store without its records.
    pub(super) async fn run(mut self, operations: &[Operation]) -> Outcome {
        let mut outcome = Ok(());
        for operation in operations {
            outcome = self.step(*operation).await;
            if outcome.is_err() {
                break;
            }
        }
        for key in &self.keys {
            self.pair.one.delete(key).await;
        }
        outcome
    }

    fn slack(&self) -> Duration {
        self.pair.one.slack(IDLE)
    }

    fn touch(&self, key: usize) -> Touch {
        let now = self.pair.now();
        let expires = self.stored[key].as_ref().map_or(now.plus(LIFETIME), |stored| stored.expires);
        Touch { now, idle: IDLE, expires }
    }

    /// A record to write, unlike any other.
    fn record(&mut self, version: u64, touch: Touch) -> Record {
        self.writes += 1;
        let body = [&b"\0\xff"[..], &self.writes.to_be_bytes()].concat().into();
        Record { version, last_seen: touch.now, expires: touch.expires, body }
    }

    async fn step(&mut self, operation: Operation) -> Outcome {
        use Operation::{Acquire, Compare, Create, Delete, Extend, Keep, Load, Pass, Release, Save, Sweep, Update};
        match operation {
            Create { key, .. }
            | Load { key, .. }
            | Update { key, .. }
            | Delete { key, .. }
            | Acquire { key, .. }
            | Compare { key, .. }
            | Extend { key, .. }
            | Save { key, .. }
            | Keep { key, .. }
            | Release { key, .. } => self.revoke(key).await?,
            Pass(_) | Sweep { .. } => {}
        }
        match operation {
            Pass(time) => {
                self.pair.pass(time).await;
                Ok(())
            }
            Create { key, side } => self.create(key, side).await,
            Load { key, side } => self.load(key, side).await,
            Update { key, side, expecting } => self.update(key, side, expecting).await,
            Delete { key, side } => {
                let found = self.pair.side(side).delete(&self.keys[key]).await;
                expect("whether there was something to delete", found, self.stored[key].take().is_some())
            }
            Acquire { key, holder, ttl } => self.acquire(key, holder, ttl).await,
            Compare { key, side, expecting } => self.compare(key, side, expecting).await,
            Extend { key, holder, ttl } => self.extend(key, holder, ttl).await,
            Save { key, holder, expecting } => self.save(key, holder, None, expecting).await,
            Keep { key, holder, ttl, expecting } => self.save(key, holder, Some(ttl), expecting).await,
            Release { key, holder } => {
                let lease = self.pair.lease(self.holders[holder], Duration::ZERO);
                self.pair.side(holder).release(&self.keys[key], lease).await;
                if let Some(stored) = &mut self.stored[key] {
                    stored.lease.take_if(|held| held.holder == holder);
                }
                Ok(())
            }
            Sweep { side, limit } => self.sweep(side, limit).await,
        }
    }

    /// A record that has expired may be there or not, but it may not look alive; then it is ended, so that the
    /// model knows again what is stored.
    async fn revoke(&mut self, key: usize) -> Outcome {
        let (touch, slack, name) = (self.touch(key), self.slack(), self.keys[key]);
        let Some(stored) = &mut self.stored[key] else { return Ok(()) };
        if stored.is_live(touch.now) {
            return Ok(());
        }
        for side in [&self.pair.one, &self.pair.other] {
            let Some(found) = side.load(&name, touch).await else { continue };
            stored.check(&found, slack)?;
            if touch.is_live(&found, slack) {
                // It was within the slack, and now it is in use again.
                stored.last_use = touch.now;
                return Ok(());
            }
        }
        self.stored[key] = None;
        self.pair.one.delete(&name).await;
        expect("whether what was deleted is there", self.pair.other.load(&name, touch).await.is_some(), false)
    }

    async fn create(&mut self, key: usize, side: usize) -> Outcome {
        let touch = Touch { expires: self.pair.now().plus(LIFETIME), ..self.touch(key) };
        let record = self.record(1, touch);
        let created = self.pair.side(side).create(&self.keys[key], record.clone(), touch).await;
        expect("whether it was created", created, self.stored[key].is_none())?;
        let Record { version, last_seen, expires, body } = record;
        self.stored[key].get_or_insert(ModelRecord { version, expires, body, last_use: last_seen, lease: None });
        Ok(())
    }

    async fn load(&mut self, key: usize, side: usize) -> Outcome {
        let (touch, slack) = (self.touch(key), self.slack());
        let found = self.pair.side(side).load(&self.keys[key], touch).await;
        match (&mut self.stored[key], found) {
            (None, None) => Ok(()),
            (Some(stored), Some(found)) => {
                stored.check(&found, slack)?;
                stored.last_use = touch.now;
                Ok(())
            }
            (stored, found) => Err(format!("{found:?} is loaded, and {stored:?} is stored")),
        }
    }

    /// Notes what a write came to, if that is right.
    fn written(&mut self, key: usize, what: &str, found: Written, right: Written, record: Record) -> Outcome {
        expect(what, found, right)?;
        if let (Written::Done, Some(stored)) = (right, &mut self.stored[key]) {
            (stored.version, stored.last_use, stored.body) = (record.version, record.last_seen, record.body);
        }
        Ok(())
    }

    async fn update(&mut self, key: usize, side: usize, expecting: Expecting) -> Outcome {
        let touch = self.touch(key);
        let expected = self.stored[key].as_ref().map_or(1, |stored| stored.version(expecting));
        let record = self.record(expected + 1, touch);
        let right = match &self.stored[key] {
            None => Written::Absent,
            Some(stored) if stored.version == expected => Written::Done,
            Some(_) => Written::Conflict,
        };
        let found = self.pair.side(side).update(&self.keys[key], expected, record.clone(), touch).await;
        self.written(key, "an update", found, right, record)
    }

    async fn compare(&mut self, key: usize, side: usize, expecting: Expecting) -> Outcome {
        let touch = self.touch(key);
        let expected = self.stored[key].as_ref().map_or(1, |stored| stored.version(expecting));
        let record = self.record(expected + 1, touch);
        let right = match &self.stored[key] {
            None => Written::Absent,
            Some(stored) if stored.version == expected && !stored.is_held(touch.now) => Written::Done,
            Some(_) => Written::Conflict,
        };
        let found = self.pair.side(side).compare_and_set(&self.keys[key], expected, record.clone(), touch).await;
        self.written(key, "a comparison", found, right, record)
    }

    async fn acquire(&mut self, key: usize, holder: usize, ttl: Duration) -> Outcome {
        let (touch, slack) = (self.touch(key), self.slack());
        let lease = self.pair.lease(self.holders[holder], ttl);
        let answer = self.pair.side(holder).acquire(&self.keys[key], lease, touch).await;
        let held = |stored: &ModelRecord| stored.is_held_by_another(holder, touch.now);
        match (&mut self.stored[key], answer) {
            (None, Acquired::Absent) => Ok(()),
            (Some(stored), Acquired::Busy(_)) if held(stored) => Ok(()),
            (Some(stored), Acquired::Granted(found)) if !held(stored) => {
                stored.check(&found, slack)?;
                stored.last_use = touch.now;
                stored.lease = Some(ModelLease { holder, until: touch.now.plus(ttl) });
                Ok(())
            }
            (stored, answer) => {
                let answer = match answer {
                    Acquired::Absent => "absent",
                    Acquired::Busy(_) => "busy",
                    Acquired::Granted(_) => "granted",
                };
                Err(format!("the lease is said to be {answer}, and stored is {stored:?}"))
            }
        }
    }

    async fn extend(&mut self, key: usize, holder: usize, ttl: Duration) -> Outcome {
        let lease = self.pair.lease(self.holders[holder], ttl);
        let extended = self.pair.side(holder).extend(&self.keys[key], lease).await;
        let held = self.stored[key].as_mut().filter(|stored| stored.is_held_by(holder, lease.now));
        expect("whether the lease was extended", extended, held.is_some())?;
        if let Some(stored) = held {
            stored.lease = Some(ModelLease { holder, until: lease.now.plus(ttl) });
        }
        Ok(())
    }

    /// A save, that keeps the lease for so long or gives it up.
    async fn save(&mut self, key: usize, holder: usize, keep: Option<Duration>, expecting: Expecting) -> Outcome {
        let touch = self.touch(key);
        let expected = self.stored[key].as_ref().map_or(1, |stored| stored.version(expecting));
        let record = self.record(expected + 1, touch);
        let right = match &self.stored[key] {
            None => Written::Absent,
            Some(stored) if stored.is_held_by(holder, touch.now) && stored.version == expected => Written::Done,
            Some(_) => Written::Conflict,
        };
        let lease = self.pair.lease(self.holders[holder], keep.unwrap_or_default());
        let (side, name) = (self.pair.side(holder), &self.keys[key]);
        let (found, kept) = match keep {
            None => (side.save(name, lease, expected, record.clone(), touch).await, None),
            Some(ttl) => match side.save_and_keep(name, lease, expected, record.clone(), touch).await {
                Kept::Alone | Kept::Contended => (Written::Done, Some(ttl)),
                Kept::Not(written) => (written, None),
            },
        };
        if let Some(stored) = &mut self.stored[key] {
            stored.lease.take_if(|held| held.holder == holder);
            if let Some(ttl) = kept {
                stored.lease = Some(ModelLease { holder, until: touch.now.plus(ttl) });
            }
        }
        let what = if keep.is_some() { "a save that keeps the lease" } else { "a save" };
        self.written(key, what, found, right, record)
    }

    async fn sweep(&mut self, side: usize, limit: usize) -> Outcome {
        let now = self.pair.now();
        let swept = self.pair.side(side).sweep(now, limit).await;
        let expired = self.stored.iter().flatten().filter(|stored| !stored.is_live(now)).count();
        if swept > limit.min(expired) {
            return Err(format!("{swept} were swept, of {limit} at most and {expired} that have expired"));
        }
        Ok(())
    }
}
