//! A store that does what a backend must, except for one flaw of its maker's choice.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use session_runtime::{
    Timestamp,
    backend::{Backend, BackendError, Capabilities, Holder, Record, RecordKey, Touch, Written},
    testing::Pair,
};
use tokio::{sync::Notify, task::yield_now};

use crate::flaws::Flaw;

/// A handle on the store.
pub(crate) struct Flawed {
    state: Arc<Mutex<State>>,
    pub(crate) flaw: Option<Flaw>,
    /// What this handle believes to be stored, where it doesn't ask.
    cache: Mutex<HashMap<RecordKey, Record>>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) entries: HashMap<RecordKey, Entry>,
    /// Leases on nothing, and whose turn it is, where there is that flaw.
    pub(crate) ghosts: HashSet<RecordKey>,
    pub(crate) queue: HashMap<RecordKey, Holder>,
    pub(crate) hidden: HashMap<RecordKey, Entry>,
    /// Who watches a record, by the handle through which he does.
    pub(crate) watches: HashMap<(RecordKey, usize), Arc<Notify>>,
}

pub(crate) struct Entry {
    pub(crate) record: Record,
    pub(crate) created: Timestamp,
    pub(crate) idle: Duration,
    pub(crate) lease: Option<FlawedLease>,
}

pub(crate) struct FlawedLease {
    pub(crate) holder: Holder,
    pub(crate) until: Timestamp,
    pub(crate) freed: Arc<Notify>,
    /// Whether somebody was told that it is taken.
    pub(crate) is_wanted: bool,
}

impl Flawed {
    pub(crate) fn pair(flaw: Option<Flaw>) -> Pair {
        let state = Arc::default();
        let open = || Arc::new(Self { state: Arc::clone(&state), flaw, cache: Mutex::default() });
        Pair::new(open(), open())
    }

    pub(crate) fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn shared(&self) -> Arc<Mutex<State>> {
        Arc::clone(&self.state)
    }

    /// The name under which a key is stored.
    pub(crate) fn name(&self, key: &RecordKey) -> RecordKey {
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
        RecordKey::from_bytes(bytes)
    }

    /// A record as it is stored.
    pub(crate) fn kept(&self, mut record: Record) -> Record {
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

    pub(crate) fn entry(&self, record: Record, touch: Touch) -> Entry {
        Entry { created: record.last_seen, idle: touch.idle, record: self.kept(record), lease: None }
    }

    /// A moment in which somebody else has the store.
    pub(crate) async fn pause(&self) {
        for _ in 0..3 {
            yield_now().await;
        }
    }

    /// Writes over a record that is known to be there.
    async fn put(&self, name: RecordKey, record: Record) {
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
    pub(crate) async fn used(&self, name: &RecordKey, touch: Touch) -> Option<Record> {
        let mut before = self.state().entries.get(name)?.record.clone();
        let idle = match self.flaw {
            Some(Flaw::ForgetsEarly) => touch.idle / 2,
            Some(Flaw::EndlessIdlesOut) => touch.idle.min(Duration::from_secs(600)),
            _ => touch.idle,
        };
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
            let entry = state.entries.entry(*name).or_insert(Entry {
                record: record.clone(),
                created,
                idle: touch.idle,
                lease: None,
            });
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
    pub(crate) fn give_up(&self, held: Option<FlawedLease>, silent: Flaw) {
        if let Some(held) = held.filter(|_| !self.is(silent)) {
            held.freed.notify_waiters();
        }
    }
}

impl Backend for Flawed {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        let (name, entry) = (self.name(key), self.entry(record, touch));
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
            self.state()
                .entries
                .insert(name, Entry { record: half, created: entry.created, idle: touch.idle, lease: None });
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

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
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

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        let name = self.name(key);
        let found = self.state().entries.get(&name).map(|entry| entry.record.clone());
        if self.is(Flaw::LooksAreUses)
            && let Some(entry) = self.state().entries.get_mut(&name)
        {
            entry.record.last_seen = entry.record.last_seen.plus(Duration::from_secs(1));
        }
        Ok(found)
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let name = self.name(key);
        let hidden = self.state().hidden.remove(&name);
        hidden.map(|entry| self.state().entries.insert(name, entry));
        let version = self.state().entries.get(&name).map(|entry| entry.record.version);
        match version {
            None if self.is(Flaw::UpdatesCreate) => {
                let entry = self.entry(record, touch);
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

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
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
        self.tell(&name);
        if self.is(Flaw::RemovalsHide) || self.is(Flaw::ListsRememberTheGone) {
            self.state().hidden.insert(name, entry);
        }
        Ok(true)
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        match self.flaw {
            Some(Flaw::NothingIsDeclared) => Capabilities::none(),
            _ => {
                let changes = Capabilities::none().leases(self).keep_lease(self).compare_and_set(self);
                changes.sweep(self).watch(self).list(self)
            }
        }
    }
}

impl Drop for Flawed {
    fn drop(&mut self) {
        if self.is(Flaw::HandlesTakeAllWithThem) {
            self.state().entries.clear();
        }
    }
}
