//! Waiting for the end of a session, for connections that outlive the request.

use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::core::Core;
use super::owners::{Entry, owner_of};
use super::snapshot::{LoadedSession, TokenEntry};
use crate::backend::{BackendError, Record, RecordKey, Touch};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::lease::StoreClient;

/// How often the clock is looked at, and a store that tells nothing by itself.
const TICK: Duration = Duration::from_millis(500);
/// The least between two looks, however often a store tells that one may be due.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a store that tells of ends is looked at all the same: a server that was switched off, or forgets
/// what it has no room for, tells nothing.
const MISSED: Duration = Duration::from_secs(30);

/// How a session came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// It was ended: by a logout, by another login in its place, or by somebody who may end the sessions of others.
    Closed,
    /// Nobody used it for as long as its idle timeout, or it reached its lifetime.
    Expired,
}

/// Waits for the end of a session: [`Session::ended`](crate::Session::ended).
///
/// It borrows nothing and is `Unpin`, so it moves into a task or a stream and can be awaited by `&mut` in a
/// `select!` in a loop.
#[must_use = "it waits when it is awaited"]
pub struct UntilEnded {
    watch: EndWatcher,
    running: BoxFuture<'static, Ended>,
}

impl UntilEnded {
    fn new(watch: EndWatcher) -> Self {
        Self { running: Box::pin(watch.clone().run()), watch }
    }

    /// And keeps the session in use for as long as this is awaited, so that its idle timeout does not end it. Its
    /// lifetime still does.
    pub fn keep_alive(self) -> Self {
        Self::new(EndWatcher { keep_alive: true, ..self.watch })
    }
}

impl Future for UntilEnded {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        self.running.as_mut().poll(context)
    }
}

impl fmt::Debug for UntilEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntilEnded")
            .field("session", &self.watch.key.public_id())
            .field("keep_alive", &self.watch.keep_alive)
            .finish_non_exhaustive()
    }
}

impl Core {
    /// Waits for the session's end.
    pub(crate) fn until_ended(&self, session: &LoadedSession) -> UntilEnded {
        UntilEnded::new(EndWatcher {
            core: self.clone(),
            entry: Arc::clone(&session.entry),
            // One that can't be told is refused where it is written.
            owner: owner_of(&*session.decoded.data).ok().flatten().map(Arc::from),
            client: Arc::clone(&self.0.client),
            key: session.entry.key,
            idle: self.idle(session.entry.claims.idle),
            slack: self.slack(self.idle(session.entry.claims.idle)),
            expires: session.expires,
            carried: self.0.carried,
            keep_alive: false,
        })
    }

    /// Slides the session's idle timeout, and says when it ends now.
    pub(crate) fn slide<'a>(&'a self, entry: &'a Arc<TokenEntry>) -> BoxFuture<'a, Result<Timestamp, Error>> {
        Box::pin(async move {
            let touch = self.touch(self.now(), &entry.claims);
            let record = self.fetch(entry, touch).await?.ok_or(Error::Ended)?;
            if !self.is_live_at(&record, touch) {
                return Err(Error::Ended);
            }
            if self.is_listing_due(entry, &record, touch.now)
                && let Some(session) = self.accept(entry, &record, touch)
            {
                self.keep_listed(entry.key, record.expires, &*session.decoded.data).await;
            }
            Ok(self.ends(entry, &record, touch.now).idle_expires)
        })
    }
}

/// What it takes to tell whether one session has ended.
///
/// The session is known by the key of its record, which a rotation doesn't change.
#[derive(Clone)]
struct EndWatcher {
    core: Core,
    entry: Arc<TokenEntry>,
    /// Whose it is, which never changes.
    owner: Option<Arc<[u8]>>,
    client: Arc<StoreClient>,
    key: RecordKey,
    idle: Duration,
    slack: Duration,
    expires: Timestamp,
    carried: bool,
    keep_alive: bool,
}

impl EndWatcher {
    async fn run(mut self) -> Ended {
        let mut used = self.client.now();
        loop {
            let looked = Instant::now();
            // Heard before it is looked for, so that no end falls in between.
            let told = self.listen().await;
            let told = match self.look().await {
                Ok(Some(record)) if self.touch(self.client.now()).is_live(&record, self.slack) => {
                    used = used.max(record.last_seen);
                    self.expires = record.expires;
                    told
                }
                Ok(None) if !self.is_due(used) => return Ended::Closed,
                Ok(_) => return Ended::Expired,
                // A store that is down has ended nothing: it is asked again.
                Err(_) => None,
            };
            self.wait(told, &mut used).await;
            tokio::time::sleep_until(looked + PAUSE).await;
        }
    }

    fn touch(&self, now: Timestamp) -> Touch {
        Touch { now, idle: self.idle, expires: self.expires }
    }

    /// Whether the session has expired as far as is known here; somebody may have used it meanwhile.
    fn is_due(&self, used: Timestamp) -> bool {
        let now = self.client.now();
        now >= self.expires || now.since(used) >= self.idle
    }

    async fn listen(&self) -> Option<BoxFuture<'static, ()>> {
        let store = self.client.store.watching()?;
        self.client.quietly(store.watch(&self.key)).await.ok()
    }

    async fn look(&self) -> Result<Option<Record>, BackendError> {
        if self.carried {
            // There is nothing to look at but the clock.
            let due = self.client.now() >= self.expires;
            let record = Record { version: 1, last_seen: self.client.now(), expires: self.expires, body: Bytes::new() };
            return Ok((!due).then_some(record));
        }
        self.client.quietly(self.client.store.backend().peek(&self.key)).await
    }

    /// Sees that a session that is kept in use is in its owner's list.
    async fn keep_listed(&self, record: &Record, now: Timestamp) {
        if let Some(owner) = &self.owner
            && self.core.is_listing_due(&self.entry, record, now)
        {
            self.core.index(owner).keep(Entry { key: self.key, expires: record.expires }).await;
        }
    }

    /// Waits until it is worth looking again, and keeps the session in use meanwhile if that is wanted.
    async fn wait(&self, told: Option<BoxFuture<'static, ()>>, used: &mut Timestamp) {
        let tick = TICK.min(self.idle / 4).max(PAUSE);
        let end = Instant::now() + if told.is_some() { MISSED } else { Duration::ZERO };
        let mut told = told.unwrap_or_else(|| Box::pin(pending()));
        loop {
            tokio::select! {
                () = &mut told => return,
                () = tokio::time::sleep(tick) => {}
            }
            let now = self.client.now();
            if self.keep_alive && !self.carried && now.since(*used) >= self.idle / 4 {
                let load = self.client.store.backend().load(&self.key, self.touch(now));
                if let Ok(Some(record)) = self.client.quietly(load).await {
                    *used = now;
                    self.keep_listed(&record, now).await;
                }
            }
            if self.is_due(*used) || Instant::now() >= end {
                return;
            }
        }
    }
}
