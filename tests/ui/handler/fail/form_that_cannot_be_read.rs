//! # Extractors and responses
//!
//! What a form, a query, a path or a JSON body holds is read by serde.
//!
//! Fix: derive `serde::Deserialize` for it.

use axum::Form;
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
    visits: u32,
}

struct Rename {
    name: String,
}

#[session(protected)]
async fn rename(user: &mut User, Form(form): Form<Rename>) -> &'static str {
    user.name = form.name;
    "renamed"
}

fn main() {}
