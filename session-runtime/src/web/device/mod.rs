//! Device-bound sessions in axum: what a request presents of its device, and who is asked for more.

mod answer;
mod cookie;
mod route;

use std::time::Duration;

use axum::extract::OriginalUri;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::authorize::Absence;
use super::cookies;
use super::problem;
use crate::clock::Timestamp;
use crate::declaration::Transport;
use crate::error::Error;
use crate::record::SessionMeta;
use crate::session::TokenChange;
use crate::sessions::{Core, LoadedSession, Standing, TokenEntry};
use crate::telemetry;
use crate::token::DeviceClaims;

pub use self::route::DeviceBound;

/// Notes what a session says of its device, as it was read at this moment or later.
pub(super) fn note(core: &Core, session: &LoadedSession, at: Timestamp) {
    core.note_standing(&session.entry, &session.decoded.meta, at);
}

/// What a browser says where it could not prove a key, such as `server_error;session_identifier="..."`. It is the
/// client's word: it is told, and decides nothing.
const SKIPPED: HeaderName = HeaderName::from_static("secure-session-skipped");

pub(super) const REGISTRATION: HeaderName = HeaderName::from_static("secure-session-registration");

/// How many cookies of the device's name are looked at, as of the session's.
const COOKIES: usize = 8;

/// What a request presents of the device that its session may be bound to.
#[derive(Default)]
pub(super) struct Presented {
    /// A proof of this session's key, if one came.
    proof: Option<DeviceClaims>,
    /// Whether a cookie of the device's name came at all.
    came: bool,
    skipped: Option<HeaderValue>,
}

impl Presented {
    pub(super) fn of(core: &Core, entry: &TokenEntry, parts: &Parts) -> Self {
        let Some((_, cookie)) = core.device() else { return Self::default() };
        let values = cookies::all(&parts.headers, &cookie.name);
        let read = |value: &&[u8]| core.device_proof(std::str::from_utf8(value).ok()?);
        let proofs = values.iter().take(COOKIES).filter_map(read).filter(|proof| proof.session == entry.key);
        Self {
            proof: proofs.max_by_key(|proof| proof.issued),
            came: !values.is_empty(),
            skipped: parts.headers.get(SKIPPED).cloned(),
        }
    }

    /// Whether the session is to be looked at before it is used: one that turns out to be refused is not used.
    pub(super) fn is_doubtful(&self, core: &Core, entry: &TokenEntry) -> bool {
        core.is_doubtful(entry, self.proof.as_ref())
    }

    /// Whether the session may be used. Unlike [`absence`](Self::absence) it tells nobody.
    pub(super) fn admits(&self, core: &Core, entry: &TokenEntry, meta: &SessionMeta) -> bool {
        use Standing::{Grace, Proven, Required, Unbound, Unproven};
        match core.standing(&entry.key, meta, self.proof.as_ref()) {
            Unbound | Grace | Proven(_) => true,
            Unproven | Required => false,
        }
    }

    /// Why the session may not be used, if it may not.
    pub(super) fn absence(&self, core: &Core, entry: &TokenEntry, meta: &SessionMeta) -> Option<Absence> {
        let (absence, reason) = match core.standing(&entry.key, meta, self.proof.as_ref()) {
            Standing::Unbound | Standing::Grace | Standing::Proven(_) => return None,
            Standing::Unproven if self.came => (Absence::Unproven, "cookie"),
            Standing::Unproven => (Absence::Unproven, "no_cookie"),
            Standing::Required => (Absence::Unbound, "unbound"),
        };
        telemetry::device_unproven(core.session_type(), &entry.key, reason, &self.told());
        Some(absence)
    }

    /// Asks for a proof that is at most this old. A browser whose proof is older is sent back to the same page without its
    /// cookie: it proves its key, and repeats the request with its body.
    pub(super) fn recent(
        &self,
        core: &Core,
        entry: &TokenEntry,
        meta: &SessionMeta,
        age: Option<Duration>,
        parts: Option<&Parts>,
    ) -> Result<(), Response> {
        let (Some(age), Some((_, cookie))) = (age, core.device()) else { return Ok(()) };
        let refuse = |reason, response| {
            telemetry::device_unproven(core.session_type(), &entry.key, reason, &self.told());
            Err(response)
        };
        match core.standing(&entry.key, meta, self.proof.as_ref()) {
            Standing::Proven(at) if core.now().since(at) < age => Ok(()),
            Standing::Proven(_) => {
                let (Some(parts), Ok(removal)) = (parts, cookies::remove(cookie)) else {
                    return refuse("old", problem::unproven(StatusCode::UNAUTHORIZED, core));
                };
                telemetry::device_asked(core.session_type(), &entry.key);
                let headers = [(SET_COOKIE, removal), (CACHE_CONTROL, NO_STORE), (LOCATION, same_page(parts))];
                Err((StatusCode::TEMPORARY_REDIRECT, headers).into_response())
            }
            Standing::Grace | Standing::Unproven => {
                refuse("no_cookie", problem::unproven(StatusCode::UNAUTHORIZED, core))
            }
            Standing::Unbound | Standing::Required => refuse("unbound", problem::unbound(StatusCode::FORBIDDEN)),
        }
    }

    /// What the browser says of it, cut off.
    fn told(&self) -> String {
        let bytes = self.skipped.as_ref().map(HeaderValue::as_bytes).unwrap_or_default();
        bytes[..bytes.len().min(100)].escape_ascii().to_string()
    }
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The request's own page, as the client has asked for it.
fn same_page(parts: &Parts) -> HeaderValue {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
    let page = uri.path_and_query().map_or("/", |page| page.as_str());
    // Two slashes at the beginning would be another host.
    let page = format!("/{}", page.trim_start_matches('/'));
    HeaderValue::try_from(page).unwrap_or_else(|_| HeaderValue::from_static("/"))
}

/// Tells a browser beside a change of the session's cookie what to do with the device: to register one for a session that
/// has none, and to forget it when the session ends.
pub(super) fn announce(
    core: &Core,
    by: &Transport,
    change: &TokenChange,
    headers: &mut HeaderMap,
) -> Result<(), Error> {
    let Some((_, cookie)) = core.device().filter(|_| *by == Transport::Cookie) else { return Ok(()) };
    match change {
        TokenChange::Set { entry, bound: false, .. } => {
            if let Some((path, challenge)) = core.device_offer(entry) {
                // Both are the characters of a path and of base64.
                let offer = format!("(ES256);path=\"{path}\";challenge=\"{challenge}\"");
                headers.extend(HeaderValue::try_from(offer).ok().map(|offer| (REGISTRATION, offer)));
            }
        }
        TokenChange::Removed => cookies::append(headers, cookies::remove(cookie)?),
        TokenChange::Set { .. } | TokenChange::Unchanged => {}
    }
    Ok(())
}
