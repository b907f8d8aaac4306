//! Handlers, types and guards may come through a macro, and through a function of any type.

use std::borrow::Cow;

use axum::{
    Router,
    extract::{Extension, FromRequestParts},
    http::HeaderMap,
    routing::get,
};
use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, Sessions, session};

#[derive(Clone, Default, Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

mod types {
    pub type Name = super::User;
}

macro_rules! handlers {
    ($($name:ident $word:ident $ty:ty, $guard:expr, $wait:literal;)*) => {$(
        #[session($word($ty), guard = $guard, wait = $wait)]
        async fn $name(user: &mut $ty, _: HeaderMap) -> String {
            user.name.push('!');
            user.name.clone()
        }
    )*};
}

handlers! {
    first protected User, |user| user.name.len() < 9, "1s";
    second protected crate::User, guards::short, "2s";
    third protected types::Name, guards::allowed::<5>, "3s";
}

mod guards {
    use axum::http::StatusCode;

    pub fn short(user: &super::User) -> bool {
        user.name.len() < 9
    }

    pub fn allowed<const N: usize>(user: &super::User) -> Result<(), StatusCode> {
        if user.name.len() < N { Ok(()) } else { Err(StatusCode::PAYLOAD_TOO_LARGE) }
    }
}

#[session(protected)]
async fn generic<'a, T, const N: usize>(user: &'a User, _: T) -> String
where
    T: FromRequestParts<Sessions<User>> + Send,
{
    user.name.repeat(N)
}

// Without its type written out, axum can't route it either.
#[session(protected)]
#[allow(dead_code)]
async fn implicit(mut session: Session<User>, _: impl FromRequestParts<Sessions<User>> + Send) -> Result<(), session_runtime::Error> {
    session.update(|User { name }| name.clear()).await?;
    session.rotate_id().await
}

#[derive(Clone)]
struct Text<'t>(Cow<'t, str>);

#[session(protected)]
async fn of_a_lifetime<'t>(user: &User, Extension(Text(text)): Extension<Text<'t>>) -> String {
    format!("{} {text}", user.name)
}

#[session(protected)]
async fn of_a_lifetime_without_a_name(user: &User, Extension(Text(text)): Extension<Text<'_>>) -> String {
    format!("{} {text}", user.name)
}

#[session(protected)]
async fn patterns(&User { ref name }: &User, (_, headers): (HeaderMap, HeaderMap)) -> String {
    format!("{name} {}", headers.len())
}

fn main() {
    let _: fn(Sessions<User>) -> Router = |sessions| {
        let macros = get(first).post(second).put(third);
        let others = get(generic::<HeaderMap, 3>).put(patterns).post(of_a_lifetime).delete(of_a_lifetime_without_a_name);
        Router::new().route("/1", macros).route("/2", others).with_state(sessions)
    };
}
