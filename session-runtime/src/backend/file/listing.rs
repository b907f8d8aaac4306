//! What [`List`] asks for, as blocking work.

use std::fs;
use std::io::ErrorKind;

use super::File;
use super::disk::{CallerAlive, Disk, DuringExt as _, RecordPaths, Result, SHARDS};
use super::format::FileEntry;
use crate::backend::list::{cursor, first_keys, part_and_key};
use crate::backend::{BackendError, List, ListCursor, ListPage, ListedRecord};
use crate::id::RecordKey;

const DOING: &str = "list sessions";
/// How often a file is looked at that is no record, or is another one by then.
const LOOKS: usize = 10;

impl List for File {
    /// A page goes through the shards until it is full. No lock is taken.
    async fn list(&self, after: Option<&ListCursor>, limit: usize) -> std::result::Result<ListPage, BackendError> {
        let (shard, after) = part_and_key(after)?;
        self.run(move |disk, asker| disk.list(shard, after, limit, asker)).await
    }
}

impl Disk {
    fn list(&self, from: usize, mut after: Option<RecordKey>, limit: usize, asker: &CallerAlive) -> Result<ListPage> {
        self.is_there()?;
        let shards = usize::from(SHARDS);
        let mut records = Vec::new();
        for number in from..shards {
            if records.len() >= limit.max(1) || asker.has_gone() {
                return Ok(ListPage { records, next: cursor(number, shards, None) });
            }
            let keys = self.keys_in(u16::try_from(number).unwrap_or_default())?;
            let (keys, more) = first_keys(keys.into_iter(), after.take(), limit.max(1) - records.len());
            for key in &keys {
                records.extend(self.listed(&self.place(key))?);
            }
            if more {
                return Ok(ListPage { records, next: cursor(number, shards, keys.last().copied()) });
            }
        }
        Ok(ListPage { records, next: None })
    }

    fn keys_in(&self, number: u16) -> Result<Vec<RecordKey>> {
        let shard = self.shard(number);
        let entries = match fs::read_dir(&shard) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.during(DOING, &shard)?,
        };
        let mut keys = Vec::new();
        for entry in entries {
            keys.extend(self.place_of(&entry.during(DOING, &shard)?.path()).map(|place| place.key));
        }
        Ok(keys)
    }

    /// Without the lock, which whoever may only read the folder can't take. A record that is replaced meanwhile is looked at
    /// again.
    fn listed(&self, place: &RecordPaths) -> Result<Option<ListedRecord>> {
        for _ in 0..LOOKS {
            match Self::look(place) {
                Ok(Some(FileEntry { record, .. })) => {
                    return Ok(Some(ListedRecord { key: place.key, record: Some(record) }));
                }
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => return self.is_there().map(|()| None),
                Err(error) => return Err(error).during(DOING, &place.shard),
            }
        }
        Ok(Some(ListedRecord { key: place.key, record: None }))
    }
}
