//! Random storms of writers on one session, whose store takes its time and fails now and then: what each was answered is what
//! is stored, however saves are shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::task::{JoinSet, yield_now};

use super::faulty::{Faulty, Save, Saves};
use super::{HeldLease, LeaseTiming, Queue, StoreClient};
use crate::backend::{Backend as _, BackendError, Kept, Leases as _, Memory, Record, RecordKey, Store, Touch};
use crate::clock::{SystemClock, Timestamp};
use crate::error::Error;

const HOUR: Duration = Duration::from_secs(3600);
const KEY: [u8; 32] = [7; 32];

/// What becomes of one call to the store.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Works,
    /// It fails, and nothing is done.
    Fails,
    /// It is done, and its answer is lost.
    LosesAnswer,
    /// Somebody else has taken the lease.
    LosesLease,
    /// The record is stored, and the lease is not kept.
    KeepsNoLease,
}

/// How often a call lets others run before it is done and before it answers, and what becomes of it.
type Call = (u8, u8, Fate);

/// The calls to come, again and again.
struct Script {
    calls: Vec<Call>,
    next: AtomicUsize,
    /// How many saves it was asked for.
    saves: AtomicUsize,
}

impl Script {
    fn new(calls: Vec<Call>) -> Self {
        Self { calls, next: AtomicUsize::new(0), saves: AtomicUsize::new(0) }
    }

    fn next(&self) -> Call {
        self.calls[self.next.fetch_add(1, Ordering::Relaxed) % self.calls.len()]
    }
}

async fn pause(times: u8) {
    for _ in 0..times {
        yield_now().await;
    }
}

impl Saves for Script {
    async fn save(&self, memory: &Memory, save: Save<'_>, keeps: bool) -> Result<Kept, BackendError> {
        self.saves.fetch_add(1, Ordering::Relaxed);
        let (before, after, fate) = self.next();
        pause(before).await;
        let done = match fate {
            Fate::Works | Fate::LosesAnswer => save.run(memory, keeps).await,
            Fate::KeepsNoLease => save.run(memory, false).await,
            Fate::Fails => Err(BackendError::new("it is down")),
            Fate::LosesLease => {
                memory.release(save.key, save.lease).await?;
                save.run(memory, keeps).await
            }
        };
        pause(after).await;
        if matches!(fate, Fate::LosesAnswer) { Err(BackendError::new("no answer")) } else { done }
    }

    async fn before_acquire(&self) {
        pause(self.next().0).await;
    }
}

/// What a writer does: how long its handler takes, and whether it saves or fails; or after how long its client leaves.
#[derive(Debug, Clone, Copy)]
struct Visit {
    handler: u8,
    saves: bool,
    leaves_after: Option<u8>,
}

fn visits() -> impl Strategy<Value = Vec<Visit>> {
    let leaves = prop_oneof![9 => Just(None), 1 => (0..40_u8).prop_map(Some)];
    let visit = (0..3_u8, prop::bool::weighted(0.9), leaves);
    vec(visit.prop_map(|(handler, saves, leaves_after)| Visit { handler, saves, leaves_after }), 1..60)
}

/// A store that works most often, and is waited for.
fn calls() -> impl Strategy<Value = Vec<Call>> {
    let fate = prop_oneof![
        30 => Just(Fate::Works),
        1 => Just(Fate::Fails),
        1 => Just(Fate::LosesAnswer),
        1 => Just(Fate::LosesLease),
        1 => Just(Fate::KeepsNoLease),
    ];
    vec((1..4_u8, 0..3_u8, fate), 1..40)
}

struct Session {
    store: Arc<Faulty<Script>>,
    client: Arc<StoreClient>,
    queue: Arc<Queue>,
}

impl Session {
    async fn begin(calls: Vec<Call>) -> Self {
        let store = Arc::new(Faulty { memory: Memory::default(), saves: Script::new(calls) });
        let client = Arc::new(StoreClient {
            session_type: "test",
            store: Store::new(Arc::clone(&store)),
            clock: Arc::new(SystemClock),
            deadline: HOUR,
            writes: Arc::default(),
        });
        let touch = touch(client.now());
        let record = Record { version: 1, last_seen: touch.now, expires: touch.expires, body: Vec::new().into() };
        assert!(store.create(&RecordKey::from_bytes(KEY), record, touch).await.unwrap());
        Self { store, client, queue: Queue::new() }
    }

    /// Who has written, and the version.
    async fn written(&self) -> (Vec<u8>, u64) {
        let record = self.store.peek(&RecordKey::from_bytes(KEY)).await.unwrap().unwrap();
        (record.body.to_vec(), record.version)
    }

    /// A request: takes the session, adds its number and saves, or fails.
    async fn visit(&self, number: u8, visit: Visit) -> Result<(), Error> {
        let timing = LeaseTiming { ttl: HOUR, wait: HOUR };
        let key = RecordKey::from_bytes(KEY);
        let acquired = HeldLease::acquire(&self.client, &self.queue, key, timing, touch).await?;
        let (held, record, touch) = acquired.expect("nobody ends it");
        pause(visit.handler).await;
        if !visit.saves {
            // The response tells what was read, which is to be stored by then.
            held.release().await?;
            return Err(Error::Busy);
        }
        let body = [&record.body[..], &[number]].concat();
        let next = Record { version: record.version + 1, body: body.into(), ..record };
        held.save_and_pass_on(record.version, next, touch).await
    }
}

fn touch(now: Timestamp) -> Touch {
    Touch { now, idle: HOUR, expires: now.plus(HOUR) }
}

/// What a writer was told, and whether its number was stored then.
type Told = (u8, Option<Result<(), Error>>, bool);

/// What came of a storm.
struct Stormed {
    told: Vec<Told>,
    written: Vec<u8>,
    version: u64,
    saves: usize,
}

async fn storm(calls: Vec<Call>, visits: Vec<Visit>) -> Stormed {
    let session = Arc::new(Session::begin(calls).await);
    let mut writers = JoinSet::new();
    for (number, visit) in visits.into_iter().enumerate() {
        let (session, number) = (Arc::clone(&session), u8::try_from(number).unwrap());
        writers.spawn(async move {
            let request = session.visit(number, visit);
            let answer = match visit.leaves_after {
                None => Some(request.await),
                Some(after) => tokio::select! {
                    biased;
                    answer = request => Some(answer),
                    () = pause(after) => None,
                },
            };
            (number, answer, session.written().await.0.contains(&number))
        });
    }
    let told = writers.join_all().await;
    // What a client began that has left may still be under way.
    pause(100).await;
    let (written, version) = session.written().await;
    let saves = session.store.saves.saves.load(Ordering::Relaxed);
    Stormed { told, written, version, saves }
}

/// Runs one to its end, where each request has its answer.
fn run(calls: Vec<Call>, visits: Vec<Visit>) -> Stormed {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let minute = Duration::from_secs(60);
    let stormed = async { tokio::time::timeout(minute, storm(calls, visits)).await };
    runtime.block_on(stormed).expect("everybody is answered")
}

#[test]
fn writers_of_a_store_that_is_waited_for_share_their_saves() {
    let writer = Visit { handler: 0, saves: true, leaves_after: None };
    let Stormed { told, written, saves, .. } = run(vec![(2, 1, Fate::Works)], vec![writer; 60]);
    assert!(told.iter().all(|(_, answer, was_stored)| matches!(answer, Some(Ok(()))) && *was_stored));
    assert_eq!(written.len(), 60);
    assert!(saves < 30, "{saves} saves of 60 writers");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_each_writer_was_answered_is_what_is_stored(calls in calls(), visits in visits()) {
        let Stormed { told, written, version, .. } = run(calls, visits);
        prop_assert_eq!(u64::try_from(written.len()).unwrap() + 1, version, "each change is a version of its own");
        for (number, answer, was_stored) in told {
            let times = written.iter().filter(|one| **one == number).count();
            match answer {
                Some(Ok(())) => prop_assert!(was_stored && times == 1, "{number} was answered with success: {times}"),
                // What came of it is not known.
                Some(Err(Error::Unavailable(_))) | None => prop_assert!(times <= 1, "{number} is there twice"),
                Some(Err(refused)) => prop_assert!(times == 0, "{number} was refused ({refused}), and is stored"),
            }
        }
    }
}
