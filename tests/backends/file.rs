//! What files do besides: their names and modes, and what is done about those that are no records.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use session_runtime::{
    Timestamp,
    backend::{
        Acquired, Backend, File, FileConfig, Holder, KeepLease, Kept, Lease, Leases, OpenBackend, OpenError, Record,
        RecordKey, Scope, Sweep, Touch, Written,
    },
    testing::conformance,
};
use session_tests::wait;
use tempfile::TempDir;
use tokio::time::{Instant, timeout};

use crate::store::{Store, pair};

conformance! { file_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => pair(store()) }
conformance! { durable_file_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => pair(durable()) }

pub(crate) fn store() -> (Store<File>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = [(), ()].map(|()| Arc::new(File::new(folder.path()).unwrap()));
    (Store { one, other }, folder)
}

fn durable() -> (Store<File>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = [(), ()].map(|()| Arc::new(File::durable(folder.path()).unwrap()));
    (Store { one, other }, folder)
}

pub(crate) const IDLE: Duration = Duration::from_secs(600);
pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);
pub(crate) const START: Timestamp = Timestamp::from_secs(1_000_000);

/// Of the shard 2a.
pub(crate) const KEY: RecordKey = RecordKey::from_bytes([42; 32]);

pub(crate) fn touch(now: Timestamp) -> Touch {
    Touch { now, idle: IDLE, expires: now.plus(LIFETIME) }
}

pub(crate) fn record(version: u64, body: &str) -> Record {
    Record { version, last_seen: START, expires: START.plus(LIFETIME), body: body.as_bytes().to_vec().into() }
}

pub(crate) fn lease(holder: Holder) -> Lease {
    Lease { holder, ttl: LIFETIME, now: START }
}

pub(crate) async fn create(file: &File, key: &RecordKey) {
    assert!(file.create(key, record(1, "body"), touch(START)).await.unwrap());
}

pub(crate) async fn has(file: &File, key: &RecordKey) -> bool {
    file.load(key, touch(START)).await.unwrap().is_some()
}

pub(crate) async fn is_granted(file: &File, key: &RecordKey, holder: Holder) -> bool {
    matches!(file.acquire(key, lease(holder), touch(START)).await.unwrap(), Acquired::Granted(_))
}

pub(crate) fn record_of(folder: &Path, key: &RecordKey) -> PathBuf {
    folder.join(format!("{:02x}", key.as_bytes()[0])).join(key.to_string())
}

/// Every file and folder below.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let folders: Vec<_> = found.iter().filter(|path| path.is_dir()).cloned().collect();
    found.extend(folders.iter().flat_map(|folder| below(folder)));
    found.sort();
    found
}

/// Those that are being written, or that nobody will finish. Others may come and go meanwhile.
fn drafts(root: &Path) -> usize {
    let folders = fs::read_dir(root).unwrap().flatten().filter_map(|shard| fs::read_dir(shard.path()).ok());
    folders.flatten().flatten().filter(|entry| entry.file_name().to_string_lossy().ends_with(".draft")).count()
}

#[tokio::test]
async fn files_are_named_by_the_hash_alone_and_are_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("made/by the store");
    let file = File::new(&root).unwrap();
    create(&file, &KEY).await;
    assert!(is_granted(&file, &KEY, Holder::new()).await);
    let shard = root.join("2a");
    let record = shard.join("KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio");
    let lease = shard.join("KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio.lease");
    assert_eq!(below(&root), [shard.clone(), record.clone(), lease.clone(), shard.join("lock"), root.join("sweeper")]);
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    for made in [&folder.path().join("made"), &root, &shard] {
        assert_eq!(mode(made), 0o700, "{}", made.display());
    }
    for file in [&record, &lease, &shard.join("lock"), &root.join("sweeper")] {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn the_file_of_a_lease_is_used_again_and_goes_with_its_record() {
    used_again(store(), File::new).await;
}

#[tokio::test]
async fn the_file_of_a_lease_of_a_durable_store_is_used_again_and_goes_with_its_record() {
    used_again(durable(), File::durable).await;
}

async fn used_again((store, folder): (Store<File>, TempDir), open: fn(PathBuf) -> Result<File, OpenError>) {
    create(&store.one, &KEY).await;
    let record_path = record_of(folder.path(), &KEY);
    let before = below(folder.path());
    let files = || {
        let files = below(folder.path()).into_iter().filter(|path| !before.contains(path) || *path == record_path);
        files.map(|path| fs::metadata(path).unwrap().ino()).collect::<std::collections::BTreeSet<_>>()
    };
    assert!(is_granted(&store.one, &KEY, Holder::new()).await);
    assert!(!is_granted(&store.other, &KEY, Holder::new()).await, "it is held");
    let both = files();
    assert_eq!(both.len(), 2, "the record and the lease");
    drop(store.one);
    let (one, other) = (open(folder.path().to_owned()).unwrap(), store.other);
    let holder = Holder::new();
    assert!(is_granted(&one, &KEY, holder).await, "its process has ended");
    one.release(&KEY, lease(holder)).await.unwrap();
    for version in 1..6 {
        let file = if version % 2 == 0 { &one } else { &other };
        let holder = Holder::new();
        assert!(is_granted(file, &KEY, holder).await, "the last one gave it up");
        let longer_and_shorter = ["a longer body than the one before", "x"][usize::try_from(version % 2).unwrap()];
        let saved =
            file.save(&KEY, lease(holder), version, record(version + 1, longer_and_shorter), touch(START)).await;
        assert_eq!(saved.unwrap(), Written::Done);
        let late = file.save(&KEY, lease(holder), version + 1, record(version + 2, "late"), touch(START)).await;
        assert_eq!(late.unwrap(), Written::Conflict, "it was given up");
        let stored = other.peek(&KEY).await.unwrap().unwrap();
        assert_eq!((stored.version, &stored.body[..]), (version + 1, longer_and_shorter.as_bytes()));
        assert_eq!(files(), both, "no file was made or removed");
        let old = fs::read(record_path.with_extension("lease")).unwrap();
        assert!(old.iter().all(|byte| *byte == 0), "nothing is left of what was the record");
    }
    for version in (6..12).step_by(3) {
        let holder = Holder::new();
        assert!(is_granted(&one, &KEY, holder).await, "the last one gave it up");
        for version in [version, version + 1] {
            let kept = one.save_and_keep(&KEY, lease(holder), version, record(version + 1, "kept"), touch(START));
            assert_eq!(kept.await.unwrap(), Kept::Alone);
            assert_eq!(files(), both, "nor by a save that keeps the lease");
            let old = fs::read(record_path.with_extension("lease")).unwrap();
            assert!(old[25..].iter().all(|byte| *byte == 0), "nor is anything left of the record");
            assert_eq!(other.peek(&KEY).await.unwrap().unwrap(), record(version + 1, "kept"));
        }
        assert!(!is_granted(&other, &KEY, Holder::new()).await, "it was kept");
        let saved = one.save(&KEY, lease(holder), version + 2, record(version + 3, "last"), touch(START)).await;
        assert_eq!(saved.unwrap(), Written::Done);
    }
    assert!(other.delete(&KEY).await.unwrap());
    assert_eq!(below(folder.path()).len(), before.len() - 1, "neither the record nor the lease");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_is_written_exclusively_is_read_whole_all_the_time() {
    const WRITES: u64 = 300;
    let (store, _folder) = store();
    let body = |version: u64| format!("version {version}, {}", "x".repeat(usize::try_from(version % 7 * 900).unwrap()));
    assert!(store.one.create(&KEY, record(1, &body(1)), touch(START)).await.unwrap());
    let readers = [(); 3].map(|()| {
        let file = Arc::clone(&store.other);
        tokio::spawn(async move {
            let mut last = 0;
            while last <= WRITES {
                let read = file.load(&KEY, touch(START)).await.unwrap().expect("it is there all the time");
                assert_eq!(std::str::from_utf8(&read.body).unwrap(), body(read.version));
                assert!(read.version >= last, "{} after {last}", read.version);
                last = read.version;
            }
        })
    });
    for version in 1..=WRITES {
        let holder = Holder::new();
        assert!(is_granted(&store.one, &KEY, holder).await);
        let saved = store.one.save(&KEY, lease(holder), version, record(version + 1, &body(version + 1)), touch(START));
        assert_eq!(saved.await.unwrap(), Written::Done);
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

/// Whoever keeps a lease alive does so while a save is under way that keeps it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_extended_while_a_save_keeps_it() {
    let (store, _folder) = store();
    create(&store.one, &KEY).await;
    let holder = Holder::new();
    assert!(is_granted(&store.one, &KEY, holder).await);
    for version in 1..=200 {
        let save = store.one.save_and_keep(&KEY, lease(holder), version, record(version + 1, "kept"), touch(START));
        let (kept, extended) = tokio::join!(save, store.one.extend(&KEY, lease(holder)));
        assert_eq!((kept.unwrap(), extended.unwrap()), (Kept::Alone, true));
    }
}

#[tokio::test]
async fn each_type_has_its_own_folder_in_the_one_that_is_declared() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = FileConfig::default();
    config.dir = Some(folder.path().join("sessions"));
    for type_name in ["User", "Cart"] {
        File::open(config.clone(), &Scope::new("shop", type_name)).await.unwrap();
        assert!(folder.path().join("sessions/shop").join(type_name).is_dir());
    }
}

#[tokio::test]
async fn a_folder_that_is_missing_or_of_no_use_is_refused_at_opening_and_named() {
    let scope = Scope::new("shop", "User");
    let error = File::open(FileConfig::default(), &scope).await.unwrap_err().to_string();
    assert!(error.contains("`backend = file(dir)`") && error.contains("dir = env("), "{error}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut config = FileConfig::default();
    config.dir = Some(file.path().join("sessions"));
    let error = File::open(config, &scope).await.unwrap_err().to_string();
    assert!(error.contains(file.path().to_str().unwrap()) && error.contains("can't be made"), "{error}");
}

#[tokio::test]
async fn a_use_is_written_only_when_it_is_due() {
    let (store, folder) = store();
    create(&store.one, &KEY).await;
    let path = record_of(folder.path(), &KEY);
    let inode = || fs::metadata(&path).unwrap().ino();
    let before = inode();
    let slack = store.one.idle_slack(IDLE);
    let due = START.plus(slack);
    for now in [START, START.plus(slack / 2), START.plus(slack - Duration::from_millis(1)), Timestamp::from_secs(0)] {
        assert_eq!(store.one.load(&KEY, touch(now)).await.unwrap().unwrap().last_seen, START);
        assert_eq!(inode(), before, "{now:?}");
    }
    assert_eq!(store.one.load(&KEY, touch(due)).await.unwrap().unwrap().last_seen, START, "as it was before");
    assert_ne!(inode(), before);
    assert_eq!(store.other.load(&KEY, touch(START)).await.unwrap().unwrap().last_seen, due);
}

#[tokio::test]
async fn what_is_no_record_is_no_session_and_is_left_alone() {
    let (store, folder) = store();
    create(&store.one, &KEY).await;
    let path = record_of(folder.path(), &KEY);
    let whole = fs::read(&path).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    let cut = whole[..whole.len() - 1].to_vec();
    for garbage in [vec![], b"x".to_vec(), vec![0; whole.len()], cut, changed] {
        fs::write(&path, &garbage).unwrap();
        assert_is_no_session(&store.one).await;
        assert_eq!(fs::read(&path).unwrap(), garbage);
    }
    assert!(store.one.delete(&KEY).await.unwrap(), "whoever ends it removes it");
    create(&store.one, &KEY).await;
}

#[tokio::test]
async fn what_is_no_file_is_neither_followed_nor_waited_for() {
    let (store, folder) = store();
    create(&store.one, &KEY).await;
    let path = record_of(folder.path(), &KEY);
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert_is_no_session(&store.one).await;
    assert!(store.one.delete(&KEY).await.unwrap());
    assert!(elsewhere.exists(), "the link is removed, not what it leads to");

    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_is_no_session(&store.one).await;
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
    assert!(store.one.delete(&KEY).await.unwrap());

    fs::create_dir(&path).unwrap();
    assert_is_no_session(&store.one).await;
    assert!(path.is_dir());
    fs::remove_dir(&path).unwrap();

    create(&store.one, &KEY).await;
    fs::write(&elsewhere, "somebody's").unwrap();
    symlink(&elsewhere, path.with_extension("lease")).unwrap();
    assert!(store.one.acquire(&KEY, lease(Holder::new()), touch(START)).await.is_err());
    assert_eq!(fs::read(&elsewhere).unwrap(), b"somebody's");
}

async fn assert_is_no_session(file: &File) {
    let within =
        async |what: &str| wait::within(wait::ANSWER, what, async { file.load(&KEY, touch(START)).await }).await;
    assert_eq!(within("it is not waited for").await.unwrap(), None);
    assert_eq!(file.update(&KEY, 1, record(2, "new"), touch(START)).await.unwrap(), Written::Absent);
    assert!(!file.create(&KEY, record(1, "new"), touch(START)).await.unwrap());
    assert!(matches!(file.acquire(&KEY, lease(Holder::new()), touch(START)).await.unwrap(), Acquired::Absent));
    let far = START.plus(LIFETIME * 10);
    assert_eq!(file.sweep(far, 1000).await.unwrap(), 0);
}

/// As a process that is frozen between two calls to the operating system leaves it.
#[tokio::test]
async fn a_shard_that_stays_locked_keeps_its_writers_waiting_and_nobody_else() {
    let (store, folder) = store();
    let elsewhere = RecordKey::from_bytes([43; 32]);
    for key in [&KEY, &elsewhere] {
        create(&store.one, key).await;
    }
    let lock = fs::File::open(folder.path().join("2a/lock")).unwrap();
    lock.lock().unwrap();
    let update = |file: Arc<File>, key| async move { file.update(&key, 1, record(2, "new"), touch(START)).await };
    // More than there are threads for blocking work: those who gave up must have left theirs.
    let late: Vec<_> = (0..600)
        .map(|_| tokio::spawn(timeout(Duration::from_millis(50), update(Arc::clone(&store.one), KEY))))
        .collect();
    for late in late {
        assert!(late.await.unwrap().is_err(), "it waits as long as it is asked to");
    }
    let begun = Instant::now();
    assert!(has(&store.one, &KEY).await, "readers need no lock");
    assert_eq!(update(Arc::clone(&store.one), elsewhere).await.unwrap(), Written::Done);
    assert!(begun.elapsed() < Duration::from_secs(5));
    lock.unlock().unwrap();
    assert_eq!(update(Arc::clone(&store.one), KEY).await.unwrap(), Written::Done, "nothing was written late");
    wait::until(wait::ANSWER, "no draft is left", async || drafts(folder.path()) == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_borrow_that_is_dropped_while_it_is_granted_leaves_the_session_free() {
    let (store, _folder) = store();
    create(&store.one, &KEY).await;
    for round in 0..150 {
        let holder = Holder::new();
        let borrow = store.one.acquire(&KEY, lease(holder), touch(START));
        if timeout(Duration::from_micros(round * 2), borrow).await.is_ok() {
            store.one.release(&KEY, lease(holder)).await.unwrap();
        }
        // Nobody gives up a lease that nobody knows to be his.
        let next = Holder::new();
        let free = async || is_granted(&store.other, &KEY, next).await;
        wait::until(wait::ANSWER, "the lease is free", free).await;
        store.other.release(&KEY, lease(next)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_dropped_has_been_done_or_not() {
    let (store, folder) = store();
    create(&store.one, &KEY).await;
    let mut version = 1;
    for round in 0..300 {
        let body = "x".repeat(usize::try_from(round).unwrap() * 50);
        let update = store.one.update(&KEY, version, record(version + 1, &body), touch(START));
        if timeout(Duration::from_micros(round), update).await.is_err() {
            let record = store.other.load(&KEY, touch(START)).await.unwrap().expect("never torn, never lost");
            assert!((version..=version + 1).contains(&record.version));
        }
        // Whatever became of it comes to its end.
        while store.other.update(&KEY, u64::MAX, record(0, ""), touch(START)).await.unwrap() != Written::Conflict {}
        version = store.other.load(&KEY, touch(START)).await.unwrap().unwrap().version;
    }
    wait::until(wait::ANSWER, "no draft is left", async || drafts(folder.path()) == 0).await;
}

#[tokio::test]
async fn an_error_tells_the_folder_and_no_key() {
    let (store, folder) = store();
    create(&store.one, &KEY).await;
    fs::remove_file(folder.path().join("2a/lock")).unwrap();
    fs::create_dir(folder.path().join("2a/lock")).unwrap();
    let error = store.one.update(&KEY, 1, record(2, "x"), touch(START)).await.unwrap_err().to_string();
    assert!(error.contains("2a") && !error.contains(&KEY.to_string()), "{error}");
}
