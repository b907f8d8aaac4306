//! # The type
//!
//! A record's key is the hash of an id; nobody chooses one, so nothing from a request reaches a store as it is.
//!
//! Fix: use the key that the runtime gives to a backend.

use session_runtime::backend::RecordKey;

fn main() {
    let _: RecordKey = "../../etc/passwd".into();
}
