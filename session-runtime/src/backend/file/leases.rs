//! What [`Leases`](crate::backend::Leases) asks for, as blocking work.
//!
//! A lease is a file beside the record: sixteen bytes of holder and eight of the time at which it runs
//! out. Its holder keeps a lock on it, which the operating system takes back when the process dies, so
//! that a lease is free at once then. A lease that ran out is another's to take: its file is replaced by
//! a new one, on which the late holder has no lock and in which it is not named.
//!
//! Where the store is not durable, a save writes the record into the file of the lease, and the two files change names:
//! what was the record is the file of the next lease. No file is made or removed then, which takes a file system such as
//! ext4 longer the more were removed in the last seconds. The first bytes of the old record are overwritten at once: they
//! would be a holder and a time, and after a power cut no record of long ago is taken for the one in force.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::FileExt as _;

use fs4::{FileExt, TryLockError};

use super::disk::{CallerAlive, Disk, DuringExt as _, Locked, RecordPaths, Result, exchange, options, regular};
use super::format;
use crate::backend::{Lease, Written};
use crate::clock::Timestamp;
use crate::record::{Record, Touch};

const DOING: &str = "lease a session";

/// The answer to a request for a lease.
pub(super) enum LeaseAttempt {
    /// The file is the lease: closed, it is given up.
    Granted(Record, File),
    Busy,
    Absent,
}

/// A lease as its file tells it.
struct LeaseFile {
    file: File,
    holder: [u8; 16],
    until: Timestamp,
}

impl LeaseFile {
    const UNTIL: u64 = 16;
    /// What the file says while no lease is held.
    const FREE: [u8; 24] = [0; 24];

    fn is_current(&self, lease: Lease) -> bool {
        self.holder == lease.holder.to_bytes() && lease.now < self.until
    }

    /// Whether it is somebody's: it has not run out, and its process lives.
    fn is_held(&self, place: &RecordPaths, now: Timestamp) -> Result<bool> {
        if now >= self.until {
            return Ok(false);
        }
        match FileExt::try_lock(&self.file) {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error).during(DOING, &place.shard),
        }
    }
}

impl Disk {
    pub(super) fn acquire(
        &self,
        place: &RecordPaths,
        lease: Lease,
        touch: Touch,
        asker: &CallerAlive,
    ) -> Result<LeaseAttempt> {
        let Some(locked) = self.lock(place, asker)? else { return Ok(LeaseAttempt::Absent) };
        let Some(record) = self.live(place, touch)? else { return Ok(LeaseAttempt::Absent) };
        let note = self.note(place)?;
        if let Some(note) = &note
            && note.holder != lease.holder.to_bytes()
            && note.is_held(place, lease.now)?
        {
            return Ok(LeaseAttempt::Busy);
        }
        let file = self.take(&locked, place, lease, note)?;
        self.note_use(&locked, place, &record, touch)?;
        drop(locked);
        Ok(LeaseAttempt::Granted(record, file))
    }

    pub(super) fn extend(&self, place: &RecordPaths, lease: Lease, asker: &CallerAlive) -> Result<bool> {
        let Some(_locked) = self.lock(place, asker)? else { return Ok(false) };
        let Some(note) = self.note(place)?.filter(|note| note.is_current(lease)) else { return Ok(false) };
        let until = lease.now.plus(lease.ttl).as_millis().to_be_bytes();
        note.file.write_all_at(&until, LeaseFile::UNTIL).during(DOING, &place.shard)?;
        Ok(true)
    }

    pub(super) fn save(
        &self,
        place: &RecordPaths,
        lease: Lease,
        expected: u64,
        record: &Record,
        touch: Touch,
        asker: &CallerAlive,
    ) -> Result<Written> {
        let (draft, locked) = if self.durable {
            match self.prepare(place, record, touch, asker)? {
                Some((draft, locked)) => (Some(draft), locked),
                None => return Ok(Written::Absent),
            }
        } else {
            asker.is_there(place)?;
            let Some(locked) = self.lock(place, asker)? else { return Ok(Written::Absent) };
            asker.is_there(place)?;
            (None, locked)
        };
        let note = self.note(place)?.filter(|note| note.is_current(lease));
        let written = match (self.live(place, touch)?, note) {
            (None, _) => Written::Absent,
            (Some(stored), Some(note)) if stored.version == expected => {
                match draft {
                    Some(draft) => draft.commit(&locked, place)?,
                    None => self.become_record(&locked, place, &note, record, touch)?,
                }
                Written::Done
            }
            (Some(_), _) => Written::Conflict,
        };
        // After a save there is no lease of this holder, unless the store is durable.
        if self.durable || written != Written::Done {
            self.give_up(&locked, place, lease)?;
        }
        drop(locked);
        if written == Written::Done {
            self.settle(place)?;
        }
        Ok(written)
    }

    /// Writes the record into the file of the lease, which takes the record's place.
    fn become_record(
        &self,
        _: &Locked,
        place: &RecordPaths,
        note: &LeaseFile,
        record: &Record,
        touch: Touch,
    ) -> Result<()> {
        let (bytes, path) = (format::encode(record, touch.idle), place.lease());
        let write = || {
            note.file.write_all_at(&bytes, 0)?;
            note.file.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
            // Opened before, since nothing may fail once the record is in its place. One that can't be is replaced.
            match options().write(true).open(&place.record) {
                Ok(old) if exchange(&path, &place.record) => {
                    if old.write_all_at(&LeaseFile::FREE, 0).is_err() {
                        let _ = fs::remove_file(&path);
                    }
                    Ok(())
                }
                _ => fs::rename(&path, &place.record),
            }
        };
        write().during("write a session", &place.shard)
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

    pub(super) fn release(&self, place: &RecordPaths, lease: Lease, asker: &CallerAlive) -> Result<()> {
        let Some(locked) = self.lock(place, asker)? else { return Ok(()) };
        self.give_up(&locked, place, lease)
    }

    /// Clears the file of the lease, if the lease is the holder's.
    fn give_up(&self, _: &Locked, place: &RecordPaths, lease: Lease) -> Result<()> {
        match self.note(place)?.filter(|note| note.holder == lease.holder.to_bytes()) {
            Some(note) => note.file.write_all_at(&LeaseFile::FREE, 0).during(DOING, &place.shard),
            None => Ok(()),
        }
    }

    /// The file of the lease: the one that is there, unless a late holder still has its lock; or else a new one.
    fn take(&self, _: &Locked, place: &RecordPaths, lease: Lease, note: Option<LeaseFile>) -> Result<File> {
        let mut bytes = LeaseFile::FREE;
        bytes[..16].copy_from_slice(&lease.holder.to_bytes());
        bytes[16..].copy_from_slice(&lease.now.plus(lease.ttl).as_millis().to_be_bytes());
        let path = place.lease();
        if let Some(LeaseFile { file, .. }) = note {
            match FileExt::try_lock(&file) {
                Ok(()) => {
                    file.write_all_at(&bytes, 0).during(DOING, &place.shard)?;
                    return Ok(file);
                }
                Err(TryLockError::WouldBlock) => self.remove(&path, &place.shard).map(drop)?,
                Err(TryLockError::Error(error)) => return Err(error).during(DOING, &place.shard),
            }
        }
        let make = || {
            let file = options().read(true).write(true).create_new(true).open(&path)?;
            FileExt::try_lock(&file)?;
            file.write_all_at(&bytes, 0)?;
            Ok(file)
        };
        // What a failure leaves holds no lease: the lock on it goes with the file.
        make().during(DOING, &place.shard)
    }

    /// What the file of a lease says, if there is one. What was cut short says that it has run out.
    fn note(&self, place: &RecordPaths) -> Result<Option<LeaseFile>> {
        let path = place.lease();
        // A link is not followed: what it leads to would be written.
        let open = || match regular(&path)? {
            true => options().read(true).write(true).open(&path),
            false => Err(ErrorKind::InvalidInput.into()),
        };
        let mut file = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.during(DOING, &place.shard)?,
        };
        let mut bytes = [0; 24];
        let (holder, until) = match file.read_exact(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => ([0; 16], 0),
            read => {
                read.during(DOING, &place.shard)?;
                let (mut holder, mut until) = ([0; 16], [0; 8]);
                holder.copy_from_slice(&bytes[..16]);
                until.copy_from_slice(&bytes[16..]);
                (holder, u64::from_be_bytes(until))
            }
        };
        Ok(Some(LeaseFile { file, holder, until: Timestamp::from_millis(until) }))
    }

    /// Removes a lease that nobody holds: its process died, or its record has gone.
    pub(super) fn tidy(&self, _: &Locked, place: &RecordPaths) -> Result<()> {
        let Some(note) = self.note(place)? else { return Ok(()) };
        let held = matches!(FileExt::try_lock(&note.file), Err(TryLockError::WouldBlock));
        if !held || fs::symlink_metadata(&place.record).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            self.remove(&place.lease(), &place.shard)?;
        }
        Ok(())
    }
}
