use std::time::Duration;

use tokio::sync::Notify;

use super::*;
use crate::backend::{Acquired, Memory, RecordKey, Store};
use crate::clock::SystemClock;
use crate::lease::StoreClient;
use crate::lease::faulty::{Faulty, Save, Saves};

const HOUR: Duration = Duration::from_secs(3600);

/// A batch of a session that is in memory, with its record and the moment of its use.
async fn begun() -> (Arc<Batch>, Record, Touch) {
    begun_on(Store::new(Arc::new(Memory::default()))).await
}

async fn begun_on(store: Store) -> (Arc<Batch>, Record, Touch) {
    let client = Arc::new(StoreClient {
        session_type: "test",
        store,
        clock: Arc::new(SystemClock),
        deadline: HOUR,
        writes: Arc::default(),
    });
    let (key, now) = (RecordKey::from_bytes([7; 32]), client.now());
    let touch = Touch { now, idle: HOUR, expires: now.plus(HOUR) };
    let record = Record { version: 1, last_seen: now, expires: touch.expires, body: b"data".as_slice().into() };
    client.store.backend().create(&key, record.clone(), touch).await.unwrap();
    let mut lease = TakenLease::ask(&client, key, HOUR);
    let acquired = client.store.leases().unwrap().acquire(&key, lease.at(now), touch).await.unwrap();
    assert!(matches!(acquired, Acquired::Granted(_)));
    let confirmed = Confirmed { asked: Instant::now(), arrived: 0 };
    (Batch::open(&Queue::new(), &mut lease, &Arc::default(), record.version, confirmed), record, touch)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_has_ended_leaves_what_is_added_behind_it_alone() {
    let (batch, record, touch) = begun().await;
    let writes = tokio::spawn(async move {
        for version in 2..50_000 {
            batch.add(&Handle::current(), Record { version, ..record.clone() }, touch);
            batch.committed(version).await.unwrap();
        }
    });
    writes.await.unwrap();
}

#[test]
fn a_save_that_a_runtime_takes_with_it_is_answered_as_not_known() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mine, gone) = (runtime(), runtime());
    let (batch, record, touch) = mine.block_on(begun());
    batch.add(gone.handle(), Record { version: 2, ..record }, touch);
    drop(gone);
    let minute = Duration::from_secs(60);
    let answer = mine.block_on(async { tokio::time::timeout(minute, batch.committed(2)).await });
    assert!(matches!(answer, Ok(Err(Error::Unavailable(error))) if error.is_unconfirmed()));
}

#[test]
fn a_runtime_that_takes_no_save_any_more_fails_it_at_once() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mine, gone) = (runtime(), runtime());
    let handle = gone.handle().clone();
    drop(gone);
    let (batch, record, touch) = mine.block_on(begun());
    let (told, outcome) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        batch.add(&handle, Record { version: 2, ..record }, touch);
        let _ = told.send(batch.has_failed());
    });
    assert_eq!(outcome.recv_timeout(Duration::from_secs(60)), Ok(true), "it waits for nobody");
}

/// Saves are done and lose the lease, as where no answer came until the lease had run out.
#[derive(Default)]
struct LoseLeases {
    answers: Notify,
}

impl Saves for LoseLeases {
    async fn save(&self, memory: &Memory, save: Save<'_>, keeps: bool) -> Result<Kept, BackendError> {
        if keeps {
            self.answers.notified().await;
        }
        save.run(memory, false).await
    }
}

#[tokio::test]
async fn a_lease_that_is_lost_with_a_save_that_is_done_is_told_by_who_ran_on_and_passed_on_by_nobody() {
    for runs_on in [true, false] {
        let store = Arc::new(Faulty::<LoseLeases>::default());
        let (batch, record, touch) = begun_on(Store::new(Arc::clone(&store))).await;
        let add = |version| batch.add(&Handle::current(), Record { version, ..record.clone() }, touch);
        add(2);
        tokio::task::yield_now().await;
        if runs_on {
            add(3);
        }
        store.saves.answers.notify_one();
        assert!(batch.committed(2).await.is_ok(), "it is stored");
        if runs_on {
            assert!(matches!(batch.committed(3).await, Err(Error::LeaseLost)));
        }
        assert_eq!(batch.state().is_lost(), runs_on, "a loss is told where it is somebody's");
        assert!(!batch.saves().lease.is_open, "there is no lease to give back");
    }
}
