//! What every backend must do, whichever it is: one suite, run by a line for each backend.
//!
//! A store is asked through two handles, as two processes would. Time is the real one: stores with a clock of their
//! own (Redis) can't be told another.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use session_runtime::{
    Clock, SystemClock, Timestamp,
    backend::{Acquired, Backend, Holder, Key, Lease, Leases, Record, Touch, Written},
};
use session_tests::wait;
use tokio::{task::JoinSet, time::sleep};

const IDLE: Duration = Duration::from_secs(600);
const LIFETIME: Duration = Duration::from_secs(3600);
const LEASE: Duration = Duration::from_secs(600);
const SHORT_LEASE: Duration = Duration::from_millis(150);
const MANY: usize = 32;

/// Two handles on one store.
pub(crate) struct Store<B> {
    pub(crate) one: Arc<B>,
    pub(crate) other: Arc<B>,
}

impl<B> Clone for Store<B> {
    fn clone(&self) -> Self {
        Self { one: Arc::clone(&self.one), other: Arc::clone(&self.other) }
    }
}

/// Makes each behaviour a test of each backend.
macro_rules! suite {
    ($($place:ident on $store:expr;)+ => $($behaviour:ident)+) => {
        suite! { @ [$($behaviour)+] $($place on $store;)+ }
    };
    (@ $behaviours:tt $($place:ident on $store:expr;)+) => {
        $(suite! { # $place on $store; $behaviours })+
    };
    (# $place:ident on $store:expr; [$($behaviour:ident)+]) => {
        mod $place {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    let (store, _server) = $store;
                    super::$behaviour(store).await;
                }
            )+
        }
    };
}

suite! {
    memory on crate::memory::store();
    redis on crate::redis::store().await;
    file on crate::file::store();
    durable_file on crate::file::durable();
    =>
    a_record_is_created_once_and_loaded_as_it_was_written
    loading_updating_and_deleting_what_is_not_there_is_no_error_and_creates_nothing
    of_many_who_create_one_record_at_once_one_succeeds
    an_update_replaces_the_version_that_it_names_and_no_other
    of_many_who_update_one_version_at_once_one_succeeds
    an_update_never_brings_back_what_was_deleted
    a_load_notes_the_use_within_the_slack_that_the_store_names
    an_expired_record_is_not_revived_by_loading_it
    a_record_outlives_its_idle_timeout_only_by_being_used
    a_lease_is_one_holders_until_it_is_given_up
    a_lease_keeps_no_reader_waiting_and_no_delete
    a_lease_on_what_is_not_there_is_absent_and_holds_nothing
    saving_gives_up_the_lease_and_wakes_who_waits
    releasing_wakes_who_waits_and_the_release_of_another_does_nothing
    deleting_wakes_who_waits_and_what_he_finds_is_nothing
    a_save_of_another_version_is_refused_and_gives_up_the_lease
    a_save_without_the_lease_is_refused
    a_save_after_the_end_creates_nothing
    a_lease_that_ran_out_is_anothers_and_the_late_save_and_release_are_refused
    a_lease_that_ran_out_is_refused_even_if_nobody_took_it
    an_extended_lease_is_kept_and_a_lost_one_is_not_extended
    many_holders_take_turns_and_lose_no_change
    a_waiter_who_gives_up_leaves_nothing_behind
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn key() -> Key {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; 32];
    let hasher = RandomState::new();
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&hasher.hash_one(NEXT.fetch_add(1, Ordering::Relaxed)).to_be_bytes());
    }
    Key::from_bytes(bytes)
}

/// Any bytes are a body: a zero, a line's end, what is no UTF-8.
fn record(version: u64, text: &str) -> Record {
    let body = [b"\0\r\n\xff\xfe".as_slice(), text.as_bytes()].concat();
    let now = now();
    Record { version, last_seen: now, expires: now.plus(LIFETIME), body: body.into() }
}

fn touch() -> Touch {
    let now = now();
    Touch { now, idle: IDLE, expires: now.plus(LIFETIME) }
}

fn lease(holder: Holder, ttl: Duration) -> Lease {
    Lease { holder, ttl, now: now() }
}

async fn created<B: Backend>(store: &B) -> (Key, Record) {
    let (key, record) = (key(), record(1, "first"));
    assert!(store.create(&key, record.clone(), touch()).await.unwrap());
    (key, record)
}

async fn body<B: Backend>(store: &B, key: &Key) -> Option<(u64, Vec<u8>)> {
    store.load(key, touch()).await.unwrap().map(|record| (record.version, record.body.to_vec()))
}

async fn granted<B: Leases>(store: &B, key: &Key, holder: Holder, ttl: Duration) -> Record {
    match store.acquire(key, lease(holder, ttl), touch()).await.unwrap() {
        Acquired::Granted(record) => record,
        Acquired::Busy(_) => panic!("the lease is somebody else's"),
        Acquired::Absent => panic!("there is no such record"),
    }
}

async fn is_busy<B: Leases>(store: &B, key: &Key, holder: Holder) -> bool {
    matches!(store.acquire(key, lease(holder, LEASE), touch()).await.unwrap(), Acquired::Busy(_))
}

/// Asks until the lease is granted or the record is gone, as the runtime does.
async fn waited<B: Leases>(store: &B, key: &Key, holder: Holder, ttl: Duration) -> Option<Record> {
    wait::within(wait::ANSWER, "the lease is granted", async {
        loop {
            match store.acquire(key, lease(holder, ttl), touch()).await.unwrap() {
                Acquired::Granted(record) => return Some(record),
                Acquired::Absent => return None,
                Acquired::Busy(freed) => freed.await,
            }
        }
    })
    .await
}

async fn a_record_is_created_once_and_loaded_as_it_was_written<B: Backend>(store: Store<B>) {
    let (key, first) = created(&*store.one).await;
    assert!(!store.other.create(&key, record(1, "second"), touch()).await.unwrap(), "there is one already");
    let loaded = store.other.load(&key, touch()).await.unwrap().unwrap();
    assert_eq!((loaded.version, loaded.expires, loaded.body), (first.version, first.expires, first.body));
    assert_eq!(loaded.last_seen, first.last_seen, "as it was before this load");

    let (empty, large) = (Record { body: Vec::new().into(), ..record(u64::MAX, "") }, record(1, &"x".repeat(1 << 20)));
    for record in [empty, large] {
        let key = self::key();
        assert!(store.one.create(&key, record.clone(), touch()).await.unwrap());
        assert_eq!(body(&*store.other, &key).await, Some((record.version, record.body.to_vec())));
    }
}

async fn loading_updating_and_deleting_what_is_not_there_is_no_error_and_creates_nothing<B: Backend>(store: Store<B>) {
    let key = key();
    assert_eq!(store.one.load(&key, touch()).await.unwrap(), None);
    for expected in [0, 1, 2] {
        assert_eq!(store.one.update(&key, expected, record(2, "new"), touch()).await.unwrap(), Written::Absent);
    }
    assert!(!store.one.delete(&key).await.unwrap());
    assert_eq!(store.other.load(&key, touch()).await.unwrap(), None);
}

async fn of_many_who_create_one_record_at_once_one_succeeds<B: Backend>(store: Store<B>) {
    let key = key();
    let mut tasks = JoinSet::new();
    for i in 0..MANY {
        let store = if i % 2 == 0 { Arc::clone(&store.one) } else { Arc::clone(&store.other) };
        let text = i.to_string();
        tasks.spawn(async move {
            store.create(&key, record(1, &text), touch()).await.unwrap().then(|| record(1, &text).body.to_vec())
        });
    }
    let winners: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let [winner] = &winners[..] else { panic!("{} created one record", winners.len()) };
    assert_eq!(body(&*store.one, &key).await, Some((1, winner.clone())));
}

async fn an_update_replaces_the_version_that_it_names_and_no_other<B: Backend>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    assert_eq!(store.one.update(&key, 2, record(3, "wrong"), touch()).await.unwrap(), Written::Conflict);
    assert_eq!(store.other.update(&key, 1, record(2, "right"), touch()).await.unwrap(), Written::Done);
    assert_eq!(store.one.update(&key, 1, record(2, "late"), touch()).await.unwrap(), Written::Conflict);
    assert_eq!(body(&*store.one, &key).await, Some((2, record(2, "right").body.to_vec())));
}

async fn of_many_who_update_one_version_at_once_one_succeeds<B: Backend>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    for version in 1..4 {
        let mut tasks = JoinSet::new();
        for i in 0..MANY {
            let store = if i % 2 == 0 { Arc::clone(&store.one) } else { Arc::clone(&store.other) };
            tasks.spawn(async move {
                store.update(&key, version, record(version + 1, &i.to_string()), touch()).await.unwrap()
            });
        }
        let answers = tasks.join_all().await;
        assert_eq!(answers.iter().filter(|answer| **answer == Written::Done).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|answer| **answer == Written::Conflict).count(), MANY - 1, "{answers:?}");
    }
}

async fn an_update_never_brings_back_what_was_deleted<B: Backend>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    assert!(store.other.delete(&key).await.unwrap());
    assert_eq!(store.one.update(&key, 1, record(2, "late"), touch()).await.unwrap(), Written::Absent);
    assert_eq!(store.one.load(&key, touch()).await.unwrap(), None);
    assert!(!store.one.delete(&key).await.unwrap());
    assert!(store.one.create(&key, record(1, "another"), touch()).await.unwrap(), "the name is free again");
}

async fn a_load_notes_the_use_within_the_slack_that_the_store_names<B: Backend>(store: Store<B>) {
    let (key, first) = created(&*store.one).await;
    let slack = store.one.idle_slack(IDLE);
    assert!(slack < IDLE);
    let later = Touch { now: first.last_seen.plus(slack).plus(Duration::from_millis(1)), ..touch() };
    assert_eq!(store.one.load(&key, later).await.unwrap().unwrap().last_seen, first.last_seen);
    assert_eq!(store.other.load(&key, later).await.unwrap().unwrap().last_seen, later.now, "the first load was noted");
    assert_eq!(store.one.update(&key, 1, record(2, "new"), later).await.unwrap(), Written::Done, "no new version");
}

async fn an_expired_record_is_not_revived_by_loading_it<B: Backend>(store: Store<B>) {
    let slack = store.one.idle_slack(IDLE);
    let idle = |record: &Record| Touch { now: record.last_seen.plus(IDLE).plus(slack), ..touch() };
    let ended = |record: &Record| Touch { now: record.expires, idle: IDLE, expires: record.expires };
    for expiry in [&idle as &(dyn Fn(&Record) -> Touch + Sync), &ended] {
        let (key, record) = created(&*store.one).await;
        let touch = expiry(&record);
        for handle in [&store.one, &store.other, &store.one] {
            let loaded = handle.load(&key, touch).await.unwrap();
            assert!(loaded.is_none_or(|record| !touch.is_live(&record, slack)), "a look revived it");
        }
    }
}

async fn a_record_outlives_its_idle_timeout_only_by_being_used<B: Backend>(store: Store<B>) {
    let idle = Duration::from_millis(500);
    let touch = || Touch { now: now(), idle, expires: now().plus(LIFETIME) };
    let (used, unused) = (key(), key());
    for key in [&used, &unused] {
        assert!(store.one.create(key, record(1, "x"), touch()).await.unwrap());
    }
    let end = now().plus(idle * 3);
    while now() < end {
        let touch = touch();
        let loaded = store.other.load(&used, touch).await.unwrap().expect("it is in use");
        assert!(touch.is_live(&loaded, store.one.idle_slack(idle)));
        sleep(Duration::from_millis(20)).await;
    }
    let touch = touch();
    let loaded = store.one.load(&unused, touch).await.unwrap();
    assert!(loaded.is_none_or(|record| !touch.is_live(&record, store.one.idle_slack(idle))));
}

async fn a_lease_is_one_holders_until_it_is_given_up<B: Leases>(store: Store<B>) {
    let (key, first) = created(&*store.one).await;
    let (holder, other) = (Holder::new(), Holder::new());
    assert_eq!(granted(&*store.one, &key, holder, LEASE).await.body, first.body);
    for handle in [&store.one, &store.other] {
        assert!(is_busy(&**handle, &key, other).await);
    }
    granted(&*store.one, &key, holder, LEASE).await;
    store.one.release(&key, lease(holder, LEASE)).await.unwrap();
    granted(&*store.other, &key, other, LEASE).await;
    assert!(is_busy(&*store.one, &key, holder).await);

    let (another, _) = created(&*store.one).await;
    granted(&*store.one, &another, holder, LEASE).await;
}

async fn a_lease_keeps_no_reader_waiting_and_no_delete<B: Leases>(store: Store<B>) {
    let (key, first) = created(&*store.one).await;
    granted(&*store.one, &key, Holder::new(), LEASE).await;
    assert_eq!(body(&*store.other, &key).await, Some((1, first.body.to_vec())));
    assert!(store.other.delete(&key).await.unwrap());
    assert_eq!(store.one.load(&key, touch()).await.unwrap(), None);
}

async fn a_lease_on_what_is_not_there_is_absent_and_holds_nothing<B: Leases>(store: Store<B>) {
    let key = key();
    for handle in [&store.one, &store.other] {
        let answer = handle.acquire(&key, lease(Holder::new(), LEASE), touch()).await.unwrap();
        assert!(matches!(answer, Acquired::Absent));
    }
    assert!(store.one.create(&key, record(1, "x"), touch()).await.unwrap());
    granted(&*store.other, &key, Holder::new(), LEASE).await;
}

/// Has somebody wait on the other handle for a lease that is held, and gives what he is granted.
async fn waiting<B: Leases>(store: &Store<B>, key: Key) -> tokio::task::JoinHandle<Option<Record>> {
    // He listens from here on, so that nothing which follows can be missed.
    let other = Arc::clone(&store.other);
    let Acquired::Busy(freed) = other.acquire(&key, lease(Holder::new(), LEASE), touch()).await.unwrap() else {
        panic!("the lease is held")
    };
    tokio::spawn(async move {
        wait::within(wait::ANSWER, "the waiter is woken", freed).await;
        waited(&*other, &key, Holder::new(), LEASE).await
    })
}

async fn saving_gives_up_the_lease_and_wakes_who_waits<B: Leases>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    let holder = Holder::new();
    granted(&*store.one, &key, holder, LEASE).await;
    let waiter = waiting(&store, key).await;
    let saved = record(2, "saved");
    let answer = store.one.save(&key, lease(holder, LEASE), 1, saved.clone(), touch()).await.unwrap();
    assert_eq!(answer, Written::Done);
    let found = waiter.await.unwrap().unwrap();
    assert_eq!((found.version, found.body), (2, saved.body), "who comes next has what was saved");
    let again = store.one.save(&key, lease(holder, LEASE), 2, record(3, "again"), touch()).await.unwrap();
    assert_eq!(again, Written::Conflict, "the lease is given up");
}

async fn releasing_wakes_who_waits_and_the_release_of_another_does_nothing<B: Leases>(store: Store<B>) {
    let (key, first) = created(&*store.one).await;
    let holder = Holder::new();
    granted(&*store.one, &key, holder, LEASE).await;
    for handle in [&store.one, &store.other] {
        handle.release(&key, lease(Holder::new(), LEASE)).await.unwrap();
    }
    let waiter = waiting(&store, key).await;
    store.one.release(&key, lease(holder, LEASE)).await.unwrap();
    assert_eq!(waiter.await.unwrap().unwrap().body, first.body);
    store.one.release(&key, lease(holder, LEASE)).await.unwrap();
    assert!(is_busy(&*store.one, &key, Holder::new()).await, "a second release gives up nobody's lease");
}

async fn deleting_wakes_who_waits_and_what_he_finds_is_nothing<B: Leases>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    granted(&*store.one, &key, Holder::new(), LEASE).await;
    let waiter = waiting(&store, key).await;
    assert!(store.one.delete(&key).await.unwrap());
    assert_eq!(waiter.await.unwrap(), None);
    assert!(store.one.create(&key, record(1, "x"), touch()).await.unwrap());
    granted(&*store.one, &key, Holder::new(), LEASE).await;
}

async fn a_save_of_another_version_is_refused_and_gives_up_the_lease<B: Leases>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    let holder = Holder::new();
    granted(&*store.one, &key, holder, LEASE).await;
    // A renewal does this: it changes the record under the lease.
    assert_eq!(store.other.update(&key, 1, record(2, "renewed"), touch()).await.unwrap(), Written::Done);
    let answer = store.one.save(&key, lease(holder, LEASE), 1, record(2, "late"), touch()).await.unwrap();
    assert_eq!(answer, Written::Conflict);
    assert_eq!(granted(&*store.other, &key, Holder::new(), LEASE).await.body, record(2, "renewed").body);
}

async fn a_save_without_the_lease_is_refused<B: Leases>(store: Store<B>) {
    let (key, first) = created(&*store.one).await;
    let stranger = lease(Holder::new(), LEASE);
    assert_eq!(store.one.save(&key, stranger, 1, record(2, "x"), touch()).await.unwrap(), Written::Conflict);
    let holder = Holder::new();
    granted(&*store.one, &key, holder, LEASE).await;
    assert_eq!(store.other.save(&key, stranger, 1, record(2, "x"), touch()).await.unwrap(), Written::Conflict);
    assert_eq!(body(&*store.one, &key).await, Some((1, first.body.to_vec())));
    let answer = store.one.save(&key, lease(holder, LEASE), 1, record(2, "y"), touch()).await.unwrap();
    assert_eq!(answer, Written::Done, "the stranger took nothing from the holder");
}

async fn a_save_after_the_end_creates_nothing<B: Leases>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    let holder = Holder::new();
    granted(&*store.one, &key, holder, LEASE).await;
    assert!(store.other.delete(&key).await.unwrap());
    assert!(!store.one.extend(&key, lease(holder, LEASE)).await.unwrap());
    let answer = store.one.save(&key, lease(holder, LEASE), 1, record(2, "late"), touch()).await.unwrap();
    assert_eq!(answer, Written::Absent);
    assert_eq!(store.one.load(&key, touch()).await.unwrap(), None);
}

async fn a_lease_that_ran_out_is_anothers_and_the_late_save_and_release_are_refused<B: Leases>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    let (late, next) = (Holder::new(), Holder::new());
    granted(&*store.one, &key, late, SHORT_LEASE).await;
    assert!(is_busy(&*store.other, &key, next).await);
    waited(&*store.other, &key, next, LEASE).await.unwrap();

    assert!(!store.one.extend(&key, lease(late, LEASE)).await.unwrap());
    store.one.release(&key, lease(late, LEASE)).await.unwrap();
    let answer = store.one.save(&key, lease(late, LEASE), 1, record(2, "late"), touch()).await.unwrap();
    assert_eq!(answer, Written::Conflict);
    assert!(is_busy(&*store.one, &key, late).await);
    let answer = store.other.save(&key, lease(next, LEASE), 1, record(2, "next"), touch()).await.unwrap();
    assert_eq!(answer, Written::Done);
    assert_eq!(body(&*store.one, &key).await, Some((2, record(2, "next").body.to_vec())));
}

async fn a_lease_that_ran_out_is_refused_even_if_nobody_took_it<B: Leases>(store: Store<B>) {
    let (key, first) = created(&*store.one).await;
    let holder = Holder::new();
    granted(&*store.one, &key, holder, SHORT_LEASE).await;
    sleep(SHORT_LEASE * 2).await;
    assert!(!store.one.extend(&key, lease(holder, LEASE)).await.unwrap());
    let answer = store.one.save(&key, lease(holder, LEASE), 1, record(2, "late"), touch()).await.unwrap();
    assert_eq!(answer, Written::Conflict);
    assert_eq!(body(&*store.one, &key).await, Some((1, first.body.to_vec())));
}

async fn an_extended_lease_is_kept_and_a_lost_one_is_not_extended<B: Leases>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    let (holder, other) = (Holder::new(), Holder::new());
    granted(&*store.one, &key, holder, SHORT_LEASE).await;
    assert!(store.one.extend(&key, lease(holder, LEASE)).await.unwrap());
    assert!(!store.other.extend(&key, lease(other, LEASE)).await.unwrap(), "only the holder's");
    sleep(SHORT_LEASE * 2).await;
    assert!(is_busy(&*store.other, &key, other).await);
    let answer = store.one.save(&key, lease(holder, LEASE), 1, record(2, "x"), touch()).await.unwrap();
    assert_eq!(answer, Written::Done);
    assert!(!store.one.extend(&key, lease(holder, LEASE)).await.unwrap());
}

async fn many_holders_take_turns_and_lose_no_change<B: Leases>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    let mut tasks = JoinSet::new();
    for i in 0..MANY {
        let store = if i % 2 == 0 { Arc::clone(&store.one) } else { Arc::clone(&store.other) };
        tasks.spawn(async move {
            let holder = Holder::new();
            let before = waited(&*store, &key, holder, LEASE).await.unwrap();
            tokio::task::yield_now().await;
            let body = [&before.body[..], b"."].concat().into();
            let after = Record { version: before.version + 1, body, ..before };
            store.save(&key, lease(holder, LEASE), before.version, after, touch()).await.unwrap()
        });
    }
    assert!(tasks.join_all().await.iter().all(|answer| *answer == Written::Done));
    let (version, body) = body(&*store.one, &key).await.unwrap();
    assert_eq!((version, body.iter().filter(|byte| **byte == b'.').count()), (1 + MANY as u64, MANY));
}

async fn a_waiter_who_gives_up_leaves_nothing_behind<B: Leases>(store: Store<B>) {
    let (key, _) = created(&*store.one).await;
    let holder = Holder::new();
    granted(&*store.one, &key, holder, LEASE).await;
    for _ in 0..3 {
        let Acquired::Busy(freed) = store.other.acquire(&key, lease(Holder::new(), LEASE), touch()).await.unwrap()
        else {
            panic!("the lease is held")
        };
        drop(freed);
    }
    store.one.release(&key, lease(holder, LEASE)).await.unwrap();
    granted(&*store.one, &key, Holder::new(), LEASE).await;
}
