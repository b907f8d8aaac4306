//! What a handler can do at least to have sessions in Redis: one GETEX to read, GETEX and SET to write, the record
//! as JSON under the cookie's own value. No token is checked, and concurrent writes are lost.

use axum::{
    Router,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, header, request::Parts},
    response::IntoResponse,
    routing::{get, post},
};
use redis::aio::ConnectionManager;

use super::record::Record;
use crate::Outcome;

const IDLE_SECONDS: u64 = 1800;

pub(super) async fn router(url: &str) -> Outcome<Router> {
    let redis = ConnectionManager::new(redis::Client::open(url)?).await?;
    Ok(Router::new()
        .route("/login/{number}", post(login))
        .route("/read", get(read))
        .route("/write", post(write))
        .with_state(redis))
}

async fn login(
    State(mut redis): State<ConnectionManager>,
    Path(number): Path<usize>,
) -> Result<impl IntoResponse, Failure> {
    let key = format!("raw:{number:032x}");
    save(&mut redis, &key, &Record::new(number)).await?;
    Ok(([(header::SET_COOKIE, format!("sid={key}"))], "welcome"))
}

async fn read(State(mut redis): State<ConnectionManager>, SessionKey(key): SessionKey) -> Result<String, Failure> {
    Ok(load(&mut redis, &key).await?.name)
}

async fn write(State(mut redis): State<ConnectionManager>, SessionKey(key): SessionKey) -> Result<String, Failure> {
    let mut record = load(&mut redis, &key).await?;
    let count = record.count();
    save(&mut redis, &key, &record).await?;
    Ok(count)
}

async fn load(redis: &mut ConnectionManager, key: &str) -> Result<Record, Failure> {
    let bytes: Option<Vec<u8>> =
        redis::cmd("GETEX").arg(key).arg("EX").arg(IDLE_SECONDS).query_async(redis).await.map_err(|_| Failure)?;
    serde_json::from_slice(&bytes.ok_or(Failure)?).map_err(|_| Failure)
}

async fn save(redis: &mut ConnectionManager, key: &str, record: &Record) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(record).map_err(|_| Failure)?;
    redis::cmd("SET").arg(key).arg(bytes).arg("EX").arg(IDLE_SECONDS).exec_async(redis).await.map_err(|_| Failure)
}

struct Failure;

impl IntoResponse for Failure {
    fn into_response(self) -> axum::response::Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

/// The cookie's value.
struct SessionKey(String);

impl<S: Sync> FromRequestParts<S> for SessionKey {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, StatusCode> {
        let cookies = parts.headers.get(header::COOKIE).and_then(|value| value.to_str().ok());
        let key = cookies.and_then(|cookies| cookies.split("; ").find_map(|pair| pair.strip_prefix("sid=")));
        key.map(|key| Self(key.to_owned())).ok_or(StatusCode::UNAUTHORIZED)
    }
}
