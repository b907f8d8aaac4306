//! # Guards
//!
//! What `state` names is taken from the router's state, by `Pool: FromRef<State>`.
//!
//! Fix: add a field of type `Pool` to the state.

use axum::{Router, extract::FromRef, http::request::Parts, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Clone)]
struct Pool;

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
}

#[session(protected, guard = async may_enter, state = Pool)]
async fn home(user: &User) -> String {
    user.name.clone()
}

async fn may_enter(user: &User, _: &Parts, _: &Pool) -> bool {
    user.name == "root"
}

fn app(state: App) -> Router {
    Router::new().route("/", get(home)).with_state(state)
}

fn main() {}
