//! The derive means the names of the standard library, whatever the user's mean.
#![allow(non_camel_case_types, non_upper_case_globals, dead_code, unused_macros)]

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
    pub struct u64;
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
    pub struct SessionData;
    pub struct Parts;
    pub struct Response;
    pub struct Rejection;

    // A constant takes a binding's place where hygiene doesn't.
    pub const config: () = ();
    pub const scope: () = ();
    pub const parts: () = ();
    pub const state: () = ();
    pub const version: () = ();
    pub const data: () = ();

    macro_rules! env {
        () => {};
    }
    macro_rules! assert {
        () => {};
    }

    #[derive(::session_runtime::SessionData)]
    #[session(
        backend = redis(url = env("REDIS_URL"), prefix = "shop"),
        key = env("SESSION_KEYS"),
        cookie(name = "user", secure = env("SECURE", default = true)),
        idle = "10m",
        lifetime = "1h",
        missing = anonymous,
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

    #[derive(::session_runtime::SessionData)]
    pub struct Old;

    impl ::core::convert::From<Old> for User {
        fn from(_: Old) -> Self {
            Self::Backend
        }
    }

    async fn anonymous() {}

    async fn verify(_: &User, _: &::axum::http::request::Parts) -> ::core::primitive::bool {
        true
    }

    fn validate(_: &User) -> ::core::result::Result<(), ::session_runtime::Invalid> {
        ::core::result::Result::Ok(())
    }
}

// Beside those names, because serde's own derive doesn't mean the standard library's among them.
mod serialized {
    use super::names::{Old, User};

    macro_rules! as_nothing {
        ($($name:ident, $value:expr;)*) => {$(
            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_unit()
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    <()>::deserialize(deserializer).map(|()| $value)
                }
            }
        )*};
    }

    as_nothing! {
        Old, Old;
        User, User::Backend;
    }
}

fn main() {}
