//! # Several mistakes at once
//!
//! After a mistake the type is still a session, so that everything that uses it stays quiet.
//!
//! Fix: as the one message says.

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, OpenError, Session, SessionData, SessionSlot, Sessions, session};

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(idle = "30 minuets")]
struct User {
    name: String,
    visits: u32,
}

#[session(optional)]
async fn home(user: Option<&User>) -> String {
    user.map_or_else(String::new, |user| user.name.clone())
}

#[session(optional)]
async fn login(slot: SessionSlot<User>) -> Result<(), Error> {
    slot.start(User { name: "Ann".into(), visits: 0 }).await
}

#[session(protected, guard = |user| user.name != "Mallory", wait = "2s")]
async fn visit(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

#[session(protected)]
async fn logout(session: Session<User>) -> Result<(), Error> {
    session.end().await
}

async fn snapshot(user: User, other: Option<User>) -> String {
    other.unwrap_or(user).name
}

async fn app() -> Result<Router, OpenError> {
    let sessions: Sessions<User> = User::sessions().await?;
    let routes = Router::new().route("/", get(home).post(login).put(visit).delete(logout));
    Ok(routes.route("/snapshot", get(snapshot)).with_state(sessions))
}

fn main() {
    let _ = app();
}
