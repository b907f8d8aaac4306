//! What is told of sessions' lives: events and spans of `tracing`, and counters and histograms of `metrics` where that feature is on.
//!
//! Each goes through a function here, so that its name, its level and its fields are said once. A session is named by a
//! hash of what the store calls it; the hash is made only where somebody listens. `docs/observability.md` of this crate lists
//! all of it, and a test holds the two together.

use std::fmt;
use std::net::IpAddr;

use tracing::Span;

use crate::error::{BackendError, Error};
use crate::id::RecordKey;

/// The name of a session type: the label of every counter.
pub(crate) type Type = &'static str;

#[cfg_attr(not(any(feature = "admin", feature = "metrics")), expect(unused_variables))]
fn count(counter: &'static str, session_type: Type) {
    #[cfg(feature = "admin")]
    crate::activity::note(session_type, counter, None);
    #[cfg(feature = "metrics")]
    metrics::counter!(counter, "session_type" => session_type).increment(1);
}

#[cfg_attr(not(any(feature = "admin", feature = "metrics")), expect(unused_variables))]
fn count_by(counter: &'static str, session_type: Type, reason: &'static str) {
    #[cfg(feature = "admin")]
    crate::activity::note(session_type, counter, Some(reason));
    #[cfg(feature = "metrics")]
    metrics::counter!(counter, "session_type" => session_type, "reason" => reason).increment(1);
}

/// Makes every counter of a type known while it is zero: who alerts on an increase would not see the first one otherwise.
#[cfg(feature = "metrics")]
pub(crate) fn opened(session_type: Type) {
    for counter in COUNTERS {
        let _ = metrics::counter!(*counter, "session_type" => session_type);
    }
    for (counter, reasons) in COUNTERS_BY_REASON {
        for reason in *reasons {
            let _ = metrics::counter!(*counter, "session_type" => session_type, "reason" => *reason);
        }
    }
}

#[cfg(not(feature = "metrics"))]
pub(crate) fn opened(_: Type) {}

#[cfg(feature = "metrics")]
const COUNTERS: &[&str] = &[
    "session_started_total",
    "session_loaded_total",
    "session_rotated_total",
    "session_ended_total",
    "session_expired_total",
    "session_absent_total",
    "session_forged_total",
    "session_replayed_total",
    "session_conflict_total",
    "session_owner_changed_total",
    "session_not_read_back_total",
    "session_owner_unreadable_total",
    "session_relisted_total",
    "session_lease_lost_total",
    "session_not_resealed_total",
    "session_backend_down_total",
    "session_end_hook_failed_total",
    #[cfg(feature = "device-bound")]
    "session_device_bound_total",
    #[cfg(feature = "device-bound")]
    "session_device_proven_total",
    #[cfg(feature = "device-bound")]
    "session_device_asked_total",
];

#[cfg(feature = "metrics")]
const COUNTERS_BY_REASON: &[(&str, &[&str])] = &[
    ("session_refused_total", &["token", "stale", "replaced", "ambiguous", "cross_site", "verify", "not_fresh"]),
    ("session_unreadable_total", &["format", "type", "seal", "data", "version", "invalid"]),
    #[cfg(feature = "device-bound")]
    ("session_device_unproven_total", &["cookie", "no_cookie", "old", "unbound"]),
    #[cfg(feature = "device-bound")]
    ("session_device_refused_total", &["malformed", "signature", "challenge", "taken", "session"]),
];

/// A session by its public id, which is worked out when it is written. With the feature `log` of `tracing`, which `sqlx`
/// turns on, fields are collected where nobody listens, too.
struct Named<'a>(&'a RecordKey);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.public_id().fmt(f)
    }
}

/// Pages at a loopback host get the cookie without `Secure`.
pub(crate) fn http_on_localhost(session_type: Type) {
    event!(
        warn,
        "session.http_on_localhost",
        session_type,
        "pages at localhost get the cookie without Secure; leave `http_on_localhost` off in production"
    );
}

pub(crate) fn started(session_type: Type, key: &RecordKey) {
    event!(info, "session.started", session_type, session = %Named(key), "a session started");
    count("session_started_total", session_type);
}

pub(crate) fn loaded(session_type: Type, key: &RecordKey) {
    event!(debug, "session.loaded", session_type, session = %Named(key), "a session was loaded");
    count("session_loaded_total", session_type);
}

pub(crate) fn rotated(session_type: Type, key: &RecordKey) {
    event!(info, "session.rotated", session_type, session = %Named(key), "a session was rotated");
    count("session_rotated_total", session_type);
}

pub(crate) fn ended(session_type: Type, key: &RecordKey) {
    event!(info, "session.ended", session_type, session = %Named(key), "a session ended");
    count("session_ended_total", session_type);
}

/// A type's `on_end` was called for a session that has ended, or should have been, and did not do what it should.
pub(crate) fn end_hook_failed(session_type: Type, key: &RecordKey, reason: &'static str, error: &str) {
    event!(error, "session.end_hook_failed", session_type, session = %Named(key), reason, error, "the `on_end` of a session failed");
    count("session_end_hook_failed_total", session_type);
}

pub(crate) fn expired(session_type: Type, key: &RecordKey) {
    event!(debug, "session.expired", session_type, session = %Named(key), "the session has expired");
    count("session_expired_total", session_type);
}

/// The store has no such session: it has ended, or has timed out and was removed.
pub(crate) fn absent(session_type: Type, key: &RecordKey) {
    event!(debug, "session.absent", session_type, session = %Named(key), "there is no such session any more");
    count("session_absent_total", session_type);
}

/// Why a request's session was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The token is not of our making.
    Token,
    /// The token is ours, and too old or of the future.
    Stale,
    /// The token is from before a rotation.
    Replaced,
    /// There are several tokens.
    Ambiguous,
    /// `verify` said no.
    Verify,
    /// The handler wants a fresher proof of who this is.
    NotFresh,
}

impl Refusal {
    fn reason(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Stale => "stale",
            Self::Replaced => "replaced",
            Self::Ambiguous => "ambiguous",
            Self::Verify => "verify",
            Self::NotFresh => "not_fresh",
        }
    }
}

pub(crate) fn refused(session_type: Type, refusal: Refusal) {
    let reason = refusal.reason();
    match refusal {
        Refusal::Verify | Refusal::NotFresh => {
            event!(info, "session.refused", session_type, reason, "a request was refused");
        }
        Refusal::Token | Refusal::Stale | Refusal::Replaced | Refusal::Ambiguous => {
            event!(debug, "session.refused", session_type, reason, "a token was refused");
        }
    }
    count_by("session_refused_total", session_type, reason);
}

/// Another site may have made a request: what its `Origin` was compared with, and what the browser said of the two.
pub(crate) fn cross_site(session_type: Type, origin: &str, host: &str, fetch_site: &str) {
    let reason = "cross_site";
    event!(info, "session.refused", session_type, reason, origin, host, fetch_site, "{CROSS_SITE}");
    count_by("session_refused_total", session_type, reason);
}

const CROSS_SITE: &str = "a request of another site was refused; if its page may make it, name its origin in \
                          `trusted_origins`; if it is this application's own page, and a proxy changes `Host`, name it \
                          in `public_origin`";

/// A browser kept the session's cookie back from another site's request, so no session was started in the place of the
/// one that the browser may have.
pub(crate) fn cookie_withheld(session_type: Type) {
    event!(
        info,
        "session.cookie_withheld",
        session_type,
        "the browser keeps the cookie back from a request of another site: no session is started over the one it may have"
    );
}

/// Two types of this process use one cookie: each login takes the other's session away, where both serve one host.
pub(crate) fn cookie_shared(cookie: &str, first: &str, second: &str) {
    event!(warn, "session.cookie_shared", cookie, first, second, "two session types use one cookie");
}

/// A client sends several cookies of the session's name, of which `verified` hold a token that may be used.
pub(crate) fn duplicate_cookies(session_type: Type, cookie: &str, count: usize, verified: usize) {
    event!(
        warn,
        "session.duplicate_cookies",
        session_type,
        cookie,
        count,
        verified,
        "a client sends several cookies of the session's name"
    );
}

/// One client has sent as many forged tokens as the threshold says.
pub(crate) fn forged(session_type: Type, client: Option<IpAddr>, tokens: u32) {
    struct Client(Option<IpAddr>);
    impl fmt::Display for Client {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {
                Some(address) => address.fmt(f),
                None => f.write_str("unknown"),
            }
        }
    }
    event!(warn, "session.forged", session_type, client = %Client(client), tokens, "a client keeps sending forged tokens");
    count("session_forged_total", session_type);
}

/// A device registered a key, and the session is bound to it.
#[cfg(feature = "device-bound")]
pub(crate) fn device_bound(session_type: Type, key: &RecordKey) {
    event!(info, "session.device_bound", session_type, session = %Named(key), "a session was bound to a device");
    count("session_device_bound_total", session_type);
}

/// A device proved its key.
#[cfg(feature = "device-bound")]
pub(crate) fn device_proven(session_type: Type, key: &RecordKey) {
    event!(debug, "session.device_proven", session_type, session = %Named(key), "a device proved its key");
    count("session_device_proven_total", session_type);
}

/// A handler asks for a newer proof, and the browser is sent back for it.
#[cfg(feature = "device-bound")]
pub(crate) fn device_asked(session_type: Type, key: &RecordKey) {
    event!(debug, "session.device_asked", session_type, session = %Named(key), "a device is asked for a newer proof");
    count("session_device_asked_total", session_type);
}

/// A request has no proof of the device that its session is bound to. `skipped` is what the browser says of it, and true
/// or not.
#[cfg(feature = "device-bound")]
pub(crate) fn device_unproven(session_type: Type, key: &RecordKey, reason: &'static str, skipped: &str) {
    event!(warn, "session.device_unproven", session_type, session = %Named(key), reason, skipped, "a request does not prove the device of its session");
    count_by("session_device_unproven_total", session_type, reason);
}

/// A registration or a proof was refused.
#[cfg(feature = "device-bound")]
pub(crate) fn device_refused(session_type: Type, reason: &'static str) {
    event!(warn, "session.device_refused", session_type, reason, "a device's registration or proof was refused");
    count_by("session_device_refused_total", session_type, reason);
}

/// Sessions of a type that says `device_bound` start, and browsers have no route to bind them by.
#[cfg(feature = "device-bound")]
pub(crate) fn device_route_missing(session_type: Type) {
    event!(
        warn,
        "session.device_route_missing",
        session_type,
        "sessions are not bound to devices, as the router has no `sessions.device_routes()`"
    );
}

/// A token from before a session's rotation was used.
pub(crate) fn replayed(session_type: Type, key: &RecordKey) {
    event!(warn, "session.replayed", session_type, session = %Named(key), "a token from before the session's rotation was used");
    count("session_replayed_total", session_type);
}

/// What is stored is not used, and left alone. The reason says nothing of the data.
pub(crate) fn unreadable(session_type: Type, key: &RecordKey, reason: &'static str, detail: impl fmt::Debug) {
    event!(warn, "session.unreadable", session_type, session = %Named(key), reason, ?detail, "the stored session can't be used; left alone");
    count_by("session_unreadable_total", session_type, reason);
}

/// A handler made a session another owner's. Nothing was stored.
pub(crate) fn held_by_middleware(session_type: Type, key: &RecordKey) {
    event!(error, "session.held_by_middleware", session_type, session = %Named(key), "a middleware holds the session by `&mut`, and a handler behind it asks for it by `&mut` or changes it");
}

pub(crate) fn owner_changed(session_type: Type, key: &RecordKey) {
    event!(error, "session.owner_changed", session_type, session = %Named(key), "a handler made a session another owner's; nothing was stored");
    count("session_owner_changed_total", session_type);
}

/// A handler's data can be written and not read back. Nothing was stored. `why` says nothing of the data.
pub(crate) fn not_read_back(session_type: Type, why: &str) {
    event!(
        error,
        "session.not_read_back",
        session_type,
        why,
        "data does not read back as it was written; nothing was stored"
    );
    count("session_not_read_back_total", session_type);
}

/// The list of an owner's sessions can't be read, and is left alone: to begin it anew would lose sight of sessions
/// that live on.
pub(crate) fn owner_unreadable(session_type: Type) {
    event!(
        error,
        "session.owner_unreadable",
        session_type,
        "the list of an owner's sessions has an unknown format; left alone"
    );
    count("session_owner_unreadable_total", session_type);
}

/// A session was missing from the list of its owner's, and is entered again.
pub(crate) fn relisted(session_type: Type, key: &RecordKey) {
    event!(warn, "session.relisted", session_type, session = %Named(key), "a session was missing from the list of its owner's sessions");
    count("session_relisted_total", session_type);
}

/// A change was not stored.
pub(crate) fn conflict(session_type: Type, key: &RecordKey, error: &Error) {
    event!(warn, "session.conflict", session_type, session = %Named(key), %error, "a change was not stored");
    count("session_conflict_total", session_type);
}

/// A record stays sealed under a retired key, until its next read or write.
pub(crate) fn not_resealed(session_type: Type, key: &RecordKey, error: &Error) {
    event!(debug, "session.not_resealed", session_type, session = %Named(key), %error, "a record stays under a retired key");
    count("session_not_resealed_total", session_type);
}

pub(crate) fn lease_lost(session_type: Type, key: &RecordKey) {
    event!(warn, "session.lease_lost", session_type, session = %Named(key), "an exclusive borrow ran out under its handler");
    count("session_lease_lost_total", session_type);
}

pub(crate) fn backend_down(session_type: Type, error: &BackendError) {
    event!(error, "session.backend_down", session_type, %error, "the session backend did not answer");
    count("session_backend_down_total", session_type);
}

pub(crate) fn create_span(session_type: Type) -> Span {
    span!("session.create", session_type)
}

pub(crate) fn load_span(session_type: Type, key: &RecordKey) -> Span {
    span!("session.load", session_type, session = %Named(key))
}

pub(crate) fn acquire_span(session_type: Type, key: &RecordKey) -> Span {
    span!("session.acquire", session_type, session = %Named(key))
}

pub(crate) fn save_span(session_type: Type, key: &RecordKey) -> Span {
    span!("session.save", session_type, session = %Named(key))
}

pub(crate) fn update_span(session_type: Type, key: &RecordKey) -> Span {
    span!("session.update", session_type, session = %Named(key))
}

pub(crate) fn rotate_span(session_type: Type, key: &RecordKey) -> Span {
    span!("session.rotate", session_type, session = %Named(key))
}

pub(crate) fn end_span(session_type: Type, key: &RecordKey) -> Span {
    span!("session.end", session_type, session = %Named(key))
}
