//! Changes under a lease, and without one, as blocking work.
//!
//! A save writes the record into the file of the lease, and the two files change names: what was the record is the file of
//! the next lease. No file is made or removed then, which takes a file system such as ext4 longer the more were removed in
//! the last seconds. The old record is overwritten at once, all of it: its first bytes would be a holder and a time, what it
//! holds may be what the session no longer has, and after a power cut no record of long ago is taken for the one in force.
//!
//! Where the store is durable the new record is on the disk before it takes the name, and the names are before the old
//! record is overwritten. So at any moment of a power cut one of the two is whole under the record's name. A process that
//! dies before the names are on the disk leaves a record as the file of the lease: whoever writes or removes that file
//! syncs the folder first.

use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use fs4::FileExt;

use super::disk::{CallerAlive, Disk, DuringExt as _, Locked, RecordPaths, Result, exchange, options};
use super::format;
use super::held::{HeldLease, HeldLeases};
use super::leases::LeaseFile;
use super::opened::OpenedFile;
use crate::backend::{Kept, Lease, Written};
use crate::record::{Record, Touch};

/// A change under a lease.
pub(super) struct Change<'a> {
    pub(super) lease: Lease,
    pub(super) expected: u64,
    pub(super) record: &'a Record,
    pub(super) touch: Touch,
}

impl Disk {
    /// Stores the record if the lease is the holder's, and gives up the lease, which is also closed.
    pub(super) fn save(
        &self,
        place: &RecordPaths,
        change: &Change<'_>,
        held: Option<HeldLease>,
        asker: &CallerAlive,
    ) -> Result<Written> {
        let Some(locked) = self.lock_to_write(place, asker)? else { return Ok(Written::Absent) };
        let (lease, old) = match self.permitted(&locked, place, change, held)? {
            Ok(permitted) => permitted,
            Err(refused) => return Ok(refused),
        };
        if let Some(old) = self.become_record(&locked, place, &lease, old, change)?
            && LeaseFile::write(&old.file, &LeaseFile::FREE).is_err()
        {
            let _ = fs::remove_file(place.lease());
        }
        // Before the shard is free: the file is the record now, and the next save that keeps its lease locks that.
        drop(lease);
        drop(locked);
        Ok(Written::Done)
    }

    /// Stores the record if the lease is the holder's, which keeps it.
    pub(super) fn save_and_keep(
        &self,
        place: &RecordPaths,
        change: &Change<'_>,
        leases: &HeldLeases,
        asker: &CallerAlive,
    ) -> Result<Kept> {
        let Some(locked) = self.lock_to_write(place, asker)? else { return Ok(Kept::Not(Written::Absent)) };
        let held = leases.get(&place.key, change.lease.holder);
        let (lease, old) = match self.permitted(&locked, place, change, held)? {
            Ok(permitted) => permitted,
            Err(refused) => return Ok(Kept::Not(refused)),
        };
        let is_waited_for = LeaseFile::is_waited_for(&lease.file).during("write a session", &place.shard)?;
        let bytes = LeaseFile::bytes(change.lease, is_waited_for);
        let old = self.become_record(&locked, place, &lease, old, change)?;
        let reused =
            old.filter(|old| FileExt::try_lock(&old.file).is_ok() && LeaseFile::write(&old.file, &bytes).is_ok());
        let kept = match reused {
            Some(old) => Some(HeldLease::new(change.lease, old)),
            None => {
                // The record is stored: nothing may fail any more, and without a file there is no lease.
                let _ = fs::remove_file(place.lease());
                self.make_lease(place, change.lease, &bytes).ok()
            }
        };
        let Some(kept) = kept else { return Ok(Kept::Not(Written::Done)) };
        leases.replace(&place.key, kept);
        drop(locked);
        Ok(if is_waited_for { Kept::Contended } else { Kept::Alone })
    }

    /// A write for which nobody waits any more is not begun: who asked has been told that it failed.
    fn lock_to_write(&self, place: &RecordPaths, asker: &CallerAlive) -> Result<Option<Locked>> {
        asker.is_there(place)?;
        let locked = self.lock(place, asker)?;
        asker.is_there(place)?;
        Ok(locked)
    }

    /// The lease, if the holder has it and the stored version is the expected one, and the record's file to be written, if it
    /// may be. If not the lease is given up.
    fn permitted(
        &self,
        locked: &Locked,
        place: &RecordPaths,
        change: &Change<'_>,
        held: Option<HeldLease>,
    ) -> Result<std::result::Result<(HeldLease, Option<OpenedFile>), Written>> {
        let lease = self.current(locked, place, change.lease, held)?;
        let refused = match (self.live_to_replace(place, change.touch)?, lease) {
            (None, _) => Written::Absent,
            (Some((stored, old)), Some(lease)) if stored.version == change.expected => return Ok(Ok((lease, old))),
            (Some(_), _) => Written::Conflict,
        };
        self.give_up(locked, place, change.lease)?;
        Ok(Err(refused))
    }

    /// Writes the record into the file of the lease, which takes the record's place. What was the record has the name of
    /// the lease then, and is given back to be written; `None` if there is no file of that name.
    fn become_record(
        &self,
        _: &Locked,
        place: &RecordPaths,
        lease: &HeldLease,
        old: Option<OpenedFile>,
        change: &Change<'_>,
    ) -> Result<Option<OpenedFile>> {
        let (bytes, path) = (format::encode(change.record, change.touch.idle), place.lease());
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let write = || {
            let found = lease.file.metadata()?;
            let made = match found.nlink() {
                0 | 1 => None,
                // A copy of the folder has the file, too.
                _ => Some(fs::remove_file(&path).and_then(|()| options().write(true).create_new(true).open(&path))?),
            };
            let file = made.as_ref().unwrap_or(&lease.file);
            file.write_all_at(&bytes, 0)?;
            if made.is_none() && found.len() > length {
                file.set_len(length)?;
            }
            if self.durable {
                file.sync_data()?;
            }
            // It was opened before, since nothing may fail once the record is in its place. One that can't be is replaced.
            match old.filter(|_| exchange(&path, &place.record)) {
                Some(old) => Ok(Some(old)),
                None => fs::rename(&path, &place.record).map(|()| None),
            }
        };
        let old = write().during("write a session", &place.shard)?;
        self.settle(place)?;
        Ok(old)
    }

    pub(super) fn compare_and_set(
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
            Some(_) => {}
        }
        if let Some(note) = self.note(place)?
            && note.is_held(place, touch.now)?
        {
            return Ok(Written::Conflict);
        }
        draft.replace(&locked, place, self.durable)?;
        drop(locked);
        self.settle(place)?;
        Ok(Written::Done)
    }
}
