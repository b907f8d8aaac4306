//! Every live session of a type, for operators: to look at, to count, to end.
//!
//! A store may hold the sessions of several types, and lists of owners' sessions. A record says by a hash whose session it
//! is, so that nothing of another type is shown here, nor ended. What has no such hash, or can't be read, is an error in the
//! list and not left out: it may be a session that this program does not understand.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};

use super::core::Core;
use super::end_hook::EndReason;
use super::ending::{self, Found};
use super::owners::{is_owner_index, owner_of};
use super::schema::owned;
use super::{SessionData, Sessions};
use crate::backend::{List, ListCursor, ListPage, ListedRecord, RecordKey, Touch};
use crate::clock::Timestamp;
use crate::error::{BackendError, Error};
use crate::id::PublicId;
use crate::record::{Envelope, Record, SessionMeta};
use crate::telemetry;

/// How many records are asked for at once.
const PAGE: usize = 100;

impl<T: SessionData> Sessions<T> {
    /// All live sessions of this type, in no order, read from the store page by page as they are asked for.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{AllError, SessionData, Sessions};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct User { admin: bool }
    /// async fn admins(users: &Sessions<User>) -> Result<usize, AllError> {
    ///     let (mut all, mut admins) = (users.all(), 0);
    ///     while let Some(user) = all.next().await {
    ///         admins += usize::from(user?.admin);
    ///     }
    ///     Ok(admins)
    /// }
    /// ```
    ///
    /// A session that lives from the first page to the last is there. One that starts or ends meanwhile may be there or
    /// not, and Redis may show one twice while it grows. What is shown is what was stored when its page was read. Looking at
    /// a session is no use of it. About a hundred sessions are in memory at a time, and no request waits for more than a page.
    ///
    /// A stored session that can't be read is an item as well: see [`AllError`]. The stream goes on after it.
    pub fn all(&self) -> AllSessions<'_, T>
    where
        T::Backend: List,
    {
        AllSessions { sessions: self.core().all(), data: PhantomData }
    }

    /// How many live sessions of this type there are. Their data is not looked at.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{Error, SessionData, Sessions};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct User;
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct Cart;
    /// async fn by_type(users: &Sessions<User>, carts: &Sessions<Cart>) -> Result<[usize; 2], Error> {
    ///     Ok([users.count().await?, carts.count().await?])
    /// }
    /// ```
    ///
    /// Sessions that start or end meanwhile may be counted or not: the number is right to within as many.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down, or a backend that was given to the builder can't list.
    pub async fn count(&self) -> Result<usize, Error>
    where
        T::Backend: List,
    {
        self.core().count().await
    }

    /// Ends each live session that the predicate holds of, and says how many have ended.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use session_runtime::{Error, SessionData, Sessions};
    /// # use std::time::{Duration, SystemTime};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # struct User;
    /// async fn end_old(users: &Sessions<User>) -> Result<usize, Error> {
    ///     let limit = SystemTime::now() - Duration::from_secs(86_400);
    ///     users.end_where(|user| user.created_at() < limit).await
    /// }
    /// ```
    ///
    /// It is asked about each session as that was read: one that changes or starts meanwhile may be left, or ended by what
    /// it was a moment ago. A stored session that can't be read is left alone, with the event `session.unreadable`.
    ///
    /// # Errors
    /// As [`count`](Self::count); what was ended until then stays so.
    pub async fn end_where(&self, mut predicate: impl FnMut(&StoredSession<T>) -> bool) -> Result<usize, Error>
    where
        T::Backend: List,
    {
        let (core, mut sessions, mut ended) = (self.core(), self.core().all(), 0);
        while let Some(found) = sessions.next().await {
            let session = match found {
                Ok(found) => StoredSession::<T>::of(found),
                Err(AllError::Unreadable { .. }) => continue,
                Err(AllError::Store(error)) => return Err(error),
            };
            if predicate(&session) {
                ended += usize::from(core.end_stored(session.into_found()).await?);
            }
        }
        Ok(ended)
    }
}

/// All live sessions of a type, by [`Sessions::all`]: a [`Stream`], with a [`next`](AllSessions::next) of its own.
#[must_use = "a stream does nothing unless it is asked"]
pub struct AllSessions<'a, T> {
    sessions: BoxStream<'a, Result<Found, AllError>>,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> AllSessions<'_, T> {
    /// The next session; `None` after the last, and after the backend has failed.
    pub async fn next(&mut self) -> Option<Result<StoredSession<T>, AllError>> {
        self.sessions.next().await.map(|found| found.map(StoredSession::of))
    }
}

impl<T: SessionData> Stream for AllSessions<'_, T> {
    type Item = Result<StoredSession<T>, AllError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.sessions.poll_next_unpin(cx).map(|found| found.map(|found| found.map(StoredSession::of)))
    }
}

impl<T> fmt::Debug for AllSessions<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllSessions").finish_non_exhaustive()
    }
}

/// A session as it is stored, or was when it ended: its data by `Deref`, and what the runtime notes beside it. It holds
/// nothing by which the session could be used.
pub struct StoredSession<T> {
    key: RecordKey,
    meta: SessionMeta,
    last_seen: Timestamp,
    expires: Timestamp,
    data: T,
}

impl<T: SessionData> StoredSession<T> {
    pub(super) fn of(found: Found) -> Self {
        let Found { key, meta, last_seen, expires, data } = found;
        Self { key, meta, last_seen, expires, data: owned(data) }
    }

    fn into_found(self) -> Found {
        let Self { key, meta, last_seen, expires, data } = self;
        Found { key, meta, last_seen, expires, data: Box::new(data) }
    }
}

impl<T> StoredSession<T> {
    /// The session's name, by which its owner's [`end`](crate::OwnerSessions::end) and logs know it.
    pub fn public_id(&self) -> PublicId {
        self.key.public_id()
    }

    /// When it started.
    pub fn created_at(&self) -> SystemTime {
        self.meta.created.into()
    }

    /// When the person last authenticated.
    pub fn authenticated_at(&self) -> SystemTime {
        self.meta.authenticated_at.into()
    }

    /// When it was last used, as far as the store has noted it.
    pub fn last_seen_at(&self) -> SystemTime {
        self.last_seen.into()
    }

    /// When it ends however much it is used.
    pub fn expires_at(&self) -> SystemTime {
        self.expires.into()
    }

    /// What the login called it: see [`Start::label`](crate::Start::label). It came from outside, so a page escapes it.
    pub fn label(&self) -> Option<&str> {
        self.meta.label.as_deref()
    }

    /// The data, to own.
    pub fn into_data(self) -> T {
        self.data
    }
}

impl<T> Deref for StoredSession<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T> fmt::Debug for StoredSession<T> {
    /// The data may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, last_seen, expires, .. } = self;
        let mut debug = f.debug_struct("StoredSession");
        debug.field("public_id", &key.public_id()).field("last_seen", last_seen).field("expires", expires);
        debug.finish_non_exhaustive()
    }
}

/// What comes in the place of a session in [`Sessions::all`].
#[derive(Debug)]
#[non_exhaustive]
pub enum AllError {
    /// A stored session can't be read. It is left as it is, and the stream goes on. The event `session.unreadable` says
    /// more.
    #[non_exhaustive]
    Unreadable {
        /// The session's name.
        session: PublicId,
        /// `format`, `type`, `seal`, `data`, `version` or `invalid`: see the event.
        reason: &'static str,
    },
    /// The backend is down or can't list. It is the last item.
    Store(Error),
}

impl fmt::Display for AllError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { session, reason } => write!(f, "the stored session {session} can't be read: {reason}"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AllError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Store(error) => error.source(),
        }
    }
}

/// What a record is to a type.
pub(super) enum Kind {
    Ours(Envelope, usize),
    /// Another type's session, an owner's list, or a session that has expired.
    NotOurs,
    Unreadable(&'static str),
}

/// A walk through the pages of a store.
struct Walk<'a> {
    core: &'a Core,
    page: std::vec::IntoIter<ListedRecord>,
    /// Where the next page begins; `None` after the last.
    next: Option<Option<ListCursor>>,
}

impl Walk<'_> {
    /// The next record; `None` after the last.
    async fn next(&mut self) -> Option<Result<ListedRecord, Error>> {
        loop {
            if let Some(record) = self.page.next() {
                return Some(Ok(record));
            }
            let after = self.next.take()?;
            if after.is_some() {
                // A store in memory never waits: others go on between two pages.
                tokio::task::yield_now().await;
            }
            match self.core.page_of(after.as_ref(), PAGE).await {
                Ok(ListPage { records, next }) => (self.page, self.next) = (records.into_iter(), next.map(Some)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Core {
    fn walk(&self) -> Walk<'_> {
        Walk { core: self, page: Vec::new().into_iter(), next: Some(None) }
    }

    /// A page of about so many records, of whatever type.
    pub(super) async fn page_of(&self, after: Option<&ListCursor>, limit: usize) -> Result<ListPage, Error> {
        let client = &self.0.client;
        let store = client.store.listing().ok_or_else(|| BackendError::new("this backend can't list its sessions"))?;
        client.within(store.list(after, limit)).await
    }

    fn all(&self) -> BoxStream<'_, Result<Found, AllError>> {
        Box::pin(stream::unfold(self.walk(), async |mut walk| {
            loop {
                let item = match walk.next().await? {
                    Ok(listed) => self.found(listed),
                    Err(error) => Some(Err(AllError::Store(error))),
                };
                if let Some(item) = item {
                    return Some((item, walk));
                }
            }
        }))
    }

    fn count(&self) -> BoxFuture<'_, Result<usize, Error>> {
        Box::pin(async move {
            let (mut walk, mut count) = (self.walk(), 0);
            while let Some(listed) = walk.next().await {
                let record = listed?.record;
                count += usize::from(record.is_some_and(|record| matches!(self.kind(&record), Kind::Ours(..))));
            }
            Ok(count)
        })
    }

    pub(super) fn kind(&self, record: &Record) -> Kind {
        match Envelope::read(&record.body) {
            Some((envelope, payload)) if envelope.type_tag == Some(self.0.type_tag) => {
                if record.version.checked_add(1).is_none() {
                    return Kind::Unreadable("format");
                }
                let now = self.now();
                let idle = self.idle(envelope.meta.idle);
                let lives = self.is_live_at(record, Touch { now, idle, expires: record.expires });
                if lives { Kind::Ours(envelope, payload) } else { Kind::NotOurs }
            }
            Some((envelope, _)) if envelope.type_tag.is_some() => Kind::NotOurs,
            _ if is_owner_index(record) => Kind::NotOurs,
            Some(_) => Kind::Unreadable("type"),
            None => Kind::Unreadable("format"),
        }
    }

    /// `None` for what is not a live session of this type.
    pub(super) fn found(&self, listed: ListedRecord) -> Option<Result<Found, AllError>> {
        let ListedRecord { key, record } = listed;
        let unreadable = |reason| Some(Err(AllError::Unreadable { session: key.public_id(), reason }));
        let tell = |reason| {
            telemetry::unreadable(self.session_type(), &key, reason, ());
            unreadable(reason)
        };
        let Some(record) = record else { return tell("format") };
        let (envelope, payload) = match self.kind(&record) {
            Kind::Ours(envelope, payload) => (envelope, payload),
            Kind::NotOurs => return None,
            Kind::Unreadable(reason) => return tell(reason),
        };
        let decoded = match self.try_decode(&key, &record, &envelope, payload) {
            Ok(decoded) => decoded,
            Err(reason) => return unreadable(reason),
        };
        let (last_seen, expires) = (record.last_seen, record.expires);
        Some(Ok(Found { key, meta: decoded.meta, last_seen, expires, data: decoded.data }))
    }

    /// Ends a session that was listed; `false` if it had ended before.
    pub(super) fn end_stored(&self, found: Found) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(async move {
            let (key, owner) = (found.key, owner_of(&*found.data));
            let ended = ending::remove(&self.0.client, &key).await?;
            if ended {
                telemetry::ended(self.session_type(), &key);
                self.tell_found(found, EndReason::Revoked);
            }
            if let Ok(Some(owner)) = owner {
                self.index(&owner).strike(&[key]).await;
            }
            Ok(ended)
        })
    }
}
