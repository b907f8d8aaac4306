//! An application with two cookies of ours, and pages that tell what a client makes of cookies.

use axum::{
    Router,
    extract::FromRef,
    http::{HeaderMap, header::COOKIE},
    response::{AppendHeaders, Html, IntoResponse},
    routing::{any, get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::{Served, serve};

/// A session that ends with the browser.
#[derive(Serialize, Deserialize, SessionData)]
pub(crate) struct Visitor {
    visits: u32,
}

/// A session that outlives it.
#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(persistent), lifetime = "14d", idle = "7d")]
pub(crate) struct Remembered;

pub(crate) const VISITOR: &str = "__Host-visitor";
pub(crate) const REMEMBERED: &str = "__Host-remembered";
pub(crate) const LIFETIME: u64 = 14 * 24 * 3600;

/// What no browser may keep, each breaking one rule of its name.
pub(crate) const BAD: [&str; 6] = [
    "__Host-domain=1; Path=/; Secure; Domain=localhost",
    "__Host-path=1; Path=/bad; Secure",
    "__Host-insecure=1; Path=/",
    "__Secure-insecure=1; Path=/",
    "__host-case=1; Path=/; Secure; Domain=localhost",
    "none-insecure=1; Path=/; SameSite=None",
];

/// What every browser sends from anywhere, so that what it doesn't send is told apart.
pub(crate) const ANYWHERE: &str = "anywhere=1; Path=/; Secure; SameSite=None";

#[session(optional)]
async fn start(visitor: SessionSlot<Visitor>, remembered: SessionSlot<Remembered>) -> Result<&'static str, Error> {
    visitor.start(Visitor { visits: 0 }).await?;
    remembered.start(Remembered).await?;
    Ok("started")
}

#[session(protected)]
async fn visit(visitor: &mut Visitor, _remembered: &Remembered) -> String {
    visitor.visits += 1;
    visitor.visits.to_string()
}

#[session(protected)]
async fn rotate(mut visitor: Session<Visitor>) -> Result<&'static str, Error> {
    visitor.rotate_id().await?;
    Ok("rotated")
}

#[session(protected)]
async fn end(visitor: Session<Visitor>, remembered: Session<Remembered>) -> Result<&'static str, Error> {
    visitor.end().await?;
    remembered.end().await?;
    Ok("ended")
}

#[session(protected)]
async fn end_visitor(visitor: Session<Visitor>) -> Result<&'static str, Error> {
    visitor.end().await?;
    Ok("ended")
}

#[session(protected)]
async fn end_remembered(remembered: Session<Remembered>) -> Result<&'static str, Error> {
    remembered.end().await?;
    Ok("ended")
}

/// The `Cookie` header as it came, in a page. No session's handler: what a client sends is all that counts.
async fn cookies(headers: HeaderMap) -> Html<String> {
    let lines = headers.get_all(COOKIE).iter().map(|line| line.to_str().unwrap_or_default());
    Html(format!("<!doctype html><title>Cookies</title><pre>{}</pre>", lines.collect::<Vec<_>>().join("; ")))
}

/// Pages for a browser's tests: `GET /bad` tries to set [`BAD`] cookies.
async fn bad() -> impl IntoResponse {
    (AppendHeaders(BAD.map(|cookie| ("set-cookie", cookie))), "bad")
}

async fn anywhere() -> impl IntoResponse {
    (AppendHeaders([("set-cookie", ANYWHERE)]), "anywhere")
}

#[derive(Clone)]
struct Shop {
    visitors: Sessions<Visitor>,
    remembered: Sessions<Remembered>,
}

impl FromRef<Shop> for Sessions<Visitor> {
    fn from_ref(shop: &Shop) -> Self {
        shop.visitors.clone()
    }
}

impl FromRef<Shop> for Sessions<Remembered> {
    fn from_ref(shop: &Shop) -> Self {
        shop.remembered.clone()
    }
}

pub(crate) async fn shop() -> Served {
    let visitors = Visitor::sessions().await.expect("they open");
    let remembered = Remembered::sessions().await.expect("they open");
    let router = Router::new()
        .route("/", get(async || Html("<!doctype html><title>A shop</title>")))
        .route("/start", post(start))
        .route("/visit", post(visit))
        .route("/rotate", post(rotate))
        .route("/end", post(end))
        .route("/end/visitor", post(end_visitor))
        .route("/end/remembered", post(end_remembered))
        .route("/cookies", any(cookies))
        .route("/bad", get(bad))
        .route("/anywhere", get(anywhere));
    serve(router.with_state(Shop { visitors, remembered })).await
}
