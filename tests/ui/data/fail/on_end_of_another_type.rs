//! # When a session ends
//!
//! `on_end` is given the data of the type that it stands on.
//!
//! Fix: take that type.

use serde::{Deserialize, Serialize};
use session_runtime::{EndReason, SessionData};

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = ended)]
struct User {
    name: String,
}

struct Cart;

async fn ended(_: Cart, _: EndReason) {}

fn main() {}
