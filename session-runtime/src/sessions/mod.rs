//! All sessions of one type: from a token to the data and back, with nothing of HTTP.

mod builder;
mod data;
mod ended;
mod forgery;
#[cfg(feature = "testing")]
pub(crate) mod fuzz;
mod lending;
mod snapshot;
mod stored;
mod sweep;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use session_rules::cookie::{Cookie, MAX_NAME_AND_VALUE};
use session_rules::origin::Origin;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

pub use self::builder::Builder;
pub use self::data::SessionData;
pub use self::ended::{Ended, UntilEnded};
pub(crate) use self::forgery::{Forgeries, Threshold};
pub use self::lending::Lending;
pub use self::snapshot::Snapshot;
pub(crate) use self::snapshot::{Decoded, Known};
use crate::backend::{Record, Touch, Written};
use crate::clock::Timestamp;
use crate::codec;
use crate::crypto::Sealer;
use crate::declaration::Transport;
use crate::error::Error;
use crate::id::SessionId;
use crate::lease::{Held, Queue, StoreClient, Terms};
use crate::missing::Missing;
use crate::record::About;
use crate::telemetry::{self, Refusal};
use crate::token::{Claims, TOKEN_LEN, TokenCache, Tokens};

/// The application's handle on all sessions of type `T`: axum state, cheap to clone.
///
/// Opened by [`T::sessions()`](SessionData::sessions) as the type declares, or by
/// [`Sessions::builder`] with parts of the declaration replaced.
pub struct Sessions<T>(Arc<Inner<T>>);

struct Inner<T> {
    client: Arc<StoreClient>,
    queue: Arc<Queue>,
    tokens: Tokens,
    sealer: Sealer,
    known: TokenCache<Known<T>>,
    purpose: String,
    /// Whether records travel in tokens.
    carried: bool,
    idle: Duration,
    slack: Duration,
    terms: Terms,
    cookie: Cookie,
    transports: Vec<Transport>,
    trusted_origins: Vec<Origin>,
    forgeries: Forgeries,
    missing: Missing,
    sweeper: Option<JoinHandle<()>>,
}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        if let Some(sweeper) = &self.sweeper {
            sweeper.abort();
        }
    }
}

impl<T: SessionData> Clone for Sessions<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: SessionData> fmt::Debug for Sessions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("cookie", &self.0.cookie.name)
            .field("idle", &self.0.idle)
            .field("lifetime", &self.0.tokens.ttl())
            .finish_non_exhaustive()
    }
}

/// A session that is lent exclusively: the lease on it and the data to change.
pub(crate) struct Exclusive<T> {
    held: Held,
    known: Arc<Known<T>>,
    record: Record,
    touch: Touch,
    about: About,
    /// The data as it was lent.
    json: Bytes,
    /// Whether the record is to be sealed anew even if the data stays as it is.
    retired_seal: bool,
    pub(crate) data: T,
}

impl<T: SessionData> Sessions<T> {
    /// A builder that starts from the type's declaration; whatever it is told comes first.
    ///
    /// Tests swap the backend without touching a handler:
    ///
    /// ```
    /// # use serde::{Serialize, Deserialize};
    /// # use session_runtime::{SessionData, Sessions, backend::Memory};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct User { name: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_runtime::OpenError> {
    /// let sessions = Sessions::<User>::builder().backend(Memory::default()).ephemeral_key().open().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> Builder<T> {
        Builder::new()
    }

    pub(crate) fn cookie(&self) -> &Cookie {
        &self.0.cookie
    }

    /// In order, never empty.
    pub(crate) fn transports(&self) -> &[Transport] {
        &self.0.transports
    }

    pub(crate) fn trusted_origins(&self) -> &[Origin] {
        &self.0.trusted_origins
    }

    /// The name of the type, for events.
    pub(crate) fn session_type(&self) -> &'static str {
        self.0.client.session_type
    }

    /// Tells of a client's forged token, if it is one too many.
    pub(crate) fn note_forgery(&self, client: Option<IpAddr>) {
        if let Some(tokens) = self.0.forgeries.note(client, self.now()) {
            telemetry::forged(self.session_type(), client, tokens);
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

    /// An owned copy of a session's data.
    pub(crate) fn copy(&self, session: &Snapshot<T>) -> Option<T> {
        codec::decode(&session.decoded.json).ok()
    }

    fn touch(&self, now: Timestamp, claims: &Claims) -> Touch {
        Touch { now, idle: self.0.idle, expires: claims.expires }
    }

    /// Verifies a token. Nothing but the token is looked at: no store is asked.
    ///
    /// # Errors
    /// Why it can't be used.
    pub(crate) fn identify(&self, token: &str) -> Result<Arc<Known<T>>, Refusal> {
        let (now, tokens) = (self.now(), &self.0.tokens);
        let refusal = || if tokens.made(token) { Refusal::Stale } else { Refusal::Token };
        if self.0.carried {
            let (claims, record) = tokens.open_record(token, now).ok_or_else(refusal)?;
            return Ok(Arc::new(Known::new(claims, &self.0.purpose).carrying(record)));
        }
        if token.len() != TOKEN_LEN {
            return Err(Refusal::Token);
        }
        if let Some(known) = self.0.known.get(token) {
            return match known.claims.are_current(now, self.lifetime()) {
                true if known.is_dead() => Err(Refusal::Replaced),
                true => Ok(known),
                false => Err(Refusal::Stale),
            };
        }
        let known = Arc::new(Known::new(tokens.open(token, now).ok_or_else(refusal)?, &self.0.purpose));
        self.0.known.insert(token, Arc::clone(&known));
        Ok(known)
    }

    /// A token that replaces the client's, where one is due: its key is no longer the newest, or it carries
    /// a record whose last use is to be noted.
    pub(crate) fn reissue(&self, known: &Known<T>) -> Option<String> {
        let (now, claims) = (self.now(), &known.claims);
        match &known.carried {
            None => claims.retired_key.then(|| self.0.tokens.seal(claims.id, claims.expires, now)),
            Some(record) => {
                let due = claims.retired_key || now.since(record.last_seen) >= self.0.slack;
                let used = || Record { last_seen: now, ..record.clone() };
                due.then(|| self.0.tokens.seal_record(claims.id, &used(), now))
            }
        }
    }

    /// The session behind a verified token, and its idle timeout slid: one call to the store.
    pub(crate) async fn load(&self, known: &Arc<Known<T>>) -> Result<Option<Snapshot<T>>, Error> {
        let touch = self.touch(self.now(), &known.claims);
        let span = telemetry::load_span(self.session_type(), &known.key);
        let record = self.fetch(known, touch).instrument(span).await?;
        let Some(session) = record.and_then(|record| self.accept(known, &record, touch)) else { return Ok(None) };
        telemetry::loaded(self.session_type(), &known.key);
        if session.decoded.retired_seal && !self.0.carried {
            Box::pin(self.reseal(&session)).await;
        }
        Ok(Some(session))
    }

    /// Seals a record under the newest key, so that who only ever reads a session keeps it when the older key goes.
    /// Whoever holds the session now does it too, and so does the next read: no failure is worth an answer.
    async fn reseal(&self, session: &Snapshot<T>) {
        let resealed = if self.0.client.store.leases().is_some() {
            match self.acquire(&session.known, Some(Duration::ZERO)).await {
                Ok(Some(exclusive)) => self.save(exclusive).await.map(drop),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            }
        } else {
            self.compare_and_set(session, &mut |_| ()).await.map(drop)
        };
        if let Err(error) = resealed {
            tracing::debug!(name: "session.not_resealed", session = %session.id(), %error, "a record stays under a retired key");
        }
    }

    async fn fetch(&self, known: &Known<T>, touch: Touch) -> Result<Option<Record>, Error> {
        if let Some(record) = &known.carried {
            return Ok(Some(record.clone()));
        }
        let client = &self.0.client;
        client.within(client.store.backend().load(&known.key, touch)).await
    }

    /// A new session under a fresh id, and its token.
    pub(crate) async fn create(&self, data: T) -> Result<(Snapshot<T>, String), Error> {
        let now = self.now();
        let expires = now.plus(self.lifetime());
        let claims = Claims { id: SessionId::random(), issued: now, expires, retired_key: false };
        let known = Known::new(claims, &self.0.purpose);
        let decoded = self.write(&known, About::starting(now), data, 128)?;
        let record = Record { version: 1, last_seen: now, expires, body: decoded.body.clone() };
        let (known, token) = self.tokenize(known, &record, now)?;
        let client = &self.0.client;
        let created = client.store.backend().create(&known.key, record, self.touch(now, &claims));
        if !client.within(created).instrument(telemetry::create_span(self.session_type())).await? {
            // 128 random bits met twice: nothing that a retry should hide.
            return Err(Error::Conflict);
        }
        telemetry::started(self.session_type(), &known.key);
        Ok((Snapshot::new(known, 1, expires, decoded), token))
    }

    /// The token of a record that is about to be stored, and what is known with it.
    fn tokenize(&self, known: Known<T>, record: &Record, now: Timestamp) -> Result<(Arc<Known<T>>, String), Error> {
        if self.0.carried {
            let token = self.0.tokens.seal_record(known.claims.id, record, now);
            let size = self.0.cookie.name.len() + token.len();
            if size > MAX_NAME_AND_VALUE {
                return Err(Error::CookieTooLarge { size });
            }
            return Ok((Arc::new(known.carrying(record.clone())), token));
        }
        let known = Arc::new(known);
        let token = self.0.tokens.seal(known.claims.id, known.claims.expires, now);
        self.0.known.insert(&token, Arc::clone(&known));
        Ok((known, token))
    }

    /// Ends a session; `false` if it had ended before.
    pub(crate) async fn delete(&self, known: &Known<T>) -> Result<bool, Error> {
        let client = &self.0.client;
        let span = telemetry::end_span(self.session_type(), &known.key);
        let ended = client.within(client.store.backend().delete(&known.key)).instrument(span).await?;
        known.forget();
        telemetry::ended(self.session_type(), &known.key);
        Ok(ended)
    }

    /// Gives the session another id: its record holds the new proof, and the old token is dead.
    pub(crate) async fn renew(&self, session: &Snapshot<T>) -> Result<(Snapshot<T>, String), Error> {
        let span = telemetry::renew_span(self.session_type(), &session.known.key);
        self.renew_now(session).instrument(span).await
    }

    async fn renew_now(&self, session: &Snapshot<T>) -> Result<(Snapshot<T>, String), Error> {
        let id = session.known.claims.id.renewed();
        for _ in 0..CONFLICTS {
            let (record, read, touch) = self.reload(&session.known).await?;
            let claims = Claims { id, issued: touch.now, expires: record.expires, retired_key: false };
            let known = Known::new(claims, &self.0.purpose);
            let decoded = self.write(&known, read.about, read.data, record.body.len())?;
            let next = next(&record, touch.now, &decoded);
            let (version, expires) = (next.version, next.expires);
            let (known, token) = self.tokenize(known, &next, touch.now)?;
            match self.replace(&known, record.version, next, touch).await {
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    session.known.bury();
                    telemetry::renewed(self.session_type(), &known.key);
                    return Ok((Snapshot::new(known, version, expires, decoded), token));
                }
            }
        }
        Err(Error::Conflict)
    }

    /// Puts another record in the place of this version, if nobody has before.
    async fn replace(&self, known: &Known<T>, version: u64, next: Record, touch: Touch) -> Result<(), Error> {
        if self.0.carried {
            return Ok(());
        }
        let client = &self.0.client;
        match client.within(client.store.backend().update(&known.key, version, next, touch)).await? {
            Written::Done => Ok(()),
            Written::Conflict => Err(Error::Conflict),
            Written::Absent => Err(Error::Ended),
        }
    }

    /// Takes the session exclusively: locked across the fleet, loaded, owned. `None`: no such session.
    pub(crate) async fn acquire(
        &self,
        known: &Arc<Known<T>>,
        wait: Option<Duration>,
    ) -> Result<Option<Exclusive<T>>, Error> {
        let terms = Terms { wait: wait.unwrap_or(self.0.terms.wait), ..self.0.terms };
        let touch = |now| self.touch(now, &known.claims);
        let span = telemetry::acquire_span(self.session_type(), &known.key);
        let acquired = Held::acquire(&self.0.client, &self.0.queue, known.key, terms, touch).instrument(span).await?;
        let Some((held, record, touch)) = acquired else { return Ok(None) };
        let Some(read) = self.read(known, &record, touch) else { return Ok(None) };
        telemetry::loaded(self.session_type(), &known.key);
        Ok(Some(Exclusive {
            held,
            known: Arc::clone(known),
            record,
            touch,
            about: read.about,
            json: read.json,
            retired_seal: read.retired_seal,
            data: read.data,
        }))
    }

    /// Stores what an exclusive borrow changed and gives up the lease: one call to the store.
    pub(crate) async fn save(&self, session: Exclusive<T>) -> Result<Snapshot<T>, Error> {
        let Exclusive { held, known, record, touch, about, json, retired_seal, data } = session;
        let draft = self.draft(&known, about, &data, record.body.len())?;
        if draft.json() == json && !retired_seal {
            held.release().await?;
            let (version, expires) = (record.version, record.expires);
            let decoded = Decoded { data, body: record.body, json, about: draft.into_about(), retired_seal };
            return Ok(Snapshot::new(known, version, expires, decoded));
        }
        let decoded = self.finish(&known, draft, data)?;
        let now = self.now();
        let saved = next(&record, now, &decoded);
        let (version, expires) = (saved.version, saved.expires);
        let conflict = |error: &Error| {
            if matches!(error, Error::Conflict | Error::Ended) {
                telemetry::conflict(self.session_type(), &known.key, error);
            }
        };
        let span = telemetry::save_span(self.session_type(), &known.key);
        let stored = held.save(record.version, saved, Touch { now, ..touch }).instrument(span).await;
        stored.inspect_err(conflict)?;
        Ok(Snapshot::new(known, version, expires, decoded))
    }

    /// Changes a session in one go, under a lease where the store has them, else by comparing versions.
    /// Where its record travels in the token, that is a new one.
    pub(crate) async fn change<R>(
        &self,
        session: &Snapshot<T>,
        change: impl FnMut(&mut T) -> R,
    ) -> Result<(Snapshot<T>, R, Option<String>), Error> {
        let span = telemetry::update_span(self.session_type(), &session.known.key);
        self.change_now(session, change).instrument(span).await
    }

    async fn change_now<R>(
        &self,
        session: &Snapshot<T>,
        mut change: impl FnMut(&mut T) -> R,
    ) -> Result<(Snapshot<T>, R, Option<String>), Error> {
        for _ in 0..CONFLICTS {
            let attempt = if self.0.client.store.leases().is_some() {
                let mut exclusive = self.acquire(&session.known, None).await?.ok_or(Error::Ended)?;
                let answer = change(&mut exclusive.data);
                self.save(exclusive).await.map(|saved| (saved, answer, None))
            } else {
                self.compare_and_set(session, &mut change).await
            };
            match attempt {
                Err(Error::Conflict) => {}
                other => return other,
            }
        }
        Err(Error::Conflict)
    }

    async fn compare_and_set<R>(
        &self,
        session: &Snapshot<T>,
        change: &mut impl FnMut(&mut T) -> R,
    ) -> Result<(Snapshot<T>, R, Option<String>), Error> {
        let known = &session.known;
        let (record, mut read, touch) = self.reload(known).await?;
        let answer = change(&mut read.data);
        let decoded = self.write(known, read.about, read.data, record.body.len())?;
        let next = next(&record, touch.now, &decoded);
        let (version, expires) = (next.version, next.expires);
        let (known, token) = if self.0.carried {
            let (known, token) = self.tokenize(Known::new(known.claims, &self.0.purpose), &next, touch.now)?;
            (known, Some(token))
        } else {
            (Arc::clone(known), None)
        };
        self.replace(&known, record.version, next, touch).await?;
        Ok((Snapshot::new(known, version, expires, decoded), answer, token))
    }

    /// The session as it is now, to change it; [`Error::Ended`] if there is none.
    async fn reload(&self, known: &Known<T>) -> Result<(Record, Decoded<T>, Touch), Error> {
        let touch = self.touch(self.now(), &known.claims);
        let record = self.fetch(known, touch).await?.ok_or(Error::Ended)?;
        let read = self.read(known, &record, touch).ok_or(Error::Ended)?;
        Ok((record, read, touch))
    }
}

/// The record that follows this one.
fn next<T>(record: &Record, now: Timestamp, decoded: &Decoded<T>) -> Record {
    Record { version: record.version + 1, last_seen: now, expires: record.expires, body: decoded.body.clone() }
}

/// How often a change or a renewal that met another write is tried again.
const CONFLICTS: usize = 16;

impl<T> Exclusive<T> {
    pub(crate) fn held(&self) -> &Held {
        &self.held
    }
}
