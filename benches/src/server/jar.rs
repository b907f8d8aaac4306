//! The session as JSON in an encrypted cookie of axum-extra. Its age is not checked, and it has no id.

use axum::{
    Router,
    extract::Path,
    http::StatusCode,
    routing::{get, post},
};
use axum_extra::extract::{
    PrivateCookieJar,
    cookie::{Cookie, Key, SameSite},
};

use super::record::Record;

const USER: &str = "user";

pub(super) fn router() -> Router {
    Router::new()
        .route("/login/{number}", post(login))
        .route("/read", get(read))
        .route("/write", post(write))
        .with_state(Key::generate())
}

async fn login(
    jar: PrivateCookieJar,
    Path(number): Path<usize>,
) -> Result<(PrivateCookieJar, &'static str), StatusCode> {
    Ok((jar.add(cookie(&Record::new(number))?), "welcome"))
}

async fn read(jar: PrivateCookieJar) -> Result<String, StatusCode> {
    Ok(load(&jar)?.name)
}

async fn write(jar: PrivateCookieJar) -> Result<(PrivateCookieJar, String), StatusCode> {
    let mut record = load(&jar)?;
    let count = record.count();
    Ok((jar.add(cookie(&record)?), count))
}

fn load(jar: &PrivateCookieJar) -> Result<Record, StatusCode> {
    let cookie = jar.get(USER).ok_or(StatusCode::UNAUTHORIZED)?;
    serde_json::from_str(cookie.value()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

fn cookie(record: &Record) -> Result<Cookie<'static>, StatusCode> {
    let json = serde_json::to_string(record).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Cookie::build((USER, json)).path("/").http_only(true).secure(true).same_site(SameSite::Lax).build())
}
