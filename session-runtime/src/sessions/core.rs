//! The sessions of a type without the type: from a token to the data and back.
//!
//! Nothing here is generic, so that all of it is compiled with this crate and none of it with the user's.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::Response;
use http::request::Parts;
use session_rules::cookie::Cookie;
use session_rules::origin::Origin;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::check::Check;
use super::domains::{Domain, Domains};
use super::end_hook::EndHooks;
use super::exclusive::ExclusiveSession;
use super::forged_token_monitor::ForgedTokenMonitor;
use super::owners::owner_of;
use super::schema::{ErasedData, Schema};
use super::settle::Attempt;
use super::snapshot::{Decoded, LoadedSession, TokenEntry};
use crate::backend::{Record, RecordKey, Touch};
use crate::clock::Timestamp;
#[cfg(feature = "admin")]
use crate::crypto::References;
use crate::crypto::Sealer;
use crate::declaration::{Limit, Transport};
use crate::error::Error;
use crate::id::{RecordNames, TypeTag};
use crate::lease::{LeaseTiming, Queue, StoreClient};
use crate::missing::Missing;
use crate::record::Envelope;
use crate::telemetry::{self, Refusal};
use crate::token::{CARRIED_MAX, TokenCache, Tokens, is_token_len};

/// All sessions of one type, at one of its domains where it has several.
#[derive(Clone)]
pub(crate) struct Core(pub(super) Arc<Inner>, pub(super) Option<Arc<Domain>>);

pub(super) struct Inner {
    pub(super) schema: &'static Schema,
    pub(super) client: Arc<StoreClient>,
    pub(super) queue: Arc<Queue>,
    pub(super) tokens: Tokens,
    /// Names of records for the page of operators.
    #[cfg(feature = "admin")]
    pub(super) references: References,
    pub(super) sealer: Sealer,
    pub(super) token_cache: TokenCache<TokenEntry>,
    pub(super) purpose: String,
    pub(super) record_names: RecordNames,
    /// What records in a store hold of the purpose.
    pub(super) type_tag: TypeTag,
    /// Whether records travel in tokens.
    pub(super) carried: bool,
    pub(super) idle: Duration,
    pub(super) slack: Duration,
    pub(super) rotate_every: Option<Duration>,
    pub(super) timing: LeaseTiming,
    pub(super) cookie: Cookie,
    /// Where each request's host chooses the domain of its cookie.
    pub(super) domains: Option<Domains>,
    /// The one for pages at a loopback host, where the declaration has it.
    pub(super) cookie_on_localhost: Option<Cookie>,
    pub(super) transports: Vec<Transport>,
    pub(super) trusted_origins: Vec<Origin>,
    /// What browsers see the application as, if that is declared.
    pub(super) public_origin: Option<Origin>,
    pub(super) forged_tokens: ForgedTokenMonitor,
    /// How long the body of the record was that was made last for a login: the next one is given as much room.
    pub(super) usual_body: AtomicUsize,
    /// When it was last told that a client sends several cookies, in milliseconds.
    pub(super) duplicates_told: AtomicU64,
    pub(super) missing: Missing,
    /// What is asked in place of the type's own `verify`.
    pub(super) verify: Option<Check>,
    /// Who is told of sessions that have ended.
    pub(super) end_hooks: Option<EndHooks>,
    /// How many sessions an owner may have.
    pub(super) limit: Option<Limit>,
    pub(super) sweeper: Option<JoinHandle<()>>,
    /// What binds sessions to devices, where the type says so.
    #[cfg(feature = "device-bound")]
    pub(super) device: Option<super::device::Binding>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(sweeper) = &self.sweeper {
            sweeper.abort();
        }
    }
}

/// What a login says of its session beside the data.
#[derive(Debug, Clone, Default)]
pub(crate) struct Login {
    pub(crate) lifetime: Option<Duration>,
    /// Its last moment, if that comes first.
    pub(crate) until: Option<Timestamp>,
    /// Its idle timeout, at most that of its type.
    pub(crate) idle: Option<Duration>,
    pub(crate) persistent: Option<bool>,
    /// What a person knows the session by.
    pub(crate) label: Option<Arc<str>>,
}

impl Core {
    pub(crate) fn has_cookie_on_localhost(&self) -> bool {
        self.0.cookie_on_localhost.is_some()
    }

    /// In order, never empty.
    pub(crate) fn transports(&self) -> &[Transport] {
        &self.0.transports
    }

    pub(crate) fn trusted_origins(&self) -> &[Origin] {
        &self.0.trusted_origins
    }

    pub(crate) fn public_origin(&self) -> Option<&Origin> {
        self.0.public_origin.as_ref()
    }

    /// The name of the type, for events.
    pub(crate) fn session_type(&self) -> &'static str {
        self.0.client.session_type
    }

    /// Tells of a client's forged token, if it is one too many.
    pub(crate) fn note_forgery(&self, client: Option<IpAddr>) {
        if let Some(tokens) = self.0.forged_tokens.note(client, self.now()) {
            telemetry::forged(self.session_type(), client, tokens);
        }
    }

    /// Tells of a client with several cookies of the session's name: once in a minute, as each of its requests has them.
    pub(crate) fn note_duplicate_cookies(&self, count: usize, verified: usize) {
        let now = self.now().as_millis();
        let told = self.0.duplicates_told.load(Ordering::Relaxed);
        let due = told == 0 || now.abs_diff(told) >= 60_000;
        if due && self.0.duplicates_told.compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            telemetry::duplicate_cookies(self.session_type(), &self.0.cookie.name, count, verified);
        }
    }

    /// Whether a session has to be verified for each request.
    pub(crate) fn verifies(&self) -> bool {
        self.0.verify.is_some() || self.0.schema.verifies
    }

    /// Asks whether a request may use the session: `Err(None)` counts it as none.
    pub(crate) async fn verify(&self, data: &dyn ErasedData, parts: &Parts) -> Result<(), Option<Response>> {
        match &self.0.verify {
            Some(check) => check.ask(data, parts).await,
            None => data.verify(parts).await,
        }
    }

    pub(crate) fn missing(&self) -> &Missing {
        &self.0.missing
    }

    pub(crate) fn purpose(&self) -> &str {
        &self.0.purpose
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.0.tokens.ttl()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.client.now()
    }

    pub(crate) fn schema(&self) -> &'static Schema {
        self.0.schema
    }

    /// Verifies a token at this moment. Nothing but the token is looked at: no store is asked.
    ///
    /// # Errors
    /// Why it can't be used.
    pub(crate) fn identify(&self, token: &str, now: Timestamp) -> Result<Arc<TokenEntry>, Refusal> {
        let tokens = self.tokens().map_err(|_| Refusal::Token)?;
        let remembered = self.remembered_as(token);
        let refusal = || if tokens.made(token) { Refusal::Stale } else { Refusal::Token };
        if !self.0.carried && !is_token_len(token.len()) || token.len() > CARRIED_MAX {
            return Err(Refusal::Token);
        }
        let digest = self.0.token_cache.digest(&remembered);
        if let Some(entry) = self.0.token_cache.get(digest) {
            return match entry.claims.are_current(now, self.lifetime()) {
                // Only some processes know that a token is dead that carries its session. It is good until it expires.
                true if entry.is_revoked(now) && !self.0.carried => Err(Refusal::Replaced),
                true => Ok(entry),
                false => Err(Refusal::Stale),
            };
        }
        let entry = if self.0.carried {
            let (mut claims, record) = tokens.open_record(token, now).ok_or_else(refusal)?;
            claims.idle = Envelope::read(&record.body).and_then(|(envelope, _)| envelope.meta.idle);
            TokenEntry::new(claims, &self.0.record_names).carrying(record)
        } else {
            TokenEntry::new(tokens.open(token, now).ok_or_else(refusal)?, &self.0.record_names)
        };
        let entry = Arc::new(entry.remembered_by(digest));
        self.0.token_cache.insert(digest, Arc::clone(&entry), entry.size());
        Ok(entry)
    }

    /// How often this process may have written the session of this token: the same number twice means that it has not in
    /// between.
    pub(crate) fn writes(&self, entry: &TokenEntry) -> u64 {
        self.0.client.writes(&entry.key)
    }

    /// Whether these are the same sessions, and not merely sessions of the same type.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether a session is loaded from a store, and not from its token.
    pub(crate) fn is_stored(&self) -> bool {
        !self.0.carried
    }

    /// A token that replaces the client's, where one is due: its key is no longer the newest, or it carries
    /// a record whose last use is to be noted.
    pub(crate) fn reissue(&self, session: &LoadedSession) -> Option<String> {
        let entry = &session.entry;
        let claims = &entry.claims;
        if session.decoded.id_hash != entry.id_hash {
            // A previous id, which another request's answer replaces.
            return None;
        }
        if entry.carried.is_none() && !claims.retired_key {
            return None;
        }
        let (now, tokens) = (self.now(), self.tokens().ok()?);
        match &entry.carried {
            None => Some(tokens.seal(claims.id, claims.expires, claims.idle, now)),
            Some(record) => {
                let due = claims.retired_key || now.since(record.last_seen) >= self.slack(self.idle(claims.idle));
                let used = || Record { last_seen: now, ..Record::clone(record) };
                due.then(|| tokens.seal_record(claims.id, &used(), now))
            }
        }
    }

    /// Stores what an exclusive borrow changed and gives up the lease: one call to the store. The token is
    /// another one where the session is rotated by it.
    pub(crate) async fn save(&self, session: Box<ExclusiveSession>) -> Result<(LoadedSession, Option<String>), Error> {
        let unsaved = session.held.unsaved();
        let saved = self.save_change(session).await;
        if let (Some(unsaved), Err(error)) = (unsaved, &saved)
            && !matches!(error, Error::Unavailable(_) | Error::Conflict | Error::LeaseLost | Error::Ended)
        {
            // Why the data is refused may tell of what was read, which has to be stored by then.
            Box::pin(unsaved.committed()).await?;
        }
        saved
    }

    async fn save_change(&self, mut session: Box<ExclusiveSession>) -> Result<(LoadedSession, Option<String>), Error> {
        session.consume_flash();
        let now = self.now();
        let rotation = session.rotation(self, now)?;
        let ExclusiveSession { mut held, entry, record, touch, meta, id_hash, json, retired_seal, owner, data, .. } =
            *session;
        let (holder, meta, id_hash) = self.holder(&entry, (meta, id_hash), rotation, record.expires, now);
        let draft = self.draft(meta, id_hash, &*data, record.body.len())?;
        if rotation.is_none() && draft.json() == json && !retired_seal {
            held.release().await?;
            let (version, ends) = (record.version, self.ends(&entry, &record, touch.now));
            // What the handler did to fields that are not stored is not kept either.
            let (data, again) = self.read_back(&json)?;
            let json = again.unwrap_or(json);
            let decoded = Decoded { data, body: record.body, json, meta: draft.into_meta(), id_hash, retired_seal };
            return Ok((LoadedSession::new(self, entry, version, ends, decoded), None));
        }
        self.stays_its_owners(&entry.key, owner.as_deref(), &*data)?;
        let decoded = self.finish(&entry.key, draft)?;
        let mut following = self.next_record(holder, &record, decoded, now)?;
        let lease = Arc::clone(held.state());
        let conflict = |error: &Error| {
            // One loss is one event: that of the lease has been told.
            if matches!(error, Error::Conflict | Error::Ended) && !lease.is_lost() {
                telemetry::conflict(self.session_type(), &entry.key, error);
            }
        };
        if rotation.is_some() {
            // What was read has to be stored first. Where it is not, no rotation was sent that would have to be looked for.
            held.settle().await.inspect_err(conflict)?;
        }
        let saved = following.record.clone();
        let span = telemetry::save_span(self.session_type(), &entry.key);
        let touch = Touch { now, ..touch };
        let stored = match rotation {
            // Who comes next has another token than this record goes by.
            Some(_) => held.save(record.version, saved, touch).instrument(span).await,
            None => held.save_and_pass_on(record.version, saved, touch).instrument(span).await,
        };
        let (before, after) = (&record, &following.record);
        let attempt = Attempt { entry: &entry, before, after, touch, rotates: rotation.is_some() };
        self.settle(stored, attempt).await.inspect_err(conflict)?;
        if let Some(rotation) = rotation {
            self.replaced(&entry, rotation, now);
        }
        let token = following.token.take();
        Ok((following.into_snapshot(self), token))
    }

    /// The data is still the owner's whose it was.
    pub(super) fn stays_its_owners(
        &self,
        key: &RecordKey,
        owner: Option<&[u8]>,
        data: &dyn ErasedData,
    ) -> Result<(), Error> {
        if owner_of(data)?.as_deref() == owner {
            return Ok(());
        }
        telemetry::owner_changed(self.session_type(), key);
        Err(Error::OwnerChanged)
    }
}

/// The record that follows this one.
pub(super) fn next(record: &Record, now: Timestamp, decoded: &Decoded) -> Record {
    // A record of the last version is not read, so this does not saturate.
    let version = record.version.saturating_add(1);
    Record { version, last_seen: now, expires: record.expires, body: decoded.body.clone() }
}

/// How often a change or a rotation that met another write is tried again.
pub(crate) const MAX_RETRIES: usize = 16;
