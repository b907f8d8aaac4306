//! Changing a session: lent exclusively to a handler, or in one go.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tracing::Instrument as _;

use super::renewal::{Renewal, Right};
use super::{CONFLICTS, Decoded, Known, Privileges, SessionData, Sessions, Snapshot};
use crate::backend::{Record, Touch};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::Proof;
use crate::lease::{Held, Terms};
use crate::record::About;
use crate::telemetry;

/// A session that is lent exclusively: the lease on it and the data to change.
pub(crate) struct Exclusive<T> {
    pub(super) held: Held,
    pub(super) known: Arc<Known<T>>,
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
    pub(super) borrowed: Borrowed<T>,
    pub(crate) data: T,
}

/// What goes with a handler's borrow, and not with a change in one go.
pub(super) enum Borrowed<T> {
    /// A change in one go, whose client may have its answer already.
    No,
    /// A handler's: its client can be told of a new id, and has read the flash that was there.
    Yes { flash: Option<Box<T>> },
}

impl<T> Exclusive<T> {
    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    /// When the person last proved who they are.
    pub(crate) fn proved(&self) -> Timestamp {
        self.about.proved
    }
}

impl<T: SessionData> Exclusive<T> {
    /// Why the session gets another id with this save, if it does.
    pub(super) fn renewal(&self, sessions: &Sessions<T>, now: Timestamp) -> Result<Option<Renewal>, Error> {
        if privileges(&self.data)? != self.privileges {
            return Ok(Some(Renewal::Reasoned));
        }
        let due =
            matches!(self.borrowed, Borrowed::Yes { .. }) && sessions.is_due(&self.known, &self.about, self.proof, now);
        Ok(due.then_some(Renewal::InMotion))
    }
}

/// What the `privilege` fields are.
fn privileges<T: SessionData>(data: &T) -> Result<Privileges, Error> {
    if T::PRIVILEGED { data.privileges().map_err(Error::Encode) } else { Ok(Privileges::new()) }
}

impl<T: SessionData> Sessions<T> {
    /// Takes the session exclusively: locked across the fleet, loaded, owned. `None`: no such session.
    pub(crate) async fn acquire(
        &self,
        known: &Arc<Known<T>>,
        right: Right,
        wait: Option<Duration>,
    ) -> Result<Option<Exclusive<T>>, Error> {
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
        let privileges = privileges(&data)?;
        let (known, borrowed) = (Arc::clone(known), Borrowed::No);
        Ok(Some(Exclusive { held, known, record, touch, about, proof, json, retired_seal, privileges, borrowed, data }))
    }

    /// Changes a session in one go, under a lease where the store has them, else by comparing versions.
    /// The token is another one where a privilege changed, or where the record travels in it.
    pub(crate) async fn change<R>(
        &self,
        session: &Snapshot<T>,
        change: impl FnMut(&mut T) -> R,
    ) -> Result<(Snapshot<T>, R, Option<String>), Error> {
        let span = telemetry::update_span(self.session_type(), &session.known.key);
        self.change_now(session, change).instrument(span).await
    }

    async fn change_now<R>(
        &self,
        session: &Snapshot<T>,
        mut change: impl FnMut(&mut T) -> R,
    ) -> Result<(Snapshot<T>, R, Option<String>), Error> {
        for _ in 0..CONFLICTS {
            let attempt = if self.0.client.store.leases().is_some() {
                let acquired = self.acquire(&session.known, session.right(), None).await?;
                let mut exclusive = acquired.ok_or(Error::Ended)?;
                let answer = change(&mut exclusive.data);
                self.save(exclusive).await.map(|(saved, token)| (saved, answer, token))
            } else {
                self.compare_and_set(session, &mut change).await
            };
            match attempt {
                Err(Error::Conflict) => {}
                other => return other,
            }
        }
        Err(Error::Conflict)
    }

    pub(super) async fn compare_and_set<R>(
        &self,
        session: &Snapshot<T>,
        change: &mut impl FnMut(&mut T) -> R,
    ) -> Result<(Snapshot<T>, R, Option<String>), Error> {
        let (record, mut read, touch) = self.reload(session).await?;
        let before = privileges(&read.data)?;
        let answer = change(&mut read.data);
        let renewal = (privileges(&read.data)? != before).then_some(Renewal::Reasoned);
        let mut following = self.follow(&session.known, &record, read, renewal, touch.now)?;
        let token = following.token.take();
        self.replace(following.key(), record.version, following.record.clone(), touch).await?;
        if let Some(renewal) = renewal {
            self.replaced(&session.known, renewal, touch.now);
        }
        Ok((following.into_snapshot(), answer, token))
    }

    /// The session as it is now, to change it; [`Error::Ended`] if there is none.
    pub(super) async fn reload(&self, session: &Snapshot<T>) -> Result<(Record, Decoded<T>, Touch), Error> {
        let known = &session.known;
        let touch = self.touch(self.now(), &known.claims);
        let record = self.fetch(known, touch).await?.ok_or(Error::Ended)?;
        let read = self.read(known, &record, touch, session.right()).ok_or(Error::Ended)?;
        Ok((record, read, touch))
    }
}
