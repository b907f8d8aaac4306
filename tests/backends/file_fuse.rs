//! The folder on a file system in user space, which shows for a moment no file under the name that another one takes.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use session_runtime::backend::{Backend, File, Written};
use session_tests::tools;
use tempfile::TempDir;

use crate::file::{KEY, START, create, record, touch};

/// A folder seen through `bindfs`, until it is dropped.
struct Mirror {
    below: TempDir,
}

impl Mirror {
    /// `None` where this machine lets nobody mount a file system in user space, as in a container without `/dev/fuse`.
    fn mount() -> Option<Self> {
        let bindfs = tools::BINDFS.find().expect("bindfs is installed: cargo xtask setup");
        let below = tempfile::tempdir().unwrap();
        let (folder, mirror) = (below.path().join("folder"), below.path().join("mirror"));
        for folder in [&folder, &mirror] {
            std::fs::create_dir(folder).unwrap();
        }
        let mounted = Command::new(bindfs).arg("--no-allow-other").args([&folder, &mirror]).output().unwrap();
        let why = String::from_utf8_lossy(&mounted.stderr);
        if mounted.status.success() {
            return Some(Self { below });
        }
        let forbidden = ["/dev/fuse", "ermitted", "ermission"].iter().any(|word| why.contains(word));
        assert!(forbidden, "bindfs: {why}");
        eprintln!("nothing can be mounted here: {why}");
        None
    }

    fn path(&self) -> std::path::PathBuf {
        self.below.path().join("mirror")
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        for unmount in [&["fusermount3", "-uz"], &["fusermount", "-uz"], &["umount", "-l"]] {
            if Command::new(unmount[0]).arg(unmount[1]).arg(self.path()).output().is_ok_and(|it| it.status.success()) {
                return;
            }
        }
    }
}

/// Writes and reads one session at the same time: it is never missing.
async fn is_there_all_the_time(folder: &Path) {
    let file = Arc::new(File::new(folder).unwrap());
    create(&file, &KEY).await;
    let (done, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let readers = [(); 4].map(|()| {
        let (file, done, reads) = (Arc::clone(&file), Arc::clone(&done), Arc::clone(&reads));
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                assert!(file.load(&KEY, touch(START)).await.unwrap().is_some(), "a session that is there is found");
                assert!(file.peek(&KEY).await.unwrap().is_some(), "and seen");
                reads.fetch_add(2, Ordering::Relaxed);
            }
        })
    });
    let (end, mut version) = (Instant::now() + Duration::from_secs(60), 1);
    while Instant::now() < end && (version < 500 || reads.load(Ordering::Relaxed) < 2000) {
        let written = file.update(&KEY, version, record(version + 1, "x"), touch(START)).await.unwrap();
        assert_eq!(written, Written::Done);
        version += 1;
        if readers.iter().any(tokio::task::JoinHandle::is_finished) {
            break;
        }
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.expect("it was there all the time");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_written_is_never_missing_for_those_who_read_it() {
    let folder = tempfile::tempdir().unwrap();
    is_there_all_the_time(folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_is_it_on_a_file_system_in_user_space() {
    if let Some(mirror) = Mirror::mount() {
        is_there_all_the_time(&mirror.path().join("sessions")).await;
    }
}
