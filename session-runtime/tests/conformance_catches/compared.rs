//! The flawed store's changes without a lease.

use session_runtime::backend::{BackendError, CompareAndSet, Record, RecordKey, Touch, Written};

use crate::{
    flawed::{Flawed, State},
    flaws::Flaw,
};

impl Flawed {
    /// Why a comparison is refused, if it is.
    fn refusal(&self, state: &State, name: &RecordKey, expected: u64, touch: Touch) -> Option<Written> {
        let Some(entry) = state.entries.get(name) else { return Some(Written::Absent) };
        let lasts = self.is(Flaw::LeasesOutlastComparisons);
        let leased = entry.lease.as_ref().is_some_and(|held| lasts || touch.now < held.until);
        let other = entry.record.version != expected && !self.is(Flaw::ComparisonsOverwrite);
        (other || leased && !self.is(Flaw::ComparisonsKnowNoLease)).then_some(Written::Conflict)
    }
}

impl CompareAndSet for Flawed {
    async fn compare_and_set(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let name = self.name(key);
        let refused = self.refusal(&self.state(), &name, expected, touch);
        if refused == Some(Written::Absent) && self.is(Flaw::ComparisonsCreate) {
            let entry = self.entry(record, touch);
            self.state().entries.insert(name, entry);
            return Ok(Written::Done);
        }
        if let Some(refused) = refused {
            return Ok(refused);
        }
        if self.is(Flaw::ComparisonsRace) || self.is(Flaw::ComparisonsLookForLeasesFirst) {
            self.pause().await;
        }
        if self.is(Flaw::ComparisonsRemoveFirst) {
            let entry = self.state().entries.remove(&name);
            self.pause().await;
            entry.map(|entry| self.state().entries.insert(name, entry));
        }
        let record = self.kept(record);
        let mut state = self.state();
        let refused = match self.flaw {
            Some(Flaw::ComparisonsRace) => None,
            Some(Flaw::ComparisonsLookForLeasesFirst) => {
                let version = state.entries.get(&name).map(|entry| entry.record.version);
                (version != Some(expected)).then_some(Written::Conflict)
            }
            _ => self.refusal(&state, &name, expected, touch),
        };
        if let Some(refused) = refused {
            return Ok(refused);
        }
        Ok(state.entries.get_mut(&name).map_or(Written::Absent, |entry| {
            entry.record = record;
            Written::Done
        }))
    }
}
