//! An owner's sessions by the name of their list, for a page that shows owners without naming them in its addresses.

use futures_util::future::join_all;

use super::index_store::IndexStore;
use super::{ErasedData, owner_of};
use crate::backend::{ListedRecord, RecordKey};
use crate::error::Error;
use crate::id::PublicId;
use crate::sessions::core::Core;

impl Core {
    fn index_of(&self, list: RecordKey) -> IndexStore<'_> {
        IndexStore { key: list, ..self.index(&[]) }
    }

    /// The list of an owner who is written like this as JSON.
    pub(in crate::sessions) fn list_of(&self, owner: &[u8]) -> RecordKey {
        RecordKey::of_owner(&self.0.purpose, owner)
    }

    /// The names of the sessions in a list, whether they live or not, the newest last.
    pub(in crate::sessions) async fn keys_in(&self, list: RecordKey) -> Result<Vec<RecordKey>, Error> {
        let (book, _) = self.index_of(list).read().await?;
        Ok(book.keys().collect())
    }

    /// What is stored under these names.
    pub(in crate::sessions) async fn records_of(&self, keys: &[RecordKey]) -> Result<Vec<ListedRecord>, Error> {
        let client = &self.0.client;
        let mut listed = Vec::new();
        for chunk in keys.chunks(Self::AT_ONCE) {
            let asked = chunk.iter().map(|key| client.within(client.store.backend().peek(key)));
            for (key, record) in chunk.iter().zip(join_all(asked).await) {
                listed.extend(record?.map(|record| ListedRecord { key: *key, record: Some(record) }));
            }
        }
        Ok(listed)
    }

    /// Ends the sessions in a list but one.
    pub(in crate::sessions) async fn end_in(&self, list: RecordKey, keep: Option<PublicId>) -> Result<usize, Error> {
        self.index_of(list).end_all_but(keep).await
    }

    /// Whether data is of the owner of a list.
    pub(in crate::sessions) fn is_in(&self, list: RecordKey, data: &dyn ErasedData) -> bool {
        owner_of(data).ok().flatten().is_some_and(|owner| self.list_of(&owner) == list)
    }
}
