//! Listing the sessions in memory.

use super::{BackendError, Memory, lock};
use crate::backend::list::{cursor, first_keys, part_and_key};
use crate::backend::{List, ListCursor, ListPage, ListedRecord};

/// A shard has at most so many pages: each looks through all of its keys.
const PAGES: usize = 16;

impl List for Memory {
    /// A page is of one shard, which is locked meanwhile: for a look at its keys, a few thousand by default.
    async fn list(&self, after: Option<&ListCursor>, limit: usize) -> Result<ListPage, BackendError> {
        let (number, after) = part_and_key(after)?;
        let Some(shard) = self.shards.get(number) else { return Ok(ListPage::default()) };
        let shard = lock(shard);
        let keys = shard.by_use.oldest_first().map(|(key, _)| *key).chain(shard.kept.entries.keys().copied());
        let (keys, more) = first_keys(keys, after, limit.max(shard.len() / PAGES));
        let record = |key| Some(ListedRecord { key, record: Some(shard.peek(&key)?.record.clone()) });
        let last = keys.last().copied();
        let records = keys.into_iter().filter_map(record).collect();
        let part = if more { number } else { number + 1 };
        Ok(ListPage { records, next: cursor(part, self.shards.len(), last.filter(|_| more)) })
    }
}
