//! The same handlers with no session at all; and with what a session adds to the bytes that are sent and received, a cookie
//! that nobody reads and a header. What no toolkit that has its token in a cookie can be faster than.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::IntoResponse,
    routing::{get, post},
};

use super::record::Record;

/// As long as the toolkit's, whose tokens are random as well.
const COOKIE: &str = "__Host-user=gAAAAABrC0aZ7pQmJr2hFv9XcK4tWbL6sYdN1oEuG8iTzR3qMxPwV5nAkHjCfB0yDlSgUeIaOvZtQ7rXmK2pLsJdYw9hNfT4cGbV6xEoRiM1uHzB3nCk=";

struct Fixed {
    visitor: Record,
    writes: AtomicU64,
}

impl Fixed {
    fn new() -> Arc<Self> {
        Arc::new(Self { visitor: Record::new(0), writes: AtomicU64::new(0) })
    }
}

pub(super) fn router() -> Router {
    Router::new()
        .route("/login/{number}", post(async || "welcome"))
        .route("/read", get(read))
        .route("/write", post(write))
        .with_state(Fixed::new())
}

pub(super) fn with_cookie() -> Router {
    Router::new()
        .route("/login/{number}", post(async || ([(header::SET_COOKIE, COOKIE)], "welcome")))
        .route("/read", get(async |state: State<Arc<Fixed>>| varied(read(state).await)))
        .route("/write", post(async |state: State<Arc<Fixed>>| varied(write(state).await)))
        .with_state(Fixed::new())
}

async fn read(State(fixed): State<Arc<Fixed>>) -> String {
    fixed.visitor.name.clone()
}

async fn write(State(fixed): State<Arc<Fixed>>) -> String {
    (fixed.writes.fetch_add(1, Ordering::Relaxed) + 1).to_string()
}

/// What tells caches that an answer depends on the cookie.
fn varied(answer: String) -> impl IntoResponse {
    const VARY: (HeaderName, HeaderValue) = (header::VARY, HeaderValue::from_static("Cookie"));
    ([VARY], answer)
}
