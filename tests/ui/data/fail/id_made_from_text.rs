//! # What a session can be
//!
//! An id comes from the operating system's generator; nobody chooses one.
//!
//! Fix: take the handle from a session: `session.id()`.

use session_runtime::Handle;

fn main() {
    let _: Handle = "0123456789abcdef".into();
}
