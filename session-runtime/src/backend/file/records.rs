//! What [`Backend`](crate::backend::Backend) asks for, as blocking work.

use std::fs;
use std::io::ErrorKind;

use super::disk::{CallerAlive, Disk, DiskError, DuringExt as _, Locked, RecordPaths, Result, TempRecord};
use crate::backend::{Written, touch_interval};
use crate::record::{Record, Touch};

impl Disk {
    pub(super) fn create(
        &self,
        place: &RecordPaths,
        record: &Record,
        touch: Touch,
        asker: &CallerAlive,
    ) -> Result<bool> {
        let (draft, locked) = match self.prepare(place, record, touch, asker)? {
            Some(prepared) => prepared,
            None => {
                self.make_shard(place)?;
                let again = self.prepare(place, record, touch, asker)?;
                again.ok_or_else(|| DiskError::new("write a session", &place.shard, ErrorKind::NotFound.into()))?
            }
        };
        match fs::symlink_metadata(&place.record) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found.map(|_| false).during("read a session", &place.shard),
        }
        draft.commit(&locked, place)?;
        drop(locked);
        self.settle(place)?;
        Ok(true)
    }

    pub(super) fn load(&self, place: &RecordPaths, touch: Touch, asker: &CallerAlive) -> Result<Option<Record>> {
        let found = self.peek(place, asker)?.filter(|record| touch.is_live(record, touch_interval(touch.idle)));
        match found {
            Some(record) if is_due(&record, touch) => {}
            found => return Ok(found),
        }
        let Some(locked) = self.lock(place, asker)? else { return Ok(None) };
        // Read again: it may have been replaced or removed before the lock.
        let Some(record) = self.live(place, touch)? else { return Ok(None) };
        self.note_use(&locked, place, &record, touch)?;
        drop(locked);
        Ok(Some(record))
    }

    pub(super) fn update(
        &self,
        place: &RecordPaths,
        expected: u64,
        record: &Record,
        touch: Touch,
        asker: &CallerAlive,
    ) -> Result<Written> {
        let Some((draft, locked)) = self.prepare(place, record, touch, asker)? else { return Ok(Written::Absent) };
        match self.live(place, touch)? {
            None => return Ok(Written::Absent),
            Some(stored) if stored.version != expected => return Ok(Written::Conflict),
            Some(_) => draft.replace(&locked, place, self.durable)?,
        }
        drop(locked);
        self.settle(place)?;
        Ok(Written::Done)
    }

    pub(super) fn delete(&self, place: &RecordPaths, asker: &CallerAlive) -> Result<bool> {
        let Some(locked) = self.lock(place, asker)? else { return Ok(false) };
        let found = self.forget(&locked, place)?;
        drop(locked);
        self.settle(place)?;
        Ok(found)
    }

    /// A draft of the record and the lock under which it is decided on: what takes long is done before
    /// others have to wait. `None` if there is no such shard yet.
    ///
    /// A write for which nobody waits any more is not begun: who asked has been told that it failed.
    pub(super) fn prepare(
        &self,
        place: &RecordPaths,
        record: &Record,
        touch: Touch,
        asker: &CallerAlive,
    ) -> Result<Option<(TempRecord, Locked)>> {
        asker.is_there(place)?;
        let Some(draft) = self.draft(place, record, touch.idle)? else { return Ok(None) };
        let Some(locked) = self.lock(place, asker)? else { return Ok(None) };
        asker.is_there(place)?;
        Ok(Some((draft, locked)))
    }

    /// Removes a record and the lease on it; `false` if there was no record.
    pub(super) fn forget(&self, _: &Locked, place: &RecordPaths) -> Result<bool> {
        // The record first: with it the session has ended, even if nothing else comes to pass.
        let found = self.remove(&place.record, &place.shard)?;
        self.remove(&place.lease(), &place.shard)?;
        if !found {
            self.is_there()?;
        }
        Ok(found)
    }

    /// Writes the time of this use into the record, when it is due.
    pub(super) fn note_use(&self, locked: &Locked, place: &RecordPaths, record: &Record, touch: Touch) -> Result<()> {
        if is_due(record, touch) {
            let used = Record { last_seen: touch.now, ..record.clone() };
            if let Some(draft) = self.draft(place, &used, touch.idle)? {
                draft.replace(locked, place, self.durable)?;
                self.settle(place)?;
            }
        }
        Ok(())
    }
}

fn is_due(record: &Record, touch: Touch) -> bool {
    touch.now.since(record.last_seen) >= touch_interval(touch.idle)
}
