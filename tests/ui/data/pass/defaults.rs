//! No attribute at all is enough.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User {
    name: String,
}

fn main() {
    let user = User { name: "ann".into() };
    let _ = (user.name, User::sessions());
}
