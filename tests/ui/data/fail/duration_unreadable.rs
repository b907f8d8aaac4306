//! # Timeouts
//!
//! A duration is a number with a unit.
//!
//! Fix: write `"90s"`, `"30m"`, `"12h"` or `"14d"`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "30 minuets")]
struct User {
    name: String,
}

fn main() {}
