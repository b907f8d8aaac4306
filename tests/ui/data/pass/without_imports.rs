//! The derive works where nothing is imported.

#[derive(::serde::Serialize, ::serde::Deserialize, ::session_runtime::SessionData)]
#[session(idle = "10m", missing = status(404))]
#[serde(crate = "::serde")]
struct User {
    name: ::std::string::String,
}

fn main() {}
