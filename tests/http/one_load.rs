//! However many ask for the session in one request, it is loaded once; and nobody gets one that has changed since.

use std::time::Duration;

use axum::{
    Router,
    extract::{FromRequestParts, OptionalFromRequestParts, Request, State},
    http::{Method, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    Error, Session, SessionData, SessionSlot, Sessions, backend::Redis, session, testing::ManualClock,
};
use session_tests::{Client, Served, serve};

use crate::support::{Ledger, Store, on_every_backend};

#[derive(Clone, Serialize, Deserialize, SessionData)]
struct User {
    #[session(owner)]
    name: String,
    visits: u32,
}

#[session(optional)]
async fn start(slot: SessionSlot<User>) -> Result<(), Error> {
    slot.start(User { name: "ann".into(), visits: 0 }).await
}

#[session(protected)]
async fn read(user: &User) -> String {
    user.visits.to_string()
}

#[session(optional)]
async fn owned(session: Option<Session<User>>) -> String {
    session.map_or_else(|| "none".into(), |session| session.visits.to_string())
}

/// An extractor of the application's own, which asks for the session as well.
struct Visits(u32);

impl<S: Send + Sync> FromRequestParts<S> for Visits
where
    User: FromRequestParts<S>,
{
    type Rejection = <User as FromRequestParts<S>>::Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        <User as FromRequestParts<S>>::from_request_parts(parts, state).await.map(|user| Self(user.visits))
    }
}

#[session(protected)]
async fn read_twice(user: &User, Visits(visits): Visits) -> String {
    format!("{} {visits}", user.visits)
}

#[session(protected)]
async fn borrow(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

#[session(protected)]
async fn update(mut session: Session<User>) -> Result<(), Error> {
    session.update(|user| user.visits += 1).await
}

#[session(protected)]
async fn update_nothing(mut session: Session<User>) -> Result<(), Error> {
    session.update(|_| ()).await
}

#[session(protected)]
async fn rotate(mut session: Session<User>) -> Result<(), Error> {
    session.rotate_id().await
}

#[session(protected)]
async fn end(session: Session<User>) -> Result<(), Error> {
    session.end().await
}

#[session(optional)]
async fn end_slot(slot: SessionSlot<User>) -> Result<(), Error> {
    slot.end().await
}

#[session(protected)]
async fn end_all(_user: &User, State(users): State<Sessions<User>>) -> Result<(), Error> {
    users.of("ann").end_all().await.map(drop)
}

/// A middleware that asks before the handler, and once more behind it.
async fn around(State(users): State<Sessions<User>>, request: Request, next: Next) -> Result<Response, Error> {
    let (mut parts, body) = request.into_parts();
    users.find_once(&mut parts).await?;
    let kept = parts.clone();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let after = users.find(&kept).await?.map_or_else(|| "none".into(), |user| user.visits.to_string());
    response.headers_mut().insert("x-after", after.parse().unwrap());
    Ok(response)
}

/// A middleware that extracts the session.
async fn extracting(State(users): State<Sessions<User>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let found = <User as OptionalFromRequestParts<_>>::from_request_parts(&mut parts, &users).await;
    match found {
        Ok(_) => next.run(Request::from_parts(parts, body)).await,
        Err(rejection) => rejection.into_response(),
    }
}

/// What another process does while a request is under way: once the session was found, before the handler is called.
#[derive(Clone)]
struct Meanwhile {
    users: Sessions<User>,
    elsewhere: Client,
    clock: ManualClock,
}

async fn meanwhile(State(meanwhile): State<Meanwhile>, request: Request, next: Next) -> Result<Response, Error> {
    let (mut parts, body) = request.into_parts();
    let Meanwhile { users, elsewhere, clock } = meanwhile;
    let found = users.find_once(&mut parts).await?;
    assert_eq!(found.map(|user| user.visits), Some(0));
    let path = parts.uri.query().unwrap_or("borrow").to_owned();
    assert_eq!(elsewhere.post(&format!("/{path}")).await.status, 200);
    if parts.headers.contains_key("x-wait") {
        clock.advance(Duration::from_secs(2));
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

fn routes() -> Router<Sessions<User>> {
    Router::new()
        .route("/read", get(read))
        .route("/read-twice", get(read_twice))
        .route("/owned", get(owned))
        .route("/borrow", post(borrow))
        .route("/update", post(update))
        .route("/update-nothing", post(update_nothing))
        .route("/rotate", post(rotate))
        .route("/end", post(end))
        .route("/end-slot", post(end_slot))
        .route("/end-all", post(end_all))
        .route("/restart", post(start))
}

/// With a middleware of each kind before the handlers.
async fn served(users: Sessions<User>) -> Served {
    let router = routes()
        .route_layer(users.protect())
        .route_layer(from_fn_with_state(users.clone(), extracting))
        .route_layer(from_fn_with_state(users.clone(), around))
        .route("/start", post(start));
    serve(router.with_state(users)).await
}

async fn started(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(client.post("/start").await.status, 200);
    client
}

#[tokio::test]
async fn a_request_costs_redis_one_command_however_many_ask_for_its_session() {
    let store = Store::redis().await;
    let Store::Redis(redis) = &store else { unreachable!() };
    let server = served(store.sessions().await).await;
    let client = started(&server).await;
    for (path, commands) in [("/read", &["GETEX"][..]), ("/owned", &["GETEX"]), ("/read-twice", &["GETEX"])] {
        let mut seen = Vec::new();
        // What was loaded counts for a moment, which a machine that is busy may exceed.
        for _ in 0..20 {
            let recording = redis.record().await;
            assert_eq!(client.get(path).await.status, 200);
            let sent = recording.finish().await;
            seen = sent.iter().map(|command| command.split('"').nth(1).unwrap_or_default().to_uppercase()).collect();
            if seen == commands {
                break;
            }
        }
        assert_eq!(seen, commands, "{path}");
    }
}

/// Of the ended session of a token that still verifies, too.
#[tokio::test]
async fn a_request_asks_a_store_of_ones_own_once() {
    let ledger = Ledger::default();
    let users = Sessions::<User>::builder().backend(ledger.clone()).ephemeral_key().open().await.unwrap();
    let server = served(users).await;
    let client = started(&server).await;
    let asked = async |client: &Client, path: &str, status: u16| {
        let mut least = usize::MAX;
        for _ in 0..20 {
            let before = ledger.asked();
            assert_eq!(client.get(path).await.status, status);
            least = least.min(ledger.asked() - before);
        }
        least
    };
    assert_eq!(asked(&client, "/read", 200).await, 1);
    let ended = client.clone();
    let cookie = client.cookie("__Host-user").unwrap();
    assert_eq!(client.post("/end").await.status, 200);
    ended.set_cookie(&format!("__Host-user={cookie}; Path=/; Secure"));
    assert_eq!(asked(&ended, "/read", 401).await, 1);
}

/// One to read it for the handler, and one to store the change if nothing came between. A change of nothing stores nothing.
#[tokio::test]
async fn an_update_costs_a_store_two_calls() {
    let ledger = Ledger::default();
    let users = Sessions::<User>::builder().backend(ledger.clone()).ephemeral_key().open().await.unwrap();
    let server = serve(routes().route("/start", post(start)).with_state(users)).await;
    let client = started(&server).await;
    for (path, calls, writes) in [("/update", 2, 1), ("/update-nothing", 2, 0)] {
        let mut least = usize::MAX;
        // What was loaded counts for a moment, which a machine that is busy may exceed.
        for _ in 0..20 {
            let (asked, written) = (ledger.asked(), ledger.written());
            assert_eq!(client.post(path).await.status, 200);
            assert_eq!(ledger.written() - written, writes, "{path}");
            least = least.min(ledger.asked() - asked);
        }
        assert_eq!(least, calls, "{path}");
    }
}

#[tokio::test]
async fn an_update_costs_redis_two_round_trips() {
    let store = Store::redis().await;
    let Store::Redis(redis) = &store else { unreachable!() };
    let server = serve(routes().route("/start", post(start)).with_state(store.sessions().await)).await;
    let client = started(&server).await;
    // The first one tells Redis the script.
    assert_eq!(client.post("/update").await.status, 200);
    let recording = redis.record().await;
    assert_eq!(client.post("/update").await.status, 200);
    let sent = recording.finish().await;
    // What scripts run is seen as well.
    let sent: Vec<_> = sent.iter().filter(|command| !command.contains("lua]")).collect();
    assert_eq!(sent.len(), 2, "{sent:#?}");
}

#[tokio::test]
async fn an_update_that_changes_nothing_asks_redis_and_no_cache_whether_that_is_the_newest() {
    let store = Store::redis().await;
    let Store::Redis(redis) = &store else { unreachable!() };
    let backend = Redis::new(&redis.url(), "near:").unwrap().near_cache(Duration::from_secs(600));
    let sessions = Sessions::<User>::builder().backend(backend).ephemeral_key().open().await.unwrap();
    let server = serve(routes().route("/start", post(start)).with_state(sessions)).await;
    let client = started(&server).await;
    assert_eq!(client.get("/read").await.text(), "0");
    let before = redis.commands().await;
    assert_eq!(client.get("/read").await.text(), "0");
    assert_eq!(redis.commands().await.since(&before).of("get"), 0, "a read is answered from the cache");
    let before = redis.commands().await;
    assert_eq!(client.post("/update-nothing").await.status, 200);
    assert_eq!(redis.commands().await.since(&before).of("get"), 1);
}

async fn behind_the_handler_nobody_sees_what_it_has_changed_rotated_or_ended(store: Store) {
    let server = served(store.sessions().await).await;
    for (method, path, after) in [
        (Method::GET, "/read", "0"),
        (Method::POST, "/borrow", "1"),
        (Method::POST, "/update", "1"),
        (Method::POST, "/rotate", "none"),
        (Method::POST, "/end", "none"),
        (Method::POST, "/end-slot", "none"),
        (Method::POST, "/end-all", "none"),
        (Method::POST, "/restart", "none"),
    ] {
        let client = started(&server).await;
        let reply = client.send(method, path, |request| request).await;
        assert_eq!((reply.status.as_u16(), reply.header("x-after")), (200, Some(after)), "{path}");
    }
}

async fn an_exclusive_borrow_loads_under_its_lease_whatever_was_found_before(store: Store) {
    let elsewhere = served(store.sessions().await).await;
    let clock = ManualClock::new();
    let client = started(&elsewhere).await;
    let users: Sessions<User> = store.builder().clock(clock.clone()).open().await.unwrap();
    let other = Meanwhile { users: users.clone(), elsewhere: client.clone(), clock };
    let here = serve(routes().route_layer(from_fn_with_state(other, meanwhile)).with_state(users)).await;
    assert_eq!(client.at(&here.url()).post("/borrow").await.text(), "2");
}

/// An update that meets another change since the request has loaded the session is made on the newest data.
async fn an_update_is_made_on_the_newest_data_whatever_was_found_before(store: Store) {
    let elsewhere = served(store.sessions().await).await;
    let clock = ManualClock::new();
    for (change, status, visits) in [("borrow", 200, "2"), ("update", 200, "2"), ("end", 409, "none")] {
        let client = started(&elsewhere).await;
        let users: Sessions<User> = store.builder().clock(clock.clone()).open().await.unwrap();
        let other = Meanwhile { users: users.clone(), elsewhere: client.clone(), clock: clock.clone() };
        let here = serve(routes().route_layer(from_fn_with_state(other, meanwhile)).with_state(users)).await;
        let reply = client.at(&here.url()).post(&format!("/update?{change}")).await;
        assert_eq!(reply.status, status, "{change}");
        let left = client.get("/owned").await;
        let left = if left.status == 200 { left.text() } else { "none" };
        assert_eq!(left, visits, "{change}");
    }
}

async fn what_was_found_counts_for_a_moment_only(store: Store) {
    for (change, seen) in [("borrow", "1"), ("end", "none")] {
        let elsewhere = served(store.sessions().await).await;
        let clock = ManualClock::new();
        let client = started(&elsewhere).await;
        let users: Sessions<User> = store.builder().clock(clock.clone()).open().await.unwrap();
        let other = Meanwhile { users: users.clone(), elsewhere: client.clone(), clock };
        let here = serve(routes().route_layer(from_fn_with_state(other, meanwhile)).with_state(users)).await;
        let there = client.at(&here.url());
        let reply = there.send(Method::GET, &format!("/owned?{change}"), |request| request.header("x-wait", "1")).await;
        assert_eq!(reply.text(), seen, "{change}");
    }
}

on_every_backend!(
    an_exclusive_borrow_loads_under_its_lease_whatever_was_found_before,
    an_update_is_made_on_the_newest_data_whatever_was_found_before,
    behind_the_handler_nobody_sees_what_it_has_changed_rotated_or_ended,
    what_was_found_counts_for_a_moment_only,
);
