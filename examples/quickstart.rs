//! A login, a counter and a logout, in memory: no service needed.
//!
//! Run it: `cargo run --bin quickstart`, then open <http://localhost:3000>. `PORT=8080` listens elsewhere.

#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/serve.rs"]
mod serve;

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

/// What a session holds. Without a backend it lives in memory, for 30 minutes after its last use and
/// 12 hours at most, and its cookie is `__Host-user`.
#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(cookie(http_on_localhost))]
struct User {
    name: String,
    visits: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    serve::serve(routes::router().with_state(User::sessions().await?)).await
}
