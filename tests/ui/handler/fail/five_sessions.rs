//! # Session parameters
//!
//! One handler takes at most four session types.
//!
//! Fix: split the handler, or let a type hold what belongs together.

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, session};


#[session(protected(A, B, C, D, E))]
async fn many(one: &A, two: &B, three: &C, four: &D, five: &E) {
    let _ = (one, two, three, four, five);
}

macro_rules! sessions {
    ($($name:ident)*) => {$(
        #[derive(Serialize, Deserialize, SessionData)]
        struct $name;
    )*};
}

sessions!(A B C D E);

fn main() {}
