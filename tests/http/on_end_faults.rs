//! `on_end` where a store fails, a client leaves, and others write or sweep at the same time.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    EndReason, Error, Session, SessionData, SessionSlot, Sessions,
    backend::{
        Backend, BackendError, Capabilities, List, ListCursor, ListPage, Memory, Record, RecordKey, Touch, Written,
    },
    session,
    testing::ManualClock,
};
use session_tests::{Client, Served, serve, wait};
use tokio::sync::{Semaphore, mpsc};

use crate::support::{Gate, key, lends_as_its_memory};

const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Serialize, Deserialize, SessionData)]
struct Guest {
    #[session(owner)]
    name: String,
    visits: u32,
}

/// In the same store as guests.
#[derive(Serialize, Deserialize, SessionData)]
struct Basket;

#[derive(Clone, axum::extract::FromRef)]
struct App {
    guests: Sessions<Guest>,
    gate: Gate,
}

#[session(optional)]
async fn login(slot: SessionSlot<Guest>, Path(name): Path<String>) -> Result<(), Error> {
    slot.start(Guest { name, visits: 0 }).await
}

#[session(protected)]
async fn visit(mut session: Session<Guest>) -> Result<(), Error> {
    session.update(|guest| guest.visits += 1).await
}

#[session(protected)]
async fn logout(session: Session<Guest>) -> Result<(), Error> {
    session.end().await
}

/// Loads the session, and goes on when the test lets it.
#[session(protected)]
async fn slow_logout(State(gate): State<Gate>, session: Session<Guest>) -> Result<(), Error> {
    gate.pass().await;
    session.end().await
}

#[session(optional)]
async fn slow_login(State(gate): State<Gate>, slot: SessionSlot<Guest>) -> Result<(), Error> {
    gate.pass().await;
    slot.start(Guest { name: "next".into(), visits: 0 }).await
}

type Told = (String, u32, EndReason);

/// The application's state: who is told, and permits for its calls.
struct Book {
    told: mpsc::UnboundedSender<Told>,
    permits: Semaphore,
    calls: AtomicUsize,
}

async fn told(guest: Guest, reason: EndReason, book: &Arc<Book>) {
    book.calls.fetch_add(1, Ordering::SeqCst);
    book.permits.acquire().await.unwrap().forget();
    // The test may be over.
    let _ = book.told.send((guest.name, guest.visits, reason));
}

struct Site {
    guests: Sessions<Guest>,
    server: Served,
    gate: Gate,
    told: mpsc::UnboundedReceiver<Told>,
    book: Arc<Book>,
}

async fn site_on(backend: Arc<impl Backend>, deadline: Duration, calls: usize, clock: &ManualClock) -> Site {
    let (sender, receiver) = mpsc::unbounded_channel();
    let book = Arc::new(Book { told: sender, permits: Semaphore::new(calls), calls: AtomicUsize::new(0) });
    let builder = Sessions::<Guest>::builder().key(&key('k')).deadline(deadline).clock(clock.clone());
    let guests = builder.shared_backend(backend).on_end_with(Arc::clone(&book), told).open().await.unwrap();
    let gate = Gate::new();
    let router = Router::new()
        .route("/login/{name}", post(login))
        .route("/", get(async || ()).post(visit))
        .route("/logout", post(logout))
        .route("/slow-logout", post(slow_logout))
        .route("/slow-login", post(slow_login))
        .with_state(App { guests: guests.clone(), gate: gate.clone() });
    Site { server: serve(router).await, guests, gate, told: receiver, book }
}

async fn site(backend: &Arc<impl Backend>) -> Site {
    site_on(Arc::clone(backend), Duration::from_secs(20), Semaphore::MAX_PERMITS, &ManualClock::new()).await
}

impl Site {
    async fn log_in(&self, name: &str) -> Client {
        let client = self.server.client();
        assert_eq!(client.post(&format!("/login/{name}")).await.status, 200);
        client
    }

    async fn next(&mut self) -> Told {
        wait::within(LIMIT, "`on_end` is called", self.told.recv()).await.expect("it is open")
    }
}

fn says(name: &str, visits: u32, reason: EndReason) -> Told {
    (name.to_owned(), visits, reason)
}

/// What goes wrong with the ends of sessions.
#[derive(Clone, Copy, Default, PartialEq)]
enum Fault {
    #[default]
    None,
    /// After the next end, the store is silent.
    SilentAfterAnEnd,
    /// No question is answered.
    Silent,
    /// The next end is done, and answered with an error.
    LosesAnAnswer,
    /// One session, the first that is tried, can't be ended; the others end, and the answers take a moment.
    KeepsOne,
}

/// Memory whose ends of sessions go wrong.
#[derive(Default)]
struct Faulty {
    memory: Memory,
    fault: Mutex<Fault>,
    kept: Mutex<Option<RecordKey>>,
}

impl Faulty {
    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap()
    }

    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    async fn answer<T>(&self, answer: impl Future<Output = T>) -> T {
        if self.fault() == Fault::Silent {
            return std::future::pending().await;
        }
        answer.await
    }
}

impl Backend for Faulty {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        self.answer(self.memory.create(key, record, touch)).await
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        self.answer(self.memory.load(key, touch)).await
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        self.answer(self.memory.peek(key)).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        self.answer(self.memory.update(key, expected, record, touch)).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        match self.fault() {
            Fault::None => self.memory.delete(key).await,
            Fault::Silent => std::future::pending().await,
            Fault::SilentAfterAnEnd => {
                self.set(Fault::Silent);
                self.memory.delete(key).await
            }
            Fault::LosesAnAnswer => {
                self.set(Fault::None);
                self.memory.delete(key).await?;
                Err(BackendError::new("the connection was reset"))
            }
            Fault::KeepsOne => {
                if *self.kept.lock().unwrap().get_or_insert(*key) == *key {
                    return Err(BackendError::new("this one stays"));
                }
                let ended = self.memory.delete(key).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                ended
            }
        }
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self).list(self)
    }
}

lends_as_its_memory!(Faulty);

impl List for Faulty {
    async fn list(&self, after: Option<&ListCursor>, limit: usize) -> Result<ListPage, BackendError> {
        self.memory.list(after, limit).await
    }
}

#[tokio::test]
async fn a_logout_is_told_although_the_client_leaves_while_the_owners_list_is_written() {
    for (path, reason) in [("/logout", EndReason::Logout), ("/login/bob", EndReason::Replaced)] {
        let store = Arc::new(Faulty::default());
        let mut site = site(&store).await;
        let ann = site.log_in("ann").await;
        store.set(Fault::SilentAfterAnEnd);
        let request = tokio::spawn(async move { ann.post(path).await });
        wait::until(LIMIT, "the session is removed", async || store.fault() == Fault::Silent).await;
        // Its connection is closed, so the server drops the request.
        request.abort();
        assert_eq!(site.next().await, says("ann", 0, reason));
    }
}

#[tokio::test]
async fn a_session_whose_removal_was_not_answered_is_told_and_counted() {
    let store = Arc::new(Faulty::default());
    let mut site = site(&store).await;
    site.log_in("ann").await;
    store.set(Fault::LosesAnAnswer);
    assert_eq!(site.guests.of("ann").end_all().await.unwrap(), 1);
    assert_eq!(site.next().await, says("ann", 0, EndReason::Revoked));

    site.log_in("bob").await;
    let id = site.guests.of("bob").list().await.unwrap()[0].public_id();
    store.set(Fault::LosesAnAnswer);
    assert!(site.guests.of("bob").end(id).await.unwrap());
    assert_eq!(site.next().await, says("bob", 0, EndReason::Revoked));

    site.log_in("cat").await;
    store.set(Fault::LosesAnAnswer);
    assert_eq!(site.guests.end_where(|guest| guest.name == "cat").await.unwrap(), 1);
    assert_eq!(site.next().await, says("cat", 0, EndReason::Revoked));

    let dan = site.log_in("dan").await;
    store.set(Fault::LosesAnAnswer);
    assert_eq!(dan.post("/logout").await.status, 200);
    assert_eq!(site.next().await, says("dan", 0, EndReason::Logout));
}

#[tokio::test]
async fn sessions_that_ended_beside_one_that_could_not_be_ended_are_told() {
    let store = Arc::new(Faulty::default());
    let mut site = site(&store).await;
    for number in 0..12 {
        let client = site.log_in("ann").await;
        for _ in 0..number {
            client.post("/").await;
        }
    }
    store.set(Fault::KeepsOne);
    assert!(matches!(site.guests.of("ann").end_all().await, Err(Error::Unavailable(_))));
    let mut visits = BTreeSet::new();
    for _ in 0..11 {
        let (name, count, reason) = site.next().await;
        assert_eq!((name.as_str(), reason), ("ann", EndReason::Revoked));
        visits.insert(count);
    }
    assert_eq!(visits.len(), 11, "each of them");
    store.set(Fault::None);
    assert_eq!(site.guests.of("ann").end_all().await.unwrap(), 1, "the one that was left");
    site.next().await;
    assert!(site.told.is_empty(), "each is told once");
}

#[tokio::test]
async fn a_logout_is_told_with_what_was_stored_last_and_not_with_what_its_request_had_loaded() {
    for (path, reason) in [("/slow-logout", EndReason::Logout), ("/slow-login", EndReason::Replaced)] {
        let mut site = site(&Arc::new(Memory::default())).await;
        let ann = site.log_in("ann").await;
        let (other, gate) = (ann.clone(), site.gate.clone());
        let leaving = tokio::spawn(async move { ann.post(path).await.status });
        gate.arrival().await;
        assert_eq!(other.post("/").await.status, 200);
        gate.open();
        assert_eq!(leaving.await.unwrap(), 200);
        assert_eq!(site.next().await, says("ann", 1, reason));
    }
}

#[tokio::test]
async fn what_has_expired_is_told_once_however_many_sweep_one_store_in_a_process() {
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let mut site = site_on(Arc::clone(&memory), Duration::from_secs(20), 0, &clock).await;
    let builder = Sessions::<Basket>::builder().key(&key('k')).clock(clock.clone());
    let baskets = builder.shared_backend(Arc::clone(&memory)).open().await.unwrap();
    site.log_in("ann").await;
    clock.advance(Duration::from_secs(31 * 60));
    let first = tokio::spawn({
        let guests = site.guests.clone();
        async move { guests.sweep().await.unwrap() }
    });
    wait::until(LIMIT, "it is being told", async || site.book.calls.load(Ordering::SeqCst) == 1).await;
    let others = tokio::spawn({
        let guests = site.guests.clone();
        async move { tokio::join!(guests.sweep(), baskets.sweep()) }
    });
    // Time for those that would tell of it again.
    tokio::time::sleep(Duration::from_millis(200)).await;
    site.book.permits.add_permits(100);
    let swept = wait::within(LIMIT, "all have swept", async { (first.await.unwrap(), others.await.unwrap()) }).await;
    assert_eq!((swept.0, swept.1.0.unwrap(), swept.1.1.unwrap()), (1, 0, 0));
    assert_eq!(site.next().await, says("ann", 0, EndReason::Expired));
    assert_eq!(site.book.calls.load(Ordering::SeqCst), 1);
}
