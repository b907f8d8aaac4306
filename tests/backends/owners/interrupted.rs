//! Logins that break off: a process that dies between two of its writes leaves what this leaves.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use session_runtime::backend::{
    Acquired, Backend, BackendError, Capabilities, Lease, Leases, Record, RecordKey, Touch, Written,
};
use session_tests::{Client, wait};
use tokio::sync::Notify;

use super::{
    Stored,
    people::{Two, World, login},
};
use crate::store::Store;

/// A store that knows which records were created through it, and can stop at any call, before it or after.
pub(super) struct Watched<B> {
    store: Arc<B>,
    created: Mutex<Vec<RecordKey>>,
    /// How many calls are left until it stops; far away unless it is to.
    left: AtomicUsize,
    does_the_last: Mutex<bool>,
    stopped: Notify,
    dropped: Arc<Notify>,
}

/// Says that the call that stood still has been given up.
struct Given(Arc<Notify>);

impl Drop for Given {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl<B: Backend> Watched<B> {
    pub(super) fn new(store: Arc<B>) -> Arc<Self> {
        Arc::new(Self {
            store,
            created: Mutex::default(),
            left: AtomicUsize::new(usize::MAX),
            does_the_last: Mutex::new(false),
            stopped: Notify::new(),
            dropped: Arc::default(),
        })
    }

    /// The sessions' records that were created, in order.
    pub(super) fn created(&self) -> Vec<RecordKey> {
        self.created.lock().unwrap().clone()
    }

    fn stop_after(&self, calls: usize, does_the_last: bool) {
        *self.does_the_last.lock().unwrap() = does_the_last;
        self.left.store(calls, Ordering::SeqCst);
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T, BackendError>>) -> Result<T, BackendError> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            (left != usize::MAX && left > 0).then(|| left - 1)
        });
        let does_the_last = *self.does_the_last.lock().unwrap();
        match left {
            Ok(1) => {
                if does_the_last {
                    _ = call.await;
                }
                let _given = Given(Arc::clone(&self.dropped));
                self.stopped.notify_one();
                pending().await
            }
            // Another one beside the one that stopped.
            Err(0) => pending().await,
            _ => call.await,
        }
    }
}

impl<B: Stored> Backend for Watched<B> {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        if touch.idle != Duration::MAX {
            self.created.lock().unwrap().push(*key);
        }
        self.call(self.store.create(key, record, touch)).await
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        self.call(self.store.load(key, touch)).await
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        self.call(self.store.peek(key)).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        self.call(self.store.update(key, expected, record, touch)).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        self.call(self.store.delete(key)).await
    }

    fn idle_slack(&self, idle: Duration) -> Duration {
        self.store.idle_slack(idle)
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self)
    }
}

impl<B: Stored> Leases for Watched<B> {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        self.store.acquire(key, lease, touch).await
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        self.store.extend(key, lease).await
    }

    async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        self.store.save(key, lease, expected, record, touch).await
    }

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        self.store.release(key, lease).await
    }
}

/// Logs in, and breaks off at the call of this number; `false` if the login came to its end before.
async fn breaks_off<B: Stored>(watched: &Watched<B>, client: &Client, owner: u64, calls: usize, does: bool) -> bool {
    watched.stop_after(calls, does);
    let path = format!("/login/{owner}/broken");
    let broke = tokio::select! {
        reply = client.post(&path) => {
            assert_eq!(reply.status, 200, "{}", reply.text());
            false
        }
        () = watched.stopped.notified() => true,
    };
    if broke {
        // The client has gone, and the handler with it.
        wait::within(wait::ANSWER, "the handler is dropped", watched.dropped.notified()).await;
    }
    watched.stop_after(usize::MAX, false);
    broke
}

/// Two sessions are allowed: the login creates a record, finds the list full, writes it, ends the oldest, and ends
/// what its own client had before. Wherever it breaks off, every token that is good is in the list; and the
/// next login sets right what was left.
pub(super) async fn a_login_that_breaks_off_anywhere_leaves_no_session_that_is_used_and_not_listed<B: Stored>(
    store: &Store<B>,
) {
    let watched = Watched::new(Arc::clone(&store.one));
    let world = World::<Two>::on(Arc::clone(&watched), Arc::clone(&store.other)).await;
    let mut owner = 0;
    for (does_the_last, has_one) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut calls = 1;
        loop {
            owner += 1;
            let clients: Vec<Client> = (0..3).map(|_| world.client(0)).collect();
            for client in &clients[..2] {
                login(client, owner, "phone").await;
            }
            let client = if has_one { &clients[1] } else { &clients[2] };
            let broke = breaks_off(&watched, client, owner, calls, does_the_last).await;
            // Looks at the list with each: whoever is alive is in it.
            world.alive(&clients, owner).await;
            login(&world.client(1), owner, "next").await;
            assert_eq!(world.handles(owner).await.len(), 2, "after {calls} calls");
            if !broke {
                break;
            }
            calls += 1;
        }
        assert!(calls > 3, "a login is several calls: {calls}");
    }
}
