//! Other attributes on a handler, and a state by `#[derive(FromRef)]`: each does here what it does without `#[session]`.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{FromRef, State},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use session_runtime::{SessionData, Sessions, session};
use session_tests::{Served, serve};
use tracing::{info, instrument};
use utoipa::OpenApi;

use crate::support::{User, assert_problem, logged_in, routes};

#[derive(Clone, Default, Serialize, Deserialize, SessionData)]
struct Cart {
    items: u32,
}

#[derive(Clone)]
struct Shop(&'static str);

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
    carts: Sessions<Cart>,
    shop: Shop,
}

#[session(protected)]
#[instrument(skip_all, fields(who = user.name))]
async fn traced_below(user: &mut User) -> String {
    user.visits += 1;
    info!(visits = user.visits, "counted");
    user.visits.to_string()
}

#[instrument(skip_all, fields(who = user.name))]
#[session(protected)]
async fn traced_above(user: &mut User) -> String {
    user.visits += 1;
    info!(visits = user.visits, "counted");
    user.visits.to_string()
}

#[session(protected(User), or_default(Cart))]
#[axum::debug_handler(state = App)]
async fn checked(user: &User, State(Shop(name)): State<Shop>, cart: &mut Cart, body: String) -> String {
    cart.items += 1;
    format!("{} {} {name} {body}", user.name, cart.items)
}

/// Who is there.
#[session(protected)]
#[utoipa::path(get, path = "/documented", security(("user" = [])), responses((status = 200, body = String)))]
async fn documented(user: &User) -> String {
    user.name.clone()
}

#[derive(OpenApi)]
#[openapi(paths(documented))]
struct Documentation;

async fn server() -> Served {
    let app = App {
        users: User::sessions().await.expect("nothing is needed"),
        carts: Cart::sessions().await.expect("nothing is needed"),
        shop: Shop("shop"),
    };
    let more = Router::new()
        .route("/traced/below", post(traced_below))
        .route("/traced/above", post(traced_above))
        .route("/checked", post(checked))
        .route("/documented", get(documented));
    serve(routes().merge(more).with_state(app)).await
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).expect("a log is text")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_span_of_instrument_is_around_the_handlers_own_body_in_either_order() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // The server runs on this thread as well.
    let _here = tracing::subscriber::set_default(subscriber);
    let server = server().await;
    let ann = logged_in(&server, "ann").await;
    assert_eq!(ann.post("/traced/below").await.text(), "1");
    assert_eq!(ann.post("/traced/above").await.text(), "2");
    assert_problem(&server.client().post("/traced/above").await, 401, "missing");

    let log = log.text();
    let counted: Vec<_> = log.lines().filter(|line| line.contains("counted")).collect();
    assert_eq!(counted.len(), 2, "{log}");
    for (line, handler) in counted.iter().zip(["traced_below", "traced_above"]) {
        assert!(line.contains(&format!("{handler}{{who=\"ann\"}}")), "{line}");
    }
}

#[tokio::test]
async fn a_handler_under_debug_handler_takes_two_sessions_and_a_state_by_from_ref() {
    let server = server().await;
    let ann = logged_in(&server, "ann").await;
    let send = async || ann.send(axum::http::Method::POST, "/checked", |request| request.body("tea")).await;
    assert_eq!(send().await.text(), "ann 1 shop tea");
    assert_eq!(send().await.text(), "ann 2 shop tea");
    assert_problem(&server.client().post("/checked").await, 401, "missing");
}

#[tokio::test]
async fn a_route_that_openapi_documents_as_secured_is_secured() {
    let documentation = serde_json::to_value(Documentation::openapi()).expect("a document");
    let server = server().await;
    let ann = logged_in(&server, "ann").await;
    let documented = &documentation["paths"]["/documented"]["get"];
    assert_eq!(documented["security"], json!([{ "user": [] }]));
    assert_eq!(documented["summary"], "Who is there.");
    assert_eq!(ann.get("/documented").await.text(), "ann");
    assert_problem(&server.client().get("/documented").await, 401, "missing");
}
