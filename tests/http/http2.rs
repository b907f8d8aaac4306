//! HTTP/2, by a client that speaks nothing else: many requests on one connection, each cookie in a line of its own, the
//! host in `:authority`.

use axum::{extract::State, http::header, routing::post};
use reqwest::{RequestBuilder, Response, Version};
use session_runtime::{Sessions, session};
use session_tests::{Served, serve, wait};

use crate::support::{COOKIE, Gate, Ledger, User, key, logged_in, routes, token};

/// The name that the client knows the server by.
const HOST: &str = "shop.example";

struct Scene {
    gate: Gate,
    server: Served,
    http: reqwest::Client,
    token: String,
}

/// Changes the session and waits at the gate.
#[session(protected)]
async fn gated(user: &mut User, State(gate): State<Gate>) {
    user.visits = 1000;
    gate.pass().await;
}

#[derive(Clone, axum::extract::FromRef)]
struct App {
    sessions: Sessions<User>,
    gate: Gate,
}

impl Scene {
    async fn set() -> Self {
        let sessions = Sessions::builder().backend(Ledger::default()).key(&key('k')).open().await.unwrap();
        let app = App { sessions, gate: Gate::new() };
        let gate = app.gate.clone();
        let server = serve(routes().route("/gated", post(gated)).with_state(app)).await;
        let http = reqwest::Client::builder().http2_prior_knowledge().resolve(HOST, server.address()).no_proxy();
        let http = http.timeout(wait::ANSWER).build().unwrap();
        let token = token(&logged_in(&server, "ann").await);
        Self { gate, server, http, token }
    }

    fn origin(&self, host: &str) -> String {
        format!("https://{host}:{}", self.server.address().port())
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("http://{HOST}:{}{path}", self.server.address().port()))
    }

    fn with_cookie(&self, path: &str) -> RequestBuilder {
        self.post(path).header(header::COOKIE, format!("{COOKIE}={}", self.token))
    }
}

async fn sent(request: RequestBuilder) -> Response {
    let response = request.send().await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    response
}

#[tokio::test]
async fn the_requests_of_one_connection_take_turns_at_a_session() {
    let scene = Scene::set().await;
    let visits = (0..30).map(|_| async { sent(scene.with_cookie("/visit")).await.text().await.unwrap() });
    let mut visits = futures_util::future::join_all(visits).await;
    visits.sort_by_key(|visit| visit.parse::<u32>().unwrap());
    assert_eq!(visits, (1..=30).map(|visit| visit.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cookie_is_found_in_a_line_of_its_own_and_of_two_the_one_that_verifies_is_used() {
    let scene = Scene::set().await;
    let own = format!("{COOKIE}={}", scene.token);
    for (lines, status) in [
        (&["theme=dark", &own, "lang=en"][..], 200),
        (&["theme=dark; lang=en", &own], 200),
        (&[&own, "theme=dark", &format!("{COOKIE}=x")], 200),
        (&[&own, &own], 200),
        (&["theme=dark"], 401),
    ] {
        let request = lines.iter().fold(scene.post("/visit"), |request, line| request.header(header::COOKIE, *line));
        assert_eq!(sent(request).await.status(), status, "{lines:?}");
    }
}

#[tokio::test]
async fn the_host_that_an_origin_has_to_be_is_the_authority() {
    let scene = Scene::set().await;
    let (own, evil) = (scene.origin(HOST), scene.origin("evil.example"));
    let from = |origin: &str| scene.with_cookie("/visit").header(header::ORIGIN, origin);
    let host = |origin: &str| origin["https://".len()..].to_owned();
    for (request, status) in [
        (from(&own), 200),
        (from(&evil), 403),
        (from(&format!("https://{HOST}")), 403),
        (from(&own).header(header::HOST, host(&own)), 200),
        (from(&own).header(header::HOST, host(&evil)), 403),
        (from(&evil).header(header::HOST, host(&evil)), 403),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(sent(request).await.status(), status, "{shown}");
    }
}

#[tokio::test]
async fn a_request_that_is_taken_back_changes_nothing_and_frees_the_session() {
    let scene = Scene::set().await;
    // The connection stays, as others use it: the stream alone is reset.
    assert_eq!(sent(scene.with_cookie("/visit")).await.text().await.unwrap(), "1");
    let request = tokio::spawn(scene.with_cookie("/gated").send());
    scene.gate.arrival().await;
    request.abort();
    assert_eq!(sent(scene.with_cookie("/visit")).await.text().await.unwrap(), "2");
}
