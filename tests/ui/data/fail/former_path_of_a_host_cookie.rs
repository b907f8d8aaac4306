//! # Cookies
//!
//! A cookie whose name begins with `__Host-` always has the path `/` and no domain.
//!
//! Fix: remove `former_path`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(former_path = "/app"))]
struct User;

fn main() {}
