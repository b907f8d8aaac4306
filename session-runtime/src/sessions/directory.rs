//! Live sessions for the page of operators: a bounded piece of work at a time, without the type.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value;

use super::all::{AllError, Kind};
use super::core::Core;
use super::ending::Found;
use super::owners::owner_of;
use super::schema::ErasedData;
use crate::backend::{ListCursor, ListPage, ListedRecord, RecordKey};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::PublicId;

/// How many sessions a page has at least, if there are as many.
const ROWS: usize = 50;
/// How many records are asked for at once, and so how many rows a page has at most beyond `ROWS`.
const AT_A_TIME: usize = 50;
/// How many records are read for one page: of a type that is rare in its store, a page may have few rows.
const READ: usize = 2_000;
/// How many records are read to count the sessions of a type, unless all are to be counted.
const COUNTED: usize = 10_000;
/// How many sessions are ended by one request.
const ENDED: usize = 1_000;
/// How many sessions of an owner are shown, the newest ones.
const OF_OWNER: usize = 200;
/// How many are ended at the same time.
const AT_ONCE: usize = 16;

/// What a reference names.
const SESSION: u8 = 1;
const OWNER: u8 = 2;
const PLACE: u8 = 3;

/// A session in a page.
pub(crate) struct Row {
    pub(crate) session: PublicId,
    /// What names it in a form.
    pub(crate) reference: String,
    pub(crate) created: Timestamp,
    pub(crate) last_seen: Timestamp,
    /// When it ends if nobody uses it.
    pub(crate) expires: Timestamp,
    pub(crate) label: Option<Arc<str>>,
    pub(crate) owner: Option<OwnersList>,
    pub(crate) data: Box<dyn ErasedData>,
}

/// Whose a session is.
#[derive(Debug)]
pub(crate) struct OwnersList {
    /// As a person reads it; `None` where the field is marked `secret`.
    pub(crate) shown: Option<String>,
    /// What names the owner in an address.
    pub(crate) reference: String,
}

/// Sessions, and those that can't be read, each with the reason.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) sessions: Vec<Row>,
    pub(crate) unreadable: Vec<(PublicId, &'static str)>,
    /// How many older ones of the owner's were not looked at.
    pub(crate) older: usize,
}

/// A page of all sessions of a type.
pub(crate) struct PageOfSessions {
    pub(crate) rows: Rows,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

/// What came of ending all sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EndedSome {
    pub(crate) ended: usize,
    /// Whether there may be more.
    pub(crate) more: bool,
}

impl Core {
    /// Whether its store can show all that it holds.
    pub(crate) fn can_list(&self) -> bool {
        self.0.client.store.listing().is_some()
    }

    fn reference(&self, kind: u8, name: &[u8]) -> String {
        self.0.references.seal(kind, name)
    }

    fn named(&self, kind: u8, reference: &str) -> Option<RecordKey> {
        let bytes = self.0.references.open(kind, reference)?;
        Some(RecordKey::from_bytes(bytes.try_into().ok()?))
    }

    /// The page that begins at a place, or the first one; `None` for a place that was not handed out.
    pub(crate) async fn page_at(&self, place: Option<&str>) -> Option<Result<PageOfSessions, Error>> {
        let after = match place {
            None => None,
            Some(place) => Some(ListCursor::from_bytes(self.0.references.open(PLACE, place)?)),
        };
        Some(self.page_after(after).await)
    }

    async fn page_after(&self, mut after: Option<ListCursor>) -> Result<PageOfSessions, Error> {
        let (mut rows, mut read) = (Rows::default(), 0);
        loop {
            let ListPage { records, next } = self.page_of(after.as_ref(), AT_A_TIME).await?;
            read += records.len().max(1);
            for listed in records {
                self.add(&mut rows, listed);
            }
            let is_full = rows.sessions.len() + rows.unreadable.len() >= ROWS || read >= READ;
            match next {
                Some(next) if is_full => {
                    let next = Some(self.reference(PLACE, next.as_bytes()));
                    return Ok(PageOfSessions { rows, next });
                }
                None => return Ok(PageOfSessions { rows, next: None }),
                // A store in memory never waits: others go on between two pages.
                Some(next) => after = Some(next),
            }
            tokio::task::yield_now().await;
        }
    }

    fn add(&self, rows: &mut Rows, listed: ListedRecord) {
        match self.found(listed) {
            Some(Ok(found)) => rows.sessions.push(self.row(found)),
            Some(Err(AllError::Unreadable { session, reason })) => rows.unreadable.push((session, reason)),
            Some(Err(AllError::Store(_))) | None => {}
        }
    }

    fn row(&self, found: Found) -> Row {
        let Found { key, meta, last_seen, expires, data } = found;
        Row {
            session: key.public_id(),
            reference: self.reference(SESSION, key.as_bytes()),
            created: meta.created,
            last_seen,
            expires: last_seen.plus(self.idle(meta.idle)).min(expires),
            label: meta.label,
            owner: self.owner(&*data),
            data,
        }
    }

    fn owner(&self, data: &dyn ErasedData) -> Option<OwnersList> {
        let owner = owner_of(data).ok().flatten()?;
        let reference = self.reference(OWNER, self.list_of(&owner).as_bytes());
        let owner: Value = serde_json::from_slice(&owner).ok()?;
        let shown = (!self.0.schema.owner_is_secret).then(|| shown(&owner));
        Some(OwnersList { shown, reference })
    }

    /// How many sessions live, and whether there may be more since not all records were read.
    pub(crate) async fn count_some(&self, all: bool) -> Result<(usize, bool), Error> {
        let (mut after, mut count, mut read) = (None, 0, 0);
        loop {
            let ListPage { records, next } = self.page_of(after.as_ref(), 100).await?;
            read += records.len().max(1);
            let live = |listed: &ListedRecord| {
                listed.record.as_ref().is_some_and(|record| matches!(self.kind(record), Kind::Ours(..)))
            };
            count += records.iter().filter(|listed| live(listed)).count();
            match next {
                None => return Ok((count, false)),
                Some(_) if !all && read >= COUNTED => return Ok((count, true)),
                next => after = next,
            }
            tokio::task::yield_now().await;
        }
    }

    /// Ends the session that a page named so unless it is the own one, and says whether it did; `None` for what no page has
    /// named.
    pub(crate) async fn end_named(&self, reference: &str, own: Option<PublicId>) -> Option<Result<bool, Error>> {
        let key = self.named(SESSION, reference)?;
        Some(if Some(key.public_id()) == own { Ok(false) } else { self.end_key(key).await })
    }

    async fn end_key(&self, key: RecordKey) -> Result<bool, Error> {
        let client = &self.0.client;
        let Some(record) = client.within(client.store.backend().peek(&key)).await? else { return Ok(false) };
        match self.found(ListedRecord { key, record: Some(record) }) {
            Some(Ok(found)) => self.end_stored(found).await,
            Some(Err(_)) | None => Ok(false),
        }
    }

    /// Ends all sessions but one, as many as one request may.
    pub(crate) async fn end_some(&self, keep: Option<PublicId>) -> Result<EndedSome, Error> {
        let (mut after, mut ended) = (None, 0);
        loop {
            let ListPage { records, next } = self.page_of(after.as_ref(), 100).await?;
            let found = records.into_iter().filter_map(|listed| self.found(listed)?.ok());
            let mut found: Vec<Found> = found.filter(|found| Some(found.key.public_id()) != keep).collect();
            while !found.is_empty() {
                let some = found.drain(..found.len().min(AT_ONCE));
                for done in join_all(some.map(|found| self.end_stored(found))).await {
                    ended += usize::from(done?);
                }
            }
            match next {
                None => return Ok(EndedSome { ended, more: false }),
                Some(_) if ended >= ENDED => return Ok(EndedSome { ended, more: true }),
                next => after = next,
            }
            tokio::task::yield_now().await;
        }
    }

    /// An owner by what a person types: text, or the JSON that the field is written as. The one of the two who has
    /// sessions, or the text.
    pub(crate) async fn find_owner(&self, typed: &str) -> Result<String, Error> {
        let as_json = serde_json::from_str::<Value>(typed).ok().filter(|value| !value.is_null());
        let mut list = self.list_of(Value::from(typed).to_string().as_bytes());
        if let Some(json) = as_json {
            let other = self.list_of(json.to_string().as_bytes());
            if self.keys_in(list).await?.is_empty() && !self.keys_in(other).await?.is_empty() {
                list = other;
            }
        }
        Ok(self.reference(OWNER, list.as_bytes()))
    }

    /// The sessions of an owner, the one that was used last first; `None` for what no page has named.
    pub(crate) async fn rows_of_owner(&self, reference: &str) -> Option<Result<Rows, Error>> {
        let list = self.named(OWNER, reference)?;
        Some(self.rows_in(list).await)
    }

    async fn rows_in(&self, list: RecordKey) -> Result<Rows, Error> {
        let keys = self.keys_in(list).await?;
        let older = keys.len().saturating_sub(OF_OWNER);
        let mut rows = Rows { older, ..Rows::default() };
        for listed in self.records_of(&keys[older..]).await? {
            self.add(&mut rows, listed);
        }
        rows.sessions.retain(|row| self.is_in(list, &*row.data));
        rows.sessions.sort_by_key(|row| std::cmp::Reverse((row.last_seen, row.created)));
        Ok(rows)
    }

    /// Ends the sessions of an owner but one, and says how many; `None` for what no page has named.
    pub(crate) async fn end_owner(&self, reference: &str, own: Option<PublicId>) -> Option<Result<usize, Error>> {
        let list = self.named(OWNER, reference)?;
        Some(self.end_owner_in(list, own).await)
    }

    async fn end_owner_in(&self, list: RecordKey, own: Option<PublicId>) -> Result<usize, Error> {
        // A session that is not in the list can't be kept, and would be taken for one that the list has lost.
        let is_listed = match own {
            Some(own) => self.keys_in(list).await?.iter().any(|key| key.public_id() == own),
            None => false,
        };
        self.end_in(list, own.filter(|_| is_listed)).await
    }
}

/// Text as it is, and anything else as JSON.
fn shown(owner: &Value) -> String {
    match owner {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
