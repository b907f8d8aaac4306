//! Requests that only look: `HEAD`, and what a browser loads before anybody has asked for it. They change nothing and
//! use nothing up.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension, Router,
    http::{Method, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any, get, post},
};
use redis::cmd;
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Client, Reply, Served, serve};

use crate::support::{Gate, Store, key, on_every_backend};

#[derive(Clone, Default, Serialize, Deserialize, SessionData)]
#[session(idle = "30m", rotate_every = "15m")]
struct Person {
    visits: u32,
    #[session(flash)]
    notice: Option<String>,
}

#[session(optional)]
async fn login(slot: SessionSlot<Person>) -> Result<(), Error> {
    slot.start(Person::default()).await
}

#[session(protected)]
async fn leave(mut session: Session<Person>) -> Result<(), Error> {
    session.update(|person| person.notice = Some("saved".into())).await
}

fn notice(person: &Person) -> String {
    person.notice.clone().unwrap_or_else(|| "-".into())
}

#[session(protected)]
async fn shared(person: &Person) -> String {
    notice(person)
}

#[session(optional)]
async fn shared_or_none(person: Option<&Person>) -> String {
    person.map_or_else(|| "anonymous".into(), notice)
}

#[session(protected)]
async fn exclusive(person: &mut Person) -> String {
    notice(person)
}

#[session(optional)]
async fn exclusive_or_none(person: Option<&mut Person>) -> String {
    person.map_or_else(|| "anonymous".into(), |person| notice(person))
}

#[session(or_default)]
async fn or_default(person: &mut Person) -> String {
    notice(person)
}

#[session(protected)]
async fn owned(session: Session<Person>) -> String {
    notice(&session)
}

#[session(optional)]
async fn slot(slot: SessionSlot<Person>) -> String {
    slot.get().map_or_else(|| "anonymous".into(), |person| notice(&person))
}

#[session(protected(Person))]
async fn guarded() {}

async fn snapshot(person: Person) -> String {
    notice(&person)
}

async fn snapshot_or_none(person: Option<Person>) -> String {
    person.as_ref().map_or_else(|| "anonymous".into(), notice)
}

async fn found(
    sessions: axum::extract::State<Sessions<Person>>,
    request: axum::extract::Request,
    _: Next,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    Ok(match sessions.find(&parts).await? {
        Some(person) => notice(&person).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    })
}

#[session(protected)]
async fn count(person: &mut Person) -> String {
    person.visits += 1;
    person.visits.to_string()
}

#[session(protected)]
async fn visits(session: Session<Person>) -> String {
    session.visits.to_string()
}

#[session(protected)]
async fn hold(_person: &mut Person, Extension(gate): Extension<Gate>) {
    gate.pass().await;
}

const EVERY_WAY_IN: [&str; 12] = [
    "/shared",
    "/shared-or-none",
    "/exclusive",
    "/exclusive-or-none",
    "/or-default",
    "/owned",
    "/slot",
    "/guarded",
    "/snapshot",
    "/snapshot-or-none",
    "/found",
    "/behind",
];

async fn served(sessions: Sessions<Person>, gate: &Gate) -> Served {
    let behind = Router::new().route("/behind", any(async || ())).route_layer(sessions.protect());
    let by_hand = Router::new().route("/found", any(async || ()));
    let by_hand = by_hand.route_layer(from_fn_with_state(sessions.clone(), found));
    let hold: MethodRouter<Sessions<Person>, Infallible> = post(hold);
    let router = Router::new()
        .route("/login", post(login))
        .route("/leave", post(leave))
        .route("/shared", any(shared))
        .route("/shared-or-none", any(shared_or_none))
        .route("/exclusive", any(exclusive))
        .route("/exclusive-or-none", any(exclusive_or_none))
        .route("/or-default", any(or_default))
        .route("/owned", any(owned))
        .route("/slot", any(slot))
        .route("/guarded", any(guarded))
        .route("/snapshot", any(snapshot))
        .route("/snapshot-or-none", any(snapshot_or_none))
        .route("/count", get(count))
        .route("/visits", get(visits))
        .route("/hold", hold.layer(Extension(gate.clone())))
        .merge(behind)
        .merge(by_hand);
    serve(router.with_state(sessions)).await
}

async fn server(store: &Store, clock: &ManualClock) -> Served {
    served(store.builder().clock(clock.clone()).open().await.unwrap(), &Gate::new()).await
}

async fn logged_in(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(client.post("/login").await.status, 200);
    client
}

/// The requests that only look: a method, and a header of a browser.
fn passive() -> [(Method, Option<(&'static str, &'static str)>); 5] {
    [
        (Method::HEAD, None),
        (Method::GET, Some(("sec-purpose", "prefetch"))),
        (Method::GET, Some(("sec-purpose", "prefetch;prerender"))),
        (Method::GET, Some(("sec-purpose", "prefetch;anonymous-client-ip"))),
        (Method::GET, Some(("purpose", "prefetch"))),
    ]
}

async fn send(client: &Client, path: &str, (method, header): (Method, Option<(&str, &str)>)) -> Reply {
    client
        .send(method, path, |request| match header {
            Some((name, value)) => request.header(name, value),
            None => request,
        })
        .await
}

async fn they_take_no_flash(store: Store) {
    let server = server(&store, &ManualClock::new()).await;
    let client = logged_in(&server).await;
    for path in EVERY_WAY_IN {
        assert_eq!(client.post("/leave").await.status, 200);
        for request in passive() {
            let reply = send(&client, path, request.clone()).await;
            assert_eq!((reply.status.as_u16(), reply.set_cookies()), (200, vec![]), "{path} {request:?}");
            if path.starts_with("/shared") && request.0 == Method::GET {
                assert_eq!(reply.text(), "-", "{path}: it is shown once, on the page that a person sees");
            }
        }
        assert_eq!(client.get("/shared").await.text(), "saved", "{path}");
        assert_eq!(client.get("/shared").await.text(), "-", "{path}");
    }
}

#[tokio::test]
async fn they_slide_no_idle_timeout() {
    let clock = ManualClock::new();
    let server = server(&Store::memory(), &clock).await;
    for path in EVERY_WAY_IN {
        for request in passive() {
            let client = logged_in(&server).await;
            // Not so far that an id is to be rotated.
            for _ in 0..3 {
                clock.advance(Duration::from_secs(9 * 60));
                let reply = send(&client, path, request.clone()).await;
                assert_eq!((reply.status.as_u16(), reply.set_cookies()), (200, vec![]), "{path} {request:?}");
            }
            clock.advance(Duration::from_secs(3 * 60 + 1));
            assert_eq!(client.get("/owned").await.status, 401, "{path} {request:?}");
        }
        let client = logged_in(&server).await;
        clock.advance(Duration::from_secs(14 * 60));
        assert_eq!(client.get(path).await.status, 200);
        clock.advance(Duration::from_secs(20 * 60));
        assert_eq!(client.get("/owned").await.status, 200, "{path}: a use slides it");
    }
}

/// Redis keeps the idle timeout itself.
#[tokio::test]
async fn they_slide_no_idle_timeout_on_redis() {
    let store = Store::redis().await;
    let Store::Redis(redis) = &store else { unreachable!() };
    let server = server(&store, &ManualClock::new()).await;
    let client = logged_in(&server).await;
    let mut connection = redis.connect().await;
    let record: Vec<String> = cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    const LEFT: u64 = 1_000_000;
    cmd("PEXPIRE").arg(&record[0]).arg(LEFT).exec_async(&mut connection).await.unwrap();
    let mut left = async || cmd("PTTL").arg(&record[0]).query_async::<u64>(&mut connection).await.unwrap();
    for path in EVERY_WAY_IN {
        for request in passive() {
            assert_eq!(send(&client, path, request.clone()).await.status, 200);
            assert!(left().await <= LEFT, "{path} {request:?}");
        }
    }
    assert_eq!(client.get("/shared").await.status, 200);
    assert!(left().await > LEFT, "a use slides it");
}

async fn they_rotate_no_id(store: Store) {
    let clock = ManualClock::new();
    let server = server(&store, &clock).await;
    for path in EVERY_WAY_IN {
        let client = logged_in(&server).await;
        clock.advance(Duration::from_secs(16 * 60));
        for request in passive() {
            let reply = send(&client, path, request.clone()).await;
            assert_eq!((reply.status.as_u16(), reply.set_cookies()), (200, vec![]), "{path} {request:?}");
        }
        let reply = client.get("/shared").await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1), "{path}: it was still due");
    }
}

async fn they_get_no_token_under_a_newer_key(store: Store) {
    let open = async |keys: &str| served(store.builder().key(keys).open().await.unwrap(), &Gate::new()).await;
    let (old, new) = (open(&key('o')).await, open(&format!("{},{}", key('n'), key('o'))).await);
    let client = logged_in(&old).await.at(&new.url());
    for path in EVERY_WAY_IN {
        for request in passive() {
            let reply = send(&client, path, request.clone()).await;
            assert_eq!((reply.status.as_u16(), reply.set_cookies()), (200, vec![]), "{path} {request:?}");
        }
    }
    assert_eq!(client.get("/shared").await.set_cookies().len(), 1, "it was still due");
}

async fn they_wait_for_nobody_and_nobody_waits_for_them(store: Store) {
    let gate = Gate::new();
    let server = served(store.sessions().await, &gate).await;
    let client = logged_in(&server).await;
    let holding = tokio::spawn({
        let client = client.clone();
        async move { client.post("/hold").await.status }
    });
    gate.arrival().await;
    for path in ["/exclusive", "/exclusive-or-none", "/or-default"] {
        for request in passive() {
            assert_eq!(send(&client, path, request).await.status, 200, "{path}");
        }
    }
    assert!(!holding.is_finished());
    gate.open();
    assert_eq!(holding.await.unwrap(), 200);
}

async fn what_a_handler_changes_is_stored_all_the_same(store: Store) {
    let server = server(&store, &ManualClock::new()).await;
    let client = logged_in(&server).await;
    for (at, request) in passive().into_iter().enumerate() {
        assert_eq!(send(&client, "/count", request).await.status, 200);
        assert_eq!(client.get("/visits").await.text(), (at + 1).to_string());
    }
    assert_eq!(store.records().await, 1);
}

on_every_backend!(
    they_get_no_token_under_a_newer_key,
    they_rotate_no_id,
    they_take_no_flash,
    they_wait_for_nobody_and_nobody_waits_for_them,
    what_a_handler_changes_is_stored_all_the_same,
);

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_UNSET"), idle = "30m", invalid = reject)]
struct Carried;

#[session(optional)]
async fn carry(slot: SessionSlot<Carried>) -> Result<(), Error> {
    slot.start(Carried).await
}

#[session(protected)]
async fn carried(_carried: &Carried) {}

#[tokio::test]
async fn they_get_no_newer_token_that_carries_its_session_and_none_is_taken_away() {
    let clock = ManualClock::new();
    let sessions = Sessions::<Carried>::builder().key(&key('k')).clock(clock.clone()).open().await.unwrap();
    let server = serve(Router::new().route("/login", post(carry)).route("/", get(carried)).with_state(sessions)).await;
    let client = logged_in(&server).await;
    clock.advance(Duration::from_secs(20 * 60));
    for request in passive() {
        let reply = send(&client, "/", request).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies()), (200, vec![]));
        let forged = server.client();
        forged.set_cookie("__Host-carried=x; Path=/; Secure");
        let reply = send(&forged, "/", passive()[1].clone()).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies()), (400, vec![]));
    }
    assert_eq!(client.get("/").await.set_cookies().len(), 1, "a use is noted");
}
