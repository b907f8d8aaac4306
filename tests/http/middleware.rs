//! `#[session]` on middleware: functions for `from_fn_with_state`, with `Next` last.

use axum::{
    Router,
    extract::{FromRef, Query, Request, State},
    http::{HeaderMap, Method, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::{Client, Served, serve};

use crate::support::{Events, Store, assert_problem, key, on_every_backend};

#[derive(Clone, Default, Debug, PartialEq, Serialize, Deserialize, SessionData)]
struct Walker {
    steps: u32,
    #[session(flash)]
    notice: Option<String>,
    #[session(privilege)]
    level: u32,
}

#[derive(Clone, FromRef)]
struct App {
    walkers: Sessions<Walker>,
    name: &'static str,
}

/// Counts each request before the handler runs.
#[session(protected)]
async fn count_first(mut session: Session<Walker>, request: Request, next: Next) -> Result<Response, Error> {
    session.update(|walker| walker.steps += 1).await?;
    Ok(next.run(request).await)
}

/// Counts each request that was answered, under one lease for all of it.
#[session(protected)]
async fn count_around(walker: &mut Walker, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    walker.steps += 1;
    response
}

#[session(optional)]
async fn count_if_there(walker: Option<&mut Walker>, request: Request, next: Next) -> Response {
    if let Some(walker) = walker {
        walker.steps += 1;
    }
    next.run(request).await
}

#[session(or_default)]
async fn count_everybody(walker: &mut Walker, request: Request, next: Next) -> Response {
    walker.steps += 1;
    next.run(request).await
}

#[session(protected, guard = |walker| walker.level > 0)]
async fn for_the_promoted(_walker: &Walker, request: Request, next: Next) -> Response {
    next.run(request).await
}

/// With other extractors, and what another middleware makes of a refusal.
#[session(protected, missing = status(404))]
async fn named(
    State(name): State<&'static str>,
    walker: &Walker,
    Query(query): Query<Vec<(String, String)>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let told = format!("{name} {} {}", walker.steps, query.len());
    response.headers_mut().insert("x-named", told.parse().unwrap());
    response
}

#[session(protected)]
async fn rotate_behind(mut session: Session<Walker>, request: Request, next: Next) -> Result<Response, Error> {
    let response = next.run(request).await;
    session.rotate_id().await?;
    Ok(response)
}

#[session(optional)]
async fn login(slot: SessionSlot<Walker>) -> Result<(), Error> {
    slot.start(Walker::default()).await
}

#[session(protected)]
async fn see(walker: &Walker) -> String {
    walker.steps.to_string()
}

#[session(protected)]
async fn step(walker: &mut Walker) -> String {
    walker.steps += 10;
    walker.steps.to_string()
}

#[session(protected)]
async fn hold(_walker: &mut Walker) {}

#[session(protected)]
async fn promote(walker: &mut Walker) {
    walker.level += 1;
}

#[session(protected)]
async fn announce(mut session: Session<Walker>) -> Result<(), Error> {
    session.update(|walker| walker.notice = Some("news".into())).await
}

#[session(protected)]
async fn notice(walker: &Walker) -> String {
    walker.notice.clone().unwrap_or_default()
}

#[session(protected)]
async fn logout(session: Session<Walker>) -> Result<(), Error> {
    session.end().await
}

#[session(protected)]
async fn rotate(mut session: Session<Walker>) -> Result<(), Error> {
    session.rotate_id().await
}

async fn fails() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

async fn plain() -> &'static str {
    "plain"
}

fn handlers() -> Router<App> {
    Router::new()
        .route("/see", get(see))
        .route("/step", post(step).get(step))
        .route("/promote", post(promote))
        .route("/login", post(login))
        .route("/rotate", post(rotate))
        .route("/hold", get(hold))
        .route("/logout", post(logout))
        .route("/announce", post(announce))
        .route("/notice", get(notice))
        .route("/fails", get(fails))
        .route("/plain", get(plain))
}

async fn server_with(walkers: Sessions<Walker>) -> Served {
    let app = App { walkers, name: "ann" };
    let state = || app.clone();
    let router = handlers()
        .nest("/first", handlers().layer(from_fn_with_state(state(), count_first)))
        .nest("/around", handlers().layer(from_fn_with_state(state(), count_around)))
        .nest("/if-there", handlers().layer(from_fn_with_state(state(), count_if_there)))
        .nest("/everybody", handlers().layer(from_fn_with_state(state(), count_everybody)))
        .nest("/promoted", handlers().layer(from_fn_with_state(state(), for_the_promoted)))
        .nest("/named", handlers().layer(from_fn_with_state(state(), named)))
        .nest("/rotated", handlers().layer(from_fn_with_state(state(), rotate_behind)))
        .nest("/sessions-alone", handlers().layer(from_fn_with_state(app.walkers.clone(), count_first)))
        .nest(
            "/both",
            handlers().layer(from_fn_with_state(state(), count_first)).layer(from_fn_with_state(state(), count_first)),
        );
    serve(router.with_state(app)).await
}

async fn server(store: &Store) -> Served {
    server_with(store.sessions().await).await
}

async fn logged_in(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(client.post("/login").await.status, 200);
    client
}

async fn steps(client: &Client) -> u32 {
    client.get("/see").await.text().parse().unwrap()
}

async fn a_middleware_changes_the_session_and_its_handlers_see_it(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    assert_eq!(client.get("/first/see").await.text(), "1");
    assert_eq!(client.post("/first/step").await.text(), "12");
    assert_eq!(client.get("/sessions-alone/see").await.text(), "13");
    assert_eq!(client.get("/both/see").await.text(), "15");
    assert_eq!(client.get("/around/see").await.text(), "15", "stored once the handler has answered");
    assert_eq!(client.get("/around/plain").await.text(), "plain");
    assert_eq!(steps(&client).await, 17);
    assert_eq!(client.get("/if-there/plain").await.status, 200);
    assert_eq!(steps(&client).await, 18);
    let named = client.get("/named/see?a=b").await;
    assert_eq!((named.text(), named.header("x-named")), ("18", Some("ann 18 1")));
}

async fn fifty_requests_at_once_through_a_middleware_lose_no_change(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    let around = (0..25).map(|_| client.get("/around/plain"));
    let first = (0..25).map(|_| client.get("/first/plain"));
    let (around, first) = tokio::join!(futures_util::future::join_all(around), futures_util::future::join_all(first));
    assert!(around.iter().chain(&first).all(|reply| reply.status == 200));
    assert_eq!(steps(&client).await, 50);
}

async fn an_anonymous_request_is_answered_by_the_middleware(store: Store) {
    let server = server(&store).await;
    let client = server.client();
    for path in ["/first/plain", "/around/plain", "/promoted/plain", "/both/plain"] {
        assert_problem(&client.get(path).await, 401, "missing");
    }
    assert_problem(&client.get("/named/plain").await, 404, "missing");
    assert_eq!(client.get("/if-there/plain").await.text(), "plain");
    assert_eq!(store.records().await, 0);
    // The session starts when the response is made, so nobody behind has it yet.
    let reply = client.get("/everybody/plain").await;
    assert_eq!((reply.text(), reply.set_cookies().len()), ("plain", 1));
    assert_eq!(client.get("/everybody/see").await.text(), "1");
    assert_eq!(steps(&client).await, 2);
}

async fn a_login_behind_a_middleware_with_a_default_is_the_clients_session(store: Store) {
    let server = server(&store).await;
    let client = server.client();
    let reply = client.post("/everybody/login").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
    assert_eq!(store.records().await, 1, "the middleware's default is stored for nobody");
    assert_eq!(client.post("/step").await.text(), "10");
    assert_eq!(steps(&client).await, 10);
}

async fn a_flash_is_for_the_page_and_not_for_a_middleware_before_it(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    client.post("/promote").await;
    for path in ["/promoted", "/around"] {
        assert_eq!(client.post("/announce").await.status, 200);
        assert_eq!(client.get(&format!("{path}/plain")).await.text(), "plain");
        assert_eq!(client.get("/notice").await.text(), "news", "{path}");
        assert_eq!(client.get("/notice").await.text(), "", "{path}");
    }
    assert_eq!(client.post("/announce").await.status, 200);
    assert_eq!(client.get("/promoted/notice").await.text(), "news", "the page behind it has it");
}

async fn guards_and_cross_site_rules_hold_for_all_that_is_behind(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    assert_problem(&client.get("/promoted/plain").await, 403, "forbidden");
    client.post("/promote").await;
    assert_eq!(client.get("/promoted/plain").await.text(), "plain");
    let forged = client.send(Method::POST, "/first/step", |request| request.header("sec-fetch-site", "cross-site"));
    assert_problem(&forged.await, 403, "cross-site");
    assert_eq!(steps(&client).await, 0);
}

async fn a_response_that_failed_takes_the_change_of_an_exclusive_middleware_with_it(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    assert_eq!(client.get("/around/fails").await.status, 500);
    assert_eq!(client.get("/if-there/fails").await.status, 500);
    assert_eq!(steps(&client).await, 0);
    assert_eq!(client.get("/first/fails").await.status, 500);
    assert_eq!(steps(&client).await, 1, "an update is stored when it returns");
}

async fn a_handler_that_would_wait_for_its_own_middleware_is_refused_at_once(store: Store) {
    let events = Events::listen();
    let server = server(&store).await;
    let client = logged_in(&server).await;
    let reply = client.post("/around/step").await;
    assert_problem(&reply, 500, "internal");
    assert!(reply.text().contains("session.held_by_middleware"), "{}", reply.text());
    assert_eq!(events.named("session.held_by_middleware").len(), 1);
    assert_eq!(steps(&client).await, 0);
    // A request that only looks holds nothing.
    assert_eq!(client.send(Method::HEAD, "/around/hold", |request| request).await.status, 200);
    assert_problem(&client.get("/around/hold").await, 500, "internal");
    // Another person's session is another one.
    let other = logged_in(&server).await;
    assert_eq!(other.post("/first/step").await.text(), "11");
    assert_eq!(client.post("/if-there/login").await.status, 200, "a new session is another one, too");
}

async fn a_client_is_told_once_of_its_newest_token(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    let reply = client.get("/rotated/plain").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
    assert_eq!(client.get("/see").await.status, 200);

    // Each of the two would hand over a token under the newest key.
    let newer = server_with(store.builder().key(&format!("{},{}", key('n'), key('k'))).open().await.unwrap()).await;
    let client = client.at(&newer.url());
    for path in ["/both/see", "/first/see"] {
        assert!(client.get(path).await.set_cookies().len() <= 1, "{path}");
    }
    let older = logged_in(&server).await.at(&newer.url());
    assert_eq!(older.get("/promoted/see").await.status, 403);
    let reply = older.get("/both/see").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
    // The handler hands over a token under the newest key, and then the middleware gives the session another id.
    let older = logged_in(&server).await.at(&newer.url());
    let reply = older.get("/rotated/see").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
    assert_eq!(older.get("/see").await.status, 200, "the token is the one in force");
}

async fn a_login_and_a_logout_behind_a_middleware_are_what_the_client_has(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    let reply = client.post("/first/logout").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
    assert_eq!(client.get("/see").await.status, 401);
    for _ in 0..2 {
        // The second time it ends the session that the middleware holds and has changed.
        let reply = client.post("/if-there/login").await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
        assert_eq!(steps(&client).await, 0);
    }
    assert_eq!(client.post("/around/logout").await.status, 200);
    assert_eq!(client.get("/see").await.status, 401);
}

async fn a_rotation_behind_a_middleware_that_holds_the_session_logs_nobody_out(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server).await;
    let reply = client.post("/around/rotate").await;
    assert_eq!(reply.status, 409, "the change of the middleware is not stored: {}", reply.text());
    assert_eq!(reply.set_cookies().len(), 1, "and the client gets its new token");
    assert_eq!(steps(&client).await, 0);
}

on_every_backend!(
    a_client_is_told_once_of_its_newest_token,
    a_handler_that_would_wait_for_its_own_middleware_is_refused_at_once,
    a_login_and_a_logout_behind_a_middleware_are_what_the_client_has,
    a_middleware_changes_the_session_and_its_handlers_see_it,
    a_response_that_failed_takes_the_change_of_an_exclusive_middleware_with_it,
    a_rotation_behind_a_middleware_that_holds_the_session_logs_nobody_out,
    an_anonymous_request_is_answered_by_the_middleware,
    fifty_requests_at_once_through_a_middleware_lose_no_change,
    a_login_behind_a_middleware_with_a_default_is_the_clients_session,
    a_flash_is_for_the_page_and_not_for_a_middleware_before_it,
    guards_and_cross_site_rules_hold_for_all_that_is_behind,
);

/// A key in a header logs in for this request and those after it.
#[session(optional)]
async fn log_in_by_key(
    slot: SessionSlot<Walker>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    if headers.get("x-key").is_some_and(|key| key == "sesame") {
        slot.start(Walker::default()).await?;
    }
    Ok(next.run(request).await)
}

#[tokio::test]
async fn a_middleware_starts_a_session() {
    let walkers = Store::memory().sessions::<Walker>().await;
    let router = Router::new().route("/plain", get(plain)).route("/see", get(see));
    let router = router.layer(from_fn_with_state(walkers.clone(), log_in_by_key));
    let server = serve(router.with_state(walkers)).await;
    let client = server.client();
    assert_eq!(client.get("/see").await.status, 401);
    let reply = client.send(Method::GET, "/plain", |request| request.header("x-key", "sesame")).await;
    assert_eq!((reply.text(), reply.set_cookies().len()), ("plain", 1));
    assert_eq!(client.get("/see").await.text(), "0");
}
