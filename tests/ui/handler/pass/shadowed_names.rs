//! The attribute means the names of the standard library, whatever the user's mean.
#![allow(non_camel_case_types, non_upper_case_globals, dead_code)]

use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, SessionSlot};

#[derive(Default, Serialize, Deserialize, SessionData)]
pub struct Spec {
    visits: u32,
}

#[derive(Default, Serialize, Deserialize, SessionData)]
pub struct Access;

mod names {
    pub struct Result;
    pub struct String;
    pub struct Vec;
    pub struct Box;
    pub struct Ok;
    pub struct Err;
    pub struct Some;
    pub struct None;
    pub struct Default;
    pub struct Send;
    pub struct Sync;
    pub struct Future;
    pub struct Duration;
    pub struct Response;
    pub struct IntoResponse;
    pub struct Sessions;
    pub struct bool;
    pub struct u64;
    pub struct str;
    pub mod core {}
    pub mod std {}
    pub mod axum {}
    pub mod session_runtime {}
    pub mod session {}

    // A constant or a unit struct takes a binding's place where hygiene doesn't.
    pub struct handler;
    pub struct sessions;
    pub const answer: () = ();
    pub const leases: () = ();
    pub static refusal: () = ();
    pub static data: () = ();

    use super::{Access, Spec};

    #[::session_runtime::session(
        protected(Spec),
        or_default(Access),
        guard = |it| it.visits < 9,
        wait = "1s",
        missing = anonymous
    )]
    pub async fn visit(
        spec: &mut Spec,
        access: &mut Access,
        uri: ::axum::http::Uri,
    ) -> (::axum::http::StatusCode, &'static ::core::primitive::str) {
        let _ = (access, uri);
        spec.visits += 1;
        (::axum::http::StatusCode::OK, "visited")
    }

    #[::session_runtime::session(optional)]
    pub async fn option(spec: Option<&Spec>) -> &'static ::core::primitive::str {
        if spec.is_some() { "again" } else { "welcome" }
    }

    // The macro reads `Option` by its name, as a reader does.
    pub type Option<T> = ::core::option::Option<T>;

    async fn anonymous() {}
}

/// A user's own `Session` is no session: only the runtime's has a meaning, under a path or a name.
mod own {
    pub struct Session;

    impl<S: Sync> axum::extract::FromRequestParts<S> for Session {
        type Rejection = std::convert::Infallible;

        async fn from_request_parts(_: &mut axum::http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
            Ok(Self)
        }
    }

    #[session_runtime::session(protected)]
    pub async fn beside(_: session_runtime::Session<super::Spec>, _: Session) {}
}

/// A user's own `Session` may be what a session holds.
mod lent {
    #[derive(serde::Serialize, serde::Deserialize, session_runtime::SessionData)]
    pub struct Session {
        visits: u32,
    }

    #[session_runtime::session(protected)]
    pub async fn visit(session: &mut Session) {
        session.visits += 1;
    }
}

#[session_runtime::session(optional)]
async fn imported(slot: SessionSlot<Spec>, _: Option<Session<Access>>) {
    drop(slot);
}

fn main() {
    let _: fn(App) -> axum::Router = |app| {
        let one = axum::routing::get(names::visit).post(names::option).put(own::beside).delete(imported).patch(lent::visit);
        axum::Router::new().route("/", one).with_state(app)
    };
}

#[derive(Clone, axum::extract::FromRef)]
struct App {
    sessions: session_runtime::Sessions<lent::Session>,
    specs: session_runtime::Sessions<Spec>,
    accesses: session_runtime::Sessions<Access>,
}
