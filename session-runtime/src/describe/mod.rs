//! What a session adds to an operation of an OpenAPI description: its requirement and its answers.
//!
//! The macro says what a handler does with its sessions, as values ([`SessionUse`]); everything else depends on their
//! types, is decided here, when the description is made.

mod answers;
mod handler;
mod problem;
mod requirement;

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Components, HttpMethod, OpenApi};

#[cfg(feature = "device-bound")]
pub use self::handler::device_forbids;
pub use self::handler::{
    DescribedHandler, SessionUse, StandsAbovePath, forbids, function_forbids, methods, operation, path, schemas,
    stands_above_path, tags, unreachable,
};
pub use self::problem::Problem;
pub use self::requirement::{are_distinct, name_one_of};
use crate::scheme::DescribedSession;
use crate::sessions::SessionData;

/// Marks every operation of a description as one behind [`Sessions::protect`](crate::Sessions::protect): it adds the
/// requirement of `T`'s session, and the answers that the layer can give.
///
/// A status that is described already stays as it is. Call it on the description of the routes that are behind the layer,
/// before these are nested or merged into others.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use session_runtime::SessionData;
/// # #[derive(Serialize, Deserialize, SessionData)]
/// # struct User { name: String }
/// # use utoipa::OpenApi as _;
/// #[utoipa::path(get, path = "/report", responses((status = 200, body = String)))]
/// async fn report() -> String {
///     "all is well".into()
/// }
///
/// #[derive(utoipa::OpenApi)]
/// #[openapi(paths(report))]
/// struct Api;
///
/// let mut api = Api::openapi();
/// session_runtime::openapi::mark_protected::<User>(&mut api);
/// let report = api.paths.get_path_operation("/report", utoipa::openapi::HttpMethod::Get).unwrap();
/// assert!(report.security.is_some() && report.responses.responses.contains_key("401"));
/// ```
pub fn mark_protected<T: SessionData + DescribedSession>(api: &mut OpenApi) {
    let uses = [SessionUse::protected::<T>()];
    for item in api.paths.paths.values_mut() {
        for (method, operation) in operations(item) {
            requirement::require_also(operation, &uses[0]);
            answers::add(operation, &uses, &[method]);
        }
    }
    let components = api.components.get_or_insert_with(Components::new);
    components.schemas.insert(problem::NAME.into(), problem::schema());
}

/// The operations of a path, each with its method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
    let all = [
        (HttpMethod::Get, get),
        (HttpMethod::Put, put),
        (HttpMethod::Post, post),
        (HttpMethod::Delete, delete),
        (HttpMethod::Options, options),
        (HttpMethod::Head, head),
        (HttpMethod::Patch, patch),
        (HttpMethod::Trace, trace),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
