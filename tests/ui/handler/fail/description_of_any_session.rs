//! # Descriptions
//!
//! One description is of one operation, and here the session's type is known only where the handler is routed.
//!
//! Fix: write a handler for each type, or remove `#[utoipa::path]`.

use session_runtime::{SessionData, session};

#[session(protected)]
#[utoipa::path(get, path = "/", responses((status = 200)))]
async fn home<T: SessionData>(user: &T) -> String {
    std::any::type_name_of_val(user).into()
}

fn main() {}
