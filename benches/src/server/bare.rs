//! The same handlers with no session at all.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};

use super::record::Record;

struct Fixed {
    visitor: Record,
    writes: AtomicU64,
}

pub(super) fn router() -> Router {
    let fixed = Fixed { visitor: Record::new(0), writes: AtomicU64::new(0) };
    Router::new()
        .route("/login/{number}", post(async || "welcome"))
        .route("/read", get(read))
        .route("/write", post(write))
        .with_state(Arc::new(fixed))
}

async fn read(State(fixed): State<Arc<Fixed>>) -> String {
    fixed.visitor.name.clone()
}

async fn write(State(fixed): State<Arc<Fixed>>) -> String {
    (fixed.writes.fetch_add(1, Ordering::Relaxed) + 1).to_string()
}
