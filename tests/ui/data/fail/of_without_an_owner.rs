//! # Owners and limits
//!
//! Sessions are listed and ended by their owner, so a field has to say who that is.
//!
//! Fix: mark the field with `#[session(owner)]`.

use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, Sessions};

#[derive(Serialize, Deserialize, SessionData)]
struct Cart {
    id: u64,
}

async fn end(carts: Sessions<Cart>) -> Result<usize, Error> {
    carts.of(&7_u64).end_all().await
}

fn main() {}
