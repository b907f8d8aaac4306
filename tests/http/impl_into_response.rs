//! `impl IntoResponse`, as everybody writes it: the opaque type captures the borrow of the session.

use axum::{
    Router,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use session_runtime::{Error, session};
use session_tests::serve;

use crate::support::{Store, User, logged_in, routes, varies_by_cookie};

#[session(protected)]
async fn read(user: &User) -> impl IntoResponse {
    (StatusCode::ACCEPTED, user.name.clone())
}

#[session(optional)]
async fn perhaps(user: Option<&User>) -> impl IntoResponse {
    [("x-name", user.map_or("anonymous".into(), |user| user.name.clone()))]
}

#[session(protected)]
async fn change(user: &mut User) -> Result<impl IntoResponse, Error> {
    user.visits += 1;
    Ok(user.visits.to_string())
}

#[tokio::test]
async fn a_handler_that_borrows_may_answer_something_opaque() {
    let more = Router::new().route("/read", get(read)).route("/perhaps", get(perhaps)).route("/change", post(change));
    let server = serve(routes().merge(more).with_state(Store::memory().sessions().await)).await;
    let (anonymous, ann) = (server.client(), logged_in(&server, "ann").await);
    let reply = ann.get("/read").await;
    assert_eq!((reply.status.as_u16(), reply.text()), (202, "ann"));
    assert!(varies_by_cookie(&reply));
    assert_eq!(ann.get("/perhaps").await.header("x-name"), Some("ann"));
    assert_eq!(anonymous.get("/perhaps").await.header("x-name"), Some("anonymous"));
    assert_eq!(ann.post("/change").await.text(), "1");
    assert_eq!(ann.get("/me").await.json::<User>().visits, 1);
}
