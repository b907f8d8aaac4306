//! Async guards and `missing` handlers, with a part of the state, with all of it, and without.
#![deny(warnings)]

use axum::{Router, extract::{FromRef, State}, http::{StatusCode, request::Parts}, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[derive(Clone)]
struct Pool;

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
    pool: Pool,
}

mod guards {
    use super::{App, Parts, Pool, StatusCode, User};

    pub(super) async fn of_a_part(user: &User, _: &Parts, _: &Pool) -> bool {
        user.name == "root"
    }

    pub(super) async fn of_all(_: &User, parts: &Parts, app: &App) -> Result<(), StatusCode> {
        let _ = &app.pool;
        if parts.uri.path() == "/" { Ok(()) } else { Err(StatusCode::NOT_FOUND) }
    }

    pub(super) async fn of_nothing(user: &User, _: &Parts) -> bool {
        user.name == "root"
    }
}

async fn sorry(_: State<Pool>) -> &'static str {
    "sorry"
}

#[session(protected, guard = async guards::of_a_part, missing = sorry, state = Pool)]
async fn part(user: &mut User) -> String {
    user.name.clone()
}

#[session(protected(User), guard = async guards::of_all, missing = sorry, state = App)]
async fn all() {}

#[session(protected, guard = async guards::of_nothing)]
async fn nothing<T: Send>(user: &User, _: State<Pool>) -> String {
    user.name.clone()
}

#[allow(dead_code)]
fn app(state: App) -> Router {
    Router::new().route("/", get(part).post(all).put(nothing::<u8>)).with_state(state)
}

fn main() {}
