//! What is known of axum's extractors is not held against others of their names, or of any state.
#![allow(dead_code)]

use std::convert::Infallible;

use axum::{
    Router,
    body::Bytes,
    extract::{Extension, FromRef, FromRequest, FromRequestParts, Query, Request, State},
    http::{HeaderMap, Method, Uri, request::Parts},
    middleware::Next,
    response::Response,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};

#[derive(Clone, Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[derive(Clone, Serialize, Deserialize, SessionData)]
struct Cart;

#[derive(Clone)]
struct Pool;

#[derive(Clone)]
struct Config;

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
    carts: Sessions<Cart>,
    pool: Pool,
    config: Config,
}

/// An extractor of one state alone.
struct OfTheApp;

impl FromRequestParts<App> for OfTheApp {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

/// An extractor of any state that has a pool.
struct OfAPool;

impl<S: Send + Sync> FromRequestParts<S> for OfAPool
where
    Pool: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

/// Namesakes of axum's, which read no body and need a state.
mod namesakes {
    use super::{App, FromRequestParts, Infallible, Parts};

    pub struct Json<T>(pub T);
    pub struct Form;
    pub struct Path<T>(pub T);
    pub struct Bytes;
    #[allow(non_camel_case_types)]
    pub struct u64;

    macro_rules! extractors {
        ($($name:ty),*) => {$(
            impl FromRequestParts<App> for $name {
                type Rejection = Infallible;

                async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, Infallible> {
                    // Nobody asks: that it compiles is what is shown.
                    ::std::future::pending().await
                }
            }
        )*};
    }

    extractors!(Json<fn()>, Form, Path<fn()>, Bytes, u64);
}

/// A body of the user's own.
struct Body;

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Infallible;

    async fn from_request(_: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[session(protected)]
async fn own(user: &User, _: OfTheApp, _: OfAPool, _: State<Pool>, State(_): State<Config>, _: Body) -> String {
    user.name.clone()
}

#[session(protected)]
async fn named_alike(
    _: namesakes::Json<fn()>,
    _: namesakes::Form,
    user: &User,
    _: namesakes::Path<fn()>,
    _: namesakes::Bytes,
    _: namesakes::u64,
    _: Method,
) -> String {
    user.name.clone()
}

#[session(protected)]
async fn axums(
    _: Uri,
    user: &User,
    _: HeaderMap,
    _: Query<Vec<(String, String)>>,
    _: Option<axum::extract::Path<u64>>,
    _: Result<Extension<Pool>, axum::extract::rejection::ExtensionRejection>,
    cart: &Cart,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> String {
    let _ = cart;
    format!("{} {}", user.name, body.is_ok())
}

#[session(protected)]
async fn copy_of_another(user: &User, cart: Cart, maybe: Option<Cart>) -> String {
    let _ = (cart, maybe);
    user.name.clone()
}

async fn middleware(user: Option<User>, request: Request, next: Next) -> Response {
    let _ = user;
    next.run(request).await
}

fn app(app: App) -> Router {
    let guarded = axum::middleware::from_fn_with_state(app.clone(), middleware);
    Router::new()
        .route("/own", post(own))
        .route("/alike", get(named_alike))
        .route("/axums", post(axums))
        .route("/copy", get(copy_of_another))
        .layer(guarded)
        .with_state(app)
}

fn main() {
    let _ = app;
}
