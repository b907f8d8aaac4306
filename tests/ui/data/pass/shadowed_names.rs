//! The derive means the names of the standard library, whatever the user's mean.
#![allow(non_camel_case_types, dead_code, unused_macros)]

mod names {
    pub struct Result;
    pub struct Option;
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
    pub struct Sized;
    pub struct Future;
    pub struct Into;
    pub struct From;
    pub struct bool;
    pub struct u8;
    pub struct u32;
    pub struct str;
    pub mod core {}
    pub mod std {}
    pub mod serde {}
    pub mod axum {}
    pub mod session_runtime {}
    pub mod backend {}
    pub struct Backend;
    pub struct Sessions;
    pub struct Session;
    pub struct Parts;
    pub struct Response;

    macro_rules! env {
        () => {};
    }
    macro_rules! assert {
        () => {};
    }

    #[derive(::serde::Serialize, ::serde::Deserialize, ::session_runtime::SessionData)]
    #[session(
        backend = redis(url = env("REDIS_URL")),
        key = env("SESSION_KEYS"),
        missing = stranger,
        verify = verify,
        validate = validate,
        version = 2,
        from = Old
    )]
    pub enum User {
        Backend,
        Config,
        Rejection,
        Data,
    }

    #[derive(::serde::Serialize, ::serde::Deserialize, ::session_runtime::SessionData)]
    pub struct Old;

    impl ::core::convert::From<Old> for User {
        fn from(_: Old) -> Self {
            Self::Backend
        }
    }

    async fn stranger() {}

    async fn verify(_: &User, _: &::axum::http::request::Parts) -> ::core::primitive::bool {
        true
    }

    fn validate(_: &User) -> ::core::result::Result<(), ::session_runtime::Invalid> {
        ::core::result::Result::Ok(())
    }
}

fn main() {}
