//! Who may enter: from a request's headers to a session, or to the answer for those without one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse, Response};
use http::Request;
use http::request::Parts;

use super::cookies;
use super::csrf::{self, Compared, Site};
use super::device;
use super::passive::{Reading, only_looks};
use super::problem::{self, Rejection};
use super::request_memory;
use super::session_policy::Demand;
use super::transport::{self, Presented};
use crate::clock::Timestamp;
use crate::declaration::Transport;
use crate::error::Error;
use crate::guard::Access;
use crate::missing::Missing;
use crate::session::TokenChange;
use crate::sessions::{Core, ErasedData, LoadedSession, TokenEntry};
use crate::telemetry::{self, Refusal};

/// Who asks: the session that a request's token names, and how the token came.
pub(super) struct Caller {
    pub(super) entry: Option<Arc<TokenEntry>>,
    pub(super) by: Transport,
}

/// Reads a request's token. The token isn't looked at if `guarded` and another site may have made the request. The store
/// isn't asked, unless there are several good tokens.
///
/// # Errors
/// The refusal of another site's request, or of a token that can't be used where the type says `invalid = reject`; 503 if
/// the store had to be asked and is down.
pub(super) async fn receive(core: &Core, parts: &Parts, guarded: bool, now: Timestamp) -> Result<Caller, Response> {
    let (by, presented) = transport::presented(core, parts);
    if guarded && let Some(compared) = cross_site(core, by, presented, parts) {
        let (origin, host, fetch_site) = (compared.origin(), compared.host(), compared.fetch_site());
        telemetry::cross_site(core.session_type(), &origin, &host, &fetch_site);
        return Err(problem::cross_site());
    }
    let identified = match presented {
        Presented::Nothing => return Ok(Caller { entry: None, by: by.clone() }),
        Presented::Token(token) => core.identify(token, now),
        Presented::Illegible => Err(Refusal::Token),
        Presented::Ambiguous if by.is_sent_by_browsers() => {
            // Boxed, so that all other requests have small futures.
            Box::pin(identify_one(core, by, parts, now)).await.map_err(Error::into_response)?
        }
        Presented::Ambiguous => Err(Refusal::Ambiguous),
    };
    let entry = match identified {
        Ok(entry) => Some(entry),
        Err(refusal) => {
            telemetry::refused(core.session_type(), refusal);
            if refusal == Refusal::Token {
                core.note_forgery(peer(parts));
            }
            // A token from before a rotation is as good as any other of a session that has ended.
            if core.schema().rejects && refusal != Refusal::Replaced {
                let mut response = problem::bad_token();
                // Of several good cookies ours may be the person's own: without it the other one, which may be
                // somebody's plant, would be believed.
                if refusal != Refusal::Ambiguous && !only_looks(parts) {
                    transport::announce(core, by, &TokenChange::Removed, response.headers_mut())
                        .map_err(IntoResponse::into_response)?;
                }
                return Err(response);
            }
            None
        }
    };
    Ok(Caller { entry, by: by.clone() })
}

/// How many cookies of one name are looked at: more than any changes of `domain` and `path` leave behind, and few enough
/// that nobody is kept busy by verifying them.
const COOKIES: usize = 8;

/// The session of a request with several cookies of the type's name. A browser sends them all where an earlier release set
/// another `Domain` or `Path`, where another application of the host uses the name, or where a neighbouring subdomain has
/// planted one. What does not verify, or whose session has ended, is none of ours. Of two live sessions it can't be told
/// whose is meant, so none is used.
///
/// The store is asked only if the tokens don't decide it.
async fn identify_one(
    core: &Core,
    by: &Transport,
    parts: &Parts,
    now: Timestamp,
) -> Result<Result<Arc<TokenEntry>, Refusal>, Error> {
    let values = cookies::all(&parts.headers, &core.cookie(by).name);
    let mut tokens: Vec<&str> =
        values.iter().take(COOKIES).filter_map(|value| std::str::from_utf8(value).ok()).collect();
    tokens.sort_unstable();
    tokens.dedup();
    let (mut found, mut refusal) = (Vec::<Arc<TokenEntry>>::new(), Refusal::Token);
    for token in tokens {
        match core.identify(token, now) {
            Ok(entry) => found.push(entry),
            Err(Refusal::Token) => {}
            Err(other) => refusal = other,
        }
    }
    if found.len() > 1 {
        let mut live = Vec::new();
        for entry in found {
            if core.is_live(&entry).await? {
                live.push(entry);
            }
        }
        (found, refusal) = (live, Refusal::Ambiguous);
    }
    // Two tokens of one session, such as those before and after a new key: the newest counts.
    found.sort_by_key(|entry| std::cmp::Reverse(entry.claims.issued));
    core.note_duplicate_cookies(values.len(), found.len());
    let several = found.iter().any(|entry| entry.key != found[0].key) || values.len() > COOKIES;
    Ok(match found.into_iter().next() {
        Some(entry) if !several => Ok(entry),
        Some(_) => Err(Refusal::Ambiguous),
        None => Err(refusal),
    })
}

/// What was compared, if another site may have made the request, and a browser given it what lets it in. A token in a header is put
/// there by the client's own code, and where there is no cookie there is nothing for a browser to attach.
fn cross_site<'a>(core: &'a Core, by: &Transport, presented: Presented<'_>, parts: &'a Parts) -> Option<Compared<'a>> {
    let attached = match presented {
        Presented::Nothing => core.transports().iter().any(Transport::is_sent_by_browsers),
        Presented::Token(_) | Presented::Illegible | Presented::Ambiguous => by.is_sent_by_browsers(),
    };
    let site = Site { trusted: core.trusted_origins(), public: core.public_origin(), secure: core.cookie(by).secure };
    let refused = attached && csrf::is_cross_site(&parts.method, &parts.uri, &parts.headers, site);
    refused.then(|| Compared::new(&parts.uri, &parts.headers, site))
}

/// The address at the other end of the connection, if the application keeps it.
fn peer(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

/// Why a session could not be had.
pub(super) enum Denied {
    /// The backend could not be asked.
    Error(Error),
    /// There is an answer already: `verify`'s own, or a refusal of the token or of the request.
    Refused(Response),
}

impl Denied {
    pub(super) fn into_rejection(self, core: &Core, parts: &Parts) -> Rejection {
        let response = match self {
            Self::Error(error) => error.into_response(),
            Self::Refused(response) => response,
        };
        Rejection::new(core, parts, response)
    }
}

/// Why a request has no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "device-bound"), expect(dead_code, reason = "all are anonymous where nothing is bound"))]
pub(super) enum Absence {
    /// Nothing names a live one.
    Anonymous,
    /// `verify` says no.
    Unverified,
    /// It is bound to a device, which has not proved its key.
    Unproven,
    /// It has to be bound to a device, and is not.
    Unbound,
}

/// What was found of a request's session.
pub(super) struct Found {
    pub(super) session: Result<LoadedSession, Absence>,
    /// How the token came.
    pub(super) by: Transport,
    /// What came of its device.
    pub(super) device: device::Presented,
}

/// The session that a request's token names, loaded and verified, and how the token came. One that is only looked at is
/// not used by that.
pub(super) async fn load(core: &Core, parts: &Parts, guarded: bool, reading: Reading) -> Result<Found, Denied> {
    let now = core.now();
    let Caller { entry, by } = receive(core, parts, guarded, now).await.map_err(Denied::Refused)?;
    let none = |by, absence| Found { session: Err(absence), by, device: device::Presented::default() };
    let Some(entry) = entry else { return Ok(none(by, Absence::Anonymous)) };
    let device = device::Presented::of(core, &entry, parts);
    let found = match request_memory::recall(core, parts, &entry, reading) {
        Some(found) => found,
        None => load_anew(core, parts, &entry, (reading, now), &device).await.map_err(Denied::Error)?,
    };
    let Some(snapshot) = found else { return Ok(none(by, Absence::Anonymous)) };
    if let Some(absence) = device.absence(core, &entry, &snapshot.decoded.meta) {
        return Ok(none(by, absence));
    }
    let verified = !core.verifies() || Box::pin(verify(core, snapshot.data(), parts)).await.map_err(Denied::Refused)?;
    Ok(Found { session: if verified { Ok(snapshot) } else { Err(Absence::Unverified) }, by, device })
}

async fn load_anew(
    core: &Core,
    parts: &Parts,
    entry: &Arc<TokenEntry>,
    (reading, now): (Reading, Timestamp),
    device: &device::Presented,
) -> Result<Option<LoadedSession>, Error> {
    let before = (core.writes(entry), now);
    let (found, reading) = match reading {
        Reading::Use if device.is_doubtful(core, entry) => {
            // Boxed, so that all other requests have small futures.
            Box::pin(load_doubtful(core, entry, device, now)).await?
        }
        Reading::Use => (core.load(entry, now).await?, reading),
        Reading::Look => (core.look(entry).await?, reading),
    };
    if let Some(session) = &found {
        device::note(core, session, now);
    }
    if core.is_stored() {
        request_memory::remember(core, parts, entry, (found.as_ref(), reading), before);
    }
    Ok(found)
}

/// A session that may be refused for its device: it is looked at first, and used only if it is not.
async fn load_doubtful(
    core: &Core,
    entry: &Arc<TokenEntry>,
    device: &device::Presented,
    now: Timestamp,
) -> Result<(Option<LoadedSession>, Reading), Error> {
    Ok(match core.look(entry).await? {
        Some(session) if device.admits(core, entry, &session.decoded.meta) => {
            (core.load(entry, now).await?, Reading::Use)
        }
        refused => (refused, Reading::Look),
    })
}

/// Asks the type's `verify`: `false` counts the session as none, `Err` is an answer of its own.
pub(super) async fn verify(core: &Core, data: &dyn ErasedData, parts: &Parts) -> Result<bool, Response> {
    if !core.verifies() {
        return Ok(true);
    }
    match core.verify(data, parts).await {
        Ok(()) => Ok(true),
        Err(answer) => {
            telemetry::refused(core.session_type(), Refusal::Verify);
            answer.map_or(Ok(false), Err)
        }
    }
}

/// The answer to a client without a session.
pub(super) async fn turn_away(core: &Core, absence: Absence, own: Option<Missing>, parts: Option<&Parts>) -> Response {
    let missing = own.unwrap_or_else(|| core.missing().clone());
    // A handler gets the request again, without its body.
    let parts = parts.filter(|_| missing.wants_request());
    let request = parts.map(|parts| Request::from_parts(parts.clone(), Body::empty()));
    match missing.answer(request).await {
        Ok(response) => response,
        Err(status) => match absence {
            Absence::Anonymous | Absence::Unverified => problem::missing(status, core),
            Absence::Unproven => problem::unproven(status, core),
            Absence::Unbound => problem::unbound(status),
        },
    }
}

/// A request that may enter: its session, and how the token came.
pub(super) struct Admitted {
    pub(super) core: Core,
    pub(super) loaded: Option<LoadedSession>,
    /// Whether its token names a live session that it may not use.
    pub(super) is_refused: bool,
    pub(super) by: Transport,
    pub(super) reading: Reading,
}

/// Turns away whose last proof of who they are is older than the handler wants it.
pub(super) async fn check_fresh(
    core: &Core,
    authenticated_at: Timestamp,
    fresh: Option<Duration>,
    missing: impl FnOnce() -> Option<Missing>,
    parts: Option<&Parts>,
) -> Result<(), Response> {
    let Some(fresh) = fresh else { return Ok(()) };
    if core.now().since(authenticated_at) < fresh {
        return Ok(());
    }
    telemetry::refused(core.session_type(), Refusal::NotFresh);
    Err(match missing() {
        // Boxed, so that the many that are fresh have small futures. So below.
        Some(missing) => Box::pin(turn_away(core, Absence::Anonymous, Some(missing), parts)).await,
        None => problem::stale(fresh, core),
    })
}

/// Loads the session for a handler, turns anonymous requests and stale sessions away and asks the guard.
pub(super) async fn admit(core: Core, demand: &Demand, parts: &Parts) -> Result<Admitted, Rejection> {
    let policy = demand.policy;
    let reading = Reading::of(parts, policy.touches);
    let loaded = load(&core, parts, policy.csrf, reading).await;
    let Found { session, by, device } = loaded.map_err(|denied| denied.into_rejection(&core, parts))?;
    let admitted = match &session {
        Ok(session) => {
            let meta = &session.decoded.meta;
            let fresh = check_fresh(&core, meta.authenticated_at, policy.fresh, || demand.missing(), Some(parts)).await;
            match fresh.and_then(|()| device.recent(&core, &session.entry, meta, policy.device, Some(parts))) {
                Ok(()) => demand.guard(session.data(), Some(meta), Some(parts)).await,
                Err(refusal) => Err(refusal),
            }
        }
        Err(absence) if policy.access == Access::Protected => {
            Err(Box::pin(turn_away(&core, *absence, demand.missing(), Some(parts))).await)
        }
        Err(_) => Ok(()),
    };
    match admitted {
        Ok(()) => {
            let is_refused = session.as_ref().is_err_and(|absence| *absence != Absence::Anonymous);
            Ok(Admitted { core, loaded: session.ok(), is_refused, by, reading })
        }
        Err(refusal) => Err(Rejection::new(&core, parts, refusal)),
    }
}
