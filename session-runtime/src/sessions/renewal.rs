//! Ids that change while their session lives: for a reason, or in motion.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tracing::Instrument as _;

use super::core::{CONFLICTS, Core, next};
use super::schema::Data;
use super::snapshot::{Decoded, Known, Loaded};
use crate::backend::{Key, Record, Touch, Written};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::id::Proof;
use crate::lease::{Held, Terms};
use crate::record::{About, Envelope};
use crate::telemetry;
use crate::token::Claims;

/// How long after a renewal in motion the former id may still be presented: long enough for the requests of one
/// page, which are on their way with it.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Why a session gets another id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Somebody asked for it, or what the session may do has changed: the former id is dead at once.
    Reasoned,
    /// The same, and the person has just proved who they are.
    Proved,
    /// The id has been in use for as long as `renew_every` says: the former one has a grace.
    InMotion,
}

/// By what right a record is used.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Right {
    /// A token that was presented at this moment.
    Presented(Timestamp),
    /// A session that was entered before, at this generation: renewals in motion don't take it away.
    Entered(u32),
}

/// A session's record on its way to the store, and the token that goes with it if that is another one.
pub(super) struct Successor {
    known: Arc<Known>,
    pub(super) token: Option<String>,
    pub(super) record: Record,
    decoded: Decoded,
}

impl Successor {
    /// The session once the record is stored.
    pub(super) fn into_snapshot(self) -> Loaded {
        Loaded::new(self.known, self.record.version, self.record.expires, self.decoded)
    }

    pub(super) fn key(&self) -> &Key {
        &self.known.key
    }
}

/// Who uses a record that is about to be written: the id that did before, or another one.
pub(super) enum Bearer {
    Same(Arc<Known>),
    Another(Known),
}

impl Bearer {
    fn known(&self) -> &Known {
        match self {
            Self::Same(known) => known,
            Self::Another(known) => known,
        }
    }
}

impl About {
    /// What is noted of a session that is renewed now; `proof` is the one that its record held until now.
    fn renewed(self, renewal: Renewal, proof: Proof, now: Timestamp) -> Self {
        let reasoned = renewal != Renewal::InMotion;
        Self {
            proved: if renewal == Renewal::Proved { now } else { self.proved },
            renewed: now,
            generation: self.generation.wrapping_add(u32::from(reasoned)),
            former: (!reasoned).then_some(proof),
            ..self
        }
    }
}

impl Core {
    /// Whether a token may use the record: it is the one in force, or was a moment ago.
    pub(super) fn opens(known: &Known, envelope: &Envelope, right: Right) -> bool {
        let about = &envelope.about;
        match right {
            Right::Entered(generation) => about.generation == generation,
            Right::Presented(_) if envelope.proof == known.proof => true,
            Right::Presented(moment) if about.former == Some(known.proof) => {
                let end = about.renewed.plus(GRACE);
                known.bury_at(end);
                moment < end
            }
            // Not buried: what is stored may be damaged, and whole again later.
            Right::Presented(_) => false,
        }
    }

    /// Whether the id has been in use for as long as `renew_every` says, and this token is of that id.
    pub(super) fn is_due(&self, known: &Known, about: &About, proof: Proof, now: Timestamp) -> bool {
        self.0.renew_every.is_some_and(|every| now.since(about.renewed) >= every) && proof == known.proof
    }

    /// Who uses the record that is written next, what is noted of it, and the proof that it holds.
    pub(super) fn bearer(
        &self,
        known: &Arc<Known>,
        (about, proof): (About, Proof),
        renewal: Option<Renewal>,
        expires: Timestamp,
        now: Timestamp,
    ) -> (Bearer, About, Proof) {
        let Some(renewal) = renewal else {
            let bearer = if self.0.carried {
                Bearer::Another(Known::new(known.claims, &self.0.purpose))
            } else {
                Bearer::Same(Arc::clone(known))
            };
            return (bearer, about, proof);
        };
        let claims = Claims { id: known.claims.id.renewed(), issued: now, expires, retired_key: false };
        let another = Known::new(claims, &self.0.purpose);
        let held = another.proof;
        (Bearer::Another(another), about.renewed(renewal, proof, now), held)
    }

    /// The record that follows this one.
    pub(super) fn successor(
        &self,
        bearer: Bearer,
        record: &Record,
        decoded: Decoded,
        now: Timestamp,
    ) -> Result<Successor, Error> {
        let record = next(record, now, &decoded);
        let (known, token) = match bearer {
            Bearer::Same(known) => (known, None),
            Bearer::Another(known) => {
                let (known, token) = self.tokenize(known, &record, now)?;
                (known, Some(token))
            }
        };
        Ok(Successor { known, token, record, decoded })
    }

    /// The same from data that is always written.
    pub(super) fn follow(
        &self,
        known: &Arc<Known>,
        record: &Record,
        read: Decoded,
        renewal: Option<Renewal>,
        now: Timestamp,
    ) -> Result<Successor, Error> {
        let (bearer, about, proof) = self.bearer(known, (read.about, read.proof), renewal, record.expires, now);
        let decoded = self.write(&bearer.known().key, about, proof, read.data, record.body.len())?;
        self.successor(bearer, record, decoded, now)
    }

    /// What became of the id that a renewal has replaced.
    pub(super) fn replaced(&self, known: &Known, renewal: Renewal, now: Timestamp) {
        match renewal {
            Renewal::InMotion => known.bury_at(now.plus(GRACE)),
            Renewal::Reasoned | Renewal::Proved => known.bury(),
        }
        telemetry::renewed(self.session_type(), &known.key);
    }

    /// Gives the session another id: its record holds the new proof, and the old token is dead.
    pub(crate) fn renew<'a>(
        &'a self,
        session: &'a Loaded,
        renewal: Renewal,
    ) -> BoxFuture<'a, Result<(Loaded, String), Error>> {
        let span = telemetry::renew_span(self.session_type(), &session.known.key);
        Box::pin(self.renew_now(session, renewal).instrument(span))
    }

    async fn renew_now(&self, session: &Loaded, renewal: Renewal) -> Result<(Loaded, String), Error> {
        for _ in 0..CONFLICTS {
            let (record, read, touch) = self.reload(session).await?;
            let mut following = self.follow(&session.known, &record, read, Some(renewal), touch.now)?;
            let token = following.token.take().unwrap_or_default();
            match self.replace(following.key(), record.version, following.record.clone(), touch).await {
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.replaced(&session.known, renewal, touch.now);
                    return Ok((following.into_snapshot(), token));
                }
            }
        }
        Err(Error::Conflict)
    }

    /// Puts another record in the place of this version, if nobody has before.
    pub(super) async fn replace(&self, key: &Key, version: u64, next: Record, touch: Touch) -> Result<(), Error> {
        if self.0.carried {
            return Ok(());
        }
        let client = &self.0.client;
        match client.within(client.store.backend().update(key, version, next, touch)).await? {
            Written::Done => Ok(()),
            Written::Conflict => Err(Error::Conflict),
            Written::Absent => Err(Error::Ended),
        }
    }

    /// Whether the handler's borrow reads a flash, and whether a renewal in motion is due: what entering a session
    /// may bring with it.
    pub(crate) fn unsettled(&self, session: &Loaded, reads: bool) -> Option<Unsettled> {
        let flash = reads && session.data().has_flash();
        let Decoded { about, proof, .. } = &*session.decoded;
        let due = self.0.renew_every.is_some() && self.is_due(&session.known, about, *proof, self.now());
        (flash || due).then_some(Unsettled { flash, due })
    }

    /// Settles it in one conditional write. What is returned is the session as the handler sees it, and the client's
    /// new token.
    ///
    /// Nobody is kept waiting or disturbed: where somebody has the session exclusively, or has written since it was
    /// loaded, the renewal is left to a later request and the flash to whoever came first.
    pub(crate) async fn settle(
        &self,
        session: &Loaded,
        unsettled: Unsettled,
    ) -> Result<(Loaded, Option<String>), Error> {
        match self.hold(session).await? {
            Some(hold) => self.settle_holding(session, unsettled, hold).await,
            None => Ok((self.without_flash(session, unsettled)?, None)),
        }
    }

    async fn settle_holding(
        &self,
        session: &Loaded,
        unsettled: Unsettled,
        hold: Hold,
    ) -> Result<(Loaded, Option<String>), Error> {
        let Loaded { known, version, expires, decoded } = session;
        let now = self.now();
        let renewal = unsettled.due.then_some(Renewal::InMotion);
        let (bearer, about, proof) = self.bearer(known, (decoded.about.clone(), decoded.proof), renewal, *expires, now);
        let rest = self.rest(session, unsettled)?;
        let stored = self.write(&bearer.known().key, about, proof, rest, decoded.body.len())?;
        let last = Record { version: *version, last_seen: now, expires: *expires, body: decoded.body.clone() };
        let Successor { known: bearer, token, record, decoded: stored } = self.successor(bearer, &last, stored, now)?;
        let (touch, next) = (self.touch(now, &known.claims), record.clone());
        let written = match hold {
            Hold::Lease(held) => held.save(*version, next, touch).await,
            Hold::Version => self.replace(&known.key, *version, next, touch).await,
        };
        match written {
            Ok(()) => {}
            Err(Error::Conflict | Error::Ended) => return Ok((self.without_flash(session, unsettled)?, None)),
            Err(error) => return Err(error),
        }
        if let Some(renewal) = renewal {
            self.replaced(known, renewal, now);
        }
        if !unsettled.flash {
            return Ok((Loaded::new(bearer, record.version, record.expires, stored), token));
        }
        let read = Decoded { data: self.decode_again(session)?, ..stored };
        Ok((Loaded::unshared(bearer, record.version, record.expires, read), token))
    }

    /// The session for a handler that somebody came before: its flash is theirs.
    fn without_flash(&self, session: &Loaded, unsettled: Unsettled) -> Result<Loaded, Error> {
        if !unsettled.flash {
            return Ok(session.clone());
        }
        let Loaded { known, version, expires, decoded } = session;
        let data = self.rest(session, unsettled)?;
        let (body, json) = (decoded.body.clone(), decoded.json.clone());
        let (about, proof, retired_seal) = (decoded.about.clone(), decoded.proof, decoded.retired_seal);
        let seen = Decoded { data, body, json, about, proof, retired_seal };
        Ok(Loaded::unshared(Arc::clone(known), *version, *expires, seen))
    }

    /// The data once its flash is taken.
    fn rest(&self, session: &Loaded, unsettled: Unsettled) -> Result<Data, Error> {
        let mut data = self.decode_again(session)?;
        if unsettled.flash {
            data.clear_flash();
        }
        Ok(data)
    }

    /// The data a second time: what was encoded from it can be read.
    fn decode_again(&self, session: &Loaded) -> Result<Data, Error> {
        (self.schema().decode)(&session.decoded.json).map_err(Error::Encode)
    }

    /// What a write of a session that was loaded needs: its lease, where the store has them. `None` where somebody
    /// else has it, or has written since.
    async fn hold(&self, session: &Loaded) -> Result<Option<Hold>, Error> {
        if self.0.client.store.leases().is_none() {
            return Ok(Some(Hold::Version));
        }
        let terms = Terms { wait: Duration::ZERO, ..self.0.terms };
        let touch = |now| self.touch(now, &session.known.claims);
        match Held::acquire(&self.0.client, &self.0.queue, session.known.key, terms, touch).await {
            Ok(Some((held, record, _))) if record.version == session.version => Ok(Some(Hold::Lease(held))),
            Ok(_) | Err(Error::Busy) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What entering a session has to settle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsettled {
    /// There is a flash to take.
    flash: bool,
    /// A renewal in motion is due.
    due: bool,
}

/// What a write that doesn't wait holds on to.
enum Hold {
    Lease(Held),
    Version,
}
