//! `invalid = reject`: a token that can't be used is told so, and taken away.

use std::time::Duration;

use axum::{
    Router,
    http::Method,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Reply, Served, raw, serve};

use crate::support::{Ledger, assert_problem, head_with, key, send_with};

#[derive(Default, Serialize, Deserialize, SessionData)]
#[session(
    cookie(name = "__Secure-strict", path = "/", domain = "127.0.0.1", same_site = Strict),
    invalid = reject,
    clear_site_data,
)]
struct Strict;

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = [header("x-session"), bearer], invalid = reject)]
struct StrictApi;

#[derive(Serialize, Deserialize, SessionData)]
#[session(invalid = anonymous)]
struct Lenient;

const NAME: &str = "__Secure-strict";

#[session(protected)]
async fn shared(_session: &Strict) {}

#[session(optional)]
async fn shared_or_none(_session: Option<&Strict>) {}

#[session(protected)]
async fn exclusive(_session: &mut Strict) {}

#[session(optional)]
async fn exclusive_or_none(_session: Option<&mut Strict>) {}

#[session(or_default)]
async fn or_default(_session: &mut Strict) {}

#[session(protected)]
async fn rotate(mut session: Session<Strict>) -> Result<(), Error> {
    session.rotate_id().await
}

#[session(protected)]
async fn logout(session: Session<Strict>) -> Result<(), Error> {
    session.end().await
}

#[session(optional)]
async fn login(slot: SessionSlot<Strict>) -> Result<(), Error> {
    slot.start(Strict).await
}

#[session(protected(Strict))]
async fn guarded() {}

async fn snapshot(_session: Strict) {}

async fn snapshot_or_none(_session: Option<Strict>) {}

const EVERY_WAY_IN: [&str; 10] = [
    "/shared",
    "/shared-or-none",
    "/exclusive",
    "/exclusive-or-none",
    "/or-default",
    "/login",
    "/guarded",
    "/snapshot",
    "/snapshot-or-none",
    "/behind",
];

struct Scene {
    ledger: Ledger,
    clock: ManualClock,
    sessions: Sessions<Strict>,
    server: Served,
}

impl Scene {
    async fn set() -> Self {
        let (ledger, clock) = (Ledger::default(), ManualClock::new());
        let builder = Sessions::<Strict>::builder().backend(ledger.clone()).key(&key('k')).clock(clock.clone());
        let sessions = builder.open().await.unwrap();
        let behind = Router::new().route("/behind", get(async || ())).route_layer(sessions.protect());
        let router = Router::new()
            .route("/shared", get(shared))
            .route("/shared-or-none", get(shared_or_none))
            .route("/exclusive", get(exclusive))
            .route("/exclusive-or-none", get(exclusive_or_none))
            .route("/or-default", get(or_default))
            .route("/login", get(login))
            .route("/rotate", post(rotate))
            .route("/logout", post(logout))
            .route("/guarded", get(guarded))
            .route("/snapshot", get(snapshot))
            .route("/snapshot-or-none", get(snapshot_or_none))
            .merge(behind);
        let server = serve(router.with_state(sessions.clone())).await;
        Self { ledger, clock, sessions, server }
    }

    async fn login(&self) -> String {
        value(&self.server.client().get("/login").await)
    }

    async fn rejects(&self, cookie: &str) {
        let asked = self.ledger.asked();
        for path in EVERY_WAY_IN {
            assert_rejected(&send_with(&self.server, Method::GET, path, cookie).await);
        }
        assert_eq!(self.ledger.asked(), asked, "the backend was asked about {cookie:?}");
    }

    async fn status(&self, token: &str) -> u16 {
        send_with(&self.server, Method::GET, "/shared", &format!("{NAME}={token}")).await.status.as_u16()
    }
}

/// The value of the only cookie that an answer sets.
fn value(reply: &Reply) -> String {
    let cookies = reply.set_cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    cookies[0].split(';').next().unwrap().split_once('=').unwrap().1.to_owned()
}

fn assert_rejected(reply: &Reply) {
    assert_problem(reply, 400, "bad-token");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("clear-site-data"), None, "nobody has logged out");
    let cookies = reply.set_cookies();
    assert_eq!(cookies.len(), 1);
    assert!(cookies[0].starts_with("__Secure-strict=; ") && cookies[0].contains("Max-Age=0"), "{cookies:?}");
    for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Domain=127.0.0.1"] {
        assert!(cookies[0].contains(attribute), "{attribute}: {cookies:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_rejected_and_taken_away_on_every_way_in() {
    let scene = Scene::set().await;
    let token = scene.login().await;
    let mut altered = token.clone().into_bytes();
    altered[60] = if altered[60] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    for cookie in [
        format!("{NAME}={altered}"),
        format!("{NAME}="),
        format!("{NAME}=x"),
        format!("{NAME}={token}x"),
        format!("{NAME}=\"{token}\""),
        format!("{NAME}=x; {NAME}={altered}"),
    ] {
        scene.rejects(&cookie).await;
    }
    assert_rejected(&raw::get_with_cookie(scene.server.address(), "/shared", b"__Secure-strict=a\xff").await);
    assert_eq!(scene.status(&token).await, 200);
    assert_eq!(scene.status(&format!("x; {NAME}={token}")).await, 200, "it is the only good one");
}

#[tokio::test]
async fn of_two_good_cookies_none_is_taken_away_as_the_other_would_be_believed_then() {
    let scene = Scene::set().await;
    let (own, planted) = (scene.login().await, scene.login().await);
    let reply = send_with(&scene.server, Method::GET, "/shared", &format!("{NAME}={own}; {NAME}={planted}")).await;
    assert_problem(&reply, 400, "bad-token");
    assert!(reply.set_cookies().is_empty(), "{:?}", reply.set_cookies());
}

#[tokio::test]
async fn a_token_that_has_run_out_is_rejected() {
    let scene = Scene::set().await;
    let token = scene.login().await;
    scene.clock.advance(Duration::from_secs(12 * 3600));
    scene.rejects(&format!("{NAME}={token}")).await;
}

#[tokio::test]
async fn a_token_whose_session_has_ended_is_no_session_and_not_rejected() {
    let scene = Scene::set().await;
    let cookie = |token: &str| format!("{NAME}={token}");
    let (ended, idle) = (scene.login().await, scene.login().await);
    let reply = send_with(&scene.server, Method::POST, "/logout", &cookie(&ended)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(scene.status(&ended).await, 401);
    let rotated = send_with(&scene.server, Method::POST, "/rotate", &cookie(&idle)).await;
    assert_eq!(scene.status(&idle).await, 401, "replaced in this process");
    let idle = value(&rotated);
    scene.clock.advance(Duration::from_secs(1800));
    assert_eq!(scene.status(&idle).await, 401);
    assert_eq!(scene.status("").await, 400);
}

#[tokio::test]
async fn requests_without_a_token_are_as_they_are() {
    let scene = Scene::set().await;
    for (path, status) in [("/shared", 401), ("/shared-or-none", 200), ("/behind", 401), ("/snapshot", 401)] {
        let reply = send_with(&scene.server, Method::GET, path, "other=1").await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (status, 0), "{path}");
    }
    // Middleware has no answer to give: there it is none.
    assert!(scene.sessions.find(&head_with(NAME, "x")).await.unwrap().is_none());
}

#[session(optional)]
async fn api(_session: Option<&StrictApi>) {}

#[tokio::test]
async fn a_token_in_a_header_is_rejected_and_taken_away_there() {
    let sessions = Sessions::<StrictApi>::builder().ephemeral_key().open().await.unwrap();
    let server = serve(Router::new().route("/", get(api)).with_state(sessions)).await;
    for (header, value, back) in [("x-session", "x", "x-session"), ("authorization", "Bearer x", "session-token")] {
        let reply = server.client().send(Method::GET, "/", |request| request.header(header, value)).await;
        assert_eq!((reply.status.as_u16(), reply.header(back), reply.set_cookies().len()), (400, Some(""), 0));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    assert_eq!(server.client().get("/").await.status, 200);
}

#[session(optional)]
async fn lenient(_session: Option<&Lenient>) {}

#[tokio::test]
async fn a_bad_token_is_anonymous_where_the_type_says_so() {
    let sessions = Sessions::<Lenient>::builder().ephemeral_key().open().await.unwrap();
    let server = serve(Router::new().route("/", get(lenient)).with_state(sessions)).await;
    let reply = send_with(&server, Method::GET, "/", "__Host-lenient=x").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 0));
}

#[tokio::test]
async fn a_logout_asks_the_browser_to_clear_the_sites_data_where_the_type_says_so() {
    let scene = Scene::set().await;
    let token = scene.login().await;
    let started = scene.server.client().get("/login").await;
    let rotated = send_with(&scene.server, Method::POST, "/rotate", &format!("{NAME}={token}")).await;
    assert_eq!((started.header("clear-site-data"), rotated.header("clear-site-data")), (None, None));
    let ended = send_with(&scene.server, Method::POST, "/logout", &format!("{NAME}={}", value(&rotated))).await;
    assert_eq!(ended.header("clear-site-data"), Some("\"cookies\", \"storage\""));
    assert_eq!(ended.headers.get_all("clear-site-data").iter().count(), 1);
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = [header("x-session"), bearer, cookie], cookie(name = "cleared"), clear_site_data)]
struct Cleared;

#[session(optional)]
async fn enter(slot: SessionSlot<Cleared>) -> Result<(), Error> {
    slot.start(Cleared).await
}

#[session(optional)]
async fn leave(slot: SessionSlot<Cleared>) -> Result<(), Error> {
    slot.end().await
}

#[tokio::test]
async fn a_logout_asks_for_it_whichever_way_the_token_came() {
    let sessions = Sessions::<Cleared>::builder().ephemeral_key().open().await.unwrap();
    let server = serve(Router::new().route("/", post(enter)).route("/leave", post(leave)).with_state(sessions)).await;
    for way in ["x-session", "authorization", "cookie"] {
        let started = server.client().post("/").await;
        let token = started.header("x-session").unwrap();
        let value = match way {
            "authorization" => format!("Bearer {token}"),
            "cookie" => format!("cleared={token}"),
            _ => token.to_owned(),
        };
        let ended = server.client().send(Method::POST, "/leave", |request| request.header(way, value)).await;
        assert_eq!(ended.header("clear-site-data"), Some("\"cookies\", \"storage\""), "{way}");
    }
    let nobody = server.client().post("/leave").await;
    assert_eq!((nobody.status.as_u16(), nobody.header("clear-site-data")), (200, None), "nobody has logged out");
}

#[tokio::test]
async fn a_logout_clears_nothing_else_unless_the_type_says_so() {
    let server = crate::support::serve_users(crate::support::Store::memory().sessions().await).await;
    let client = crate::support::logged_in(&server, "ann").await;
    let ended = client.post("/logout").await;
    assert_eq!((ended.set_cookies().len(), ended.header("clear-site-data")), (1, None));
}
