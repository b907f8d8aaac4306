//! Middleware: every way to take a session, with `Next` last.

use axum::{
    Router,
    extract::{FromRef, Json, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};

#[derive(Default, Serialize, Deserialize, SessionData)]
struct User {
    visits: u32,
}

#[derive(Serialize, Deserialize, SessionData)]
struct Cart {
    items: u32,
}

#[derive(Clone)]
struct Pool;

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
    carts: Sessions<Cart>,
    pool: Pool,
}

#[session(protected)]
async fn shared(_user: &User, request: Request, next: Next) -> Response {
    next.run(request).await
}

#[session(protected, wait = "1s", save = always)]
async fn exclusive(user: &mut User, request: Request, next: Next) -> Response {
    user.visits += 1;
    next.run(request).await
}

#[session(optional(User), protected(Cart))]
async fn several(
    State(_pool): State<Pool>,
    user: Option<Session<User>>,
    cart: &mut Cart,
    request: Request,
    next: axum::middleware::Next,
) -> Result<impl IntoResponse, Error> {
    cart.items += u32::from(user.is_some());
    Ok(next.run(request).await)
}

#[session(optional)]
async fn slot(slot: SessionSlot<User>, request: Request, mut next: Next) -> Result<Response, Error> {
    let _ = &mut next;
    slot.start(User::default()).await?;
    Ok(next.run(request).await)
}

#[session(protected(User), guard = async may_enter, state = Pool)]
async fn guarded(request: Request, next: Next) -> Response {
    next.run(request).await
}

async fn may_enter(user: &User, _: &axum::http::request::Parts, _: &Pool) -> bool {
    user.visits > 0
}

/// What takes the body may be something else than the request.
#[session(or_default)]
async fn replays(user: &mut User, Json(body): Json<u32>, next: Next) -> Response {
    user.visits += body;
    next.run(Request::default()).await
}

fn app(app: App) -> Router {
    Router::new()
        .route("/", get(async || "home"))
        .layer(from_fn_with_state(app.clone(), shared))
        .layer(from_fn_with_state(app.users.clone(), exclusive))
        .layer(from_fn_with_state(app.clone(), several))
        .layer(from_fn_with_state(app.clone(), slot))
        .layer(from_fn_with_state(app.clone(), guarded))
        .route_layer(from_fn_with_state(app.users.clone(), replays))
        .with_state(app)
}

fn main() {
    let _ = app;
}
