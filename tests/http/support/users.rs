//! An application with everything that is done to a session.

use axum::{Form, Json, Router, extract::FromRef, http::Method, response::Redirect, routing};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::{Client, Served, serve};

use super::send_with;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SessionData)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) visits: u32,
}

/// The name of [`User`]'s cookie.
pub(crate) const COOKIE: &str = "__Host-user";

#[derive(Deserialize)]
struct Login {
    name: String,
}

#[session(optional)]
async fn home(user: Option<&User>) -> String {
    user.map_or_else(|| "anonymous".into(), |user| user.name.clone())
}

#[session(protected)]
async fn me(user: &User) -> Json<User> {
    Json(user.clone())
}

#[session(protected)]
async fn visit(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

/// Takes the session exclusively and leaves it as it is.
#[session(protected)]
async fn look(user: &mut User) -> String {
    user.name.clone()
}

#[session(optional)]
async fn login(slot: SessionSlot<User>, Form(form): Form<Login>) -> Result<Redirect, Error> {
    slot.start(User { name: form.name, visits: 0 }).await?;
    Ok(Redirect::to("/"))
}

#[session(protected)]
async fn logout(session: Session<User>) -> Result<Redirect, Error> {
    session.end().await?;
    Ok(Redirect::to("/"))
}

#[session(protected)]
async fn rotate(mut session: Session<User>) -> Result<String, Error> {
    session.rotate_id().await?;
    Ok(session.name.clone())
}

#[session(protected)]
async fn rename(mut session: Session<User>, Form(form): Form<Login>) -> Result<String, Error> {
    session.update(|user| std::mem::replace(&mut user.name, form.name.clone())).await
}

/// The routes, for any state that has the sessions.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S>
where
    Sessions<User>: FromRef<S>,
{
    Router::new()
        .route("/", routing::get(home))
        .route("/me", routing::get(me))
        .route("/visit", routing::post(visit))
        .route("/look", routing::post(look))
        .route("/login", routing::post(login))
        .route("/logout", routing::post(logout))
        .route("/rotate", routing::post(rotate))
        .route("/rename", routing::post(rename))
}

/// The application on these sessions.
pub(crate) async fn serve_users(sessions: Sessions<User>) -> Served {
    serve(routes().with_state(sessions)).await
}

/// A client that has logged in under this name.
pub(crate) async fn logged_in(server: &Served, name: &str) -> Client {
    let client = server.client();
    let reply = client.post_form("/login", &[("name", name)]).await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    client
}

/// The token that a client holds.
pub(crate) fn token(client: &Client) -> String {
    client.cookie(COOKIE).expect("the client has a session's cookie")
}

/// Whether this token is a live session's.
pub(crate) async fn is_alive(server: &Served, token: &str) -> bool {
    let reply = send_with(server, Method::GET, "/me", &format!("{COOKIE}={token}")).await;
    assert!(reply.status == 200 || reply.status == 401, "{}", reply.text());
    reply.status == 200
}
