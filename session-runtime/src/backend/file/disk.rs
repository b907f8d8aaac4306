//! The folder: where a key's files are, the lock on a shard, and writes that are there or not.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use fs4::{FileExt, TryLockError};

use super::folder;
use super::format::{self, FileEntry};
use super::opened::{FileId, OpenedFile, no_surprise};
use crate::backend::touch_interval;
use crate::id::RecordKey;
use crate::record::{Record, Touch};

/// The file whose lock makes one sweeper of many. It is made at opening, and there as long as the
/// store is: a folder without it is a volume that isn't mounted, not a store without sessions.
pub(super) const SWEEPER: &str = "sweeper";
pub(super) const SHARDS: u16 = 256;
const LOCK: &str = "lock";
pub(super) const DRAFT: &str = ".draft";
pub(super) const LEASE: &str = ".lease";

/// The folder of a store.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) root: PathBuf,
    pub(super) durable: bool,
    /// The file system that the folder was opened on.
    pub(super) device: u64,
}

/// Where the files of a key are.
pub(super) struct RecordPaths {
    pub(super) key: RecordKey,
    pub(super) shard: PathBuf,
    pub(super) record: PathBuf,
}

impl RecordPaths {
    pub(super) fn lease(&self) -> PathBuf {
        let mut lease = self.record.clone().into_os_string();
        lease.push(LEASE);
        lease.into()
    }
}

/// What a call to the operating system failed at. It names the folder and never a file: the name of
/// a record is the key to it.
#[derive(Debug)]
pub(super) struct DiskError {
    doing: &'static str,
    folder: PathBuf,
    source: io::Error,
}

impl DiskError {
    pub(super) fn new(doing: &'static str, folder: &Path, source: io::Error) -> Self {
        Self { doing, folder: folder.into(), source }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can't {} in {}: {}", self.doing, self.folder.display(), self.source)
    }
}

impl std::error::Error for DiskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

pub(super) type Result<T> = std::result::Result<T, DiskError>;

/// Says what failed, and where.
pub(super) trait DuringExt<T> {
    fn during(self, doing: &'static str, folder: &Path) -> Result<T>;
}

impl<T> DuringExt<T> for io::Result<T> {
    fn during(self, doing: &'static str, folder: &Path) -> Result<T> {
        self.map_err(|source| DiskError::new(doing, folder, source))
    }
}

/// Whether somebody still waits for the answer: blocking work can't be dropped, so it has to look.
pub(super) struct CallerAlive(pub(super) Weak<()>);

impl CallerAlive {
    pub(super) fn has_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    /// An error if nobody waits.
    pub(super) fn is_there(&self, place: &RecordPaths) -> Result<()> {
        if self.has_gone() {
            return Err(ErrorKind::TimedOut.into()).during("lock a shard of sessions in time", &place.shard);
        }
        Ok(())
    }
}

/// The lock on a shard: whatever is decided by what the shard holds is decided and done under it.
///
/// It is held for a few calls to the operating system, by no handler; the operating system gives it
/// back when its process dies.
pub(super) struct Locked(#[expect(dead_code, reason = "it is the lock")] File);

/// What is stored under a key.
pub(super) enum Stored {
    Nothing,
    /// Cut short, changed, a link or a folder: not for us to touch.
    Unreadable,
    Entry(FileEntry),
}

pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

/// Of what is there, to be written as well as read.
pub(super) fn writing() -> OpenOptions {
    let mut options = reading();
    options.write(true);
    options
}

impl Disk {
    /// Makes the folder if it isn't there.
    pub(super) fn open(root: &Path, durable: bool) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        Self::make(&root, durable)?;
        Ok(Self { device: folder::device(&root)?, root, durable })
    }

    pub(super) fn sweeper(&self) -> PathBuf {
        self.root.join(SWEEPER)
    }

    pub(super) fn shard(&self, number: u16) -> PathBuf {
        self.root.join(format!("{number:02x}"))
    }

    /// The hash alone makes the names, so nothing that a client sent does.
    pub(super) fn place(&self, key: &RecordKey) -> RecordPaths {
        let shard = self.shard(u16::from(key.as_bytes()[0]));
        RecordPaths { key: *key, record: shard.join(key.to_string()), shard }
    }

    /// The place whose record is this file, if it is one.
    pub(super) fn place_of(&self, record: &Path) -> Option<RecordPaths> {
        let bytes = URL_SAFE_NO_PAD.decode(record.file_name()?.to_str()?).ok()?;
        let place = self.place(&RecordKey::from_bytes(bytes.try_into().ok()?));
        (place.record == record).then_some(place)
    }

    /// The lock on a key's shard, for as long as the asker waits; `None` if there is no such shard yet,
    /// and so nothing in it.
    ///
    /// It is asked for again and again, since a thread that waits inside the operating system would be
    /// there until a frozen process thaws, and the threads for blocking work are few.
    pub(super) fn lock(&self, place: &RecordPaths, asker: &CallerAlive) -> Result<Option<Locked>> {
        const DOING: &str = "lock a shard of sessions";
        let path = place.shard.join(LOCK);
        let mut pause = Duration::from_micros(20);
        loop {
            let file = match options().append(true).create(true).custom_flags(no_surprise()).open(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => return self.is_there().map(|()| None),
                file => file.during(DOING, &place.shard)?,
            };
            match FileExt::try_lock(&file) {
                // What was tidied away since it was opened keeps nobody out: others lock the new file of that name. Its links
                // don't tell everywhere: some network file systems give an open file that is removed another name.
                Ok(()) if FileId::of(&file).and_then(|id| id.is_at(&path)).during(DOING, &place.shard)? => {
                    return Ok(Some(Locked(file)));
                }
                Ok(()) | Err(TryLockError::WouldBlock) => asker.is_there(place)?,
                Err(TryLockError::Error(error)) => return Err(error).during(DOING, &place.shard),
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(2));
        }
    }

    /// What is stored under a key, for those without its lock.
    ///
    /// A file system in user space may show nothing under a name while a file takes it from another one. And a record that
    /// was replaced while it was read is a lease's file from then on. So who finds nothing or no record, or another file
    /// than the one that was read, looks again under the lock, where nothing is on its way.
    pub(super) fn find(&self, place: &RecordPaths, asker: &CallerAlive) -> Result<Stored> {
        match Self::look(place) {
            Ok(Some(entry)) => return Ok(Stored::Entry(entry)),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).during("read a session", &place.shard);
            }
            Ok(None) | Err(_) => {}
        }
        match self.lock(place, asker)? {
            Some(_locked) => self.read(place),
            None => Ok(Stored::Nothing),
        }
    }

    /// The record under a key, without the lock. `None` if it is none, or was replaced meanwhile.
    pub(super) fn look(place: &RecordPaths) -> io::Result<Option<FileEntry>> {
        let Some(file) = OpenedFile::open(&place.record, reading())? else { return Ok(None) };
        let bytes = file.bytes()?;
        Ok(if file.id.is_at(&place.record)? { format::decode(bytes) } else { None })
    }

    /// What is stored under a key whose lock is held.
    pub(super) fn read(&self, place: &RecordPaths) -> Result<Stored> {
        Ok(self.read_opened(place, |place| OpenedFile::open(&place.record, reading()))?.0)
    }

    /// The same, and the file that it is in.
    fn read_opened(
        &self,
        place: &RecordPaths,
        open: impl FnOnce(&RecordPaths) -> io::Result<Option<OpenedFile>>,
    ) -> Result<(Stored, Option<OpenedFile>)> {
        let read = || -> io::Result<_> {
            let file = open(place)?;
            let bytes = file.as_ref().map(OpenedFile::bytes).transpose()?;
            Ok((bytes.and_then(format::decode).map_or(Stored::Unreadable, Stored::Entry), file))
        };
        match read() {
            Err(error) if error.kind() == ErrorKind::NotFound => self.is_there().map(|()| (Stored::Nothing, None)),
            read => read.during("read a session", &place.shard),
        }
    }

    /// The live record under a key whose lock is held.
    pub(super) fn live(&self, place: &RecordPaths, touch: Touch) -> Result<Option<Record>> {
        let record = Self::record_of(place, self.read(place)?);
        Ok(record.filter(|record| touch.is_live(record, touch_interval(touch.idle))))
    }

    /// The same, and its file to be written, if it may be.
    pub(super) fn live_to_replace(
        &self,
        place: &RecordPaths,
        touch: Touch,
    ) -> Result<Option<(Record, Option<OpenedFile>)>> {
        let mut writable = true;
        let (stored, file) = self.read_opened(place, |place| {
            OpenedFile::open(&place.record, writing()).or_else(|error| match error.kind() {
                ErrorKind::NotFound => Err(error),
                _ => {
                    writable = false;
                    OpenedFile::open(&place.record, reading())
                }
            })
        })?;
        let record = Self::record_of(place, stored).filter(|record| touch.is_live(record, touch_interval(touch.idle)));
        Ok(record.map(|record| (record, file.filter(|_| writable))))
    }

    /// The record under a key, alive or not, for those without its lock.
    pub(super) fn peek(&self, place: &RecordPaths, asker: &CallerAlive) -> Result<Option<Record>> {
        Ok(Self::record_of(place, self.find(place, asker)?))
    }

    fn record_of(place: &RecordPaths, stored: Stored) -> Option<Record> {
        match stored {
            Stored::Entry(FileEntry { record, .. }) => Some(record),
            Stored::Nothing => None,
            Stored::Unreadable => {
                let session = place.key.public_id();
                event!(warn, "session.unreadable", %session, "the file of a session is no record; left alone");
                None
            }
        }
    }

    /// Makes a shard. Its parent isn't made here: whether it may be, the store itself says.
    pub(super) fn make_shard(&self, place: &RecordPaths) -> Result<()> {
        const DOING: &str = "make a folder for sessions";
        self.is_there()?;
        match DirBuilder::new().mode(0o700).create(&place.shard) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error).during(DOING, &place.shard),
            _ => self.sync(&self.root).during(DOING, &self.root),
        }
    }

    /// Writes a record beside its place; `None` if there is no such shard yet.
    pub(super) fn draft(&self, place: &RecordPaths, record: &Record, idle: Duration) -> Result<Option<TempRecord>> {
        const DOING: &str = "write a session";
        let number = u64::from_be_bytes(crate::id::random());
        let path = place.shard.join(format!("{number:016x}{DRAFT}"));
        let mut file = match options().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return self.is_there().map(|()| None),
            file => file.during(DOING, &place.shard)?,
        };
        let draft = TempRecord { path: Some(path) };
        file.write_all(&format::encode(record, idle)).during(DOING, &place.shard)?;
        if self.durable {
            file.sync_all().during(DOING, &place.shard)?;
        }
        Ok(Some(draft))
    }

    /// Removes a file; `false` if there was none.
    pub(super) fn remove(&self, path: &Path, shard: &Path) -> Result<bool> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true).during("remove a session", shard),
        }
    }

    /// Where the store is durable: what was renamed or removed in a shard stays so after a power cut.
    pub(super) fn settle(&self, place: &RecordPaths) -> Result<()> {
        self.sync(&place.shard).during("write a session", &place.shard)
    }

    fn sync(&self, folder: &Path) -> io::Result<()> {
        if self.durable { File::open(folder)?.sync_all() } else { Ok(()) }
    }
}

/// Gives each of two files the other's name, in one step. `false` where the system or the file system can't: then
/// nothing has changed.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) fn exchange(one: &Path, other: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};

    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn exchange(_: &Path, _: &Path) -> bool {
    false
}

/// A record that is written but not in its place. Dropped, it is removed; what a killed process left
/// is for the sweep.
pub(super) struct TempRecord {
    path: Option<PathBuf>,
}

impl TempRecord {
    /// Puts the record in its place: from one moment to the next the new one is there.
    pub(super) fn commit(mut self, _: &Locked, place: &RecordPaths) -> Result<()> {
        if let Some(path) = &self.path {
            fs::rename(path, &place.record).during("write a session", &place.shard)?;
        }
        self.path = None;
        Ok(())
    }

    /// The same where a record is there, which is removed.
    ///
    /// Where the store is not durable the two change names first. A file system such as ext4 begins to write a file out
    /// at once when it takes the name of another one, which takes longer than all else here. Of the names that two files
    /// change it is not asked.
    pub(super) fn replace(self, locked: &Locked, place: &RecordPaths, durable: bool) -> Result<()> {
        match &self.path {
            // What is removed when this is dropped is the old record.
            Some(path) if !durable && exchange(path, &place.record) => Ok(()),
            _ => self.commit(locked, place),
        }
    }
}

impl Drop for TempRecord {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}
