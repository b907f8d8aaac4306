//! What [`Sweep`](crate::backend::Sweep) asks for, as blocking work.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use fs4::{FileExt, TryLockError};

use super::disk::{CallerAlive, DRAFT, Disk, DuringExt as _, LEASE, RecordPaths, Result, SHARDS, Stored, options};
use super::format::FileEntry;
use crate::backend::{ListedRecord, touch_interval};
use crate::clock::Timestamp;
use crate::record::Touch;

const DOING: &str = "sweep sessions";

/// How long one call looks for something to sweep. Others wait for no sweep, but the caller does, and
/// the next call goes on where this one ended.
pub(super) const CALL: Duration = Duration::from_millis(500);

/// How old a draft has to be to belong to nobody: whoever wrote it has long been answered.
const ANCIENT: Duration = Duration::from_secs(600);

/// Where the next call begins, and how long it looks.
#[derive(Debug)]
pub(super) struct SweepCursor {
    shard: AtomicU16,
    call: Duration,
}

impl SweepCursor {
    /// Begins anywhere: a program that is started, sweeps and ends gets to every shard in time.
    pub(super) fn new(call: Duration) -> Self {
        Self { shard: AtomicU16::new(u16::from(crate::id::random::<1>()[0])), call }
    }
}

/// One call's task.
struct SweepBatch<'a> {
    now: Timestamp,
    left: usize,
    asker: &'a CallerAlive,
    /// What is found is kept here, and not removed.
    found: Option<Vec<ListedRecord>>,
}

impl SweepBatch<'_> {
    /// By the timeout that the record was written with, which is its own type's.
    fn has_expired(&self, FileEntry { record, idle }: &FileEntry) -> bool {
        let touch = Touch { now: self.now, idle: *idle, expires: record.expires };
        !touch.is_live(record, touch_interval(*idle))
    }
}

impl Disk {
    pub(super) fn sweep(
        &self,
        broom: &SweepCursor,
        now: Timestamp,
        limit: usize,
        asker: &CallerAlive,
    ) -> Result<usize> {
        let batch = SweepBatch { now, left: limit, asker, found: None };
        self.sweep_batch(broom, batch).map(|batch| limit - batch.left)
    }

    /// What has expired, and is not removed yet.
    pub(super) fn expired(
        &self,
        broom: &SweepCursor,
        now: Timestamp,
        limit: usize,
        asker: &CallerAlive,
    ) -> Result<Vec<ListedRecord>> {
        let batch = SweepBatch { now, left: limit, asker, found: Some(Vec::new()) };
        self.sweep_batch(broom, batch).map(|batch| batch.found.unwrap_or_default())
    }

    /// Removes those of these that have expired.
    pub(super) fn forget_expired(&self, places: &[RecordPaths], now: Timestamp, asker: &CallerAlive) -> Result<usize> {
        let mut batch = SweepBatch { now, left: places.len(), asker, found: None };
        for place in places {
            self.sweep_record(place, &mut batch)?;
        }
        Ok(places.len() - batch.left)
    }

    fn sweep_batch<'a>(&self, broom: &SweepCursor, mut batch: SweepBatch<'a>) -> Result<SweepBatch<'a>> {
        self.is_there()?;
        // Of all processes one sweeps.
        let sweeper = options().append(true).open(self.sweeper()).during(DOING, &self.root)?;
        match FileExt::try_lock(&sweeper) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(batch),
            Err(TryLockError::Error(error)) => return Err(error).during(DOING, &self.root),
        }
        let end = Instant::now() + broom.call;
        for _ in 0..SHARDS {
            if batch.left == 0 || Instant::now() > end || batch.asker.has_gone() {
                break;
            }
            // Counted before it is swept, so that a shard with a fault doesn't keep the others waiting.
            let number = broom.shard.fetch_add(1, Ordering::Relaxed) % SHARDS;
            self.sweep_shard(&self.shard(number), &mut batch)?;
            if batch.left == 0 {
                broom.shard.store(number, Ordering::Relaxed);
            }
        }
        Ok(batch)
    }

    fn sweep_shard(&self, shard: &Path, batch: &mut SweepBatch<'_>) -> Result<()> {
        let entries = match fs::read_dir(shard) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.during(DOING, shard)?,
        };
        for entry in entries {
            if batch.left == 0 || batch.asker.has_gone() {
                break;
            }
            let path = entry.during(DOING, shard)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if name.ends_with(DRAFT) {
                self.sweep_draft(&path, shard)?;
            } else if let Some(record) = name.strip_suffix(LEASE) {
                if let Some(place) = self.place_of(&shard.join(record)) {
                    self.sweep_lease(&place, batch)?;
                }
            } else if let Some(place) = self.place_of(&path) {
                self.sweep_record(&place, batch)?;
            }
        }
        Ok(())
    }

    fn sweep_record(&self, place: &RecordPaths, batch: &mut SweepBatch<'_>) -> Result<()> {
        let expired = |batch: &SweepBatch<'_>, stored| match stored {
            Stored::Entry(entry) if batch.has_expired(&entry) => Some(entry.record),
            Stored::Entry(_) | Stored::Nothing | Stored::Unreadable => None,
        };
        // Looked at without the lock first, since most records are live; the lock is taken anew for each
        // that is not: nobody waits for a sweep.
        let Some(record) = expired(batch, self.find(place, batch.asker)?) else { return Ok(()) };
        if let Some(found) = &mut batch.found {
            found.push(ListedRecord { key: place.key, record: Some(record) });
            batch.left -= 1;
        } else if let Some(locked) = self.lock(place, batch.asker)?
            && expired(batch, self.read(place)?).is_some()
        {
            batch.left -= usize::from(self.forget(&locked, place)?);
        }
        Ok(())
    }

    fn sweep_lease(&self, place: &RecordPaths, batch: &SweepBatch<'_>) -> Result<()> {
        match self.lock(place, batch.asker)? {
            Some(locked) => self.tidy(&locked, place),
            None => Ok(()),
        }
    }

    /// Removes what a killed process was about to write. Its age is the file's own, by the system's clock:
    /// the runtime's has no part in it.
    fn sweep_draft(&self, path: &Path, shard: &Path) -> Result<()> {
        let age = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            found => found.and_then(|found| found.modified()).during(DOING, shard)?.elapsed(),
        };
        if age.is_ok_and(|age| age > ANCIENT) {
            self.remove(path, shard)?;
        }
        Ok(())
    }
}
