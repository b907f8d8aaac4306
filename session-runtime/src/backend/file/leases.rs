//! What [`Leases`](crate::backend::Leases) asks for, as blocking work.
//!
//! A lease is a file beside the record: sixteen bytes of holder, eight of the time at which it runs out, and one that says
//! whether another process has found it held. Its holder keeps a lock on it, which the operating system takes back when the
//! process dies, so that a lease is free at once then. A lease that ran out is another's to take: its file is replaced by
//! a new one, on which the late holder has no lock and in which it is not named.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use fs4::{FileExt, TryLockError};

use super::disk::{CallerAlive, Disk, DuringExt as _, Locked, RecordPaths, Result, options, writing};
use super::format;
use super::held::{HeldLease, HeldLeases};
use super::opened::{OpenedFile, read_at};
use crate::backend::Lease;
use crate::clock::Timestamp;
use crate::record::{Record, Touch};

const DOING: &str = "lease a session";

/// The answer to a request for a lease.
pub(super) enum LeaseAttempt {
    /// Dropped, the lease is given up.
    Granted(Record, HeldLease),
    Busy,
    Absent,
}

/// A lease as its file tells it.
pub(super) struct LeaseFile {
    opened: OpenedFile,
    holder: [u8; 16],
    until: Timestamp,
    /// Whether another process has found it held.
    is_waited_for: bool,
    /// Whether the file is still the record that it was: its writer died, or could not sync the folder.
    is_record: bool,
}

impl LeaseFile {
    const SIZE: usize = 25;
    const UNTIL: u64 = 16;
    const WAITED_FOR: u64 = 24;
    /// What the file says while no lease is held.
    pub(super) const FREE: [u8; Self::SIZE] = [0; Self::SIZE];

    /// What the file says of this lease.
    pub(super) fn bytes(lease: Lease, is_waited_for: bool) -> [u8; Self::SIZE] {
        let mut bytes = Self::FREE;
        bytes[..16].copy_from_slice(&lease.holder.to_bytes());
        bytes[16..24].copy_from_slice(&lease.now.plus(lease.ttl).as_millis().to_be_bytes());
        bytes[24] = u8::from(is_waited_for);
        bytes
    }

    /// Writes this into a file that may have been a record: over all of it, so that nothing stays that the session no longer
    /// has. One that has another name is left as it is, and an error: it is the record of a copy that was made of hard links.
    pub(super) fn write(file: &File, bytes: &[u8]) -> io::Result<()> {
        let found = file.metadata()?;
        if found.nlink() > 1 {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let length = usize::try_from(found.len()).unwrap_or(bytes.len());
        let mut bytes = bytes.to_vec();
        bytes.resize(length.max(bytes.len()), 0);
        file.write_all_at(&bytes, 0)
    }

    fn read(opened: OpenedFile) -> io::Result<Self> {
        let mut bytes = Self::FREE;
        let length = read_at(&opened.file, &mut bytes)?;
        let is_record = format::is_begun(&bytes);
        // What was cut short says that it has run out, as does what was a record.
        if is_record || length < Self::SIZE - 1 {
            bytes = Self::FREE;
        }
        let (mut holder, mut until) = ([0; 16], [0; 8]);
        holder.copy_from_slice(&bytes[..16]);
        until.copy_from_slice(&bytes[16..24]);
        let until = Timestamp::from_millis(u64::from_be_bytes(until));
        Ok(Self { opened, holder, until, is_waited_for: bytes[24] != 0, is_record })
    }

    pub(super) fn is_current(&self, lease: Lease) -> bool {
        self.holder == lease.holder.to_bytes() && lease.now < self.until
    }

    /// Whether another process has found the lease in this file held.
    pub(super) fn is_waited_for(file: &File) -> io::Result<bool> {
        let mut byte = [0];
        Ok(file.read_at(&mut byte, Self::WAITED_FOR)? == 1 && byte != [0])
    }

    /// Whether it is somebody's: it has not run out, and its process lives.
    pub(super) fn is_held(&self, place: &RecordPaths, now: Timestamp) -> Result<bool> {
        if now >= self.until {
            return Ok(false);
        }
        match FileExt::try_lock(&self.opened.file) {
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
            if !note.is_waited_for {
                // Where that can't be written, the holder keeps the session for longer.
                let _ = note.opened.file.write_all_at(&[1], LeaseFile::WAITED_FOR);
            }
            return Ok(LeaseAttempt::Busy);
        }
        let held = self.take(&locked, place, lease, note)?;
        self.note_use(&locked, place, &record, touch)?;
        drop(locked);
        Ok(LeaseAttempt::Granted(record, held))
    }

    pub(super) fn extend(
        &self,
        place: &RecordPaths,
        lease: Lease,
        held: &HeldLeases,
        asker: &CallerAlive,
    ) -> Result<bool> {
        let Some(_locked) = self.lock(place, asker)? else { return Ok(false) };
        let Some(note) = self.note(place)?.filter(|note| note.is_current(lease)) else { return Ok(false) };
        let until = lease.now.plus(lease.ttl);
        let bytes = until.as_millis().to_be_bytes();
        note.opened.file.write_all_at(&bytes, LeaseFile::UNTIL).during(DOING, &place.shard)?;
        held.extend(&place.key, lease.holder, until);
        Ok(true)
    }

    pub(super) fn release(
        &self,
        place: &RecordPaths,
        lease: Lease,
        held: Option<HeldLease>,
        asker: &CallerAlive,
    ) -> Result<()> {
        let Some(locked) = self.lock(place, asker)? else { return Ok(()) };
        match held {
            Some(held) if held.id.is_at(&place.lease()).during(DOING, &place.shard)? => {
                held.file.write_all_at(&LeaseFile::FREE, 0).during(DOING, &place.shard)
            }
            _ => self.give_up(&locked, place, lease),
        }
    }

    /// The lease, if it is the holder's and has not run out.
    ///
    /// While the file that this process has a lock on has its name, it says what it did. One that was taken over or removed
    /// has lost it, and so has one whose folder was replaced.
    pub(super) fn current(
        &self,
        _: &Locked,
        place: &RecordPaths,
        lease: Lease,
        held: Option<HeldLease>,
    ) -> Result<Option<HeldLease>> {
        if let Some(held) = held
            && held.is_current(lease)
            && held.id.is_at(&place.lease()).during(DOING, &place.shard)?
        {
            return Ok(Some(held));
        }
        let note = self.note(place)?.filter(|note| note.is_current(lease));
        Ok(note.map(|note| HeldLease::new(lease, note.opened)))
    }

    /// Clears the file of the lease, if the lease is the holder's.
    pub(super) fn give_up(&self, _: &Locked, place: &RecordPaths, lease: Lease) -> Result<()> {
        match self.note(place)?.filter(|note| note.holder == lease.holder.to_bytes()) {
            Some(note) => note.opened.file.write_all_at(&LeaseFile::FREE, 0).during(DOING, &place.shard),
            None => Ok(()),
        }
    }

    /// The file of the lease: the one that is there, unless a late holder still has its lock; or else a new one.
    fn take(&self, _: &Locked, place: &RecordPaths, lease: Lease, note: Option<LeaseFile>) -> Result<HeldLease> {
        let bytes = LeaseFile::bytes(lease, false);
        let path = place.lease();
        if let Some(LeaseFile { opened, is_record, .. }) = note {
            self.settle_names(place, is_record)?;
            match FileExt::try_lock(&opened.file) {
                Ok(()) => match LeaseFile::write(&opened.file, &bytes) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        self.remove(&path, &place.shard).map(drop)?;
                    }
                    written => {
                        let held = written.map(|()| HeldLease::new(lease, opened));
                        return held.during(DOING, &place.shard);
                    }
                },
                Err(TryLockError::WouldBlock) => self.remove(&path, &place.shard).map(drop)?,
                Err(TryLockError::Error(error)) => return Err(error).during(DOING, &place.shard),
            }
        }
        self.make_lease(place, lease, &bytes)
    }

    /// Where a record has the name of a lease it is not known which names are on the disk. They are before it is written or
    /// removed, since it may be the record in force there.
    fn settle_names(&self, place: &RecordPaths, is_record: bool) -> Result<()> {
        if is_record { self.settle(place) } else { Ok(()) }
    }

    pub(super) fn make_lease(&self, place: &RecordPaths, lease: Lease, bytes: &[u8]) -> Result<HeldLease> {
        let make = || {
            let file = options().read(true).write(true).create_new(true).open(place.lease())?;
            FileExt::try_lock(&file)?;
            file.write_all_at(bytes, 0)?;
            OpenedFile::new(file)
        };
        // What a failure leaves holds no lease: the lock on it goes with the file.
        Ok(HeldLease::new(lease, make().during(DOING, &place.shard)?))
    }

    /// What the file of a lease says, if there is one.
    pub(super) fn note(&self, place: &RecordPaths) -> Result<Option<LeaseFile>> {
        match OpenedFile::open(&place.lease(), writing()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            // What a link leads to would be written.
            Ok(None) => Err(ErrorKind::InvalidInput.into()).during(DOING, &place.shard),
            Ok(Some(opened)) => LeaseFile::read(opened).map(Some).during(DOING, &place.shard),
            Err(error) => Err(error).during(DOING, &place.shard),
        }
    }

    /// Removes a lease that nobody holds: its process died, or its record has gone.
    pub(super) fn tidy(&self, _: &Locked, place: &RecordPaths) -> Result<()> {
        let Some(note) = self.note(place)? else { return Ok(()) };
        let held = matches!(FileExt::try_lock(&note.opened.file), Err(TryLockError::WouldBlock));
        if !held || fs::symlink_metadata(&place.record).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            self.settle_names(place, note.is_record)?;
            self.remove(&place.lease(), &place.shard)?;
        }
        Ok(())
    }
}
