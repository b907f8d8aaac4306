//! Marked fields: beside names that mean something else, under the user's lints, through a macro, in a tuple.
#![forbid(unsafe_code)]
#![deny(warnings, future_incompatible, let_underscore, nonstandard_style, rust_2018_idioms, unused)]
#![deny(elided_lifetimes_in_paths, missing_debug_implementations, single_use_lifetimes, trivial_casts)]
#![deny(unused_qualifications, unused_results)]

mod shadowed {
    #![allow(non_camel_case_types, dead_code)]

    pub struct Result;
    pub struct Ok;
    pub struct Err;
    pub struct Debug;
    pub struct Formatter;
    pub struct Public;
    pub struct Flash;
    pub struct bool;
    pub mod core {}
    pub mod std {}

    #[derive(::serde::Serialize, ::serde::Deserialize, ::session_runtime::SessionData)]
    #[session(rotate_every = "15m")]
    pub struct User {
        pub name: ::std::string::String,
        #[session(privilege)]
        pub roles: ::std::vec::Vec<u8>,
        #[session(privilege, secret)]
        #[serde(rename = "t")]
        pub token: ::std::string::String,
        #[session(flash)]
        pub notice: ::std::option::Option<u8>,
        #[session(flash, secret)]
        pub r#type: ::std::vec::Vec<u8>,
    }
}

macro_rules! session {
    ($name:ident { $($field:ident: $ty:ty),* } $mark:ident $marked:ident: $of:ty) => {
        #[derive(serde::Serialize, serde::Deserialize, session_runtime::SessionData)]
        struct $name {
            $($field: $ty,)*
            #[session($mark)]
            $marked: $of,
        }
    };
}

session!(Known { name: String } secret pin: u32);
session!(Rich { name: String } privilege gold: bool);
session!(Told { name: String } flash notice: Vec<String>);

#[derive(serde::Serialize, serde::Deserialize, session_runtime::SessionData)]
struct Pair(#[session(privilege)] u8, #[session(secret)] u8, #[session(flash)] Option<u8>);

fn main() {
    use session_runtime::SessionData;

    let user = shadowed::User {
        name: "ann".into(),
        roles: vec![1],
        token: "hunter2".into(),
        notice: None,
        r#type: vec![7],
    };
    assert_eq!(
        format!("{user:?}"),
        r#"User { name: "ann", roles: [1], token: [redacted], notice: None, type: [redacted] }"#
    );
    assert_eq!(user.to_public().unwrap().to_string(), r#"{"name":"ann","notice":null,"roles":[1]}"#);
    assert_eq!(format!("{:?}", Pair(1, 2, None)), "Pair(1, [redacted], None)");
    assert_eq!(format!("{:?}", Known { name: "ann".into(), pin: 1234 }), r#"Known { name: "ann", pin: [redacted] }"#);
    drop((Rich { name: String::new(), gold: true }.gold, Told { name: String::new(), notice: Vec::new() }.notice));
}
