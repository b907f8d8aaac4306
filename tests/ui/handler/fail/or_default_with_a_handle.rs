//! # Access
//!
//! A session that has not been started yet has no handle.
//!
//! Fix: write `&Cart` or `&mut Cart`.

use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, session};


#[derive(Default, Serialize, Deserialize, SessionData)]
struct Cart {
    items: Vec<u64>,
}

#[session(or_default)]
async fn items(cart: Session<Cart>) -> String {
    cart.items.len().to_string()
}

fn main() {}
