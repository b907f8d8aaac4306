//! # When a session ends
//!
//! The call is a task of its own, which moves between threads.
//!
//! Fix: let go of what isn't `Send` before the `.await`.

use serde::{Deserialize, Serialize};
use session_runtime::{EndReason, SessionData};

#[derive(Serialize, Deserialize, SessionData)]
#[session(on_end = ended)]
struct User {
    name: String,
}

async fn ended(user: User, _: EndReason) {
    let name = std::rc::Rc::new(user.name);
    std::future::ready(()).await;
    println!("{name}");
}

fn main() {}
