//! # Device-bound sessions
//!
//! Browsers refuse to bind a partitioned cookie.
//!
//! Fix: remove `partitioned`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, cookie(partitioned))]
struct User {
    name: String,
}

fn main() {}
