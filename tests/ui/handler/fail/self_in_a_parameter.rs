//! # The function
//!
//! Your function stands inside of what the attribute writes, where `Self` has no meaning.
//!
//! Fix: write the type's name.

use axum::extract::Path;
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

#[derive(Deserialize)]
struct Article {
    title: String,
}

impl Article {
    #[session(protected)]
    async fn show(user: &User, Path(article): Path<Self>) -> String {
        format!("{} for {}", article.title, user.name)
    }
}

fn main() {}
