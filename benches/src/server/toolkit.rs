//! The toolkit itself, as a user writes it: a protected read and an exclusive write, on each of its backends.

use axum::Router;
use session_runtime::{OpenError, SessionData};

/// An application with its sessions where the options say: a session's type has one backend.
macro_rules! application {
    ($name:ident, $write:ident, [$($options:tt)*]) => {
        pub(super) async fn $name() -> Result<Router, OpenError> {
            Ok($name::router($name::User::sessions().await?))
        }

        mod $name {
            use axum::{
                Router,
                extract::Path,
                routing::{get, post},
            };
            use serde::{Deserialize, Serialize};
            #[allow(unused_imports, reason = "an exclusive write takes the data itself")]
            use session_runtime::Session;
            use session_runtime::{Error, SessionData, SessionSlot, Sessions, session};

            use super::super::record::Record;

            #[derive(Clone, Serialize, Deserialize, SessionData)]
            #[session($($options)*)]
            pub(super) struct User(Record);

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

            $write!();
        }
    };
}

macro_rules! exclusive {
    () => {
        #[session(protected)]
        async fn write(user: &mut User) -> String {
            user.0.count()
        }
    };
}

/// A change that is tried on the session as it is read. The only one for a session that travels in its cookie, which is
/// nobody's to lend.
macro_rules! updated {
    () => {
        #[session(protected)]
        async fn write(mut session: Session<User>) -> Result<String, Error> {
            session.update(|user| user.0.count()).await
        }
    };
}

// Room for all that any measurement logs in, with some to spare, since each part has its own share of it.
application!(memory, exclusive, [backend = memory(capacity = 220_000)]);
application!(memory_update, updated, [backend = memory(capacity = 220_000)]);
application!(cookie, updated, [backend = cookie, key = env("SESSION_KEYS")]);
application!(file, exclusive, [backend = file(dir = env("SESSION_DIR")), key = env("SESSION_KEYS")]);
application!(
    file_durable,
    exclusive,
    [backend = file(dir = env("SESSION_DIR"), durable = true), key = env("SESSION_KEYS")]
);
application!(redis, exclusive, [backend = redis(url = env("REDIS_URL")), key = env("SESSION_KEYS")]);
application!(redis_update, updated, [backend = redis(url = env("REDIS_URL")), key = env("SESSION_KEYS")]);
application!(
    redis_near,
    exclusive,
    [backend = redis(url = env("REDIS_URL"), near_cache = "1s"), key = env("SESSION_KEYS")]
);
application!(sqlite, exclusive, [backend = sqlite(path = env("SESSION_DB")), key = env("SESSION_KEYS")]);
application!(postgres, exclusive, [backend = postgres(url = env("POSTGRES_URL")), key = env("SESSION_KEYS")]);
application!(mysql, exclusive, [backend = mysql(url = env("MYSQL_URL")), key = env("SESSION_KEYS")]);
