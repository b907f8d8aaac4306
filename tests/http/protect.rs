//! `protect()` with a guard, `missing`, `fresh` and `csrf_off` of its own: a sub-router for one role.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, request::Parts},
    response::Redirect,
    routing::{get, post},
};
use session_runtime::{Missing, ProtectLayer, testing::ManualClock};
use session_tests::{Client, Served, serve};

use crate::support::{Store, User, assert_problem, logged_in, routes, varies_by_cookie};

async fn behind() -> &'static str {
    "the back room"
}

async fn has_paid(user: &User, parts: &Parts, paid: &Vec<&'static str>) -> Result<(), StatusCode> {
    tokio::task::yield_now().await;
    let known = paid.contains(&user.name.as_str()) && parts.uri.path() != "/closed";
    if known { Ok(()) } else { Err(StatusCode::PAYMENT_REQUIRED) }
}

async fn sorry(State(words): State<&'static str>) -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, words)
}

/// What is behind the layer, at several paths.
async fn server(clock: &ManualClock, layer: impl FnOnce(ProtectLayer<User>) -> ProtectLayer<User>) -> Served {
    let sessions = Store::memory().builder().clock(clock.clone()).open().await.unwrap();
    let behind = Router::new().route("/room", get(behind).post(behind)).route("/closed", get(behind));
    let behind = behind.route_layer(layer(sessions.protect()));
    serve(routes().merge(behind).with_state(sessions)).await
}

async fn both(server: &Served) -> (Client, Client) {
    (logged_in(server, "root").await, logged_in(server, "ann").await)
}

#[tokio::test]
async fn a_guard_lets_a_role_into_a_whole_sub_router() {
    let server = server(&ManualClock::new(), |layer| layer.guard(|user: &User| user.name == "root")).await;
    let (root, ann) = both(&server).await;
    assert_eq!(root.get("/room").await.text(), "the back room");
    let refused = ann.get("/room").await;
    assert_problem(&refused, 403, "forbidden");
    assert!(varies_by_cookie(&refused));
    assert_problem(&server.client().get("/room").await, 401, "missing");
    assert_eq!(ann.get("/me").await.status, 200, "what is not behind it is open");
}

#[tokio::test]
async fn a_guards_own_answer_is_the_answer_and_each_of_several_guards_is_asked() {
    let server = server(&ManualClock::new(), |layer| {
        let visited = |user: &User| if user.visits > 0 { Ok(()) } else { Err(Redirect::to("/welcome")) };
        layer.guard(|user: &User| user.name != "mallory").guard(visited)
    })
    .await;
    let (mallory, ann) = (logged_in(&server, "mallory").await, logged_in(&server, "ann").await);
    assert_eq!(mallory.post("/visit").await.text(), "1");
    assert_problem(&mallory.get("/room").await, 403, "forbidden");
    let reply = ann.get("/room").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/welcome")));
    assert_eq!(ann.post("/visit").await.text(), "1");
    assert_eq!(ann.get("/room").await.text(), "the back room");
}

#[tokio::test]
async fn an_async_guard_has_the_request_and_a_state() {
    let server = server(&ManualClock::new(), |layer| layer.guard_with(vec!["root"], has_paid)).await;
    let (root, ann) = both(&server).await;
    assert_eq!(root.get("/room").await.text(), "the back room");
    assert_eq!(root.get("/closed").await.status, 402);
    assert_eq!(ann.get("/room").await.status, 402);
}

#[tokio::test]
async fn a_layer_has_its_own_answer_to_anonymous_requests() {
    let clock = ManualClock::new();
    let redirecting = server(&clock, |layer| layer.missing(Missing::redirect("/login").unwrap())).await;
    let reply = redirecting.client().get("/room").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/login")));
    assert!(varies_by_cookie(&reply));
    assert_problem(&redirecting.client().get("/me").await, 401, "missing");

    let hiding = server(&clock, |layer| layer.missing(Missing::status(404).unwrap())).await;
    assert_problem(&hiding.client().get("/room").await, 404, "missing");

    let speaking = server(&clock, |layer| layer.missing(Missing::handler_with_state(sorry, "nothing here"))).await;
    let reply = speaking.client().get("/room").await;
    assert_eq!((reply.status.as_u16(), reply.text()), (404, "nothing here"));
}

#[tokio::test]
async fn a_layer_asks_for_a_fresh_login() {
    let clock = ManualClock::new();
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let plain = server(&clock, |layer| layer.fresh(minutes(10))).await;
    let sent = server(&clock, |layer| layer.fresh(minutes(10)).missing(Missing::redirect("/again").unwrap())).await;
    let (ann, other) = (logged_in(&plain, "ann").await, logged_in(&sent, "ann").await);
    assert_eq!(ann.get("/room").await.status, 200);
    clock.advance(minutes(11));
    assert_problem(&ann.get("/room").await, 401, "stale");
    assert_eq!(ann.get("/me").await.status, 200);
    assert_eq!(other.get("/room").await.header("location"), Some("/again"));
}

#[tokio::test]
async fn a_layer_refuses_cross_site_requests_unless_it_is_told_otherwise() {
    let clock = ManualClock::new();
    for (open, status) in [(false, 403), (true, 200)] {
        let server = server(&clock, |layer| if open { layer.csrf_off() } else { layer }).await;
        let ann = logged_in(&server, "ann").await;
        let from_elsewhere = ann.send(axum::http::Method::POST, "/room", |request| {
            request.header("sec-fetch-site", "cross-site").header("origin", "https://elsewhere.example")
        });
        assert_eq!(from_elsewhere.await.status, status);
    }
}

#[tokio::test]
async fn two_layers_of_one_type_are_asked_one_after_another() {
    let sessions = Store::memory().sessions().await;
    let inner = Router::new()
        .route("/inner", post(behind))
        .route_layer(sessions.protect().guard(|user: &User| user.visits > 0));
    let outer = Router::new().merge(inner).route("/outer", post(behind));
    let outer = outer.route_layer(sessions.protect().guard(|user: &User| user.name == "root"));
    let server = serve(routes().merge(outer).with_state(sessions)).await;
    let (root, ann) = both(&server).await;
    ann.post("/visit").await;
    assert_eq!(root.post("/outer").await.status, 200);
    assert_problem(&root.post("/inner").await, 403, "forbidden");
    assert_problem(&ann.post("/inner").await, 403, "forbidden");
    root.post("/visit").await;
    assert_eq!(root.post("/inner").await.text(), "the back room");
}

#[test]
fn an_answer_that_http_does_not_have_is_refused_where_it_is_made() {
    let refusals = [
        Missing::status(42).unwrap_err().to_string(),
        Missing::status(302).unwrap_err().to_string(),
        Missing::redirect("login").unwrap_err().to_string(),
        Missing::redirect("/log in").unwrap_err().to_string(),
        Missing::redirect_with_next("https://login.example", "next").unwrap_err().to_string(),
        Missing::redirect_with_next("/login?next=/", "next").unwrap_err().to_string(),
    ];
    assert_eq!(
        refusals,
        [
            "the sessions can't be opened: `missing = status(42)`: this is not the status of an HTTP response; write \
             `status(401)`, `status(403)` or `status(404)`",
            "the sessions can't be opened: `missing = status(302)`: a redirect needs a target; write `redirect(\"/login\")`",
            "the sessions can't be opened: `missing = redirect(\"login\")`: a redirect goes to a path or to a full address; \
             write `redirect(\"/login\")`",
            "the sessions can't be opened: `missing = redirect(\"/log in\")`: an address has only visible ASCII characters; \
             percent-encode the others",
            "the sessions can't be opened: `missing = redirect(\"https://login.example\", next = \"next\")`: `next` is a path of \
             this application, of which another site can't make anything; redirect to a path, or write a handler that gives \
             the whole address",
            "the sessions can't be opened: `missing = redirect(\"/login?next=/\", next = \"next\")`: the address has a parameter \
             `next` already; give this one another name",
        ]
    );
}
