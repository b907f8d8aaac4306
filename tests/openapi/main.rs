//! Sessions in OpenAPI descriptions: what is described is what is answered.

#[path = "../../examples/openapi/api.rs"]
mod api;
mod clients;
mod composition;
mod environment;
mod truth;
