//! The same with axum_session in memory, without the checks of addresses and user agents that it has on by default: the
//! others have none.

use axum::{
    Router,
    extract::Path,
    http::StatusCode,
    routing::{get, post},
};
use axum_session::{Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};

use super::record::Record;
use crate::Outcome;

const USER: &str = "user";

pub(super) async fn memory() -> Outcome<Router> {
    let config = SessionConfig::default().with_ip_and_user_agent(false);
    let store = SessionStore::<SessionNullPool>::new(None, config).await?;
    Ok(Router::new()
        .route("/login/{number}", post(login))
        .route("/read", get(read))
        .route("/write", post(write))
        .layer(SessionLayer::new(store)))
}

async fn login(session: Session<SessionNullPool>, Path(number): Path<usize>) -> &'static str {
    session.set(USER, Record::new(number));
    "welcome"
}

async fn read(session: Session<SessionNullPool>) -> Result<String, StatusCode> {
    Ok(load(&session)?.name)
}

async fn write(session: Session<SessionNullPool>) -> Result<String, StatusCode> {
    let mut record = load(&session)?;
    let count = record.count();
    session.set(USER, record);
    Ok(count)
}

fn load(session: &Session<SessionNullPool>) -> Result<Record, StatusCode> {
    session.get(USER).ok_or(StatusCode::UNAUTHORIZED)
}
