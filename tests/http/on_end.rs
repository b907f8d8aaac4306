//! `on_end`: what an application is told when a session has ended.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    EndReason, Error, PublicId, Session, SessionData, SessionSlot, Sessions, StoredSession,
    backend::{self, Backend, File, Memory, Sqlite},
    session,
    testing::ManualClock,
};
use session_tests::{Client, MariaDb, Postgres, Redis, Served, serve, wait};
use tokio::sync::{Semaphore, mpsc};

use crate::support::key;

const LIMIT: Duration = Duration::from_secs(60);
/// The idle timeout of a session that is to expire, by the clock of the store.
const BRIEF: u64 = 1000;

#[derive(Debug, Serialize, Deserialize, SessionData)]
#[session(max_per_owner = 2)]
struct Member {
    #[session(owner)]
    name: String,
    visits: u32,
}

#[session(optional)]
async fn login(slot: SessionSlot<Member>, Path((name, millis)): Path<(String, u64)>) -> Result<(), Error> {
    slot.start(Member { name, visits: 0 }).label("laptop").idle(Duration::from_millis(millis)).await
}

#[session(protected)]
async fn look(_member: &Member) {}

#[session(protected)]
async fn visit(member: &mut Member) {
    member.visits += 1;
}

#[session(protected)]
async fn logout(session: Session<Member>) -> Result<(), Error> {
    session.end().await
}

#[session(optional)]
async fn clear(slot: SessionSlot<Member>) -> Result<(), Error> {
    slot.end().await
}

#[session(protected)]
async fn public_id(session: Session<Member>) -> String {
    session.public_id().to_string()
}

fn router(members: Sessions<Member>) -> Router {
    Router::new()
        .route("/login/{name}/{millis}", post(login))
        .route("/", get(look).post(visit))
        .route("/logout", post(logout))
        .route("/clear", post(clear))
        .route("/id", get(public_id))
        .with_state(members)
}

/// What was told.
type Told = (String, u32, EndReason);

/// Where it is told; the application's state.
struct Book {
    told: mpsc::UnboundedSender<(PublicId, Told)>,
    /// A call needs a permit, which it keeps.
    gate: Semaphore,
    waiting: AtomicUsize,
}

async fn told(session: StoredSession<Member>, reason: EndReason, book: &Arc<Book>) {
    book.waiting.fetch_add(1, Ordering::SeqCst);
    book.gate.acquire().await.unwrap().forget();
    let id = session.public_id();
    assert_eq!(session.label(), Some("laptop"));
    // The test may be over.
    let _ = book.told.send((id, (session.name.clone(), session.visits, reason)));
}

struct Site {
    members: Sessions<Member>,
    server: Served,
    told: mpsc::UnboundedReceiver<(PublicId, Told)>,
    book: Arc<Book>,
}

async fn site_with(backend: Arc<impl Backend>, calls: usize) -> Site {
    site_on(backend, calls, None).await
}

async fn site_on(backend: Arc<impl Backend>, calls: usize, clock: Option<ManualClock>) -> Site {
    let (sender, receiver) = mpsc::unbounded_channel();
    let book = Arc::new(Book { told: sender, gate: Semaphore::new(calls), waiting: AtomicUsize::new(0) });
    let builder = Sessions::<Member>::builder().key(&key('k')).deadline(Duration::from_secs(20));
    let builder = builder.shared_backend(backend).on_end_with(Arc::clone(&book), told);
    let members = match clock {
        Some(clock) => builder.clock(clock).open().await.unwrap(),
        None => builder.open().await.unwrap(),
    };
    Site { server: serve(router(members.clone())).await, members, told: receiver, book }
}

async fn site(backend: impl Backend) -> Site {
    site_with(Arc::new(backend), Semaphore::MAX_PERMITS).await
}

impl Site {
    async fn log_in(&self, name: &str) -> Client {
        let client = self.server.client();
        self.log_in_as(&client, name, 600_000).await;
        client
    }

    async fn log_in_as(&self, client: &Client, name: &str, millis: u64) {
        assert_eq!(client.post(&format!("/login/{name}/{millis}")).await.status, 200);
    }

    async fn next(&mut self) -> Told {
        wait::within(LIMIT, "`on_end` is called", self.told.recv()).await.expect("it is open").1
    }
}

fn says(name: &str, visits: u32, reason: EndReason) -> Told {
    (name.to_owned(), visits, reason)
}

/// Whatever ends a session, but time.
async fn assert_ends_are_told(site: &mut Site) {
    let ann = site.log_in("ann").await;
    ann.post("/").await;
    let id = ann.get("/id").await.text().to_owned();
    assert_eq!(ann.post("/logout").await.status, 200);
    let (told, what) = wait::within(LIMIT, "a logout is told", site.told.recv()).await.unwrap();
    assert_eq!((told.to_string(), what), (id, says("ann", 1, EndReason::Logout)), "with what was stored last");
    assert_eq!(ann.post("/logout").await.status, 401, "there is nothing to end any more");

    site.log_in_as(&ann, "ann", 600_000).await;
    assert_eq!(ann.post("/clear").await.status, 200);
    assert_eq!(site.next().await, says("ann", 0, EndReason::Logout));

    site.log_in_as(&ann, "bea", 600_000).await;
    ann.post("/").await;
    site.log_in_as(&ann, "cat", 600_000).await;
    assert_eq!(site.next().await, says("bea", 1, EndReason::Replaced));
    assert_eq!(site.members.of("cat").end_all().await.unwrap(), 1);
    assert_eq!(site.next().await, says("cat", 0, EndReason::Revoked));
    assert_eq!(site.members.of("cat").end_all().await.unwrap(), 0);

    let first = site.log_in("dan").await;
    first.post("/").await;
    let second = site.log_in("dan").await;
    let third = site.log_in("dan").await;
    assert_eq!(site.next().await, says("dan", 1, EndReason::Evicted));
    second.post("/").await;
    second.post("/").await;
    let keep: PublicId = third.get("/id").await.text().parse().unwrap();
    assert_eq!(site.members.of("dan").end_others(keep).await.unwrap(), 1);
    assert_eq!(site.next().await, says("dan", 2, EndReason::Revoked));
    assert!(site.members.of("dan").end(keep).await.unwrap());
    assert_eq!(site.next().await, says("dan", 0, EndReason::Revoked));

    site.log_in("eve").await;
    site.log_in("fay").await;
    assert_eq!(site.members.end_where(|member| member.name == "eve").await.unwrap(), 1);
    assert_eq!(site.next().await, says("eve", 0, EndReason::Revoked));
}

async fn on_a_store_that_is_swept(backend: impl Backend) {
    let mut site = site(backend).await;
    assert_ends_are_told(&mut site).await;
    // Requests with the expired session's token come before the sweep and take nothing from it.
    let gus = site.server.client();
    site.log_in_as(&gus, "gus", BRIEF).await;
    let expired = async || gus.get("/").await.status == 401;
    tokio::time::sleep(Duration::from_millis(BRIEF + BRIEF / 8)).await;
    wait::until(LIMIT, "it has expired", expired).await;
    let all = async || {
        site.members.sweep().await.unwrap();
        !site.told.is_empty()
    };
    wait::until(LIMIT, "what has expired is told", all).await;
    assert_eq!(site.next().await, says("gus", 0, EndReason::Expired));
    let left = async || {
        site.members.sweep().await.unwrap();
        site.members.count().await.unwrap() == 1
    };
    wait::until(LIMIT, "only fay is left", left).await;
    assert!(site.told.is_empty(), "each is told once");
}

#[tokio::test]
async fn every_end_is_told_with_its_reason_in_memory() {
    on_a_store_that_is_swept(Memory::default()).await;
}

#[tokio::test]
async fn every_end_is_told_with_its_reason_on_files() {
    let folder = tempfile::tempdir().unwrap();
    on_a_store_that_is_swept(File::new(folder.path()).unwrap()).await;
}

#[tokio::test]
async fn every_end_is_told_with_its_reason_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    on_a_store_that_is_swept(Sqlite::new(folder.path().join("sessions.db"), "sessions").await.unwrap()).await;
}

#[tokio::test]
async fn every_end_is_told_with_its_reason_on_postgres() {
    let server = Postgres::start().await;
    on_a_store_that_is_swept(backend::Postgres::new(&server.url(), "sessions").unwrap()).await;
}

#[tokio::test]
async fn every_end_is_told_with_its_reason_on_mariadb() {
    let server = MariaDb::start().await;
    on_a_store_that_is_swept(backend::MySql::new(&server.url(), "sessions").unwrap()).await;
}

#[tokio::test]
async fn redis_forgets_what_has_expired_without_a_word_and_every_other_end_is_told() {
    let server = Redis::start().await;
    let mut site = site(backend::Redis::new(&server.url(), "test:").unwrap()).await;
    assert_ends_are_told(&mut site).await;
    let gus = site.server.client();
    site.log_in_as(&gus, "gus", BRIEF).await;
    wait::until(LIMIT, "it has expired", async || {
        tokio::time::sleep(Duration::from_millis(BRIEF + BRIEF / 8)).await;
        gus.get("/").await.status == 401
    })
    .await;
    site.members.sweep().await.unwrap();
    assert_eq!(site.log_in("hal").await.post("/logout").await.status, 200);
    assert_eq!(site.next().await, says("hal", 0, EndReason::Logout), "and nothing before it");
}

#[tokio::test]
async fn a_login_that_finds_an_expired_session_of_its_owner_tells_of_it_before_any_sweep() {
    let clock = ManualClock::new();
    let mut site = site_on(Arc::new(Memory::default()), Semaphore::MAX_PERMITS, Some(clock.clone())).await;
    site.log_in("ann").await.post("/").await;
    site.log_in("ann").await;
    clock.advance(Duration::from_secs(31 * 60));
    site.log_in("ann").await;
    let mut told = [site.next().await, site.next().await];
    told.sort_by_key(|(_, visits, _)| *visits);
    assert_eq!(told, [0, 1].map(|visits| says("ann", visits, EndReason::Expired)), "and not as evicted");
}

/// A process that ends while the function runs has not removed the session: the next sweep tells again.
#[tokio::test]
async fn what_has_expired_is_told_again_after_a_sweep_that_was_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let before = site_with(Arc::new(File::new(folder.path()).unwrap()), 0).await;
    let gus = before.server.client();
    before.log_in_as(&gus, "gus", BRIEF).await;
    let sweeping = tokio::spawn({
        let members = before.members.clone();
        async move {
            loop {
                members.sweep().await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    wait::until(LIMIT, "it is being told", async || before.book.waiting.load(Ordering::SeqCst) > 0).await;
    sweeping.abort();
    drop((before, gus));
    // The next process, on the same folder.
    let mut after = site(File::new(folder.path()).unwrap()).await;
    wait::until(LIMIT, "it is told again", async || {
        after.members.sweep().await.unwrap();
        !after.told.is_empty()
    })
    .await;
    assert_eq!(after.next().await, says("gus", 0, EndReason::Expired));
}

#[tokio::test]
async fn no_request_waits_for_the_function_and_at_most_sixteen_calls_run_at_once() {
    let mut site = site_with(Arc::new(Memory::default()), 0).await;
    for number in 0..40 {
        let client = site.log_in(&format!("p{number}")).await;
        assert_eq!(client.post("/logout").await.status, 200);
        assert_eq!(client.get("/").await.status, 401);
    }
    wait::until(LIMIT, "sixteen run", async || site.book.waiting.load(Ordering::SeqCst) == 16).await;
    assert_eq!(site.log_in("last").await.post("/logout").await.status, 200);
    assert_eq!(site.book.waiting.load(Ordering::SeqCst), 16, "the others wait for their turn");
    assert!(site.told.is_empty());
    site.book.gate.add_permits(1000);
    let mut names = Vec::new();
    for _ in 0..41 {
        names.push(site.next().await.0);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 41, "each is told once");
}
