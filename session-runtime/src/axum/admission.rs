//! Who may enter: from a request's headers to a session, or to the answer for those without one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::axum::body::Body;
use ::axum::extract::ConnectInfo;
use ::axum::response::{IntoResponse, Response};
use http::Request;
use http::request::Parts;

use super::asked::Asked;
use super::csrf::{self, Site};
use super::problem::{self, Rejection};
use super::transport::{self, Presented};
use crate::clock::Timestamp;
use crate::declaration::Transport;
use crate::error::Error;
use crate::guard::Access;
use crate::missing::Missing;
use crate::session::TokenChange;
use crate::sessions::{Known, SessionData, Sessions, Snapshot};
use crate::telemetry::{self, Refusal};

/// Who asks: the session that a request's token names, and how the token came.
pub(super) struct Caller<T> {
    pub(super) known: Option<Arc<Known<T>>>,
    pub(super) by: Transport,
}

/// Reads a request's token. The store isn't asked, nor is the token looked at, if `guarded` and another site may have
/// made the request.
///
/// # Errors
/// The refusal of another site's request, or of a token that can't be used where the type says `invalid = reject`.
pub(super) fn receive<T: SessionData>(
    sessions: &Sessions<T>,
    parts: &Parts,
    guarded: bool,
) -> Result<Caller<T>, Response> {
    let (by, presented) = transport::presented(sessions, &parts.headers);
    if guarded && is_cross_site(sessions, by, presented, parts) {
        telemetry::refused(sessions.session_type(), Refusal::CrossSite);
        return Err(problem::cross_site());
    }
    let identified = match presented {
        Presented::Nothing => return Ok(Caller { known: None, by: by.clone() }),
        Presented::Token(token) => sessions.identify(token),
        Presented::Illegible => Err(Refusal::Token),
        Presented::Ambiguous => Err(Refusal::Ambiguous),
    };
    let known = match identified {
        Ok(known) => Some(known),
        Err(refusal) => {
            telemetry::refused(sessions.session_type(), refusal);
            if refusal == Refusal::Token {
                sessions.note_forgery(peer(parts));
            }
            // A token from before a renewal is as good as any other of a session that has ended.
            if T::REJECTS && refusal != Refusal::Replaced {
                let mut response = problem::bad_token();
                transport::announce(sessions, by, &TokenChange::Removed, response.headers_mut())
                    .map_err(IntoResponse::into_response)?;
                return Err(response);
            }
            None
        }
    };
    Ok(Caller { known, by: by.clone() })
}

/// Whether another site may have made the request, and a browser given it what lets it in. A token in a header is put
/// there by the client's own code, and where there is no cookie there is nothing for a browser to attach.
fn is_cross_site<T: SessionData>(
    sessions: &Sessions<T>,
    by: &Transport,
    presented: Presented<'_>,
    parts: &Parts,
) -> bool {
    let attached = match presented {
        Presented::Nothing => sessions.transports().contains(&Transport::Cookie),
        _ => *by == Transport::Cookie,
    };
    let site = Site { trusted: sessions.trusted_origins(), secure: sessions.cookie().secure };
    attached && csrf::is_cross_site(&parts.method, &parts.uri, &parts.headers, site)
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
    pub(super) fn into_rejection<T: SessionData>(self, sessions: &Sessions<T>) -> Rejection {
        let response = match self {
            Self::Error(error) => error.into_response(),
            Self::Refused(response) => response,
        };
        Rejection::new(sessions, response)
    }
}

/// The session that a request's token names, loaded and verified, and how the token came.
pub(super) async fn load<T: SessionData>(
    sessions: &Sessions<T>,
    parts: &Parts,
    guarded: bool,
) -> Result<(Option<Snapshot<T>>, Transport), Denied> {
    let Caller { known, by } = receive(sessions, parts, guarded).map_err(Denied::Refused)?;
    let Some(known) = known else { return Ok((None, by)) };
    let Some(snapshot) = sessions.load(&known).await.map_err(Denied::Error)? else { return Ok((None, by)) };
    let verified = verify(sessions, &*snapshot, parts).await.map_err(Denied::Refused)?;
    Ok((verified.then_some(snapshot), by))
}

/// Asks the type's `verify`: `false` counts the session as none, `Err` is an answer of its own.
pub(super) async fn verify<T: SessionData>(sessions: &Sessions<T>, data: &T, parts: &Parts) -> Result<bool, Response> {
    if !T::VERIFIES {
        return Ok(true);
    }
    match data.verify(parts).await {
        Ok(()) => Ok(true),
        Err(answer) => {
            telemetry::refused(sessions.session_type(), Refusal::Verify);
            answer.map_or(Ok(false), Err)
        }
    }
}

/// The answer to a stranger.
pub(super) async fn turn_away<T: SessionData>(
    sessions: &Sessions<T>,
    own: Option<Missing>,
    parts: Option<&Parts>,
) -> Response {
    let missing = own.unwrap_or_else(|| sessions.missing().clone());
    // A handler gets the request again, without its body.
    let parts = parts.filter(|_| missing.wants_request());
    let request = parts.map(|parts| Request::from_parts(parts.clone(), Body::empty()));
    match missing.answer(request).await {
        Ok(response) => response,
        Err(status) => problem::missing(status, sessions),
    }
}

/// A request that may enter: its session, and how the token came.
pub(super) struct Admitted<T> {
    pub(super) sessions: Sessions<T>,
    pub(super) snapshot: Option<Snapshot<T>>,
    pub(super) by: Transport,
}

/// Turns away whose last proof of who they are is older than the handler wants it.
pub(super) async fn check_fresh<T: SessionData>(
    sessions: &Sessions<T>,
    proved: Timestamp,
    fresh: Option<Duration>,
    missing: fn() -> Option<Missing>,
    parts: Option<&Parts>,
) -> Result<(), Response> {
    let Some(fresh) = fresh else { return Ok(()) };
    if sessions.now().since(proved) < fresh {
        return Ok(());
    }
    telemetry::refused(sessions.session_type(), Refusal::NotFresh);
    Err(match missing() {
        Some(missing) => turn_away(sessions, Some(missing), parts).await,
        None => problem::stale(fresh, sessions),
    })
}

/// Loads the session for a handler, turns strangers and stale sessions away and asks the guard.
pub(super) async fn admit<T: SessionData>(
    sessions: Sessions<T>,
    asked: &Asked<T>,
    parts: &Parts,
) -> Result<Admitted<T>, Rejection> {
    let loaded = load(&sessions, parts, asked.csrf).await;
    let (snapshot, by) = loaded.map_err(|denied| denied.into_rejection(&sessions))?;
    let admitted = match &snapshot {
        Some(snapshot) => {
            let proved = snapshot.decoded.about.proved;
            let fresh = check_fresh(&sessions, proved, asked.fresh, asked.missing, Some(parts)).await;
            fresh.and_then(|()| (asked.guard)(snapshot))
        }
        None if asked.access == Access::Protected => Err(turn_away(&sessions, (asked.missing)(), Some(parts)).await),
        None => Ok(()),
    };
    match admitted {
        Ok(()) => Ok(Admitted { sessions, snapshot, by }),
        Err(refusal) => Err(Rejection::new(&sessions, refusal)),
    }
}
