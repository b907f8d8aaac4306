//! What each type of this process is known as: no two types accept each other's tokens unless both say so.
//!
//! Keys, records' names, prefixes and folders are made from a type's identity and its cookie's name, the purpose. Two
//! types of one purpose would read each other's sessions: a customer's cookie would open what is for the staff. By
//! default the identity has the package, the crate, the modules and the type's name in it. Two types still meet where
//! they are declared inside of functions, or where one states the other's identity as its `name`.
//!
//! The registry is the process's and never forgets: whether a second type is refused does not depend on whether the
//! sessions of the first are still open.

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use session_rules::cookie::Cookie;

use crate::error::OpenError;
use crate::telemetry;

/// A type that is opened.
#[derive(Clone, Copy)]
pub(super) struct Claimant {
    id: TypeId,
    /// Its path, for messages.
    path: &'static str,
    /// Whether it states its `name`.
    named: bool,
}

impl Claimant {
    pub(super) fn of<T: 'static>(named: bool) -> Self {
        Self { id: TypeId::of::<T>(), path: type_name::<T>(), named }
    }
}

/// What is claimed, and by whom first.
type Claims<K> = Mutex<Option<HashMap<K, Claimant>>>;

static PURPOSES: Claims<String> = Mutex::new(None);
/// Cookies by name, path and domain: what browsers tell them apart by.
static COOKIES: Claims<(String, String, Option<String>)> = Mutex::new(None);

/// Whose it is, if it is another type's.
fn claim<K: Eq + Hash>(claims: &Claims<K>, key: K, claimant: &Claimant) -> Option<Claimant> {
    // Nothing can panic under the lock, so it is whole.
    let mut claims = claims.lock().unwrap_or_else(PoisonError::into_inner);
    match claims.get_or_insert_default().entry(key) {
        Entry::Vacant(free) => {
            free.insert(*claimant);
            None
        }
        Entry::Occupied(taken) => Some(*taken.get()).filter(|first| first.id != claimant.id),
    }
}

/// Opens a purpose for a type. `cookies` are those that its tokens travel in, if they do.
///
/// # Errors
/// Another type of this process has the purpose, and not both state their `name`.
pub(super) fn claim_purpose<'a>(
    claimant: &Claimant,
    purpose: &str,
    cookies: impl IntoIterator<Item = &'a Cookie>,
) -> Result<(), OpenError> {
    if let Some(first) = claim(&PURPOSES, purpose.to_owned(), claimant) {
        if first.named && claimant.named {
            return Ok(());
        }
        let why = format!(
            "is missing: `{}` and `{}` have the same identity, so each would accept the other's sessions; write \
             `#[session(name = \"...\")]` with a name of its own on one of them, or with one name on both if they are \
             to share sessions",
            first.path, claimant.path
        );
        return Err(OpenError::option("name", None, why));
    }
    for Cookie { name, path, domain, .. } in cookies {
        if let Some(first) = claim(&COOKIES, (name.clone(), path.clone(), domain.clone()), claimant) {
            telemetry::cookie_shared(name, first.path, claimant.path);
        }
    }
    Ok(())
}
