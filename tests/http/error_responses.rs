//! What is answered when something is not as it should be.

use std::collections::HashMap;

use axum::{
    Router,
    http::Method,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, SessionSlot, Sessions, session};
use session_tests::{Served, serve};

use crate::support::{
    COOKIE, Ledger, Store, User, assert_problem, is_alive, key, logged_in, routes, serve_users, token, varies_by_cookie,
};

async fn copy(user: User) -> String {
    user.name
}

async fn perhaps(user: Option<User>) -> String {
    user.map_or_else(String::new, |user| user.name)
}

async fn plain() {}

#[session(optional)]
async fn count_if_known(user: Option<&mut User>) -> String {
    user.map_or_else(String::new, |user| user.name.clone())
}

async fn on_a_ledger() -> (Ledger, Served) {
    let ledger = Ledger::default();
    let sessions = Sessions::builder().backend(ledger.clone()).key(&key('k')).open().await.unwrap();
    let behind = Router::new().route("/behind", get(plain)).route_layer(sessions.protect());
    let more = Router::new()
        .route("/copy", get(copy))
        .route("/perhaps", get(perhaps))
        .route("/count", get(count_if_known))
        .merge(behind);
    let server = serve(routes().merge(more).with_state(sessions)).await;
    (ledger, server)
}

#[tokio::test]
async fn a_401_names_the_cookie_that_is_needed() {
    let server = serve_users(Store::memory().sessions().await).await;
    let reply = server.client().get("/me").await;
    assert_problem(&reply, 401, "missing");
    assert_eq!(reply.header("www-authenticate"), Some(r#"Cookie cookie-name="__Host-user""#));
    assert!(reply.set_cookies().is_empty());
}

#[tokio::test]
async fn head_requests_are_refused_as_gets_are_without_a_body() {
    let server = serve_users(Store::memory().sessions().await).await;
    let reply = server.client().send(Method::HEAD, "/me", |request| request).await;
    assert_eq!((reply.status.as_u16(), reply.text()), (401, ""));
    assert!(varies_by_cookie(&reply));
}

#[tokio::test]
async fn every_answer_that_read_a_session_varies_by_cookie() {
    let (_, server) = on_a_ledger().await;
    let (anonymous, ann) = (server.client(), logged_in(&server, "ann").await);
    for path in ["/", "/me", "/behind", "/count", "/copy"] {
        assert!(varies_by_cookie(&anonymous.get(path).await), "an anonymous client's {path}");
    }
    for path in ["/", "/me", "/behind", "/count"] {
        assert!(varies_by_cookie(&ann.get(path).await), "{path}");
    }
    assert!(varies_by_cookie(&ann.post_form("/login", &[("name", "ann")]).await));
    for path in ["/visit", "/look", "/rotate", "/logout"] {
        assert!(varies_by_cookie(&ann.post(path).await), "{path}");
    }
    assert!(!varies_by_cookie(&ann.get("/nowhere").await), "what reads none does not");
}

#[tokio::test]
async fn a_backend_that_is_down_gives_503_and_never_an_anonymous_or_a_lost_session() {
    let (ledger, server) = on_a_ledger().await;
    let client = logged_in(&server, "ann").await;
    let kept = token(&client);
    ledger.set_down(true);
    let mut replies = Vec::new();
    for path in ["/", "/me", "/copy", "/perhaps", "/behind", "/count"] {
        replies.push((path, client.get(path).await));
    }
    for path in ["/visit", "/look", "/rotate", "/logout"] {
        replies.push((path, client.post(path).await));
    }
    replies.push(("/login", client.post_form("/login", &[("name", "bob")]).await));
    replies.push(("an anonymous client's login", server.client().post_form("/login", &[("name", "bob")]).await));
    for (path, reply) in replies {
        assert_problem(&reply, 503, "unavailable");
        assert!(reply.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{path}");
        assert!(reply.set_cookies().is_empty(), "{path}");
        assert!(!reply.text().contains("ledger"), "the answer tells nothing of the store: {}", reply.text());
    }

    ledger.set_down(false);
    assert_eq!(token(&client), kept);
    assert_eq!(client.get("/me").await.json::<User>(), User { name: "ann".into(), visits: 0 });
    assert_eq!(client.post("/visit").await.text(), "1");
}

#[tokio::test]
async fn anonymous_requests_are_served_while_the_backend_is_down() {
    let (ledger, server) = on_a_ledger().await;
    ledger.set_down(true);
    let anonymous = server.client();
    assert_eq!(anonymous.get("/").await.text(), "anonymous");
    assert_problem(&anonymous.get("/me").await, 401, "missing");
}

#[session(protected)]
async fn break_the_ledger(user: &mut User, axum::Extension(ledger): axum::Extension<Ledger>) -> &'static str {
    user.visits += 1;
    ledger.set_down(true);
    "saved"
}

#[tokio::test]
async fn a_change_that_could_not_be_stored_is_not_reported_as_stored() {
    let ledger = Ledger::default();
    let sessions = Sessions::builder().backend(ledger.clone()).key(&key('k')).open().await.unwrap();
    let more = Router::new().route("/break", post(break_the_ledger).layer(axum::Extension(ledger.clone())));
    let server = serve(routes().merge(more).with_state(sessions)).await;
    let client = logged_in(&server, "ann").await;
    assert_problem(&client.post("/break").await, 503, "unavailable");
    ledger.set_down(false);
    assert_eq!(client.get("/me").await.json::<User>().visits, 0);
    assert!(is_alive(&server, &token(&client)).await);
}

#[derive(Default, Serialize, Deserialize, SessionData)]
struct Board {
    stones: HashMap<Place, u8>,
}

#[derive(PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Place {
    row: u8,
}

#[session(optional)]
async fn set_up(slot: SessionSlot<Board>, body: String) -> Result<(), Error> {
    let stones = body.bytes().map(|row| (Place { row }, 1)).collect();
    slot.start(Board { stones }).await
}

#[session(or_default)]
async fn play(board: &mut Board) -> String {
    board.stones.insert(Place { row: 1 }, 1);
    board.stones.len().to_string()
}

#[session(or_default)]
async fn look(board: &Board) -> String {
    board.stones.len().to_string()
}

#[tokio::test]
async fn data_that_cannot_be_written_is_a_500_that_changes_nothing() {
    let store = Store::memory();
    let router = Router::new().route("/", get(look)).route("/set-up", post(set_up)).route("/play", post(play));
    let server = serve(router.with_state(store.sessions::<Board>().await)).await;
    let client = server.client();
    let started = client.send(Method::POST, "/set-up", |request| request.body("a")).await;
    for reply in [started, client.post("/play").await] {
        assert_problem(&reply, 500, "internal");
        assert!(reply.set_cookies().is_empty());
    }
    assert_eq!(store.records().await, 0);

    client.post("/set-up").await;
    assert_problem(&client.post("/play").await, 500, "internal");
    assert_eq!(client.get("/").await.text(), "0", "the session lives on as it was");
    assert!(client.cookie("__Host-board").is_some() && client.cookie(COOKIE).is_none());
}

/// What browsers say when a person opens a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn as_a_browser(client: &session_tests::Client, method: Method, path: &str) -> session_tests::Reply {
    client.send(method, path, |request| request.header("accept", BROWSER)).await
}

/// A refusal as a page, with all that the program's has but the body.
fn assert_page(page: &session_tests::Reply, program: &session_tests::Reply) {
    assert_problem_kind(program);
    assert_eq!(page.status, program.status);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let body: serde_json::Value = program.json();
    for part in ["title", "detail"] {
        let text = body[part].as_str().unwrap().replace('\'', "&#39;");
        assert!(page.text().contains(&text), "{part}: {}", page.text());
    }
    assert!(page.text().starts_with("<!DOCTYPE html>"));
    for markup in ["<script", "<style", "style=", "onload", "<link", "javascript:"] {
        assert!(!page.text().contains(markup), "a content security policy may forbid {markup}");
    }
    let others = |reply: &session_tests::Reply| {
        let mut headers = reply.headers.clone();
        for name in ["content-type", "content-length", "date"] {
            headers.remove(name);
        }
        headers
    };
    assert_eq!(others(page), others(program));
    for reply in [page, program] {
        let lines: Vec<_> = reply.headers.get_all("vary").iter().map(|line| line.to_str().unwrap()).collect();
        assert_eq!(lines, ["Cookie, Accept"]);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

fn assert_problem_kind(reply: &session_tests::Reply) {
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{}", reply.text());
}

#[session(protected, guard = |user| user.visits > 100)]
async fn regulars(_user: &User) {}

#[session(protected, fresh = "1ms", guard = |_user| true)]
async fn fresh(_user: &User) {}

#[tokio::test]
async fn a_browser_gets_each_refusal_as_a_page_and_a_program_as_json() {
    let (ledger, server) = on_a_ledger().await;
    let more = Router::new().route("/regulars", get(regulars)).route("/fresh", get(fresh));
    let sessions = Sessions::builder().backend(ledger.clone()).key(&key('k')).open().await.unwrap();
    let more = serve(more.with_state(sessions)).await;
    let (anonymous, ann) = (server.client(), logged_in(&server, "ann").await);
    let elsewhere = ann.at(&more.url());
    for (client, method, path, status) in [
        (&anonymous, Method::GET, "/me", 401),
        (&anonymous, Method::POST, "/visit", 401),
        (&anonymous, Method::GET, "/behind", 401),
        (&anonymous, Method::GET, "/copy", 401),
        (&elsewhere, Method::GET, "/regulars", 403),
        (&elsewhere, Method::GET, "/fresh", 401),
    ] {
        let page = as_a_browser(client, method.clone(), path).await;
        assert_eq!(page.status, status, "{path}");
        assert_page(&page, &client.send(method, path, |request| request).await);
    }
    for (method, path) in [(Method::POST, "/visit"), (Method::POST, "/login"), (Method::POST, "/rotate")] {
        let cross_site = [("sec-fetch-site", "cross-site"), ("accept", BROWSER), ("origin", "null")];
        let send = async |headers: &[(&str, &str)]| {
            let add = |request: reqwest::RequestBuilder| {
                headers
                    .iter()
                    .fold(request.form(&[("name", "x")]), |request, (name, value)| request.header(*name, *value))
            };
            ann.send(method.clone(), path, add).await
        };
        assert_page(&send(&cross_site).await, &send(&cross_site[..1]).await);
    }
    ledger.set_down(true);
    for (method, path) in
        [(Method::GET, "/me"), (Method::GET, "/perhaps"), (Method::GET, "/behind"), (Method::POST, "/rotate")]
    {
        let page = as_a_browser(&ann, method.clone(), path).await;
        assert_eq!((page.status.as_u16(), page.header("retry-after")), (503, Some("1")), "{path}");
        assert_page(&page, &ann.send(method, path, |request| request).await);
    }
}

#[tokio::test]
async fn an_answer_of_the_applications_own_is_left_as_it_is() {
    #[session(optional)]
    async fn own(_user: Option<&User>) -> axum::response::Response {
        use axum::response::IntoResponse;
        let mut answer = Error::Busy.into_response();
        *answer.body_mut() = "own words".into();
        answer
    }

    #[session(optional)]
    async fn as_json(_user: Option<&User>) -> Result<(), (axum::http::StatusCode, axum::Json<u8>)> {
        Err((axum::http::StatusCode::CONFLICT, axum::Json(7)))
    }

    let router = Router::new().route("/own", get(own)).route("/json", get(as_json));
    let server = serve(router.with_state(Store::memory().sessions::<User>().await)).await;
    for (path, text) in [("/own", "own words"), ("/json", "7")] {
        let reply = as_a_browser(&server.client(), Method::GET, path).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (409, text));
    }
}

#[tokio::test]
async fn a_refusal_has_a_title_in_the_fields_words_and_says_what_to_do() {
    let server = serve(routes().with_state(Store::memory().sessions::<User>().await)).await;
    let refusal = server.client().get("/me").await;
    let problem: serde_json::Value = serde_json::from_str(refusal.text()).unwrap();
    assert_eq!(problem["title"], "Authentication required");
    assert_eq!(problem["detail"], "Log in, then send the request again.");

    let client = logged_in(&server, "ann").await;
    let cross = client.send(Method::POST, "/visit", |request| request.header("sec-fetch-site", "cross-site"));
    let problem: serde_json::Value = serde_json::from_str(cross.await.text()).unwrap();
    assert_eq!(problem["title"], "Cross-site request refused");
}
