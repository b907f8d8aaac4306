//! The same with tower-sessions: its memory store, and its Redis store as its README sets it up.

use axum::Router;
use tower_sessions::MemoryStore;
use tower_sessions_redis_store::{
    RedisStore,
    fred::{clients::Pool, interfaces::ClientLike, types::config::Config},
};

use crate::Outcome;

pub(super) fn memory() -> Router {
    latest::router(MemoryStore::default(), false)
}

/// With `sliding`, a read prolongs the session; otherwise only a write does.
pub(super) async fn redis(url: &str, sliding: bool) -> Outcome<Router> {
    let pool = Pool::new(Config::from_url(url)?, None, None, None, 6)?;
    pool.connect();
    pool.wait_for_connect().await?;
    Ok(of_redis_store::router(RedisStore::new(pool), sliding))
}

/// The routes over one version of the library: the latest Redis store is made for the one before the latest.
macro_rules! routes {
    ($library:ident) => {
        use axum::{
            Router,
            extract::Path,
            http::StatusCode,
            routing::{get, post},
        };
        use $library::{Expiry, Session, SessionManagerLayer, SessionStore, cookie::time::Duration, session::Error};

        use super::super::record::Record;

        const USER: &str = "user";

        pub(super) fn router<S: SessionStore + Clone>(store: S, sliding: bool) -> Router {
            let sessions = SessionManagerLayer::new(store)
                .with_secure(false)
                .with_expiry(Expiry::OnInactivity(Duration::minutes(30)))
                .with_always_save(sliding);
            Router::new()
                .route("/login/{number}", post(login))
                .route("/read", get(read))
                .route("/write", post(write))
                .layer(sessions)
        }

        async fn login(session: Session, Path(number): Path<usize>) -> Result<&'static str, StatusCode> {
            session.insert(USER, Record::new(number)).await.map_err(failure)?;
            Ok("welcome")
        }

        async fn read(session: Session) -> Result<String, StatusCode> {
            Ok(load(&session).await?.name)
        }

        async fn write(session: Session) -> Result<String, StatusCode> {
            let mut record = load(&session).await?;
            let count = record.count();
            session.insert(USER, record).await.map_err(failure)?;
            Ok(count)
        }

        async fn load(session: &Session) -> Result<Record, StatusCode> {
            session.get(USER).await.map_err(failure)?.ok_or(StatusCode::UNAUTHORIZED)
        }

        fn failure(_error: Error) -> StatusCode {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
}

mod latest {
    routes!(tower_sessions);
}

mod of_redis_store {
    routes!(tower_sessions_0_14);
}
