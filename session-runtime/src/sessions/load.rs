//! Sessions that a request uses: from a verified token to the data.

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

use super::core::Core;
use super::snapshot::{LoadedSession, TokenEntry};
use crate::backend::{Record, Touch};
use crate::clock::Timestamp;
use crate::error::{BackendError, Error};
use crate::telemetry;

impl Core {
    /// The session behind a verified token, used at this moment, and its idle timeout slid: one call to the store.
    pub(crate) async fn load(&self, entry: &Arc<TokenEntry>, now: Timestamp) -> Result<Option<LoadedSession>, Error> {
        let touch = self.touch(now, &entry.claims);
        let span = Some(telemetry::load_span(self.session_type(), &entry.key)).filter(|span| !span.is_disabled());
        // What is rare is boxed, so that all other requests have small futures.
        let record = match span.map(|span| Box::pin(self.fetch(entry, touch).instrument(span))) {
            None => self.fetch(entry, touch).await?,
            Some(observed) => observed.await?,
        };
        let Some((session, unlisted)) = self.accept_found(entry, record, touch)? else { return Ok(None) };
        if unlisted || session.decoded.retired_seal {
            Box::pin(self.tend(&session, unlisted)).await;
        }
        Ok(Some(session))
    }

    /// The session of a record that was loaded, and whether its owner's list is to be looked at.
    fn accept_found(
        &self,
        entry: &Arc<TokenEntry>,
        record: Option<Record>,
        touch: Touch,
    ) -> Result<Option<(LoadedSession, bool)>, Error> {
        let Some(record) = record else {
            telemetry::absent(self.session_type(), &entry.key);
            return Ok(None);
        };
        let Some(session) = self.accept(entry, &record, touch) else { return none_of(entry) };
        telemetry::loaded(self.session_type(), &entry.key);
        Ok(Some((session, self.is_listing_due(entry, &record, touch.now))))
    }

    /// Does what is due now and then with the use of a session.
    async fn tend(&self, session: &LoadedSession, unlisted: bool) {
        if unlisted {
            self.keep_listed(session.entry.key, session.expires, session.data()).await;
        }
        if session.decoded.retired_seal {
            self.reseal(session).await;
        }
    }

    /// Seals a record under the newest key, so that who only ever reads a session keeps it when the older key goes.
    /// Whoever holds the session now does it too, and so does the next read: no failure is worth an answer.
    async fn reseal(&self, session: &LoadedSession) {
        let resealed = if self.0.client.store.leases().is_some() {
            match self.acquire(&session.entry, session.credential(), Some(Duration::ZERO)).await {
                Ok(Some(exclusive)) => self.save(exclusive).await.map(drop),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            }
        } else {
            match self.begin_change(session, true).await {
                Ok(change) => self.finish_change(session, change).await.map(drop),
                Err(error) => Err(error),
            }
        };
        if let Err(error) = resealed {
            telemetry::not_resealed(self.session_type(), &session.entry.key, &error);
        }
    }

    pub(super) async fn fetch(&self, entry: &TokenEntry, touch: Touch) -> Result<Option<Record>, Error> {
        if let Some(record) = &entry.carried {
            return Ok(Some(Record::clone(record)));
        }
        let client = &self.0.client;
        client.within(client.store.backend().load(&entry.key, touch)).await
    }
}

/// What a token is answered that opens no session.
pub(super) fn none_of<T>(entry: &TokenEntry) -> Result<Option<T>, Error> {
    if entry.is_unsettled() {
        return Err(Error::Unavailable(BackendError::new("whether the session was rotated is not known yet")));
    }
    Ok(None)
}
