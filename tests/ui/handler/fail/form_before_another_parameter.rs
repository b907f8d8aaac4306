//! # Extractors and responses
//!
//! A request has one body, which is read after everything else.
//!
//! Fix: move the parameter to the end.

use axum::Form;
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

#[derive(Deserialize)]
struct Rename {
    name: String,
}

#[session(protected)]
async fn rename(Form(form): Form<Rename>, user: &mut User) -> &'static str {
    user.name = form.name;
    "renamed"
}

fn main() {}
