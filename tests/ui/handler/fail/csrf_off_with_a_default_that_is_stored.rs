//! # Options of the handler
//!
//! Browsers send no `Lax` cookie with a form of another site, so the handler sees a visitor without a session. `or_default`
//! would start one, and its cookie would replace that of the visitor's cart.
//!
//! Fix: remove `csrf = off`, or take `Option<&mut Cart>` under `optional`, which starts no session.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};

#[derive(Default, Serialize, Deserialize, SessionData)]
struct Cart {
    items: Vec<u64>,
}

#[session(or_default, csrf = off)]
async fn add(cart: &mut Cart) {
    cart.items.push(1);
}

fn main() {}
