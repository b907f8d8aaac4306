//! How a session starts: its id, its record and its token, and its place in its owner's list.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;
use session_rules::cookie::MAX_NAME_AND_VALUE;
use tracing::Instrument as _;

use super::core::{Core, Login};
use super::end_hook::EndReason;
use super::ending;
use super::owners::{Entry, owner_of};
use super::schema::BoxedData;
use super::snapshot::{Ends, LoadedSession, TokenEntry};
use crate::backend::Record;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::SessionId;
use crate::record::SessionMeta;
use crate::telemetry;
use crate::token::Claims;

/// The shortest life of a session: its token knows its end by the second.
const SHORTEST: Duration = Duration::from_secs(1);

impl Core {
    /// A new session in the place of another one, which has ended if the new one has started.
    pub(crate) fn start(
        &self,
        data: BoxedData,
        login: Login,
        former: Option<LoadedSession>,
    ) -> BoxFuture<'_, Result<(LoadedSession, String), Error>> {
        Box::pin(async move {
            let (started, token) = self.create(data, login, former.as_ref()).await?;
            if let Some(former) = former
                && let Err(error) = self.delete_now(&former, Some(EndReason::Replaced)).await
            {
                // Two live sessions for one client would be worse than none: the new one never was.
                let _ = self.delete_now(&started, None).await;
                return Err(error);
            }
            Ok((started, token))
        })
    }

    /// A new session under a fresh id, and its token. `replaced` is one that is about to end.
    pub(crate) async fn create(
        &self,
        data: BoxedData,
        login: Login,
        replaced: Option<&LoadedSession>,
    ) -> Result<(LoadedSession, String), Error> {
        let Login { lifetime, until, idle, persistent, label } = login;
        let now = self.now();
        let lifetime = lifetime.into_iter().chain(until.map(|until| until.since(now))).min();
        if lifetime.into_iter().chain(idle).any(|given| given < SHORTEST) {
            return Err(Error::NoLifetime);
        }
        if self.lacks_domain() {
            return Err(Error::NoDomain);
        }
        let owner = owner_of(&*data)?;
        // Only what differs from the type's: such a token is longer, and earlier releases don't know it.
        let idle = idle.filter(|idle| *idle < self.0.idle);
        let meta = SessionMeta { persistent, idle, label, ..SessionMeta::starting(now) };
        let expires = now.plus(lifetime.unwrap_or(Duration::MAX).min(self.lifetime()));
        let claims = Claims { id: SessionId::random(), issued: now, expires, idle, retired_key: false };
        let entry = TokenEntry::new(claims, &self.0.record_names);
        let room = self.0.usual_body.load(Ordering::Relaxed);
        let decoded = self.write(&entry.key, meta, entry.id_hash, &*data, room)?;
        if decoded.body.len() != room {
            self.0.usual_body.store(decoded.body.len(), Ordering::Relaxed);
        }
        let record = Record { version: 1, last_seen: now, expires, body: decoded.body.clone() };
        let (entry, token) = self.tokenize(entry, &record, now)?;
        let client = &self.0.client;
        let created = client.store.backend().create(&entry.key, record, self.touch(now, &claims));
        let created = client.within(created).instrument(telemetry::create_span(self.session_type())).await;
        if !created.map_err(Error::unconfirmed)? {
            // 128 random bits met twice: nothing that a retry should hide.
            return Err(Error::Conflict);
        }
        if let Some(owner) = owner {
            // Before the token is anybody's, so that every session that can be used is listed.
            let (index, entry) = (self.index(&owner), Entry { key: entry.key, expires });
            let replaced = replaced.map(|session| session.entry.key);
            if let Err(error) = index.enter(entry, replaced, self.0.limit).await {
                // Nobody has its token: whether it can be removed at once makes no difference.
                let _ = ending::remove(client, &entry.key).await;
                return Err(error);
            }
        }
        telemetry::started(self.session_type(), &entry.key);
        let ends = Ends { expires, idle_expires: now.plus(self.idle(idle)).min(expires) };
        Ok((LoadedSession::new(self, entry, 1, ends, decoded), token))
    }

    /// The token of a record that is about to be stored, and what is known with it.
    pub(super) fn tokenize(
        &self,
        entry: TokenEntry,
        record: &Record,
        now: Timestamp,
    ) -> Result<(Arc<TokenEntry>, String), Error> {
        if self.0.carried {
            let token = self.tokens()?.seal_record(entry.claims.id, record, now);
            let size = self.0.cookie.name.len() + token.len();
            if size > MAX_NAME_AND_VALUE {
                return Err(Error::CookieTooLarge { size });
            }
            return Ok((self.remember(entry.carrying(record.clone()), &token), token));
        }
        let token = self.tokens()?.seal(entry.claims.id, entry.claims.expires, entry.claims.idle, now);
        Ok((self.remember(entry, &token), token))
    }

    /// A token that need not be verified when it comes.
    fn remember(&self, entry: TokenEntry, token: &str) -> Arc<TokenEntry> {
        let digest = self.0.token_cache.digest(&self.remembered_as(token));
        let entry = Arc::new(entry.remembered_by(digest));
        self.0.token_cache.insert(digest, Arc::clone(&entry), entry.size());
        entry
    }
}
