//! Generated code names nothing that a module can shadow.

#![allow(dead_code, unused_imports)]

mod core {}
mod std {}
mod session_runtime_types {}

struct Result;
struct Option;
struct String;
struct Vec;
struct Session;
struct Sessions;
struct Box;
trait Default {}
trait From {}
trait Into {}
trait Send {}
trait Sync {}

#[derive(::serde::Serialize, ::serde::Deserialize, ::session_runtime::SessionData)]
#[session(idle = "5m", cookie(name = "user"), missing = status(404))]
struct User {
    number: u32,
}

fn main() {
    let _ = User { number: 1 }.number;
}
