//! What a middleware holds by `&mut` while the rest of its request runs.
//!
//! A handler behind it that asks for the same session by `&mut` would wait for its own request, until `wait` is over. It is
//! refused at once, with the reason in the log.

use http::request::Parts;

use crate::backend::RecordKey;
use crate::sessions::{Core, TokenEntry};

/// In a request's extensions, once a middleware holds something.
#[derive(Clone, Default)]
struct Held(Vec<(Core, RecordKey)>);

/// Notes for what is behind in this request that the session is held.
pub(super) fn hold(parts: &mut Parts, core: &Core, entry: &TokenEntry) {
    parts.extensions.get_or_insert_default::<Held>().0.push((core.clone(), entry.key));
}

/// Whether a middleware of this request holds the session.
pub(super) fn is_held(parts: &Parts, core: &Core, entry: &TokenEntry) -> bool {
    let is_this = |(held, key): &(Core, RecordKey)| held.is(core) && *key == entry.key;
    parts.extensions.get::<Held>().is_some_and(|Held(all)| all.iter().any(is_this))
}
