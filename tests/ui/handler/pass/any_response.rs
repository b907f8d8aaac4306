//! Every response that axum knows can be a handler's.

use axum::{
    Json, Router,
    http::{self, HeaderMap, StatusCode, response},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Clone, Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

type Code = StatusCode;
type Answer = (Code, String);

#[session(protected)]
async fn unit(_: &User) {}

#[session(protected)]
async fn renamed(user: &User) -> (Code, String) {
    (Code::OK, user.name.clone())
}

#[session(protected)]
async fn aliased(user: &User) -> Answer {
    (Code::OK, user.name.clone())
}

#[session(protected)]
async fn with_headers(user: &User) -> (StatusCode, [(&'static str, String); 1], HeaderMap, Json<User>) {
    (StatusCode::OK, [("x-name", user.name.clone())], HeaderMap::new(), Json(user.clone()))
}

#[session(protected)]
async fn with_parts(user: &User) -> (response::Parts, HeaderMap, String) {
    (Response::new(()).into_parts().0, HeaderMap::new(), user.name.clone())
}

#[session(protected)]
async fn with_response(user: &User) -> (http::Response<()>, String) {
    (http::Response::new(()), user.name.clone())
}

#[session(protected)]
async fn opaque(user: &User) -> (StatusCode, impl IntoResponse) {
    (StatusCode::OK, user.name.clone())
}

#[session(protected)]
async fn fallible(user: &User) -> Result<(StatusCode, String), (StatusCode, &'static str)> {
    if user.name.is_empty() { Err((StatusCode::NOT_FOUND, "nobody")) } else { Ok((StatusCode::OK, user.name.clone())) }
}

#[session(protected)]
async fn axums(user: &User) -> axum::response::Result<Redirect> {
    if user.name.is_empty() { Err(StatusCode::NOT_FOUND.into()) } else { Ok(Redirect::to("/")) }
}

fn main() {
    let _: fn(Sessions<User>) -> Router = |sessions| {
        let one = get(unit).post(renamed).put(aliased).delete(with_headers).patch(with_parts);
        let two = get(with_response).post(opaque).put(fallible).delete(axums);
        Router::new().route("/1", one).route("/2", two).with_state(sessions)
    };
}
