//! A store that does what a backend must, except for one flaw of its maker's choice.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use session_runtime::{
    Timestamp,
    backend::{
        Acquired, Backend, BackendError, Capabilities, Holder, Key, Lease, Leases, Record, Sweep, Touch, Written,
    },
    testing::Pair,
};
use tokio::{sync::Notify, task::yield_now};

use crate::flaws::Flaw;

/// A handle on the store.
pub(crate) struct Flawed {
    state: Arc<Mutex<State>>,
    flaw: Option<Flaw>,
    /// What this handle believes to be stored, where it doesn't ask.
    cache: Mutex<HashMap<Key, Record>>,
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    /// Leases on nothing, and whose turn it is, where there is that flaw.
    ghosts: HashSet<Key>,
    queue: HashMap<Key, Holder>,
    hidden: HashMap<Key, Entry>,
}

struct Entry {
    record: Record,
    created: Timestamp,
    lease: Option<Held>,
}

struct Held {
    holder: Holder,
    until: Timestamp,
    freed: Arc<Notify>,
}

impl Flawed {
    pub(crate) fn pair(flaw: Option<Flaw>) -> Pair {
        let state = Arc::default();
        let open = || Arc::new(Self { state: Arc::clone(&state), flaw, cache: Mutex::default() });
        Pair::new(open(), open())
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The name under which a key is stored.
    fn name(&self, key: &Key) -> Key {
        let mut bytes = *key.as_bytes();
        match self.flaw {
            Some(Flaw::NamesAreShort) => bytes[16..].fill(0),
            // As a database that compares text without case does.
            Some(Flaw::NamesHaveNoCase) => {
                for (byte, char) in bytes.iter_mut().zip(key.to_string().to_lowercase().bytes()) {
                    *byte = char;
                }
            }
            _ => {}
        }
        Key::from_bytes(bytes)
    }

    /// A record as it is stored.
    fn kept(&self, mut record: Record) -> Record {
        match self.flaw {
            Some(Flaw::BodiesEndAtZero) => {
                let end = record.body.iter().position(|byte| *byte == 0).unwrap_or(record.body.len());
                record.body.truncate(end);
            }
            Some(Flaw::BodiesAreText) => {
                record.body = String::from_utf8_lossy(&record.body).into_owned().into_bytes().into();
            }
            #[expect(clippy::cast_precision_loss, reason = "that is the flaw")]
            Some(Flaw::VersionsAreFloats) => record.version = record.version as f64 as u64,
            _ => {}
        }
        record
    }

    fn entry(&self, record: Record) -> Entry {
        Entry { created: record.last_seen, record: self.kept(record), lease: None }
    }

    /// A moment in which somebody else has the store.
    async fn pause(&self) {
        for _ in 0..3 {
            yield_now().await;
        }
    }

    /// Writes over a record that is known to be there.
    async fn put(&self, name: Key, record: Record) {
        let record = self.kept(record);
        if self.is(Flaw::WritesAreTorn) {
            if let Some(entry) = self.state().entries.get_mut(&name) {
                entry.record.version = record.version;
            }
            self.pause().await;
        }
        if self.is(Flaw::WritesRemoveFirst) {
            let entry = self.state().entries.remove(&name);
            self.pause().await;
            entry.map(|entry| self.state().entries.insert(name, entry));
        }
        if let Some(entry) = self.state().entries.get_mut(&name) {
            entry.record = record;
        }
    }

    /// The record as it was before this use, which is noted.
    async fn used(&self, name: &Key, touch: Touch) -> Option<Record> {
        let mut before = self.state().entries.get(name)?.record.clone();
        let idle = if self.is(Flaw::ForgetsEarly) { touch.idle / 2 } else { touch.idle };
        if !(Touch { idle, ..touch }).is_live(&before, Duration::ZERO) && !self.is(Flaw::UsesRevive) {
            self.state().entries.remove(name);
            return None;
        }
        if self.is(Flaw::UsesAreForgotten) {
            return Some(before);
        }
        if self.is(Flaw::UsesWriteBack) {
            self.pause().await;
            let (record, created) = (Record { last_seen: touch.now, ..before.clone() }, touch.now);
            let mut state = self.state();
            let entry = state.entries.entry(*name).or_insert(Entry { record: record.clone(), created, lease: None });
            entry.record = record;
            return Some(before);
        }
        if let Some(entry) = self.state().entries.get_mut(name) {
            entry.record.last_seen = touch.now;
            entry.record.version += u64::from(self.is(Flaw::UsesAreVersions));
            if self.is(Flaw::UsesMoveTheEnd) {
                entry.record.expires = touch.now.plus(Duration::from_secs(3600));
            }
        }
        if self.is(Flaw::LoadsTellThisUse) {
            before.last_seen = touch.now;
        }
        Some(before)
    }

    /// Gives up a lease and wakes who waits for it.
    fn give_up(&self, held: Option<Held>, silent: Flaw) {
        if let Some(held) = held.filter(|_| !self.is(silent)) {
            held.freed.notify_waiters();
        }
    }
}

impl Backend for Flawed {
    async fn create(&self, key: &Key, record: Record, _: Touch) -> Result<bool, BackendError> {
        let (name, entry) = (self.name(key), self.entry(record));
        if self.is(Flaw::CreationsRace) {
            let found = self.state().entries.contains_key(&name);
            self.pause().await;
            if found {
                return Ok(false);
            }
            self.state().entries.insert(name, entry);
            return Ok(true);
        }
        if self.state().entries.contains_key(&name) && !self.is(Flaw::CreationsReplace) {
            return Ok(false);
        }
        if self.is(Flaw::CreationsAreTorn) {
            let half = Record { body: Vec::new().into(), ..entry.record.clone() };
            self.state().entries.insert(name, Entry { record: half, created: entry.created, lease: None });
            self.pause().await;
        }
        // Asked again under the lock under which it is done.
        let mut state = self.state();
        let replaces = self.is(Flaw::CreationsReplace) || self.is(Flaw::CreationsAreTorn);
        if state.entries.contains_key(&name) && !replaces {
            return Ok(false);
        }
        state.entries.insert(name, entry);
        Ok(true)
    }

    async fn load(&self, key: &Key, touch: Touch) -> Result<Option<Record>, BackendError> {
        let name = self.name(key);
        if self.is(Flaw::HandlesRemember)
            && let Some(record) = self.cache.lock().unwrap().get(&name)
        {
            return Ok(Some(record.clone()));
        }
        while self.is(Flaw::ReadersWait) && self.state().entries.get(&name).is_some_and(|entry| entry.lease.is_some()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let found = self.used(&name, touch).await;
        if found.is_none() && self.is(Flaw::AbsentIsAnError) {
            return Err(BackendError::new("not found"));
        }
        found.clone().map(|record| self.cache.lock().unwrap().insert(name, record));
        Ok(found)
    }

    async fn update(&self, key: &Key, expected: u64, record: Record, _: Touch) -> Result<Written, BackendError> {
        let name = self.name(key);
        if self.is(Flaw::RemovalsHide)
            && let Some(entry) = self.state().hidden.remove(&name)
        {
            self.state().entries.insert(name, entry);
        }
        let version = self.state().entries.get(&name).map(|entry| entry.record.version);
        match version {
            None if self.is(Flaw::UpdatesCreate) => {
                let entry = self.entry(record);
                self.state().entries.insert(name, entry);
                return Ok(Written::Done);
            }
            None => return Ok(Written::Absent),
            Some(version) if version != expected && !self.is(Flaw::UpdatesOverwrite) => return Ok(Written::Conflict),
            Some(_) => {}
        }
        if self.is(Flaw::UpdatesRace) {
            self.pause().await;
        }
        if self.is(Flaw::UpdatesRace) || self.is(Flaw::WritesAreTorn) || self.is(Flaw::WritesRemoveFirst) {
            self.put(name, record).await;
            return Ok(Written::Done);
        }
        let record = self.kept(record);
        match self.state().entries.get_mut(&name) {
            None => Ok(Written::Absent),
            Some(entry) if entry.record.version != expected && !self.is(Flaw::UpdatesOverwrite) => {
                Ok(Written::Conflict)
            }
            Some(entry) => {
                entry.record = record;
                Ok(Written::Done)
            }
        }
    }

    async fn delete(&self, key: &Key) -> Result<bool, BackendError> {
        let name = self.name(key);
        if self.is(Flaw::RemovalsAreTorn) {
            if let Some(entry) = self.state().entries.get_mut(&name) {
                entry.record.body = Vec::new().into();
            }
            self.pause().await;
        }
        let Some(mut entry) = self.state().entries.remove(&name) else {
            return Ok(self.is(Flaw::RemovalsAlwaysFind));
        };
        if self.is(Flaw::RemovalsKeepTheLease) && entry.lease.is_some() {
            self.state().ghosts.insert(name);
        }
        self.give_up(entry.lease.take(), Flaw::RemovalsWakeNobody);
        if self.is(Flaw::RemovalsHide) {
            self.state().hidden.insert(name, entry);
        }
        Ok(true)
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        match self.flaw {
            Some(Flaw::NothingIsDeclared) => Capabilities::none(),
            _ => Capabilities::none().leases(self).sweep(self),
        }
    }
}

impl Leases for Flawed {
    async fn acquire(&self, key: &Key, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        let name = self.name(key);
        let busy = |freed: Arc<Notify>, left: Duration| {
            let freed = freed.notified_owned();
            Ok(Acquired::Busy(Box::pin(async move {
                _ = tokio::time::timeout(left, freed).await;
            })))
        };
        if self.state().ghosts.contains(&name) {
            return busy(Arc::default(), lease.ttl);
        }
        if !self.state().entries.contains_key(&name) {
            if self.is(Flaw::NothingIsLeased) {
                self.state().ghosts.insert(name);
            }
            return Ok(Acquired::Absent);
        }
        if self.is(Flaw::LeasesRace) {
            let free = self.state().entries.get(&name).is_some_and(|entry| entry.lease.is_none());
            self.pause().await;
            if free && let Some(entry) = self.state().entries.get_mut(&name) {
                entry.lease = None;
            }
        }
        let until = lease.now.plus(lease.ttl);
        {
            let mut state = self.state();
            let State { entries, queue, .. } = &mut *state;
            let Some(entry) = entries.get_mut(&name) else { return Ok(Acquired::Absent) };
            if let Some(held) = &entry.lease
                && held.holder != lease.holder
                && (lease.now < held.until || self.is(Flaw::LeasesNeverEnd))
                && !self.is(Flaw::LeasesAreShared)
            {
                queue.entry(name).or_insert(lease.holder);
                let left = held.until.since(lease.now);
                let left = if self.is(Flaw::WaitersMissTheEnd) { Duration::MAX } else { left };
                return busy(Arc::clone(&held.freed), left);
            }
            if self.is(Flaw::WaitersKeepTheirPlace) && queue.get(&name).is_some_and(|next| *next != lease.holder) {
                return busy(Arc::default(), lease.ttl);
            }
            let until = if self.is(Flaw::BorrowsStick) { Timestamp::from_millis(u64::MAX) } else { until };
            entry.lease = Some(Held { holder: lease.holder, until, freed: Arc::default() });
        }
        if self.is(Flaw::BorrowsStick) {
            self.pause().await;
            if let Some(held) = self.state().entries.get_mut(&name).and_then(|entry| entry.lease.as_mut()) {
                held.until = until;
            }
        }
        Ok(self.used(&name, touch).await.map_or(Acquired::Absent, Acquired::Granted))
    }

    async fn extend(&self, key: &Key, lease: Lease) -> Result<bool, BackendError> {
        let mut state = self.state();
        let Some(held) = state.entries.get_mut(&self.name(key)).and_then(|entry| entry.lease.as_mut()) else {
            return Ok(false);
        };
        let his = held.holder == lease.holder || self.is(Flaw::AnybodyExtends);
        let in_time = lease.now < held.until || self.is(Flaw::ExtensionsMayBeLate);
        if his && in_time && !self.is(Flaw::ExtensionsAreIdle) {
            held.until = lease.now.plus(lease.ttl);
        }
        Ok(his && in_time)
    }

    async fn save(
        &self,
        key: &Key,
        lease: Lease,
        expected: u64,
        record: Record,
        _: Touch,
    ) -> Result<Written, BackendError> {
        let (name, record) = (self.name(key), self.kept(record));
        let mut state = self.state();
        let Some(entry) = state.entries.get_mut(&name) else {
            if self.is(Flaw::SavesCreate) {
                state.entries.insert(name, self.entry(record));
                return Ok(Written::Done);
            }
            return Ok(Written::Absent);
        };
        let his = entry.lease.as_ref().is_some_and(|held| held.holder == lease.holder);
        if !his && !self.is(Flaw::AnybodySaves) {
            if self.is(Flaw::StrangersFreeTheLease) {
                entry.lease = None;
            }
            return Ok(Written::Conflict);
        }
        let in_time = entry.lease.as_ref().is_some_and(|held| lease.now < held.until);
        let in_time = in_time || self.is(Flaw::SavesMayBeLate) || self.is(Flaw::AnybodySaves);
        let right = in_time && (entry.record.version == expected || self.is(Flaw::SavesOverwrite));
        if right {
            entry.record = record;
        }
        if !(self.is(Flaw::SavesKeepTheLease) || self.is(Flaw::RefusalsKeepTheLease) && !right) {
            self.give_up(entry.lease.take(), Flaw::SavesWakeNobody);
        }
        Ok(if right { Written::Done } else { Written::Conflict })
    }

    async fn release(&self, key: &Key, lease: Lease) -> Result<(), BackendError> {
        let mut state = self.state();
        if let Some(entry) = state.entries.get_mut(&self.name(key)) {
            let held = entry.lease.take_if(|held| held.holder == lease.holder || self.is(Flaw::AnybodyReleases));
            self.give_up(held, Flaw::ReleasesWakeNobody);
        }
        Ok(())
    }
}

impl Sweep for Flawed {
    async fn sweep(&self, now: Timestamp, idle: Duration, limit: usize) -> Result<usize, BackendError> {
        let expired = |entry: &Entry| {
            let mut record = entry.record.clone();
            if self.is(Flaw::SweepsGoByAge) {
                record.last_seen = entry.created;
            }
            !Touch { now, idle, expires: record.expires }.is_live(&record, Duration::ZERO)
        };
        let all = self.is(Flaw::SweepsTakeAll);
        let found = self.state().entries.iter().filter(|(_, entry)| all || expired(entry)).map(|(key, _)| *key).collect();
        let mut found: Vec<_> = found;
        if !self.is(Flaw::SweepsKnowNoBound) {
            found.truncate(if self.is(Flaw::SweepsTakeMore) { limit * 2 } else { limit });
        }
        if self.is(Flaw::SweepsTakeNothing) {
            found.clear();
        }
        if self.is(Flaw::SweepsCountTwice) {
            self.pause().await;
        }
        let mut state = self.state();
        let swept = found.iter().filter(|key| state.entries.remove(key).is_some()).count();
        Ok(match self.flaw {
            Some(Flaw::SweepsCountTwice) => found.len(),
            Some(Flaw::SweepsTakeMore) => swept.min(limit),
            _ => swept,
        })
    }
}

impl Drop for Flawed {
    fn drop(&mut self) {
        if self.is(Flaw::HandlesTakeAllWithThem) {
            self.state().entries.clear();
        }
    }
}
