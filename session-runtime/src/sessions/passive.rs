//! Sessions that a request looks at without using them.

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

use super::core::Core;
use super::load::none_of;
use super::rotation::Pending;
use super::schema::BoxedData;
use super::snapshot::{LoadedSession, TokenEntry};
use crate::backend::Record;
use crate::error::Error;
use crate::telemetry;

impl Core {
    /// The session behind a verified token, as [`load`](Self::load) has it, but not used: nothing is noted or written.
    pub(crate) async fn look(&self, entry: &Arc<TokenEntry>) -> Result<Option<LoadedSession>, Error> {
        let span = telemetry::load_span(self.session_type(), &entry.key);
        let client = &self.0.client;
        let record = match &entry.carried {
            Some(record) => Some(Record::clone(record)),
            None => client.within(client.store.backend().peek(&entry.key)).instrument(span).await?,
        };
        let Some(record) = record else {
            telemetry::absent(self.session_type(), &entry.key);
            return Ok(None);
        };
        let session = self.accept(entry, &record, self.touch(self.now(), &entry.claims));
        let Some(mut session) = session else { return none_of(entry) };
        session.idle_expires = self.ends(entry, &record, record.last_seen).idle_expires;
        telemetry::loaded(self.session_type(), &entry.key);
        Ok(Some(session))
    }

    /// The session for a request that only looks: its flash is for the next one that a person makes. `None` if there is
    /// nothing to leave out.
    pub(crate) fn passed_by(&self, session: &LoadedSession) -> Result<Option<LoadedSession>, Error> {
        let flash = session.data().has_flash();
        flash.then(|| self.without_flash(session, Pending { flash, due: false })).transpose()
    }

    /// Its data for a handler that may change it, though the request only looks: it is not used, and not held.
    pub(crate) fn copy_of(&self, session: &LoadedSession) -> Result<BoxedData, Error> {
        self.decode_again(session)
    }

    /// Stores what the handler changed of such a copy, if it did: `None` without a change, [`Error::Conflict`] if another
    /// write has come first.
    pub(crate) async fn save_copy(
        &self,
        session: &LoadedSession,
        data: BoxedData,
        wait: Option<Duration>,
    ) -> Result<Option<(LoadedSession, Option<String>)>, Error> {
        let mut json = Vec::with_capacity(session.decoded.json.len());
        data.encode(&mut json).map_err(Error::Encode)?;
        if json == session.decoded.json {
            return Ok(None);
        }
        let acquired = self.acquire(&session.entry, session.credential(), wait).await?;
        let mut exclusive = acquired.ok_or(Error::Ended)?;
        if exclusive.record.version != session.version {
            return Err(Error::Conflict);
        }
        exclusive.data = data;
        self.save(exclusive).await.map(Some)
    }
}
