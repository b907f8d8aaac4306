//! A folder of sessions, as its files tell of it.

use std::{fs, mem::MaybeUninit, os::fd::OwnedFd, path::Path};

use rustix::{fs::inotify, io::Errno};

/// The records, and the files of leases that say that they are held.
pub(crate) fn stored(folder: &Path) -> usize {
    let shards = fs::read_dir(folder).unwrap().flatten().filter_map(|shard| fs::read_dir(shard.path()).ok());
    let files = shards.flatten().flatten().map(|file| file.path());
    files.filter(|path| path.file_name().unwrap() != "lock" && !is_free(path)).count()
}

/// A lease that nobody holds: its file stays for the next one.
fn is_free(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "lease") && lease(path).is_none()
}

/// What the file of a lease says while somebody holds it.
fn lease(path: &Path) -> Option<Vec<u8>> {
    let bytes = fs::read(path).unwrap_or_default();
    bytes.get(..24).filter(|lease| **lease != [0; 24] && !lease.starts_with(b"session1")).map(<[u8]>::to_vec)
}

/// Removes the leases that are held, as if they had run out and been taken.
pub(crate) fn take_leases_away(folder: &Path) {
    for shard in fs::read_dir(folder).unwrap().flatten().map(|shard| shard.path()).filter(|path| path.is_dir()) {
        let lock = fs::File::options().append(true).create(true).open(shard.join("lock")).unwrap();
        lock.lock().unwrap();
        for path in fs::read_dir(&shard).unwrap().flatten().map(|file| file.path()) {
            if lease(&path).is_some() && path.extension().is_some_and(|extension| extension == "lease") {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

/// Counts what takes the name of a record.
pub(crate) struct Renames(OwnedFd);

impl Renames {
    /// From now on, in the shards that are there.
    pub(crate) fn watch(folder: &Path) -> Self {
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        for shard in fs::read_dir(folder).unwrap().flatten().map(|shard| shard.path()).filter(|path| path.is_dir()) {
            inotify::add_watch(&watch, shard, inotify::WatchFlags::MOVED_TO).unwrap();
        }
        Self(watch)
    }

    pub(crate) fn count(self) -> usize {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(self.0, &mut buffer);
        let mut count = 0;
        loop {
            match events.next() {
                Ok(event) => {
                    let name = event.file_name().expect("what is in a folder has a name").to_bytes();
                    count += usize::from(!name.ends_with(b".lease"));
                }
                Err(Errno::AGAIN) => return count,
                Err(error) => panic!("no more can be read: {error}"),
            }
        }
    }
}
