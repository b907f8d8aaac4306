//! # The type
//!
//! Sessions are read by requests on any thread.
//!
//! Fix: hold nothing that is bound to a thread, such as `Rc`.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    #[serde(skip)]
    name: std::rc::Rc<String>,
}

fn main() {}
