//! A handler is generic over its state, which the compiler finds wherever axum takes a handler.
#![deny(warnings)]

use std::sync::Arc;

use axum::{
    Router,
    extract::FromRef,
    handler::Handler,
    routing::{MethodFilter, MethodRouter, any, get, get_service},
};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    visits: u32,
}

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
}

async fn sorry() {}

#[session(protected, guard = |user| user.visits > 1, missing = sorry)]
async fn home(user: &User) -> String {
    user.visits.to_string()
}

#[session(protected)]
async fn visit(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

#[session(optional)]
async fn anyone(user: Option<&User>) -> &'static str {
    if user.is_some() { "again" } else { "welcome" }
}

#[session(protected)]
async fn of<T: Send>(user: &User, _: T) -> String {
    user.visits.to_string()
}

fn app(app: App) -> Router {
    let service = get_service(visit.with_state(app.clone()));
    let routes: MethodRouter<App> = any(home).post(visit).on(MethodFilter::PUT, anyone);
    let named = home;
    Router::new()
        .route("/service", service)
        .route("/routes", routes)
        .route("/named", get(named).post(of::<String>))
        .fallback(anyone)
        .with_state(app)
}

fn part<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Sessions<User>: FromRef<S>,
{
    Router::new().route("/part", get(home).fallback(anyone)).method_not_allowed_fallback(visit)
}

fn routed<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    get(handler)
}

fn main() {
    let _: fn(App) -> Router = app;
    let _: fn(Sessions<User>) -> Router = |users| Router::new().route("/", routed(home)).merge(part()).with_state(users);
    let _: fn(Arc<App>) -> Router = |app| Router::new().route("/", routed(home)).nest("/a", part()).with_state(app);
}
