//! Files are opened before they are looked at, and a lease is taken for what its holder wrote: what that must not let in.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use session_runtime::backend::{Acquired, Backend, Holder, KeepLease, Kept, Lease, Leases, RecordKey, Sweep, Written};
use session_tests::wait;

use crate::file::{IDLE, KEY, LIFETIME, START, create, has, is_granted, lease, record, record_of, store, touch};

/// The files below this folder that this process has open.
fn open_below(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir("/proc/self/fd").unwrap().flatten().filter_map(|file| fs::read_link(file.path()).ok());
    files.filter(|path| path.starts_with(folder)).collect()
}

#[tokio::test]
async fn a_lock_that_is_a_link_or_a_pipe_is_neither_followed_nor_waited_for() {
    let (store, folder) = store();
    create(&store.one, &KEY).await;
    let (lock, elsewhere) = (folder.path().join("2a/lock"), folder.path().join("elsewhere"));
    let refused = async |what: &str| {
        let update = store.one.update(&KEY, 1, record(2, "new"), touch(START));
        assert!(wait::within(wait::ANSWER, what, update).await.is_err(), "{what}");
        assert!(has(&store.one, &KEY).await, "who reads needs no lock");
    };
    fs::remove_file(&lock).unwrap();
    symlink(&elsewhere, &lock).unwrap();
    refused("a link is not followed").await;
    assert!(!elsewhere.exists(), "nothing is made where it leads");
    fs::remove_file(&lock).unwrap();
    assert!(Command::new("mkfifo").arg(&lock).status().unwrap().success());
    refused("a pipe is not waited for").await;
    fs::remove_file(&lock).unwrap();
    assert_eq!(store.one.update(&KEY, 1, record(2, "new"), touch(START)).await.unwrap(), Written::Done);
}

#[tokio::test]
async fn a_lease_whose_file_is_no_longer_the_one_of_its_name_is_lost() {
    for keeps in [false, true] {
        let (store, folder) = store();
        create(&store.one, &KEY).await;
        let holder = Holder::new();
        assert!(is_granted(&store.one, &KEY, holder).await);
        // As when a copy takes the place of the folder: the file of the lease is still whole, somewhere else.
        let (shard, aside) = (folder.path().join("2a"), folder.path().join("aside"));
        fs::rename(&shard, &aside).unwrap();
        fs::create_dir(&shard).unwrap();
        let name = record_of(folder.path(), &KEY).file_name().unwrap().to_owned();
        fs::copy(aside.join(&name), shard.join(&name)).unwrap();
        let files = || {
            let files = [&aside, &shard].map(|folder| fs::read_dir(folder).unwrap());
            let mut files: Vec<_> = files.into_iter().flatten().map(|file| file.unwrap().path()).collect();
            files.retain(|path| path.file_name().unwrap() != "lock");
            files.sort();
            files.iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect::<Vec<_>>()
        };
        let before = files();
        let (lost, next, now) = (lease(holder), record(2, "lost"), touch(START));
        if keeps {
            let kept = store.one.save_and_keep(&KEY, lost, 1, next, now).await;
            assert_eq!(kept.unwrap(), Kept::Not(Written::Conflict));
        } else {
            assert_eq!(store.one.save(&KEY, lost, 1, next, now).await.unwrap(), Written::Conflict);
        }
        store.one.release(&KEY, lease(holder)).await.unwrap();
        assert_eq!(files(), before, "nothing is written, there or here");
        assert!(is_granted(&store.other, &KEY, Holder::new()).await, "the session of the copy is free");
    }
}

#[tokio::test]
async fn a_lease_that_was_extended_is_good_for_a_save_after_its_first_term_and_not_after_its_last() {
    let (store, _folder) = store();
    create(&store.one, &KEY).await;
    let term = Duration::from_secs(10);
    let at = |holder, seconds| Lease { holder, ttl: term, now: START.plus(Duration::from_secs(seconds)) };
    let holder = Holder::new();
    let granted = store.one.acquire(&KEY, at(holder, 0), touch(START)).await.unwrap();
    assert!(matches!(granted, Acquired::Granted(_)));
    assert!(store.one.extend(&KEY, at(holder, 8)).await.unwrap());
    let kept = store.one.save_and_keep(&KEY, at(holder, 17), 1, record(2, "kept"), touch(START)).await.unwrap();
    assert_eq!(kept, Kept::Alone, "it was extended to 18");
    let late = store.one.save(&KEY, at(holder, 27), 2, record(3, "late"), touch(START)).await.unwrap();
    assert_eq!(late, Written::Conflict, "the save extended it to 27");
    assert_eq!(store.other.peek(&KEY).await.unwrap().unwrap().version, 2);
}

/// What stays open would keep a volume from being unmounted, and use up what a process may have open.
#[tokio::test]
async fn the_file_of_a_held_lease_is_open_for_this_process_alone_and_nothing_else_is() {
    let (store, folder) = store();
    let keys = [7u8, 42, 43, 44].map(|number| RecordKey::from_bytes([number; 32]));
    for key in &keys {
        create(&store.one, key).await;
    }
    assert_eq!(open_below(folder.path()), [] as [&Path; 0]);
    let mut version = [1; 4];
    for round in 0..30 {
        let holder = Holder::new();
        let leases: Vec<_> = keys.iter().map(|key| record_of(folder.path(), key).with_extension("lease")).collect();
        for key in &keys {
            assert!(is_granted(&store.one, key, holder).await);
        }
        let mut open = open_below(folder.path());
        open.sort();
        let mut expected = leases.clone();
        expected.sort();
        assert_eq!(open, expected, "one for each lease");
        let child = Command::new("ls").args(["-l", "/proc/self/fd"]).output().unwrap();
        let child = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(!child.contains(folder.path().to_str().unwrap()), "no child has one: {child}");
        for (number, key) in keys.iter().enumerate() {
            let next = record(version[number] + 1, "x");
            match (round + number) % 3 {
                0 => store.one.release(key, lease(holder)).await.unwrap(),
                1 => {
                    let saved = store.one.save(key, lease(holder), version[number], next, touch(START)).await;
                    assert_eq!(saved.unwrap(), Written::Done);
                    version[number] += 1;
                }
                _ => {
                    let kept = store.one.save_and_keep(key, lease(holder), version[number], next, touch(START)).await;
                    assert_eq!(kept.unwrap(), Kept::Alone);
                    store.one.release(key, lease(holder)).await.unwrap();
                    version[number] += 1;
                }
            }
        }
        assert_eq!(open_below(folder.path()), [] as [&Path; 0], "round {round}");
    }
    store.one.load(&KEY, touch(START.plus(IDLE / 2))).await.unwrap();
    assert_eq!(store.one.update(&KEY, 0, record(1, "x"), touch(START)).await.unwrap(), Written::Conflict);
    store.one.sweep(START.plus(LIFETIME), 100).await.unwrap();
    assert_eq!(open_below(folder.path()), [] as [&Path; 0]);
}
