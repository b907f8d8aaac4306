//! # Other sites
//!
//! A `Lax` cookie stays at home when another site sends a form, so the handler meets a visitor without a session.
//! `or_default` would start one, and its cookie would replace that of the cart which the visitor has.
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
