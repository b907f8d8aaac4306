//! Live sessions for the page of operators: a bounded piece of work at a time, without the type.

use std::sync::Arc;

use futures_util::future::join_all;
use serde::de::IgnoredAny;
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
/// How many records are read by one request that ends sessions.
const READ_TO_END: usize = 10_000;
/// How many records a part of a store counts for at least: to ask for one that turns out empty takes its time as well.
const PART: usize = 5;
/// How many sessions of an owner are shown, the newest ones.
const OF_OWNER: usize = 200;
/// How many are ended at the same time.
const AT_ONCE: usize = 16;

/// What a reference names.
const SESSION: u8 = 1;
const OWNER: u8 = 2;
const PLACE: u8 = 3;
const NOTICE: u8 = 4;

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
#[derive(Debug, Default)]
pub(crate) struct EndedSome {
    pub(crate) ended: usize,
    /// Where it goes on, if not all of the store was read.
    pub(crate) rest: Option<ListCursor>,
    /// Why it went no further.
    pub(crate) failure: Option<Error>,
}

/// What a form has done, as the page behind it tells.
pub(crate) struct Notice {
    pub(crate) ended: u64,
    /// What names the place where it goes on.
    pub(crate) rest: Option<String>,
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

    /// The place that a page has named; `None` for one that was not handed out.
    fn place(&self, place: Option<&str>) -> Option<Option<ListCursor>> {
        match place {
            None => Some(None),
            Some(place) => Some(Some(ListCursor::from_bytes(self.0.references.open(PLACE, place)?))),
        }
    }

    /// Text for an address by which the next page tells this viewer, and nobody else, what was done. Nobody can make up one.
    pub(crate) fn seal_notice(&self, viewer: Option<PublicId>, ended: u64, rest: Option<&ListCursor>) -> String {
        let mut bytes = ended.to_be_bytes().to_vec();
        bytes.push(u8::from(rest.is_some()));
        let viewer = viewer.map(|viewer| viewer.to_string()).unwrap_or_default();
        bytes.push(u8::try_from(viewer.len()).unwrap_or_default());
        bytes.extend_from_slice(viewer.as_bytes());
        bytes.extend_from_slice(rest.map(ListCursor::as_bytes).unwrap_or_default());
        self.reference(NOTICE, &bytes)
    }

    /// What such a text tells.
    pub(crate) fn open_notice(&self, viewer: Option<PublicId>, text: &str) -> Option<Notice> {
        let bytes = self.0.references.open(NOTICE, text)?;
        let (ended, bytes) = bytes.split_first_chunk()?;
        let (&[goes_on, length], bytes) = bytes.split_first_chunk()?;
        let (of, rest) = bytes.split_at_checked(length.into())?;
        let viewer = viewer.map(|viewer| viewer.to_string()).unwrap_or_default();
        let rest = (goes_on == 1).then(|| self.reference(PLACE, rest));
        (of == viewer.as_bytes()).then(|| Notice { ended: u64::from_be_bytes(*ended), rest })
    }

    /// The page that begins at a place, or the first one; `None` for a place that was not handed out.
    pub(crate) async fn page_at(&self, place: Option<&str>) -> Option<Result<PageOfSessions, Error>> {
        Some(self.page_after(self.place(place)?).await)
    }

    async fn page_after(&self, mut after: Option<ListCursor>) -> Result<PageOfSessions, Error> {
        let (mut rows, mut read) = (Rows::default(), 0);
        loop {
            let ListPage { records, next } = self.page_of(after.as_ref(), AT_A_TIME).await?;
            read += records.len().max(PART);
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
        let shown = (!self.0.schema.owner_is_secret).then(|| shown(&owner));
        Some(OwnersList { shown, reference })
    }

    /// How many sessions live, and whether there may be more since not all records were read.
    pub(crate) async fn count_some(&self, all: bool) -> Result<(usize, bool), Error> {
        let (mut after, mut count, mut read) = (None, 0, 0);
        loop {
            let ListPage { records, next } = self.page_of(after.as_ref(), 100).await?;
            read += records.len().max(PART);
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

    /// Ends all sessions from a place on but one, as many as one request may; `None` for a place that was not handed out.
    pub(crate) async fn end_some(&self, place: Option<&str>, keep: Option<PublicId>) -> Option<EndedSome> {
        let mut after = self.place(place)?;
        let (mut done, mut read) = (EndedSome::default(), 0);
        loop {
            let ListPage { records, next } = match self.page_of(after.as_ref(), 100).await {
                Ok(page) => page,
                Err(error) => return Some(EndedSome { failure: Some(error), ..done }),
            };
            read += records.len().max(PART);
            let found = records.into_iter().filter_map(|listed| self.found(listed)?.ok());
            let mut found: Vec<Found> = found.filter(|found| Some(found.key.public_id()) != keep).collect();
            while !found.is_empty() {
                let some = found.drain(..found.len().min(AT_ONCE));
                for ended in join_all(some.map(|found| self.end_stored(found))).await {
                    match ended {
                        Ok(ended) => done.ended += usize::from(ended),
                        Err(error) => done.failure = Some(error),
                    }
                }
                if done.failure.is_some() {
                    return Some(done);
                }
            }
            match next {
                None => return Some(done),
                Some(_) if done.ended >= ENDED || read >= READ_TO_END => return Some(EndedSome { rest: next, ..done }),
                next => after = next,
            }
            tokio::task::yield_now().await;
        }
    }

    /// An owner by what a person types: text, or the JSON that the field is written as. The first of what it may mean that has
    /// sessions.
    pub(crate) async fn find_owner(&self, typed: &str) -> Result<String, Error> {
        let mut names = vec![Value::from(typed.trim()).to_string(), Value::from(typed).to_string()];
        let typed = typed.trim();
        if typed != "null" && serde_json::from_str::<IgnoredAny>(typed).is_ok() {
            // As it is typed: a `Value` has its fields in another order, and not every number.
            names.push(without_spaces(typed));
            names.extend(serde_json::from_str::<Value>(typed).map(|value| value.to_string()));
        }
        let lists: Vec<RecordKey> = names.iter().map(|name| self.list_of(name.as_bytes())).collect();
        let mut list = lists[0];
        for other in lists {
            if !self.keys_in(other).await?.is_empty() {
                list = other;
                break;
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

/// Text as it is, and anything else as the JSON that it is stored as.
fn shown(owner: &[u8]) -> String {
    serde_json::from_slice::<String>(owner).unwrap_or_else(|_| String::from_utf8_lossy(owner).into_owned())
}

/// JSON without the spaces between its parts.
fn without_spaces(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let is_kept = |c: &char| {
        let kept = quoted || !c.is_ascii_whitespace();
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        kept
    };
    json.chars().filter(is_kept).collect()
}
