//! # Access
//!
//! With `or_default` there always is a session, if need be with the default.
//!
//! Fix: write `&Cart` or `&mut Cart`, or `optional` instead.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};


#[derive(Default, Serialize, Deserialize, SessionData)]
struct Cart {
    items: Vec<u64>,
}

#[session(or_default)]
async fn items(cart: Option<&Cart>) -> String {
    cart.map_or(0, |cart| cart.items.len()).to_string()
}

fn main() {}
