//! What is stored reads back as it was written, or is not stored.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::{
    Router,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Invalid, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::{Client, Served, serve};

use crate::support::{Events, Ledger, assert_problem, key};

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Choice {
    #[default]
    None,
    Numbered {
        names: BTreeMap<u32, String>,
    },
}

#[derive(Clone, Default, Serialize, Deserialize, SessionData)]
#[session(validate = rules)]
struct Basket {
    name: String,
    total: f64,
    choice: Choice,
    #[serde(skip_deserializing)]
    written_only: u32,
    #[serde(skip)]
    note: u32,
    tags: HashSet<String>,
    counts: HashMap<String, u32>,
}

/// The note is never stored, so a rule about it is broken in whatever is read.
fn rules(basket: &Basket) -> Result<(), Invalid> {
    if basket.name == "noted" && basket.note == 0 { Err(Invalid::field("note", "is missing")) } else { Ok(()) }
}

/// Changes that JSON can write and not read back, and the cause that the log names.
const LOST: [(&str, &str); 5] = [
    ("nan", "total: expected f64, found: null"),
    ("infinite", "total: expected f64, found: null"),
    ("negative", "total: expected f64, found: null"),
    ("tagged", "choice: expected u32, found: string"),
    ("written_only", "reads as other data"),
];

fn change(basket: &mut Basket, how: &str) {
    match how {
        "nan" => basket.total = f64::NAN,
        "infinite" => basket.total = f64::INFINITY,
        "negative" => basket.total = f64::NEG_INFINITY,
        "tagged" => basket.choice = Choice::Numbered { names: [(1, "one".into())].into() },
        "written_only" => basket.written_only = 7,
        "noted" => (basket.name, basket.note) = ("noted".into(), 7),
        "note" => basket.note = 7,
        "note_and_name" => (basket.name, basket.note) = ("bob".into(), 7),
        "hashes" => {
            basket.tags = (0..20).map(|number| format!("tag {number}")).collect();
            basket.counts = (0..20).map(|number| (format!("count {number}"), number)).collect();
        }
        "nothing" => {}
        other => panic!("{other}"),
    }
}

fn basket() -> Basket {
    Basket { name: "ann".into(), ..Basket::default() }
}

#[session(optional)]
async fn start(slot: SessionSlot<Basket>, how: String) -> Result<(), Error> {
    let mut basket = basket();
    change(&mut basket, &how);
    slot.start(basket).await
}

#[session(protected)]
async fn show(basket: &Basket) -> String {
    format!("{} {} {}", basket.name, basket.total, basket.note)
}

#[session(protected)]
async fn borrow(basket: &mut Basket, how: String) {
    change(basket, &how);
}

#[session(protected)]
async fn update(mut session: Session<Basket>, how: String) -> Result<String, Error> {
    session.update(|basket| change(basket, &how)).await?;
    Ok(session.note.to_string())
}

async fn served(ledger: &Ledger) -> Served {
    let sessions = Sessions::builder().key(&key('k')).backend(ledger.clone()).open().await.unwrap();
    let router = Router::new().route("/start", post(start)).route("/", get(show));
    serve(router.route("/borrow", post(borrow)).route("/update", post(update)).with_state(sessions)).await
}

async fn started(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(post_text(&client, "/start", "nothing").await.status, 200);
    client
}

async fn post_text(client: &Client, path: &str, body: &str) -> session_tests::Reply {
    let body = body.to_owned();
    client.send(axum::http::Method::POST, path, |request| request.body(body)).await
}

#[tokio::test]
async fn what_would_not_read_back_is_a_500_and_not_stored_whichever_way_it_comes() {
    let (events, ledger) = (Events::listen(), Ledger::default());
    let server = served(&ledger).await;
    let client = started(&server).await;
    let before = ledger.record().await;
    for (how, why) in LOST {
        for path in ["/borrow", "/update"] {
            let reply = post_text(&client, path, how).await;
            assert_problem(&reply, 500, "internal");
            assert_eq!(client.get("/").await.text(), "ann 0 0", "{path} {how}");
            assert_eq!(events.named("session.not_read_back").last().unwrap().field("why"), why, "{path} {how}");
        }
        let other = server.client();
        let reply = post_text(&other, "/start", how).await;
        assert_problem(&reply, 500, "internal");
        assert!(reply.set_cookies().is_empty());
        assert_eq!(ledger.record().await.body, before.body, "{how}");
    }
    assert_eq!(ledger.record().await.version, before.version);
    assert_eq!(events.named("session.not_read_back").len(), 15);
    // Another process, which has nothing in its cache.
    assert_eq!(client.at(&served(&ledger).await.url()).get("/").await.text(), "ann 0 0");
}

#[tokio::test]
async fn what_would_be_invalid_when_it_is_read_is_refused_when_it_is_written() {
    let ledger = Ledger::default();
    let server = served(&ledger).await;
    let client = started(&server).await;
    assert_problem(&post_text(&client, "/borrow", "noted").await, 422, "invalid");
    assert_eq!(client.get("/").await.text(), "ann 0 0");
}

#[tokio::test]
async fn a_field_that_is_not_stored_is_gone_in_the_next_request_of_the_same_process() {
    let ledger = Ledger::default();
    let server = served(&ledger).await;
    let client = started(&server).await;
    for (path, how, left) in [
        ("/borrow", "note", "ann 0 0"),
        ("/update", "note", "ann 0 0"),
        ("/borrow", "note_and_name", "bob 0 0"),
        ("/update", "note_and_name", "bob 0 0"),
        ("/borrow", "note", "bob 0 0"),
    ] {
        let reply = post_text(&client, path, how).await;
        assert_eq!((reply.status.as_u16(), reply.text().trim_start_matches('0')), (200, ""), "{path} {how}");
        assert_eq!(client.get("/").await.text(), left, "{path} {how}");
    }
    assert_eq!(post_text(&client, "/start", "note").await.status, 200);
    assert_eq!(client.get("/").await.text(), "ann 0 0");
}

#[tokio::test]
async fn hash_maps_and_sets_are_stored_whatever_their_order_and_written_only_when_they_change() {
    let ledger = Ledger::default();
    let server = served(&ledger).await;
    let client = started(&server).await;
    assert_eq!(post_text(&client, "/borrow", "hashes").await.status, 200);
    let version = ledger.record().await.version;
    for _ in 0..3 {
        assert_eq!(post_text(&client, "/borrow", "nothing").await.status, 200);
        assert_eq!(client.get("/").await.status, 200);
    }
    assert_eq!(ledger.record().await.version, version, "nothing has changed");
}
