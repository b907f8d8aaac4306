//! The toolkit itself, as a user writes it: a protected read and an exclusive write, on memory and on Redis.

use axum::Router;
use session_runtime::{OpenError, SessionData};

pub(super) async fn memory() -> Result<Router, OpenError> {
    Ok(memory::router(memory::User::sessions().await?))
}

pub(super) async fn redis() -> Result<Router, OpenError> {
    Ok(redis::router(redis::User::sessions().await?))
}

/// The routes over the `User` of the module: a session's type has one backend.
macro_rules! routes {
    () => {
        pub(super) fn router(sessions: Sessions<User>) -> Router {
            Router::new()
                .route("/login/{number}", post(login))
                .route("/read", get(read))
                .route("/write", post(write))
                .with_state(sessions)
        }

        #[session(optional)]
        async fn login(slot: SessionSlot<User>, Path(number): Path<usize>) -> Result<&'static str, Error> {
            slot.start(User(Record::new(number))).await?;
            Ok("welcome")
        }

        #[session(protected)]
        async fn read(user: &User) -> String {
            user.0.name.clone()
        }

        #[session(protected)]
        async fn write(user: &mut User) -> String {
            user.0.count()
        }
    };
}

mod memory {
    use axum::{
        Router,
        extract::Path,
        routing::{get, post},
    };
    use serde::{Deserialize, Serialize};
    use session_runtime::{Error, SessionData, SessionSlot, Sessions, session};

    use super::super::record::Record;

    #[derive(Clone, Serialize, Deserialize, SessionData)]
    pub(super) struct User(Record);

    routes!();
}

mod redis {
    use axum::{
        Router,
        extract::Path,
        routing::{get, post},
    };
    use serde::{Deserialize, Serialize};
    use session_runtime::{Error, SessionData, SessionSlot, Sessions, session};

    use super::super::record::Record;

    #[derive(Clone, Serialize, Deserialize, SessionData)]
    #[session(backend = redis(url = env("REDIS_URL")), key = env("SESSION_KEYS"))]
    pub(super) struct User(Record);

    routes!();
}
