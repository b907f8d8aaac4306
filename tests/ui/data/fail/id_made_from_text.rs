//! # The type
//!
//! An id comes from the operating system's generator; nobody chooses one.
//!
//! Fix: take the handle from a session: `session.public_id()`.

use session_runtime::PublicId;

fn main() {
    let _: PublicId = "0123456789abcdef".into();
}
