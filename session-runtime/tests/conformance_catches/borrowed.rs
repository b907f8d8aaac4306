//! The flawed store's leases and sweeps.

use std::{sync::Arc, time::Duration};

use session_runtime::{
    Timestamp,
    backend::{Acquired, BackendError, Lease, Leases, ListedRecord, Record, RecordKey, Sweep, Touch, Written},
};
use tokio::sync::Notify;

use crate::{
    flawed::{Entry, Flawed, FlawedLease, State},
    flaws::Flaw,
};

impl Leases for Flawed {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
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
        if self.is(Flaw::LeaversKeepTheirPlace) {
            let held = self.state().entries.get(&name).is_some_and(|entry| entry.lease.is_some());
            if held {
                self.state().queue.entry(name).or_insert(lease.holder);
                self.pause().await;
                let mut state = self.state();
                if state.queue.get(&name) == Some(&lease.holder) {
                    state.queue.remove(&name);
                }
            }
        }
        let until = lease.now.plus(lease.ttl);
        {
            let mut state = self.state();
            let State { entries, queue, .. } = &mut *state;
            let Some(entry) = entries.get_mut(&name) else { return Ok(Acquired::Absent) };
            if let Some(held) = &mut entry.lease
                && held.holder != lease.holder
                && (lease.now < held.until || self.is(Flaw::LeasesNeverEnd))
                && !self.is(Flaw::LeasesAreShared)
            {
                held.is_wanted = true;
                if self.is(Flaw::WaitersKeepTheirPlace) {
                    queue.entry(name).or_insert(lease.holder);
                }
                let left = held.until.since(lease.now);
                let left = if self.is(Flaw::WaitersMissTheEnd) { Duration::MAX } else { left };
                return busy(Arc::clone(&held.freed), left);
            }
            let in_line = self.is(Flaw::WaitersKeepTheirPlace) || self.is(Flaw::LeaversKeepTheirPlace);
            if in_line && queue.get(&name).is_some_and(|next| *next != lease.holder) {
                return busy(Arc::default(), lease.ttl);
            }
            let until = if self.is(Flaw::BorrowsStick) { Timestamp::from_millis(u64::MAX) } else { until };
            entry.lease = Some(FlawedLease { holder: lease.holder, until, freed: Arc::default(), is_wanted: false });
        }
        if self.is(Flaw::BorrowsStick) {
            self.pause().await;
            if let Some(held) = self.state().entries.get_mut(&name).and_then(|entry| entry.lease.as_mut()) {
                held.until = until;
            }
        }
        Ok(self.used(&name, touch).await.map_or(Acquired::Absent, Acquired::Granted))
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
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
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let (name, record) = (self.name(key), self.kept(record));
        let mut state = self.state();
        let Some(entry) = state.entries.get_mut(&name) else {
            if self.is(Flaw::SavesCreate) {
                state.entries.insert(name, self.entry(record, touch));
                return Ok(Written::Done);
            }
            return Ok(Written::Absent);
        };
        let his = entry.lease.as_ref().is_some_and(|held| held.holder == lease.holder);
        if !his && !self.is(Flaw::AnybodySaves) {
            if self.is(Flaw::OthersFreeTheLease) {
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

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        let mut state = self.state();
        if let Some(entry) = state.entries.get_mut(&self.name(key)) {
            let held = entry.lease.take_if(|held| held.holder == lease.holder || self.is(Flaw::AnybodyReleases));
            self.give_up(held, Flaw::ReleasesWakeNobody);
        }
        Ok(())
    }
}

impl Sweep for Flawed {
    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, BackendError> {
        let expired = |entry: &Entry| {
            let mut record = entry.record.clone();
            if self.is(Flaw::SweepsGoByAge) {
                record.last_seen = entry.created;
            }
            let one = self.is(Flaw::SweepsKnowOneTimeout);
            let idle = if one { Duration::from_millis(500) } else { entry.idle };
            !Touch { now, idle, expires: record.expires }.is_live(&record, Duration::ZERO)
        };
        let all = self.is(Flaw::SweepsTakeAll);
        let found =
            self.state().entries.iter().filter(|(_, entry)| all || expired(entry)).map(|(key, _)| *key).collect();
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

    async fn expired(&self, now: Timestamp, limit: usize) -> Result<Option<Vec<ListedRecord>>, BackendError> {
        let mut state = self.state();
        let told = |entry: &Entry| self.is(Flaw::TellsOfTheLive) || has_expired(entry, now);
        let found: Vec<_> = state.entries.iter().filter(|(_, entry)| told(entry)).map(|(key, _)| *key).collect();
        let limit = if self.is(Flaw::TellsOfMore) { found.len() } else { limit };
        let found = found.into_iter().take(limit);
        let listed = found.map(|name| {
            let record = Some(state.entries[&name].record.clone());
            if self.is(Flaw::TellingRemoves) {
                state.entries.remove(&name);
            }
            ListedRecord { key: name, record }
        });
        Ok(Some(listed.collect()))
    }

    async fn forget(&self, now: Timestamp, keys: &[RecordKey]) -> Result<usize, BackendError> {
        let mut state = self.state();
        let mut forgotten = 0;
        for name in keys.iter().map(|key| self.name(key)) {
            let goes = |entry: &Entry| self.is(Flaw::ForgetsTheLive) || has_expired(entry, now);
            if state.entries.get(&name).is_some_and(goes) {
                state.entries.remove(&name);
                forgotten += 1;
            }
        }
        Ok(if self.is(Flaw::ForgetsAndCountsAll) { keys.len() } else { forgotten })
    }
}

fn has_expired(entry: &Entry, now: Timestamp) -> bool {
    !Touch { now, idle: entry.idle, expires: entry.record.expires }.is_live(&entry.record, Duration::ZERO)
}
