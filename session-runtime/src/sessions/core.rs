//! The sessions of a type without the type: from a token to the data and back.
//!
//! Nothing here is generic, so that all of it is compiled with this crate and none of it with the user's.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use session_rules::cookie::{Cookie, MAX_NAME_AND_VALUE};
use session_rules::origin::Origin;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::exclusive::Exclusive;
use super::forgery::Forgeries;
use super::owners::{Entry, owner_of};
use super::schema::{AnyData, Data, Schema};
use super::snapshot::{Decoded, Known, Loaded};
use crate::backend::{Key, Record, Touch};
use crate::clock::Timestamp;
use crate::crypto::Sealer;
use crate::declaration::{Limit, Transport};
use crate::error::Error;
use crate::id::SessionId;
use crate::lease::{Queue, StoreClient, Terms};
use crate::missing::Missing;
use crate::record::About;
use crate::telemetry::{self, Refusal};
use crate::token::{Claims, TOKEN_LEN, TokenCache, Tokens};

/// All sessions of one type.
#[derive(Clone)]
pub(crate) struct Core(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) schema: &'static Schema,
    pub(super) client: Arc<StoreClient>,
    pub(super) queue: Arc<Queue>,
    pub(super) tokens: Tokens,
    pub(super) sealer: Sealer,
    pub(super) known: TokenCache<Known>,
    pub(super) purpose: String,
    /// Whether records travel in tokens.
    pub(super) carried: bool,
    pub(super) idle: Duration,
    pub(super) slack: Duration,
    pub(super) renew_every: Option<Duration>,
    pub(super) terms: Terms,
    pub(super) cookie: Cookie,
    pub(super) transports: Vec<Transport>,
    pub(super) trusted_origins: Vec<Origin>,
    pub(super) forgeries: Forgeries,
    pub(super) missing: Missing,
    /// How many sessions an owner may have.
    pub(super) limit: Option<Limit>,
    pub(super) sweeper: Option<JoinHandle<()>>,
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
    pub(crate) persistent: Option<bool>,
    /// What a person knows the session by.
    pub(crate) label: Option<Arc<str>>,
}

impl Core {
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

    pub(crate) fn schema(&self) -> &'static Schema {
        self.0.schema
    }

    pub(super) fn touch(&self, now: Timestamp, claims: &Claims) -> Touch {
        Touch { now, idle: self.0.idle, expires: claims.expires }
    }

    /// Verifies a token. Nothing but the token is looked at: no store is asked.
    ///
    /// # Errors
    /// Why it can't be used.
    pub(crate) fn identify(&self, token: &str) -> Result<Arc<Known>, Refusal> {
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
                true if known.is_dead(now) => Err(Refusal::Replaced),
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
    pub(crate) fn reissue(&self, session: &Loaded) -> Option<String> {
        let known = &session.known;
        let (now, claims) = (self.now(), &known.claims);
        if session.decoded.proof != known.proof {
            // A former id, which another request's answer replaces.
            return None;
        }
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
    pub(crate) async fn load(&self, known: &Arc<Known>) -> Result<Option<Loaded>, Error> {
        let touch = self.touch(self.now(), &known.claims);
        let span = telemetry::load_span(self.session_type(), &known.key);
        let record = self.fetch(known, touch).instrument(span).await?;
        let Some(record) = record else {
            telemetry::absent(self.session_type(), &known.key);
            return Ok(None);
        };
        let Some(session) = self.accept(known, &record, touch) else { return Ok(None) };
        telemetry::loaded(self.session_type(), &known.key);
        if session.decoded.retired_seal {
            Box::pin(self.reseal(&session)).await;
        }
        Ok(Some(session))
    }

    /// Seals a record under the newest key, so that who only ever reads a session keeps it when the older key goes.
    /// Whoever holds the session now does it too, and so does the next read: no failure is worth an answer.
    async fn reseal(&self, session: &Loaded) {
        let resealed = if self.0.client.store.leases().is_some() {
            match self.acquire(&session.known, session.right(), Some(Duration::ZERO)).await {
                Ok(Some(exclusive)) => self.save(exclusive).await.map(drop),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            }
        } else {
            match self.begin_change(session).await {
                Ok(change) => self.finish_change(session, change).await.map(drop),
                Err(error) => Err(error),
            }
        };
        if let Err(error) = resealed {
            telemetry::not_resealed(self.session_type(), &session.known.key, &error);
        }
    }

    pub(super) async fn fetch(&self, known: &Known, touch: Touch) -> Result<Option<Record>, Error> {
        if let Some(record) = &known.carried {
            return Ok(Some(record.clone()));
        }
        let client = &self.0.client;
        client.within(client.store.backend().load(&known.key, touch)).await
    }

    /// A new session in the place of another one, which has ended if the new one has started.
    pub(crate) fn start(
        &self,
        data: Data,
        login: Login,
        former: Option<Loaded>,
    ) -> BoxFuture<'_, Result<(Loaded, String), Error>> {
        Box::pin(async move {
            let (started, token) = self.create(data, login, former.as_ref()).await?;
            if let Some(former) = former
                && let Err(error) = self.delete_now(&former).await
            {
                // Two live sessions for one client would be worse than none: the new one never was.
                let _ = self.delete_now(&started).await;
                return Err(error);
            }
            Ok((started, token))
        })
    }

    /// A new session under a fresh id, and its token. `replaced` is one that is about to end.
    pub(crate) async fn create(
        &self,
        data: Data,
        login: Login,
        replaced: Option<&Loaded>,
    ) -> Result<(Loaded, String), Error> {
        let Login { lifetime, persistent, label } = login;
        if lifetime.is_some_and(|lifetime| lifetime < SHORTEST) {
            return Err(Error::NoLifetime);
        }
        let owner = owner_of(&*data)?;
        let now = self.now();
        let about = About { persistent, label, ..About::starting(now) };
        let expires = now.plus(lifetime.unwrap_or(Duration::MAX).min(self.lifetime()));
        let claims = Claims { id: SessionId::random(), issued: now, expires, retired_key: false };
        let known = Known::new(claims, &self.0.purpose);
        let decoded = self.write(&known.key, about, known.proof, data, 128)?;
        let record = Record { version: 1, last_seen: now, expires, body: decoded.body.clone() };
        let (known, token) = self.tokenize(known, &record, now)?;
        let client = &self.0.client;
        let created = client.store.backend().create(&known.key, record, self.touch(now, &claims));
        if !client.within(created).instrument(telemetry::create_span(self.session_type())).await? {
            // 128 random bits met twice: nothing that a retry should hide.
            return Err(Error::Conflict);
        }
        if let Some(owner) = owner {
            // Before the token is anybody's, so that every session that can be used is listed.
            let (index, entry) = (self.index(&owner), Entry { key: known.key, expires });
            let replaced = replaced.map(|session| session.known.key);
            if let Err(error) = index.enter(entry, replaced, self.0.limit).await {
                // Nobody has its token: whether it can be removed at once makes no difference.
                let _ = client.within(client.store.backend().delete(&known.key)).await;
                return Err(error);
            }
        }
        telemetry::started(self.session_type(), &known.key);
        Ok((Loaded::new(known, 1, expires, decoded), token))
    }

    /// The token of a record that is about to be stored, and what is known with it.
    pub(super) fn tokenize(
        &self,
        known: Known,
        record: &Record,
        now: Timestamp,
    ) -> Result<(Arc<Known>, String), Error> {
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
    pub(crate) fn delete<'a>(&'a self, session: &'a Loaded) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(self.delete_now(session))
    }

    async fn delete_now(&self, session: &Loaded) -> Result<bool, Error> {
        let (client, known) = (&self.0.client, &session.known);
        let span = telemetry::end_span(self.session_type(), &known.key);
        let ended = client.within(client.store.backend().delete(&known.key)).instrument(span).await?;
        known.forget();
        telemetry::ended(self.session_type(), &known.key);
        if let Ok(Some(owner)) = owner_of(&*session.decoded.data) {
            self.index(&owner).strike(&[known.key]).await;
        }
        Ok(ended)
    }

    /// Stores what an exclusive borrow changed and gives up the lease: one call to the store. The token is
    /// another one where the session is renewed by it.
    pub(crate) async fn save(&self, mut session: Exclusive) -> Result<(Loaded, Option<String>), Error> {
        session.settle_flash();
        let now = self.now();
        let renewal = session.renewal(self, now)?;
        let Exclusive { held, known, record, touch, about, proof, json, retired_seal, owner, data, .. } = session;
        let (bearer, about, proof) = self.bearer(&known, (about, proof), renewal, record.expires, now);
        let draft = self.draft(about, proof, &*data, record.body.len())?;
        if renewal.is_none() && draft.json() == json && !retired_seal {
            held.release().await?;
            let (version, expires) = (record.version, record.expires);
            let decoded = Decoded { data, body: record.body, json, about: draft.into_about(), proof, retired_seal };
            return Ok((Loaded::new(known, version, expires, decoded), None));
        }
        self.stays_its_owners(&known.key, owner.as_deref(), &*data)?;
        let decoded = self.finish(&known.key, draft, data)?;
        let mut following = self.successor(bearer, &record, decoded, now)?;
        let conflict = |error: &Error| {
            if matches!(error, Error::Conflict | Error::Ended) {
                telemetry::conflict(self.session_type(), &known.key, error);
            }
        };
        let saved = following.record.clone();
        let span = telemetry::save_span(self.session_type(), &known.key);
        let stored = held.save(record.version, saved, Touch { now, ..touch }).instrument(span).await;
        stored.inspect_err(conflict)?;
        if let Some(renewal) = renewal {
            self.replaced(&known, renewal, now);
        }
        let token = following.token.take();
        Ok((following.into_snapshot(), token))
    }

    /// The data is still the owner's whose it was.
    pub(super) fn stays_its_owners(&self, key: &Key, owner: Option<&[u8]>, data: &dyn AnyData) -> Result<(), Error> {
        if owner_of(data)?.as_deref() == owner {
            return Ok(());
        }
        telemetry::owner_changed(self.session_type(), key);
        Err(Error::OwnerChanged)
    }
}

/// The record that follows this one.
pub(super) fn next(record: &Record, now: Timestamp, decoded: &Decoded) -> Record {
    Record { version: record.version + 1, last_seen: now, expires: record.expires, body: decoded.body.clone() }
}

/// The shortest life of a session: its token knows its end by the second.
const SHORTEST: Duration = Duration::from_secs(1);

/// How often a change or a renewal that met another write is tried again.
pub(crate) const CONFLICTS: usize = 16;
