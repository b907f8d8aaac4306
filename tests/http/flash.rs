//! `#[session(flash)]`: what one request leaves, the next borrow that reads it takes.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension, Form, Router,
    extract::Path,
    http::{Method, StatusCode},
    routing::{MethodRouter, get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    Error, Session, SessionData, SessionSlot, Sessions,
    backend::{Backend, File, FileConfig, OpenBackend, Scope, Sqlite, SqliteConfig},
    session,
};
use session_tests::{Client, Served, serve};

use crate::support::{Gate, Ledger, Store, assert_problem, key, on_every_backend, send_with};

const COOKIE: &str = "__Host-visitor";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SessionData)]
struct Visitor {
    name: String,
    #[session(flash)]
    notice: Option<String>,
    #[session(flash)]
    news: Vec<String>,
    visits: u32,
}

impl Visitor {
    /// The flash as a test compares it.
    fn flash(&self) -> String {
        format!("{}|{}", self.notice.as_deref().unwrap_or_default(), self.news.join(","))
    }
}

#[session(optional)]
async fn login(slot: SessionSlot<Visitor>) -> Result<(), Error> {
    slot.start(Visitor { name: "ann".into(), ..Visitor::default() }).await
}

/// Leaves a flash through the handle, which reads none.
#[session(protected)]
async fn leave(mut session: Session<Visitor>, Path(text): Path<String>) -> Result<(), Error> {
    session
        .update(|visitor| {
            visitor.notice = Some(text.clone());
            visitor.news.push(text.clone());
        })
        .await
}

#[session(protected)]
async fn shared(visitor: &Visitor) -> String {
    visitor.flash()
}

#[session(optional)]
async fn optional(visitor: Option<&Visitor>) -> String {
    visitor.map_or_else(|| "anonymous".into(), Visitor::flash)
}

#[session(protected)]
async fn exclusive(visitor: &mut Visitor) -> String {
    visitor.visits += 1;
    visitor.flash()
}

#[session(protected)]
async fn exclusive_without_change(visitor: &mut Visitor) -> String {
    visitor.flash()
}

#[session(protected)]
async fn exclusive_that_adds(visitor: &mut Visitor) -> String {
    let seen = visitor.flash();
    visitor.notice = Some("more".into());
    visitor.news.push("more".into());
    seen
}

#[session(protected)]
async fn exclusive_that_fails(visitor: &mut Visitor) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, visitor.flash())
}

#[session(protected)]
async fn owned(session: Session<Visitor>) -> String {
    session.flash()
}

#[session(optional)]
async fn slot(slot: SessionSlot<Visitor>) -> String {
    slot.get().map(|visitor| visitor.flash()).unwrap_or_default()
}

#[session(protected(Visitor))]
async fn guarded() {}

async fn snapshot(visitor: Visitor) -> String {
    visitor.flash()
}

async fn plain() {}

#[derive(Deserialize)]
struct Number {
    #[expect(dead_code, reason = "it is there to be refused")]
    number: u32,
}

#[session(protected)]
async fn with_a_form(visitor: &Visitor, Form(_number): Form<Number>) -> String {
    visitor.flash()
}

#[session(protected)]
async fn slow(visitor: &mut Visitor, Extension(gate): Extension<Gate>) -> String {
    visitor.visits += 10;
    gate.pass().await;
    visitor.flash()
}

async fn served(sessions: Sessions<Visitor>, gate: &Gate) -> Served {
    let slow: MethodRouter<_, Infallible> = post(slow);
    let router = Router::new()
        .route("/plain", get(plain))
        .route_layer(sessions.protect())
        .route("/login", post(login))
        .route("/leave/{text}", post(leave))
        .route("/shared", get(shared))
        .route("/optional", get(optional))
        .route("/exclusive", post(exclusive))
        .route("/exclusive-without-change", post(exclusive_without_change))
        .route("/exclusive-that-adds", post(exclusive_that_adds))
        .route("/exclusive-that-fails", post(exclusive_that_fails))
        .route("/owned", get(owned))
        .route("/slot", get(slot))
        .route("/guarded", get(guarded))
        .route("/snapshot", get(snapshot))
        .route("/with-a-form", post(with_a_form))
        .route("/slow", post(slow.layer(Extension(gate.clone()))));
    serve(router.with_state(sessions)).await
}

async fn server(store: &Store) -> Served {
    served(store.sessions().await, &Gate::new()).await
}

async fn logged_in(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(client.post("/login").await.status, 200);
    client
}

async fn leave_one(client: &Client, text: &str) {
    assert_eq!(client.post(&format!("/leave/{text}")).await.status, 200);
}

async fn the_next_borrow_that_reads_a_flash_takes_it(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    let borrows = [
        (Method::GET, "/shared"),
        (Method::GET, "/optional"),
        (Method::POST, "/exclusive"),
        (Method::POST, "/exclusive-without-change"),
    ];
    for (method, path) in borrows {
        leave_one(&client, "saved").await;
        let first = client.send(method.clone(), path, |request| request).await;
        assert_eq!((first.status.as_u16(), first.text()), (200, "saved|saved"), "{path}");
        assert!(first.set_cookies().is_empty());
        let second = client.send(method, path, |request| request).await;
        assert_eq!(second.text(), "|", "{path}");
        assert_eq!(client.get("/owned").await.text(), "|", "{path}: it is gone from the store");
    }
}

async fn who_takes_a_session_without_reading_it_leaves_the_flash(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    leave_one(&client, "saved").await;
    for path in ["/guarded", "/plain", "/owned", "/slot", "/snapshot"] {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
    let refused = client.post_form("/with-a-form", &[("number", "none")]).await;
    assert_eq!(refused.status, 422, "the handler did not run");
    for path in ["/owned", "/slot", "/snapshot"] {
        assert_eq!(client.get(path).await.text(), "saved|saved", "{path} shows it and leaves it");
    }
    assert_eq!(client.get("/shared").await.text(), "saved|saved");
}

async fn what_an_exclusive_borrow_adds_stays_and_what_it_was_lent_goes(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    leave_one(&client, "first").await;
    leave_one(&client, "second").await;
    assert_eq!(client.post("/exclusive-that-adds").await.text(), "second|first,second");
    assert_eq!(client.get("/shared").await.text(), "more|more");
    assert_eq!(client.get("/shared").await.text(), "|");
}

async fn a_500_keeps_the_flash_of_an_exclusive_borrow(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    leave_one(&client, "saved").await;
    let failed = client.post("/exclusive-that-fails").await;
    assert_eq!((failed.status.as_u16(), failed.text()), (500, "saved|saved"));
    assert_eq!(client.get("/shared").await.text(), "saved|saved");
}

/// Twenty readers in two processes, as often as it takes for their order to vary.
async fn exactly_one_takes_it(here: &Served, there: &Served) {
    let client = logged_in(here).await;
    for round in 0..10 {
        let text = format!("round-{round}");
        leave_one(&client, &text).await;
        let readers = (0..20).map(|reader| {
            let server = if reader % 2 == 0 { here } else { there };
            let client = client.at(&server.url());
            tokio::spawn(async move {
                let reply = client.get("/shared").await;
                assert_eq!(reply.status, 200, "{}", reply.text());
                reply.text().to_owned()
            })
        });
        let readers: Vec<_> = readers.collect();
        let mut seen = Vec::new();
        for reader in readers {
            seen.push(reader.await.unwrap());
        }
        let taken: Vec<_> = seen.iter().filter(|text| *text != "|").collect();
        assert_eq!(taken, [&format!("{text}|{text}")], "{seen:?}");
        assert_eq!(client.get("/shared").await.text(), "|");
    }
}

async fn of_twenty_readers_in_two_processes_exactly_one_takes_a_flash(store: Store) {
    exactly_one_takes_it(&server(&store).await, &server(&store).await).await;
}

async fn a_reader_never_waits_for_a_writer_and_never_makes_it_fail(store: Store) {
    let gate = Gate::new();
    let (here, there) = (served(store.sessions().await, &gate).await, server(&store).await);
    let client = logged_in(&here).await;
    leave_one(&client, "saved").await;
    let writer = client.clone();
    let slow = tokio::spawn(async move { writer.post("/slow").await });
    gate.arrival().await;
    for server in [&here, &there] {
        let reply = client.at(&server.url()).get("/shared").await;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, "|"), "the borrow that came first has it");
    }
    gate.open();
    let slow = slow.await.unwrap();
    assert_eq!((slow.status.as_u16(), slow.text()), (200, "saved|saved"));
    let after = client.get("/owned").await;
    assert_eq!(after.text(), "|");
}

on_every_backend!(
    a_500_keeps_the_flash_of_an_exclusive_borrow,
    a_reader_never_waits_for_a_writer_and_never_makes_it_fail,
    of_twenty_readers_in_two_processes_exactly_one_takes_a_flash,
    the_next_borrow_that_reads_a_flash_takes_it,
    what_an_exclusive_borrow_adds_stays_and_what_it_was_lent_goes,
    who_takes_a_session_without_reading_it_leaves_the_flash,
);

/// Two handles on one store, as two processes have them.
async fn on<B: Backend>(one: B, other: B) {
    let open = async |backend| {
        let builder = Sessions::<Visitor>::builder().key(&key('k')).shared_backend(Arc::new(backend));
        served(builder.open().await.unwrap(), &Gate::new()).await
    };
    exactly_one_takes_it(&open(one).await, &open(other).await).await;
}

#[tokio::test]
async fn on_files_exactly_one_of_twenty_readers_takes_a_flash() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || {
        let mut config = FileConfig::default();
        config.dir = Some(folder.path().join("sessions"));
        <File as OpenBackend>::open(config, &Scope::new("tests", "Visitor")).await.unwrap()
    };
    on(open().await, open().await).await;
}

#[tokio::test]
async fn on_sqlite_exactly_one_of_twenty_readers_takes_a_flash() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || {
        let mut config = SqliteConfig::default();
        config.path = Some(folder.path().join("sessions.db"));
        <Sqlite as OpenBackend>::open(config, &Scope::new("tests", "Visitor")).await.unwrap()
    };
    on(open().await, open().await).await;
}

#[tokio::test]
async fn a_flash_is_not_taken_while_the_store_is_down_and_is_there_afterwards() {
    let ledger = Ledger::default();
    let sessions = Sessions::<Visitor>::builder().backend(ledger.clone()).ephemeral_key().open().await.unwrap();
    let server = served(sessions, &Gate::new()).await;
    let client = logged_in(&server).await;
    leave_one(&client, "saved").await;
    ledger.set_down(true);
    assert_problem(&client.get("/shared").await, 503, "unavailable");
    ledger.set_down(false);
    assert_eq!(client.get("/shared").await.text(), "saved|saved");
}

#[tokio::test]
async fn a_read_with_an_empty_flash_asks_the_store_once_and_writes_nothing() {
    let ledger = Ledger::default();
    let sessions = Sessions::<Visitor>::builder().backend(ledger.clone()).ephemeral_key().open().await.unwrap();
    let server = served(sessions, &Gate::new()).await;
    let client = logged_in(&server).await;
    let cookie = format!("{COOKIE}={}", client.cookie(COOKIE).unwrap());
    let before = (ledger.asked(), ledger.written());
    for _ in 0..5 {
        assert_eq!(send_with(&server, Method::GET, "/shared", &cookie).await.text(), "|");
    }
    assert_eq!((ledger.asked(), ledger.written()), (before.0 + 5, before.1));
}
