//! What memory does besides: it is bounded, forgets the idle first, and sweeps without stopping anybody.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use session_runtime::{
    Clock, SessionData, Sessions, Timestamp,
    backend::{Acquired, Backend, Memory, Record, RecordKey, Sweep, Touch},
    testing::{ManualClock, Pair, conformance},
};
use session_tests::wait;
use tokio::task::yield_now;

conformance! { memory_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + Watch + List => Pair::shared(memory(10_000)) }

const IDLE: Duration = Duration::from_secs(60);
const LIFETIME: Duration = Duration::from_secs(600);

fn memory(capacity: usize) -> Memory {
    Memory::new(NonZeroUsize::new(capacity).unwrap())
}

fn key(number: u32) -> RecordKey {
    // Spread as the hashes that keys are.
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
    bytes[28..].copy_from_slice(&number.to_be_bytes());
    RecordKey::from_bytes(bytes)
}

fn touch(now: Timestamp) -> Touch {
    Touch { now, idle: IDLE, expires: now.plus(LIFETIME) }
}

async fn create(memory: &Memory, number: u32, now: Timestamp) {
    let record = Record { version: 1, last_seen: now, expires: now.plus(LIFETIME), body: Vec::new().into() };
    assert!(memory.create(&key(number), record, touch(now)).await.unwrap());
}

async fn has(memory: &Memory, number: u32, now: Timestamp) -> bool {
    memory.load(&key(number), touch(now)).await.unwrap().is_some()
}

#[tokio::test]
async fn memory_holds_no_more_than_its_capacity() {
    let now = Timestamp::from_secs(1_000_000);
    for capacity in [1, 2, 100, 1023, 1024, 1025, 1100, 5000] {
        let memory = memory(capacity);
        for number in 0..3 * u32::try_from(capacity).unwrap() + 500 {
            create(&memory, number, now).await;
            assert!(memory.len() <= capacity, "{} of {capacity}", memory.len());
        }
        assert!(memory.len() > capacity * 9 / 10, "{} of {capacity}: room is left unused", memory.len());
    }
}

#[tokio::test]
async fn a_full_memory_forgets_the_session_that_was_idle_longest() {
    let start = Timestamp::from_secs(1_000_000);
    let second = |seconds| start.plus(Duration::from_secs(seconds));
    let memory = memory(3);
    for (number, seconds) in [(1, 0), (2, 1), (3, 2)] {
        create(&memory, number, second(seconds)).await;
    }
    assert!(has(&memory, 1, second(3)).await, "read: no longer the idlest");
    create(&memory, 4, second(4)).await;
    assert!(!has(&memory, 2, second(5)).await, "the idlest made room");
    for number in [1, 3, 4] {
        assert!(has(&memory, number, second(5)).await, "{number}");
    }
}

#[tokio::test]
async fn who_waits_for_a_session_that_is_forgotten_is_woken_and_finds_nothing() {
    use session_runtime::backend::{Holder, Lease, Leases};

    let now = Timestamp::from_secs(1_000_000);
    let memory = memory(1);
    create(&memory, 1, now).await;
    let lease = |holder| Lease { holder, ttl: Duration::from_secs(3600), now };
    let (holder, waiter) = (Holder::new(), Holder::new());
    assert!(matches!(memory.acquire(&key(1), lease(holder), touch(now)).await.unwrap(), Acquired::Granted(_)));
    let Acquired::Busy(freed) = memory.acquire(&key(1), lease(waiter), touch(now)).await.unwrap() else {
        panic!("the lease is held")
    };
    create(&memory, 2, now).await;
    wait::within(Duration::from_secs(5), "the waiter is woken", freed).await;
    assert!(matches!(memory.acquire(&key(1), lease(waiter), touch(now)).await.unwrap(), Acquired::Absent));
}

#[tokio::test]
async fn who_watches_a_session_is_told_when_it_makes_room_or_is_swept() {
    use session_runtime::backend::Watch;

    let now = Timestamp::from_secs(1_000_000);
    let memory = memory(1);
    create(&memory, 1, now).await;
    let told = memory.watch(&key(1)).await.unwrap();
    create(&memory, 2, now).await;
    wait::within(Duration::from_secs(5), "who watches is told that it made room", told).await;
    let told = memory.watch(&key(2)).await.unwrap();
    assert_eq!(memory.sweep(now.plus(IDLE), 10).await.unwrap(), 1);
    wait::within(Duration::from_secs(5), "who watches is told that it was swept", told).await;
}

#[tokio::test]
async fn a_sweep_takes_no_more_than_it_was_told_to_and_only_what_has_expired() {
    let start = Timestamp::from_secs(1_000_000);
    let later = start.plus(IDLE);
    for capacity in [1000, 10_000] {
        let memory = memory(capacity);
        for number in 0..500 {
            create(&memory, number, start).await;
        }
        for number in 500..600 {
            create(&memory, number, later).await;
        }
        assert_eq!(memory.sweep(start.plus(IDLE / 2), 1000).await.unwrap(), 0, "nothing has expired yet");
        let mut swept = Vec::new();
        while memory.len() > 100 {
            swept.push(memory.sweep(later, 64).await.unwrap());
        }
        assert_eq!(swept, [64, 64, 64, 64, 64, 64, 64, 52]);
        assert_eq!(memory.sweep(later, 64).await.unwrap(), 0);
        for number in 500..600 {
            assert!(has(&memory, number, later).await, "{number}");
        }
    }
}

#[tokio::test]
async fn a_sweep_takes_what_was_used_to_the_end_of_its_lifetime() {
    let start = Timestamp::from_secs(1_000_000);
    let memory = memory(10);
    create(&memory, 1, start).await;
    let mut now = start;
    while now.since(start) < LIFETIME {
        assert!(has(&memory, 1, now).await);
        now = now.plus(IDLE / 2);
    }
    assert_eq!(memory.sweep(now, 10).await.unwrap(), 1);
    assert!(memory.is_empty());
}

#[tokio::test]
async fn types_with_other_idle_timeouts_share_a_memory_and_each_is_swept_by_its_own() {
    let start = Timestamp::from_secs(1_000_000);
    let memory = memory(1000);
    let long = Touch { idle: IDLE * 5, ..touch(start) };
    let create = async |numbers: std::ops::Range<u32>, touch: Touch| {
        for number in numbers {
            let record = Record { version: 1, last_seen: start, expires: touch.expires, body: Vec::new().into() };
            assert!(memory.create(&key(number), record, touch).await.unwrap());
        }
    };
    // Those that live longer stand before the others in the order of use, and behind them.
    create(0..50, long).await;
    create(50..200, touch(start)).await;
    create(200..250, long).await;
    for (now, swept) in [(start, 0), (start.plus(IDLE), 150), (start.plus(IDLE * 4), 0)] {
        assert_eq!(memory.sweep(now, 1000).await.unwrap(), swept);
    }
    assert_eq!(memory.len(), 100);
    assert_eq!(memory.sweep(start.plus(IDLE * 5), 1000).await.unwrap(), 100);
}

#[tokio::test]
async fn others_go_on_between_the_records_of_a_sweep() {
    let start = Timestamp::from_secs(1_000_000);
    let later = start.plus(IDLE);
    let memory = Arc::new(memory(200_000));
    for number in 0..100_000 {
        create(&memory, number, start).await;
    }
    create(&memory, 100_000, later).await;
    let sweeping = std::thread::spawn({
        let memory = Arc::clone(&memory);
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(memory.sweep(later, usize::MAX)).unwrap()
        }
    });
    // Reads that are answered before the sweep is through: one that had to wait for all of it would be none.
    let mut between = 0;
    while !sweeping.is_finished() {
        assert!(has(&memory, 100_000, later).await);
        between += usize::from(memory.len() > 1);
    }
    assert_eq!(sweeping.join().unwrap(), 100_000);
    assert!(between > 0, "a read was answered while there was still something to sweep");
}

#[derive(Default, Serialize, Deserialize, SessionData)]
struct Visitor {
    name: String,
}

#[tokio::test(start_paused = true)]
async fn sessions_sweep_their_memory_by_themselves_until_they_are_dropped() {
    let clock = ManualClock::new();
    let memory = Arc::new(memory(100_000));
    let open = async || {
        let builder = Sessions::<Visitor>::builder().shared_backend(Arc::clone(&memory));
        builder.clock(clock.clone()).idle(IDLE).lifetime(LIFETIME).open().await.unwrap()
    };
    let sessions = open().await;
    for number in 0..5000 {
        create(&memory, number, clock.now()).await;
    }
    clock.advance(IDLE / 2);
    create(&memory, 5000, clock.now()).await;
    clock.advance(IDLE / 2);
    wait::until(Duration::from_secs(600), "what has expired is swept", async || memory.len() == 1).await;
    assert!(has(&memory, 5000, clock.now()).await);

    drop(sessions);
    clock.advance(IDLE * 2);
    tokio::time::sleep(Duration::from_secs(600)).await;
    yield_now().await;
    assert_eq!(memory.len(), 1, "nobody sweeps any more");
    let _sessions = open().await;
    wait::until(Duration::from_secs(600), "the rest is swept", async || memory.is_empty()).await;
}

#[tokio::test]
async fn what_never_idles_makes_room_for_nobody_and_takes_nobodys_place() {
    let start = Timestamp::from_secs(1_000_000);
    let memory = memory(3);
    let endless = |number: u32| Touch { idle: Duration::MAX, ..touch(start.plus(Duration::from_secs(number.into()))) };
    for number in 100..120 {
        let touch = endless(number);
        let record = Record { version: 1, last_seen: start, expires: touch.expires, body: Vec::new().into() };
        assert!(memory.create(&key(number), record, touch).await.unwrap());
    }
    for number in 0..50 {
        create(&memory, number, start).await;
    }
    assert_eq!(memory.len(), 3 + 20);
    for number in 100..120 {
        assert!(memory.load(&key(number), endless(number)).await.unwrap().is_some(), "{number}");
    }
    let first_ends = start.plus(Duration::from_secs(100)).plus(LIFETIME);
    assert_eq!(memory.sweep(first_ends, 1).await.unwrap(), 1);
    assert_eq!(memory.sweep(first_ends, 100).await.unwrap(), 3, "the others of the first four that expired");
    assert_eq!(memory.sweep(first_ends.plus(LIFETIME), 100).await.unwrap(), 19);
    assert!(memory.is_empty());
}

#[tokio::test]
async fn a_clock_that_jumps_makes_no_immortal_session() {
    let start = Timestamp::from_secs(1_000_000);
    let memory = memory(10);
    let far = start.plus(Duration::from_secs(86_400 * 365));
    create(&memory, 1, start).await;
    // Forward for a moment and back again: the use in the far future must not keep it beyond its lifetime.
    _ = memory.load(&key(1), Touch { expires: start.plus(LIFETIME), ..touch(far) }).await.unwrap();
    _ = has(&memory, 1, start).await;
    assert!(!has(&memory, 1, start.plus(LIFETIME)).await);
    memory.sweep(far, 10).await.unwrap();
    assert!(memory.is_empty());
}
