//! A flash is for the page that a person sees: what a page loads besides leaves it.

use axum::{
    Router,
    http::Method,
    routing::{any, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, session};
use session_tests::{Client, Reply, Served, serve};

use crate::support::{Store, on_every_backend};

#[derive(Clone, Debug, Default, Serialize, Deserialize, SessionData)]
struct Visitor {
    #[session(flash)]
    notices: Vec<String>,
    visits: u32,
}

#[session(optional)]
async fn start(slot: SessionSlot<Visitor>) -> Result<(), Error> {
    slot.start(Visitor::default()).await
}

#[session(protected)]
async fn leave(mut session: Session<Visitor>) -> Result<(), Error> {
    session.update(|visitor| visitor.notices.push("saved".into())).await
}

#[session(protected)]
async fn page(visitor: &Visitor) -> String {
    visitor.notices.join(" ")
}

#[session(optional)]
async fn fallback(visitor: Option<&Visitor>) -> String {
    visitor.map(|visitor| visitor.notices.join(" ")).unwrap_or_default()
}

#[session(protected)]
async fn count(visitor: &mut Visitor) -> String {
    visitor.visits += 1;
    visitor.notices.join(" ")
}

#[session(protected)]
async fn add(visitor: &mut Visitor) {
    visitor.notices.push("more".into());
}

/// A script's handler that takes it in so many words.
#[session(protected)]
async fn take(mut session: Session<Visitor>) -> Result<String, Error> {
    let mut notices = Vec::new();
    session.update(|visitor| notices = std::mem::take(&mut visitor.notices)).await?;
    Ok(notices.join(" "))
}

async fn server(store: &Store) -> Served {
    let router = Router::new()
        .route("/start", post(start))
        .route("/leave", post(leave))
        .route("/page", any(page))
        .route("/count", any(count))
        .route("/add", any(add))
        .route("/take", any(take))
        .fallback(fallback);
    serve(router.with_state(store.sessions().await)).await
}

type Headers = &'static [(&'static str, &'static str)];

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const PICTURE: &str = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";

/// What a page loads besides, as browsers send it.
const PARTS: [Headers; 9] = [
    &[("sec-fetch-dest", "image"), ("sec-fetch-mode", "no-cors"), ("accept", PICTURE)],
    &[("sec-fetch-dest", "script"), ("sec-fetch-mode", "no-cors"), ("accept", "*/*")],
    &[("sec-fetch-dest", "style"), ("sec-fetch-mode", "no-cors"), ("accept", "text/css,*/*;q=0.1")],
    &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors"), ("accept", "*/*")],
    &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors"), ("accept", "application/json")],
    &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors"), ("accept", "*/*"), ("hx-request", "true")],
    &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors"), ("accept", "text/event-stream")],
    // By plain http, where browsers do not say what a request is for.
    &[("accept", PICTURE)],
    &[("accept", "text/event-stream")],
];

/// What shows a person a page, and programs that say nothing of it.
const PAGES: [Headers; 7] = [
    &[("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate"), ("accept", HTML)],
    &[("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "navigate"), ("accept", HTML)],
    // A script that loads pages in the place of the browser.
    &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors"), ("accept", "text/html, application/xhtml+xml")],
    &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors"), ("hx-boosted", "true"), ("hx-request", "true")],
    &[("accept", HTML)],
    &[("accept", "*/*")],
    &[],
];

async fn send(client: &Client, method: &Method, path: &str, headers: Headers) -> Reply {
    let reply = client.send(method.clone(), path, |request| {
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    });
    let reply = reply.await;
    assert_eq!(reply.status, 200, "{path} {headers:?}");
    reply
}

async fn started(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(client.post("/start").await.status, 200);
    client
}

async fn leave_one(client: &Client) {
    assert_eq!(client.post("/leave").await.status, 200);
}

async fn what_a_page_loads_besides_leaves_the_flash_and_does_not_see_it(store: Store) {
    let server = server(&store).await;
    let client = started(&server).await;
    leave_one(&client).await;
    for headers in PARTS {
        for path in ["/page", "/favicon.ico"] {
            let reply = send(&client, &Method::GET, path, headers).await;
            assert_eq!((reply.text(), reply.set_cookies()), ("", vec![]), "{path} {headers:?}");
        }
    }
    assert_eq!(client.get("/page").await.text(), "saved");
    assert_eq!(client.get("/page").await.text(), "");
}

async fn an_exclusive_borrow_of_what_is_no_page_keeps_the_flash_with_its_change(store: Store) {
    let server = server(&store).await;
    let client = started(&server).await;
    for headers in PARTS {
        leave_one(&client).await;
        assert_eq!(send(&client, &Method::POST, "/count", headers).await.text(), "saved", "{headers:?}");
        send(&client, &Method::POST, "/add", headers).await;
        assert_eq!(client.get("/page").await.text(), "saved more", "{headers:?}");
    }
}

async fn a_page_takes_the_flash_however_it_is_loaded(store: Store) {
    let server = server(&store).await;
    let client = started(&server).await;
    for headers in PAGES {
        for (method, path) in [(Method::GET, "/page"), (Method::GET, "/nowhere"), (Method::POST, "/count")] {
            leave_one(&client).await;
            assert_eq!(send(&client, &method, path, headers).await.text(), "saved", "{path} {headers:?}");
            assert_eq!(send(&client, &method, path, headers).await.text(), "", "{path} {headers:?}");
        }
    }
}

async fn a_scripts_handler_can_take_it_by_an_update(store: Store) {
    let server = server(&store).await;
    let client = started(&server).await;
    leave_one(&client).await;
    assert_eq!(send(&client, &Method::POST, "/take", PARTS[4]).await.text(), "saved");
    assert_eq!(send(&client, &Method::POST, "/take", PARTS[4]).await.text(), "");
    assert_eq!(client.get("/page").await.text(), "");
}

on_every_backend!(
    a_page_takes_the_flash_however_it_is_loaded,
    a_scripts_handler_can_take_it_by_an_update,
    an_exclusive_borrow_of_what_is_no_page_keeps_the_flash_with_its_change,
    what_a_page_loads_besides_leaves_the_flash_and_does_not_see_it,
);
