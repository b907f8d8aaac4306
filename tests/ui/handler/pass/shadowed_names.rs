//! The attribute means the names of the standard library, whatever the user's mean.
#![allow(non_camel_case_types, non_upper_case_globals, dead_code)]

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
    pub struct bool;
    pub struct u64;
    pub mod core {}
    pub mod std {}
    pub mod axum {}
    pub mod session_runtime {}
    pub mod session {}
    pub struct handler;
    pub struct sessions;
    pub struct answer;
    pub struct leases;
    pub struct refusal;
    pub struct data;

    #[derive(::core::default::Default, ::serde::Serialize, ::serde::Deserialize, ::session_runtime::SessionData)]
    pub struct Spec {
        visits: ::core::primitive::u32,
    }

    #[derive(::core::default::Default, ::serde::Serialize, ::serde::Deserialize, ::session_runtime::SessionData)]
    pub struct Access;

    #[::session_runtime::session(
        protected(Spec),
        or_default(Access),
        guard = |data| data.visits < 9,
        wait = "1s",
        missing = stranger
    )]
    pub async fn visit(spec: &mut Spec, access: &mut Access, uri: ::axum::http::Uri) -> &'static str {
        let _ = (access, uri);
        spec.visits += 1;
        "visited"
    }

    #[::session_runtime::session(optional)]
    pub async fn option(spec: Option<&Spec>) -> &'static str {
        if spec.is_some() { "again" } else { "welcome" }
    }

    pub type Option<T> = ::core::option::Option<T>;

    async fn stranger() {}
}

fn main() {}
