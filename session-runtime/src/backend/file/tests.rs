//! What only the inside shows: the events, and what a sweep takes that has all the time.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};

use super::File;
use super::disk::{CallerAlive, Disk, RecordPaths};
use super::sweep::{CALL, SweepCursor};
use crate::backend::{Acquired, Backend as _, Holder, KeepLease as _, Kept, Lease, Leases as _, Written};
use crate::clock::Timestamp;
use crate::id::RecordKey;
use crate::record::{Record, Touch};

/// The names and fields of the events on this thread.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Subscriber for Events {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                self.0.push_str(&format!(" {field}={value:?}"));
            }
        }
        let mut text = Text(format!("{} {}", event.metadata().level(), event.metadata().name()));
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// An empty store in a folder of its own.
fn disk() -> (Disk, PathBuf) {
    let folder = std::env::temp_dir().join(format!("session-runtime-{:016x}", u64::from_be_bytes(crate::id::random())));
    (Disk::open(&folder, false).unwrap(), folder)
}

#[test]
fn a_sweep_that_has_the_time_takes_as_many_as_it_was_told_to() {
    let (disk, folder) = disk();
    let asking = Arc::new(());
    let asker = CallerAlive(Arc::downgrade(&asking));
    let (now, expires) = (Timestamp::from_secs(1), Timestamp::from_secs(1000));
    let touch = Touch { now, idle: Duration::from_secs(60), expires };
    for number in 0..150 {
        let record = Record { version: 1, last_seen: now, expires, body: Bytes::from_static(b"x") };
        assert!(disk.create(&disk.place(&RecordKey::from_bytes([number; 32])), &record, touch, &asker).unwrap());
    }
    let broom = SweepCursor::new(Duration::from_secs(600));
    let swept = [(); 4].map(|()| disk.sweep(&broom, expires, 64, &asker).unwrap());
    assert_eq!(swept, [64, 64, 22, 0]);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_file_that_is_no_record_raises_an_event_when_it_is_asked_for_and_none_when_it_is_swept() {
    let (disk, folder) = disk();
    let (key, now, idle) = (RecordKey::from_bytes([7; 32]), Timestamp::from_secs(1), Duration::from_secs(60));
    let touch = Touch { now, idle, expires: Timestamp::from_secs(1000) };
    let record = Record { version: 1, last_seen: now, expires: touch.expires, body: Bytes::from_static(b"secret") };
    let asking = Arc::new(());
    let asker = CallerAlive(Arc::downgrade(&asking));
    let place = disk.place(&key);
    assert!(disk.create(&place, &record, touch, &asker).unwrap());
    let whole = fs::read(&place.record).unwrap();
    fs::write(&place.record, &whole[..whole.len() - 1]).unwrap();

    let events = Events::default();
    tracing::subscriber::with_default(events.clone(), || {
        assert_eq!(disk.load(&place, touch, &asker).unwrap(), None);
        let broom = SweepCursor::new(CALL);
        assert_eq!(disk.sweep(&broom, Timestamp::from_secs(u64::MAX), 10, &asker).unwrap(), 0);
    });
    let events = events.0.lock().unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events[0].starts_with("WARN session.unreadable"), "{events:?}");
    assert!(events[0].contains(&key.public_id().to_string()), "{events:?}");
    assert!(!events[0].contains(&key.to_string()) && !events[0].contains("secret"), "{events:?}");
    fs::remove_dir_all(&folder).unwrap();
}

/// What a file system in user space shows for a moment while a record is replaced: no file of its name.
#[test]
fn who_finds_no_record_while_somebody_writes_the_shard_looks_again_when_that_is_done() {
    let (disk, folder) = disk();
    let (key, now) = (RecordKey::from_bytes([7; 32]), Timestamp::from_secs(1));
    let touch = Touch { now, idle: Duration::from_secs(60), expires: Timestamp::from_secs(1000) };
    let record = Record { version: 1, last_seen: now, expires: touch.expires, body: Bytes::from_static(b"x") };
    let asking = Arc::new(());
    let asker = || CallerAlive(Arc::downgrade(&asking));
    let place = disk.place(&key);
    assert!(disk.create(&place, &record, touch, &asker()).unwrap());
    let aside = place.shard.join("aside");
    type Look = fn(&Disk, &RecordPaths, Touch, &CallerAlive) -> super::disk::Result<Option<Record>>;
    let looks: [Look; 2] =
        [|disk, place, touch, asker| disk.load(place, touch, asker), |disk, place, _, asker| disk.peek(place, asker)];
    for look in looks {
        let locked = disk.lock(&place, &asker()).unwrap().unwrap();
        fs::rename(&place.record, &aside).unwrap();
        std::thread::scope(|scope| {
            let asker = asker();
            let (disk, place) = (&disk, &place);
            let reader = scope.spawn(move || look(disk, place, touch, &asker).unwrap());
            // Long enough to have seen that there is none, unless it waits.
            std::thread::sleep(Duration::from_millis(50));
            assert!(!reader.is_finished(), "it waits for the one who writes");
            fs::rename(&aside, &place.record).unwrap();
            drop(locked);
            assert_eq!(reader.join().unwrap().as_ref(), Some(&record));
        });
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_lock_whose_file_was_tidied_away_keeps_nobody_out_and_lets_nobody_in_by_mistake() {
    let (disk, folder) = disk();
    let place = disk.place(&RecordKey::from_bytes([7; 32]));
    let asking = Arc::new(());
    let asker = || CallerAlive(Arc::downgrade(&asking));
    disk.make_shard(&place).unwrap();
    let old = fs::OpenOptions::new().append(true).create(true).open(place.shard.join("lock")).unwrap();
    fs4::FileExt::try_lock(&old).unwrap();
    std::thread::scope(|scope| {
        let (disk, place, asker) = (&disk, &place, asker());
        let waiting = scope.spawn(move || disk.lock(place, &asker).unwrap().is_some());
        std::thread::sleep(Duration::from_millis(20));
        fs::remove_file(place.shard.join("lock")).unwrap();
        // The one who waits goes on with the new file, though the old one stays locked.
        assert!(waiting.join().unwrap());
    });
    drop(old);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn who_else_can_write_the_folder_is_told_and_what_is_made_again_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let (disk, folder) = disk();
    let events = Events::default();
    tracing::subscriber::with_default(events.clone(), || {
        assert_eq!(disk.check_access().unwrap(), Ok(()));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o770)).unwrap();
        assert_eq!(disk.check_access().unwrap(), Ok(()));
        fs::remove_dir_all(&folder).unwrap();
        disk.is_there().unwrap();
        disk.is_there().unwrap();
    });
    let events = events.0.lock().unwrap();
    let told: Vec<_> = events.iter().filter(|event| event.contains(folder.to_str().unwrap())).collect();
    assert_eq!(told.len(), 2, "{events:?}");
    assert!(
        told[0].starts_with("WARN session.folder_exposed") && told[0].contains("its group can write it"),
        "{told:?}"
    );
    assert!(told[1].starts_with("WARN session.store_remade"), "{told:?}");
    fs::remove_dir_all(&folder).unwrap();
}

/// A store with one session, and what is said in its calls.
async fn leased(is_durable: bool) -> (File, RecordKey, Lease, Touch, Record) {
    let (_, folder) = disk();
    let file = if is_durable { File::durable(&folder) } else { File::new(&folder) }.unwrap();
    let (key, now) = (RecordKey::from_bytes([7; 32]), Timestamp::from_secs(1));
    let touch = Touch { now, idle: Duration::from_secs(60), expires: Timestamp::from_secs(1000) };
    let record = Record { version: 1, last_seen: now, expires: touch.expires, body: Bytes::from_static(b"first") };
    assert!(file.create(&key, record.clone(), touch).await.unwrap());
    let lease = Lease { holder: Holder::new(), ttl: Duration::from_secs(30), now };
    (file, key, lease, touch, record)
}

#[tokio::test]
async fn a_save_that_keeps_no_lease_leaves_no_file_open() {
    let (file, key, lease, touch, record) = leased(false).await;
    let next = |version| Record { version, ..record.clone() };
    assert!(matches!(file.acquire(&key, lease, touch).await.unwrap(), Acquired::Granted(_)));
    let refused = file.save_and_keep(&key, lease, 9, next(10), touch).await.unwrap();
    assert_eq!((refused, file.held.count()), (Kept::Not(Written::Conflict), 0));
    assert!(matches!(file.acquire(&key, lease, touch).await.unwrap(), Acquired::Granted(_)));
    assert!(file.delete(&key).await.unwrap());
    let ended = file.save_and_keep(&key, lease, 1, next(2), touch).await.unwrap();
    assert_eq!((ended, file.held.count()), (Kept::Not(Written::Absent), 0));
    fs::remove_dir_all(&file.disk.root).unwrap();
}

/// As `cp -al` makes it, and tools for backups.
fn copied_by_links(folder: &PathBuf) -> PathBuf {
    let copy = folder.with_extension("copy");
    let made = std::process::Command::new("cp").arg("-al").arg(folder).arg(&copy).status().unwrap();
    assert!(made.success());
    copy
}

/// While nobody has the session, while somebody has it, and after saves that keep it.
#[tokio::test]
async fn a_copy_of_the_folder_that_is_made_of_hard_links_keeps_the_records_it_was_made_of() {
    for is_durable in [false, true] {
        for saves_before in [None, Some(0), Some(1), Some(2)] {
            let (file, key, lease, touch, record) = leased(is_durable).await;
            let next =
                |version: u64| Record { version, body: vec![b'0'; 10 * version as usize].into(), ..record.clone() };
            let mut version = 1;
            if let Some(saves) = saves_before {
                assert!(matches!(file.acquire(&key, lease, touch).await.unwrap(), Acquired::Granted(_)));
                for _ in 0..saves {
                    let kept = file.save_and_keep(&key, lease, version, next(version + 1), touch).await.unwrap();
                    assert_eq!(kept, Kept::Alone);
                    version += 1;
                }
            }
            let copy = copied_by_links(&file.disk.root);
            let (copied, was) = (File::new(&copy).unwrap(), version);
            if saves_before.is_none() {
                assert!(matches!(file.acquire(&key, lease, touch).await.unwrap(), Acquired::Granted(_)));
            }
            for _ in 0..3 {
                let kept = file.save_and_keep(&key, lease, version, next(version + 1), touch).await.unwrap();
                assert_eq!(kept, Kept::Alone);
                version += 1;
                let found = copied.peek(&key).await.unwrap().map(|record| record.version);
                assert_eq!(found, Some(was), "{is_durable} {saves_before:?}");
            }
            assert_eq!(file.save(&key, lease, version, next(version + 1), touch).await.unwrap(), Written::Done);
            assert_eq!(copied.peek(&key).await.unwrap().map(|record| record.version), Some(was));
            assert_eq!(file.peek(&key).await.unwrap().map(|record| record.version), Some(version + 1));
            let held = fs::read(copied.disk.place(&key).lease()).unwrap_or_default();
            assert!(!held.windows(4).any(|bytes| bytes == b"0000"), "no later record comes into the copy");
            let again = Lease { holder: Holder::new(), ..lease };
            assert!(matches!(copied.acquire(&key, again, touch).await.unwrap(), Acquired::Granted(_)));
            for folder in [&file.disk.root, &copy] {
                fs::remove_dir_all(folder).unwrap();
            }
        }
    }
}
