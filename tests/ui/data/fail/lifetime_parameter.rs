//! # The type
//!
//! A session outlives every request, so it can't borrow from one.
//!
//! Fix: own the data: `String` instead of `&str`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User<'a> {
    name: &'a str,
}

fn main() {}
