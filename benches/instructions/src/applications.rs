//! The same routes without a session and with one.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Sessions, session};

use crate::Outcome;

/// A name of sixteen characters, three roles, ten integers.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    name: String,
    roles: Vec<String>,
    numbers: [u64; 10],
}

impl Record {
    fn new() -> Self {
        Self {
            name: "visitor-00000000".to_owned(),
            roles: ["reader", "editor", "billing"].map(str::to_owned).to_vec(),
            numbers: [0, 1, 42, 365, 4_096, 86_400, 1_000_003, 4_294_967_295, 1_763_760_000, 1_763_760_000_000],
        }
    }

    fn count(&mut self) -> String {
        self.numbers[0] += 1;
        self.numbers[0].to_string()
    }
}

/// The application of this name.
pub(crate) async fn router(name: &str) -> Outcome<Router> {
    Ok(match name {
        "bare" => bare(),
        "memory" => memory(Sessions::builder().key(KEY).open().await?),
        "cold" => memory(Sessions::builder().key(KEY).token_cache_bytes(1).open().await?),
        "cookie" => cookie::routes().with_state(Sessions::builder().key(KEY).open().await?),
        _ => return Err(format!("there is no application `{name}`").into()),
    })
}

const KEY: &str = "b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2w=";

struct Fixed {
    visitor: Record,
    writes: AtomicU64,
}

fn bare() -> Router {
    async fn read(State(fixed): State<Arc<Fixed>>) -> String {
        fixed.visitor.name.clone()
    }

    async fn write(State(fixed): State<Arc<Fixed>>) -> String {
        (fixed.writes.fetch_add(1, Ordering::Relaxed) + 1).to_string()
    }

    let fixed = Fixed { visitor: Record::new(), writes: AtomicU64::new(0) };
    Router::new()
        .route("/login", post(async || "welcome"))
        .route("/read", get(read))
        .route("/write", post(write))
        .with_state(Arc::new(fixed))
}

macro_rules! application {
    ($backend:ident) => {
        mod $backend {
            use axum::{
                Router,
                routing::{get, post},
            };
            use serde::{Deserialize, Serialize};
            use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};

            use super::Record;

            #[derive(Clone, Serialize, Deserialize, SessionData)]
            #[session(backend = $backend, key = env("SESSION_KEYS"))]
            pub(super) struct User(pub(super) Record);

            pub(super) fn routes() -> Router<Sessions<User>> {
                Router::new().route("/login", post(login)).route("/read", get(read)).route("/update", post(update))
            }

            #[session(optional)]
            async fn login(slot: SessionSlot<User>) -> Result<&'static str, Error> {
                slot.start(User(Record::new())).await?;
                Ok("welcome")
            }

            #[session(protected)]
            async fn read(user: &User) -> String {
                user.0.name.clone()
            }

            #[session(protected)]
            async fn update(mut session: Session<User>) -> Result<String, Error> {
                session.update(|user| user.0.count()).await
            }
        }
    };
}

application!(memory);
application!(cookie);

fn memory(sessions: Sessions<memory::User>) -> Router {
    #[session(protected)]
    async fn write(user: &mut memory::User) -> String {
        user.0.count()
    }

    memory::routes().route("/write", post(write)).with_state(sessions)
}
