//! What a middleware holds by `&mut` while the rest of its request runs.
//!
//! A handler behind it that asks for the same session by `&mut`, or changes it by `update`, would wait for its own request,
//! until `wait` is over. It is refused at once, with the reason in the log.

use std::sync::{Arc, Weak};

use http::request::Parts;

use crate::backend::RecordKey;
use crate::sessions::{Core, TokenEntry};

/// A session that a middleware holds, for as long as it does.
#[derive(Clone)]
struct HeldSession {
    core: Core,
    key: RecordKey,
    holder: Weak<()>,
}

/// In a request's extensions, once a middleware holds something.
#[derive(Clone, Default)]
struct Held(Vec<HeldSession>);

/// Notes for what is behind in this request that the session is held, until what this returns is dropped.
pub(super) fn hold(parts: &mut Parts, core: &Core, entry: &TokenEntry) -> Arc<()> {
    let holder = Arc::new(());
    let held = HeldSession { core: core.clone(), key: entry.key, holder: Arc::downgrade(&holder) };
    parts.extensions.get_or_insert_default::<Held>().0.push(held);
    holder
}

/// The middleware of this request that holds the session, if one does.
pub(super) fn holder(parts: &Parts, core: &Core, entry: &TokenEntry) -> Option<Weak<()>> {
    let Held(all) = parts.extensions.get()?;
    let held = all.iter().find(|held| held.core.is(core) && held.key == entry.key)?;
    Some(Weak::clone(&held.holder))
}
