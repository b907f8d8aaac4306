//! What the tests of this folder share.

mod counters;
mod events;
mod late;
mod ledger;
mod lent;
mod store;
mod users;

use std::sync::Arc;

use axum::http::{Method, Request, header, request::Parts};
use serde_json::Value;
use session_tests::{Reply, Served, wait};
use tokio::sync::Semaphore;

pub(crate) use self::{
    counters::Counters,
    events::Events,
    late::{Answers, DEADLINE, Late},
    ledger::Ledger,
    lent::lends_as_its_memory,
    store::{Store, key, on_every_backend},
    users::{COOKIE, User, is_alive, logged_in, routes, serve_users, token},
};

/// Sends a request whose `Cookie` header is this one and no other.
pub(crate) async fn send_with(server: &Served, method: Method, path: &str, cookie: &str) -> Reply {
    server.client().send(method, path, |request| request.header(header::COOKIE, cookie)).await
}

/// The head of a request with this cookie, as middleware has it.
pub(crate) fn head_with(name: &str, value: &str) -> Parts {
    Request::builder().header(header::COOKIE, format!("{name}={value}")).body(()).unwrap().into_parts().0
}

/// The answer is this problem, as RFC 9457 has it, and is not for other clients.
pub(crate) fn assert_problem(reply: &Reply, status: u16, kind: &str) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    let body: Value = reply.json();
    assert_eq!(body["type"], format!("urn:problem-type:session:{kind}"));
    assert_eq!(body["status"], status);
    for part in ["title", "detail"] {
        assert!(body[part].as_str().is_some_and(|text| !text.is_empty()), "{part}: {body}");
    }
    assert!(varies_by_cookie(reply), "{:?}", reply.headers);
}

/// Whether caches are told that the answer depends on the cookie.
pub(crate) fn varies_by_cookie(reply: &Reply) -> bool {
    let lines = reply.headers.get_all(header::VARY).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|name| name.trim().eq_ignore_ascii_case("cookie"))
}

/// A door in a handler, which a test opens. Clones are the same door.
#[derive(Clone)]
pub(crate) struct Gate {
    arrived: Arc<Semaphore>,
    opened: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), opened: Arc::new(Semaphore::new(0)) }
    }

    /// In the handler: waits to be let through.
    pub(crate) async fn pass(&self) {
        self.arrived.add_permits(1);
        wait::within(wait::ANSWER, "the test opens the gate", self.opened.acquire()).await.unwrap().forget();
    }

    /// In the test: waits until one more handler stands here.
    pub(crate) async fn arrival(&self) {
        wait::within(wait::ANSWER, "a handler comes to the gate", self.arrived.acquire()).await.unwrap().forget();
    }

    /// In the test: lets one handler through.
    pub(crate) fn open(&self) {
        self.opened.add_permits(1);
    }
}
