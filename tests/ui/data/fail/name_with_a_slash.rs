//! # The type
//!
//! The name is a part of keys in Redis and of a folder's path.
//!
//! Fix: use letters, digits, `-`, `_` and `.`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(name = "shop/user")]
struct User;

fn main() {}
