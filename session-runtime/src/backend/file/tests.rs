//! What only the inside shows: the events, and what a sweep takes that has all the time.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};

use super::disk::{CallerAlive, Disk, RecordPaths};
use super::sweep::{CALL, SweepCursor};
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
