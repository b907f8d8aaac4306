//! # The type
//!
//! A session type has one cookie and one place in the store, and each instance of a generic type would want its
//! own.
//!
//! Fix: write a type of its own around one instance.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;

#[derive(Serialize, Deserialize, SessionData)]
struct User<T> {
    data: T,
}

fn main() {}
