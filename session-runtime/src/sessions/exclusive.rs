//! Changing a session: lent exclusively to a handler, or in one go.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tracing::Instrument as _;

use super::Privileges;
use super::core::Core;
use super::owners::owner_of;
use super::renewal::{Renewal, Right};
use super::schema::{AnyData, Data};
use super::snapshot::{Decoded, Known, Loaded};
use crate::backend::{Record, Touch};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::Proof;
use crate::lease::{Held, Terms};
use crate::record::About;
use crate::telemetry;

/// A session that is lent exclusively: the lease on it and the data to change.
pub(crate) struct Exclusive {
    pub(super) held: Held,
    pub(super) known: Arc<Known>,
    pub(super) record: Record,
    pub(super) touch: Touch,
    pub(super) about: About,
    pub(super) proof: Proof,
    /// The data as it was lent.
    pub(super) json: Bytes,
    /// Whether the record is to be sealed anew even if the data stays as it is.
    pub(super) retired_seal: bool,
    /// What its `privilege` fields were; empty for a type without any.
    pub(super) privileges: Privileges,
    /// Whose it was, for a type with owners.
    pub(super) owner: Option<Vec<u8>>,
    pub(super) borrowed: Borrowed,
    pub(crate) data: Data,
}

/// What goes with a handler's borrow, and not with a change in one go.
pub(super) enum Borrowed {
    /// A change in one go, whose client may have its answer already.
    No,
    /// A handler's: its client can be told of a new id, and has read the flash that was there.
    Yes { flash: Option<Data> },
}

impl Exclusive {
    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    /// When the person last proved who they are.
    pub(crate) fn proved(&self) -> Timestamp {
        self.about.proved
    }
}

impl Exclusive {
    /// Why the session gets another id with this save, if it does.
    pub(super) fn renewal(&self, sessions: &Core, now: Timestamp) -> Result<Option<Renewal>, Error> {
        if privileges(&*self.data)? != self.privileges {
            return Ok(Some(Renewal::Reasoned));
        }
        let due =
            matches!(self.borrowed, Borrowed::Yes { .. }) && sessions.is_due(&self.known, &self.about, self.proof, now);
        Ok(due.then_some(Renewal::InMotion))
    }
}

/// What the `privilege` fields are.
fn privileges(data: &dyn AnyData) -> Result<Privileges, Error> {
    data.privileges().map_err(Error::Encode)
}

/// A change in one go: the newest data, to be changed and then stored.
pub(crate) struct Change(Way);

enum Way {
    Leased(Exclusive),
    Compared { record: Record, read: Decoded, touch: Touch, privileges: Privileges, owner: Option<Vec<u8>> },
}

impl Change {
    pub(crate) fn data(&mut self) -> &mut dyn AnyData {
        match &mut self.0 {
            Way::Leased(exclusive) => &mut *exclusive.data,
            Way::Compared { read, .. } => &mut *read.data,
        }
    }
}

impl Core {
    /// Takes the session exclusively: locked across the fleet, loaded, owned. `None`: no such session.
    pub(crate) async fn acquire(
        &self,
        known: &Arc<Known>,
        right: Right,
        wait: Option<Duration>,
    ) -> Result<Option<Exclusive>, Error> {
        let terms = Terms { wait: wait.unwrap_or(self.0.terms.wait), ..self.0.terms };
        let touch = |now| self.touch(now, &known.claims);
        let span = telemetry::acquire_span(self.session_type(), &known.key);
        let acquired = Held::acquire(&self.0.client, &self.0.queue, known.key, terms, touch).instrument(span).await?;
        let Some((held, record, touch)) = acquired else {
            telemetry::absent(self.session_type(), &known.key);
            return Ok(None);
        };
        let Some(read) = self.read(known, &record, touch, right) else { return Ok(None) };
        telemetry::loaded(self.session_type(), &known.key);
        let Decoded { data, body: _, json, about, proof, retired_seal } = read;
        let (privileges, owner) = (privileges(&*data)?, owner_of(&*data)?);
        let (known, borrowed) = (Arc::clone(known), Borrowed::No);
        Ok(Some(Exclusive {
            held,
            known,
            record,
            touch,
            about,
            proof,
            json,
            retired_seal,
            privileges,
            owner,
            borrowed,
            data,
        }))
    }

    /// Begins to change a session in one go: under a lease where the store has them, else by comparing versions.
    pub(crate) fn begin_change<'a>(&'a self, session: &'a Loaded) -> BoxFuture<'a, Result<Change, Error>> {
        Box::pin(async move {
            if self.0.client.store.leases().is_some() {
                let acquired = self.acquire(&session.known, session.right(), None).await?;
                return Ok(Change(Way::Leased(acquired.ok_or(Error::Ended)?)));
            }
            let (record, read, touch) = self.reload(session).await?;
            let (privileges, owner) = (privileges(&*read.data)?, owner_of(&*read.data)?);
            Ok(Change(Way::Compared { record, read, touch, privileges, owner }))
        })
    }

    /// Stores the change. The token is another one where a privilege changed, or where the record travels in it.
    pub(crate) fn finish_change<'a>(
        &'a self,
        session: &'a Loaded,
        change: Change,
    ) -> BoxFuture<'a, Result<(Loaded, Option<String>), Error>> {
        Box::pin(async move {
            match change.0 {
                Way::Leased(exclusive) => self.save(exclusive).await,
                Way::Compared { record, read, touch, privileges: before, owner } => {
                    self.stays_its_owners(&session.known.key, owner.as_deref(), &*read.data)?;
                    let renewal = (privileges(&*read.data)? != before).then_some(Renewal::Reasoned);
                    let mut following = self.follow(&session.known, &record, read, renewal, touch.now)?;
                    let token = following.token.take();
                    self.replace(following.key(), record.version, following.record.clone(), touch).await?;
                    if let Some(renewal) = renewal {
                        self.replaced(&session.known, renewal, touch.now);
                    }
                    Ok((following.into_snapshot(), token))
                }
            }
        })
    }

    /// The session as it is now, to change it; [`Error::Ended`] if there is none.
    pub(super) async fn reload(&self, session: &Loaded) -> Result<(Record, Decoded, Touch), Error> {
        let known = &session.known;
        let touch = self.touch(self.now(), &known.claims);
        let record = self.fetch(known, touch).await?.ok_or(Error::Ended)?;
        let read = self.read(known, &record, touch, session.right()).ok_or(Error::Ended)?;
        Ok((record, read, touch))
    }
}
