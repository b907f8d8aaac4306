//! Sessions in OpenAPI descriptions made with [utoipa]: feature `utoipa`.
//!
//! A handler with `#[session(...)]` above its `#[utoipa::path(...)]` is described with the security requirement and the
//! answers that follow from its attribute. [`SessionData::openapi`](crate::SessionData::openapi) adds
//! the security schemes. [The guide](crate::guide::openapi) shows the whole.

pub use crate::describe::{Problem, mark_protected};
pub use crate::scheme::{SchemeConflict, SecuritySchemes};
