//! The quickstart's routes with sessions in files: they survive a restart, and a `kill -9`.
//!
//! Run it, twice if you like:
//! ```sh
//! export SESSION_KEYS=$(cargo run --bin keygen)
//! cargo run --features file --bin files
//! ```
//! They are kept below `target/sessions`, or where `SESSION_DIR` says.

#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/serve.rs"]
mod serve;

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

/// The same session, declared to live elsewhere: nothing else differs from the quickstart.
#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(
    backend = file(dir = env("SESSION_DIR", default = "target/sessions")),
    key = env("SESSION_KEYS"),
    cookie(http_on_localhost),
)]
struct User {
    name: String,
    visits: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    serve::serve(routes::router().with_state(User::sessions().await?)).await
}
