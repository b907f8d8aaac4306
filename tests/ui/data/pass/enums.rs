//! A session may be one of several things.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
enum Visitor {
    Guest,
    Member { name: String },
    Admin(String, u8),
}

fn main() {
    let visitors = [Visitor::Guest, Visitor::Member { name: String::new() }, Visitor::Admin(String::new(), 1)];
    for visitor in visitors {
        match visitor {
            Visitor::Guest => {}
            Visitor::Member { name } | Visitor::Admin(name, _) => drop(name),
        }
    }
    let _ = Visitor::sessions();
}
