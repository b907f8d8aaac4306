//! The flawed store's lists.

use session_runtime::backend::{BackendError, List, ListCursor, ListPage, ListedRecord, RecordKey};

use crate::{flawed::Flawed, flaws::Flaw};

impl List for Flawed {
    async fn list(&self, after: Option<&ListCursor>, limit: usize) -> Result<ListPage, BackendError> {
        let mut state = self.state();
        let mut keys: Vec<RecordKey> = state.entries.keys().copied().collect();
        if self.is(Flaw::ListsRememberTheGone) {
            keys.extend(state.hidden.keys());
        }
        keys.sort_unstable();
        let seen = match after {
            Some(after) if self.is(Flaw::ListsGoByPlace) => usize::from(after.as_bytes()[0]),
            Some(after) => keys.iter().filter(|key| key.as_bytes().as_slice() <= after.as_bytes()).count(),
            None => 0,
        };
        let mut records = Vec::new();
        for key in keys.iter().skip(seen).take(limit.max(1)) {
            let flaw = self.flaw;
            let state = &mut *state;
            let Some(entry) = state.entries.get_mut(key).or_else(|| state.hidden.get_mut(key)) else { continue };
            let mut record = entry.record.clone();
            match flaw {
                Some(Flaw::ListsCountTheVersion) => record.version += 1,
                Some(Flaw::ListsAreUses) => entry.record.version += 1,
                _ => {}
            }
            records.push(ListedRecord { key: *key, record: Some(record) });
        }
        let place = seen + records.len();
        let next = match records.last() {
            Some(_) if place == keys.len() || self.is(Flaw::ListsHaveOnePage) => None,
            Some(_) if self.is(Flaw::ListsGoByPlace) => Some(ListCursor::from_bytes([u8::try_from(place).unwrap()])),
            Some(last) => Some(ListCursor::from_bytes(*last.key.as_bytes())),
            None => None,
        };
        Ok(ListPage { records, next })
    }
}
