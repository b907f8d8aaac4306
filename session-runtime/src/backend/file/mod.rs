//! Sessions in files.
//!
//! ```text
//! dir/application/Type/          0700
//!   sweeper                      its lock: one sweeper of all processes
//!   3f/                          0700, by the first byte of the key
//!     lock                       its lock: what is decided about this shard's sessions, one at a time
//!     P8Zk...                    0600, a record, named by the key's text
//!     P8Zk....lease              0600, who holds it exclusively, and until when; kept for the next lease
//!     91b2d0....draft            0600, a record that is being written
//! ```

#[cfg(not(unix))]
compile_error!("the backend `file` needs the locks and modes of files as Unix has them");

mod disk;
mod folder;
mod format;
#[cfg(feature = "testing")]
pub(super) mod fuzz;
mod held;
mod leases;
mod listing;
mod opened;
mod records;
mod saves;
mod sweep;
#[cfg(test)]
mod tests;
mod workers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::disk::{CallerAlive, Disk};
use self::held::HeldLeases;
use self::leases::LeaseAttempt;
use self::saves::Change;
use self::sweep::{CALL, SweepCursor};
use self::workers::Workers;
use super::{
    Acquired, Backend, BackendError, Capabilities, CompareAndSet, KeepLease, Kept, Lease, Leases, ListedRecord,
    OpenBackend, OpenError, Record, RecordKey, Scope, Sweep, Touch, Written, touch_interval,
};
use crate::clock::Timestamp;

/// Sessions in files, one a session, shared by every process of one machine that opens the folder.
///
/// A write is another file that takes the record's name: a process that is killed at any instant
/// leaves the old record or the new one. [`durable`](FileConfig::durable) makes that hold for a machine
/// that loses its power, too. Locks are the operating system's, so the folder should be on a local disk, and all
/// processes should open it on one mount: a second mount of the same folder, by a file system in user space or over the
/// network, may have locks of its own, and then nothing keeps two writers apart.
///
/// A folder that is removed under a running process is made again, with a warning; its sessions have ended. A volume
/// that is not mounted any more is out of reach instead: requests are answered 503 until it is back, with all sessions.
///
/// The idle timeout slides by writing `last_seen` into the record when it is a sixteenth of the timeout
/// (at most a minute) old. Who may use the files is said by their modes (0700 and 0600): no other user.
pub struct File {
    disk: Arc<Disk>,
    workers: Workers,
    broom: Arc<SweepCursor>,
    held: Arc<HeldLeases>,
}

/// The arguments of `backend = file(...)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileConfig {
    /// The folder. It is made if it isn't there, and each type of session has its own folder in it:
    /// `application/Type`, see [`Scope::identity`].
    pub dir: Option<PathBuf>,
    /// Whether a write is on the disk itself before it counts as done. Without it the sessions that were written in the last
    /// half minute or so, before the system wrote them out, may be lost when the machine loses its power, but not when
    /// the process ends.
    pub durable: bool,
}

impl File {
    /// Opens a folder, and makes it if it isn't there.
    ///
    /// # Errors
    /// A folder that can't be made or written, or that every user of the machine can write.
    pub fn new(folder: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::at(folder.as_ref(), false)
    }

    /// The same, [durable](FileConfig::durable).
    ///
    /// # Errors
    /// A folder that can't be made or written, or that every user of the machine can write.
    pub fn durable(folder: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::at(folder.as_ref(), true)
    }

    fn at(folder: &Path, durable: bool) -> Result<Self, OpenError> {
        let unusable = |error| {
            let why = format!("names the folder {}, which can't be made or written", folder.display());
            OpenError::backend("file(dir)", why, error)
        };
        let disk = Disk::open(folder, durable).map_err(unusable)?;
        let access = disk.check_access().map_err(unusable)?;
        access.map_err(|why| OpenError::option("backend = file(dir)", None, why))?;
        Ok(Self {
            disk: Arc::new(disk),
            workers: Workers::default(),
            broom: Arc::new(SweepCursor::new(CALL)),
            held: Arc::default(),
        })
    }

    /// Runs blocking work on a thread for it. Dropping the future leaves the work to run to its end, but
    /// not to wait for a lock or to begin a write; what it returned is dropped then, an open lease included.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk, &CallerAlive) -> disk::Result<T> + Send + 'static,
    ) -> Result<T, BackendError> {
        let asking = Arc::new(());
        let (disk, asker) = (Arc::clone(&self.disk), CallerAlive(Arc::downgrade(&asking)));
        let answer = self.workers.run(move || work(&disk, &asker)).await;
        drop(asking);
        answer.ok_or_else(|| BackendError::new("the work on the files was given up"))?.map_err(BackendError::new)
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Disk { root, durable, device: _ } = &*self.disk;
        f.debug_struct("File").field("folder", root).field("durable", durable).finish_non_exhaustive()
    }
}

impl Backend for File {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        let place = self.disk.place(key);
        self.run(move |disk, asker| disk.create(&place, &record, touch, asker)).await
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        let place = self.disk.place(key);
        self.run(move |disk, asker| disk.load(&place, touch, asker)).await
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        let place = self.disk.place(key);
        self.run(move |disk, asker| disk.peek(&place, asker)).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let place = self.disk.place(key);
        self.run(move |disk, asker| disk.update(&place, expected, &record, touch, asker)).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        let place = self.disk.place(key);
        self.run(move |disk, asker| disk.delete(&place, asker)).await
    }

    fn idle_slack(&self, idle: Duration) -> Duration {
        touch_interval(idle)
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self).keep_lease(self).compare_and_set(self).sweep(self).list(self)
    }
}

impl Leases for File {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        let place = self.disk.place(key);
        // Should this future be dropped, the lease is, and its file is closed.
        match self.run(move |disk, asker| disk.acquire(&place, lease, touch, asker)).await? {
            LeaseAttempt::Granted(record, held) => {
                self.held.insert(key, held);
                Ok(Acquired::Granted(record))
            }
            LeaseAttempt::Busy => Ok(Acquired::Busy(Box::pin(tokio::time::sleep(pause())))),
            LeaseAttempt::Absent => Ok(Acquired::Absent),
        }
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        if self.held.get(key, lease.holder).is_none() {
            return Ok(false);
        }
        let (place, held) = (self.disk.place(key), Arc::clone(&self.held));
        self.run(move |disk, asker| disk.extend(&place, lease, &held, asker)).await
    }

    async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let (place, held) = (self.disk.place(key), self.held.take(key, lease.holder));
        self.run(move |disk, asker| disk.save(&place, &Change { lease, expected, record: &record, touch }, held, asker))
            .await
    }

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        let (place, held) = (self.disk.place(key), self.held.take(key, lease.holder));
        self.run(move |disk, asker| disk.release(&place, lease, held, asker)).await
    }
}

impl KeepLease for File {
    async fn save_and_keep(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Kept, BackendError> {
        // It stays among those that are held: what keeps it alive meanwhile looks for it there.
        let (place, held) = (self.disk.place(key), Arc::clone(&self.held));
        let save = move |disk: &Disk, asker: &CallerAlive| {
            disk.save_and_keep(&place, &Change { lease, expected, record: &record, touch }, &held, asker)
        };
        let kept = self.run(save).await?;
        if matches!(kept, Kept::Not(_)) {
            // Nobody gives it up any more.
            drop(self.held.take(key, lease.holder));
        }
        Ok(kept)
    }
}

impl CompareAndSet for File {
    async fn compare_and_set(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let place = self.disk.place(key);
        self.run(move |disk, asker| disk.compare_and_set(&place, expected, &record, touch, asker)).await
    }
}

/// How long to wait before a lease is asked for again: about what a short handler takes, never the same
/// twice, so that two who wait don't keep meeting.
///
/// Who waits in this process waits in the runtime's queue. Who waits here waits for another process, which
/// can't wake anybody; and to wait in the operating system takes a thread that no dropped future gets back.
fn pause() -> Duration {
    let [random] = crate::id::random();
    Duration::from_millis(2) + Duration::from_micros(32) * u32::from(random)
}

impl Sweep for File {
    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, BackendError> {
        let broom = Arc::clone(&self.broom);
        self.run(move |disk, asker| disk.sweep(&broom, now, limit, asker)).await
    }

    async fn expired(&self, now: Timestamp, limit: usize) -> Result<Option<Vec<ListedRecord>>, BackendError> {
        let broom = Arc::clone(&self.broom);
        self.run(move |disk, asker| disk.expired(&broom, now, limit, asker)).await.map(Some)
    }

    async fn forget(&self, now: Timestamp, keys: &[RecordKey]) -> Result<usize, BackendError> {
        let places: Vec<_> = keys.iter().map(|key| self.disk.place(key)).collect();
        self.run(move |disk, asker| disk.forget_expired(&places, now, asker)).await
    }
}

impl OpenBackend for File {
    type Config = FileConfig;

    async fn open(config: FileConfig, scope: &Scope) -> Result<Self, OpenError> {
        let FileConfig { dir, durable } = config;
        let dir = dir.ok_or_else(|| {
            let why =
                "is missing; write `dir = env(\"SESSION_DIR\")` and set it to a folder such as /var/lib/app/sessions";
            OpenError::option("backend = file(dir)", None, why)
        })?;
        // A type's own folder, so that who removes it ends the sessions of that type and no other.
        let folder = dir.join(scope.identity());
        let open = tokio::task::spawn_blocking(move || Self::at(&folder, durable));
        open.await.unwrap_or_else(|error| Err(OpenError::backend("file(dir)", "it was not opened", error)))
    }
}
