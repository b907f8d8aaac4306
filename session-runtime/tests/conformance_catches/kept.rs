//! The flawed store's saves that keep the lease.

use session_runtime::backend::{BackendError, KeepLease, Kept, Lease, Record, RecordKey, Touch, Written};

use crate::{flawed::Flawed, flaws::Flaw};

impl KeepLease for Flawed {
    async fn save_and_keep(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Kept, BackendError> {
        let name = self.name(key);
        if self.is(Flaw::KeepsRemoveFirst) {
            let entry = self.state().entries.remove(&name);
            self.pause().await;
            entry.map(|entry| self.state().entries.insert(name, entry));
        }
        let record = self.kept(record);
        let mut state = self.state();
        let Some(entry) = state.entries.get_mut(&name) else {
            if self.is(Flaw::KeepsCreate) {
                state.entries.insert(name, self.entry(record, touch));
                return Ok(Kept::Alone);
            }
            return Ok(Kept::Not(Written::Absent));
        };
        let anybody = self.is(Flaw::AnybodyKeeps);
        if !anybody && entry.lease.as_ref().is_none_or(|held| held.holder != lease.holder) {
            return Ok(Kept::Not(Written::Conflict));
        }
        let in_time = entry.lease.as_ref().is_some_and(|held| lease.now < held.until);
        let in_time = in_time || anybody || self.is(Flaw::KeepsMayBeLate);
        if !in_time || entry.record.version != expected && !self.is(Flaw::KeepsOverwrite) {
            if !self.is(Flaw::RefusalsKeepOn) {
                self.give_up(entry.lease.take(), Flaw::SavesWakeNobody);
            }
            return Ok(Kept::Not(Written::Conflict));
        }
        if !self.is(Flaw::KeepsStoreNothing) {
            entry.record = record;
        }
        let mut held = entry.lease.take();
        if let Some(held) = held.as_mut().filter(|_| !self.is(Flaw::KeepsDoNotExtend)) {
            held.until = lease.now.plus(lease.ttl);
        }
        let is_wanted = held.as_ref().is_some_and(|held| held.is_wanted) && !self.is(Flaw::KeepsAreAlone);
        match held {
            Some(held) if self.is(Flaw::KeepsGiveUp) => self.give_up(Some(held), Flaw::SavesWakeNobody),
            held => entry.lease = held,
        }
        Ok(if is_wanted { Kept::Contended } else { Kept::Alone })
    }
}
