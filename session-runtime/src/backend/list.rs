//! Listing what a store holds, page by page: a capability for operators, which no request needs.

use std::future::Future;

use super::{Backend, BackendError, Record, RecordKey};

/// Reading every record of a store, page by page.
///
/// A record that is stored from the request for the first page to the answer with the last one is in at least one page.
/// One that is created or removed meanwhile may be in a page or not. A store may show a record twice, as Redis does while
/// it grows.
///
/// A page is a bounded piece of work: no request waits for all of it, and nothing is held between two pages. Listing is
/// no use of a record. One that has expired and is still stored is listed, too: the runtime leaves it out.
#[diagnostic::on_unimplemented(
    message = "the backend `{Self}` can't list its sessions",
    label = "this asks for all sessions, and `{Self}` can't list them",
    note = "choose a backend that can: `memory`, `file`, `redis`, `sqlite`, `postgres` or `mysql`; a backend of yours \
            implements `session_runtime::backend::List`"
)]
pub trait List: Backend {
    /// The page after this cursor, or the first one, of about `limit` records: a store whose own pages differ in size
    /// may return fewer, none at all, or more.
    fn list(
        &self,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> impl Future<Output = Result<ListPage, BackendError>> + Send;
}

/// Some of the records of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The records, in any order.
    pub records: Vec<ListedRecord>,
    /// Where the next page begins; `None` for the last page.
    pub next: Option<ListCursor>,
}

/// A record in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRecord {
    /// What it is stored under.
    pub key: RecordKey,
    /// The record; `None` where what is stored is damaged, so that the store itself can't read it.
    pub record: Option<Record>,
}

/// A place between two pages: bytes that only the store reads which made them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListCursor(Vec<u8>);

impl ListCursor {
    /// The place that these bytes name.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes that it was made from.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Where a store begins that lists its records in parts, each by the order of its keys: the number of the part, and
/// behind which key.
pub(super) fn part_and_key(after: Option<&ListCursor>) -> Result<(usize, Option<RecordKey>), BackendError> {
    let Some(after) = after else { return Ok((0, None)) };
    let foreign = || BackendError::new("the cursor of a list is another store's");
    let (part, key) = after.as_bytes().split_first_chunk::<2>().ok_or_else(foreign)?;
    let key = match key {
        [] => None,
        key => Some(RecordKey::from_bytes(key.try_into().map_err(|_| foreign())?)),
    };
    Ok((usize::from(u16::from_be_bytes(*part)), key))
}

/// The cursor that [`part_and_key`] reads; `None` behind the last of the parts.
pub(super) fn cursor(part: usize, parts: usize, key: Option<RecordKey>) -> Option<ListCursor> {
    let number = u16::try_from(part).ok().filter(|_| part < parts)?;
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend(key.iter().flat_map(|key| key.as_bytes()));
    Some(ListCursor(bytes))
}

/// The first keys of a part behind this one, in order, and whether there are more.
pub(super) fn first_keys(
    keys: impl Iterator<Item = RecordKey>,
    after: Option<RecordKey>,
    limit: usize,
) -> (Vec<RecordKey>, bool) {
    let mut keys: Vec<RecordKey> = keys.filter(|key| after.is_none_or(|after| *key > after)).collect();
    let limit = limit.max(1);
    let more = keys.len() > limit;
    if more {
        keys.select_nth_unstable(limit - 1);
        keys.truncate(limit);
    }
    keys.sort_unstable();
    (keys, more)
}
