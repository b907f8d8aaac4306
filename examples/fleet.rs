//! The quickstart's routes on Redis: start it twice, on two ports, and both serve one session.
//!
//! Run it:
//! ```sh
//! export REDIS_URL=redis://127.0.0.1:6379 SESSION_KEYS=$(cargo run --bin keygen)
//! PORT=3000 cargo run --features redis --bin fleet &
//! PORT=3001 cargo run --features redis --bin fleet
//! ```

#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/serve.rs"]
mod serve;

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

/// The same session, declared to live in Redis: nothing else differs from the quickstart.
#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(
    backend = redis(url = env("REDIS_URL")),
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
