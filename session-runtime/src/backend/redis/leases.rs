//! Leases on sessions, and waiting for them.

use std::time::Duration;

use redis::{Pipeline, Value};

use super::connection::{Loss, Request};
use super::encoding::{decode, encode, keep, millis, number, unexpected_reply};
use super::fault::unavailable;
use super::replicas::Replicas;
use super::scripts::{self, Call, TaughtScript};
use super::{LOST_WAKE, Redis};
use crate::backend::{
    Acquired, BackendError, CompareAndSet, KeepLease, Kept, Lease, Leases, Record, RecordKey, Touch, Written,
};

impl Redis {
    /// Asks for the lease once more, and says that somebody waits for it.
    async fn contend(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        self.subscribe().await?;
        let wake = self.wakers.listen(key);
        let (record, lease_name) = self.names(key);
        let call = Call::new(&self.scripts.contend, [&record, &lease_name])
            .bytes(&lease.holder.to_bytes())
            .number(millis(lease.ttl))
            .number(millis(self.kept(touch).keep()));
        match self.run(call).await?.value {
            Value::Int(left) => {
                let left = Duration::from_millis(u64::try_from(left).unwrap_or(0).max(1));
                Ok(Acquired::Busy(Box::pin(async move {
                    let _ = tokio::time::timeout(left.min(LOST_WAKE), wake.woken()).await;
                })))
            }
            value => match decode(value)? {
                Some(record) => {
                    self.note_use(key, &record, touch).await;
                    Ok(Acquired::Granted(record))
                }
                None => Ok(Acquired::Absent),
            },
        }
    }
}

impl Redis {
    /// Takes the lease in one step.
    async fn take(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        let (record, lease_name) = self.names(key);
        let call = Call::new(&self.scripts.take, [&record, &lease_name])
            .bytes(&lease.holder.to_bytes())
            .number(millis(lease.ttl))
            .number(millis(self.kept(touch).keep()));
        match self.run(call).await?.value {
            Value::Int(_) => self.contend(key, lease, touch).await,
            value => match decode(value)? {
                Some(record) => {
                    self.note_use(key, &record, touch).await;
                    Ok(Acquired::Granted(record))
                }
                None => Ok(Acquired::Absent),
            },
        }
    }
}

impl Leases for Redis {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        if self.connection.is_cluster() {
            return self.take(key, lease, touch).await;
        }
        let (record_name, lease_name) = self.names(key);
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline
            .cmd("SET")
            .arg(lease_name)
            .arg(&lease.holder.to_bytes()[..])
            .arg("NX")
            .arg("PX")
            .arg(millis(lease.ttl));
        pipeline.cmd("GETEX").arg(record_name).arg("PX").arg(millis(self.kept(touch).keep()));
        // Asked a second time, the lease may be the holder's own already, which is what `contend` finds.
        let sent = self.connection.send(Request::All(&pipeline), Loss::Resend).await.map_err(unavailable)?;
        let Value::Array(answers) = sent.value else { return Err(unexpected_reply()) };
        let [locked, record]: [Value; 2] = answers.try_into().map_err(|_| unexpected_reply())?;
        if locked == Value::Nil {
            return self.contend(key, lease, touch).await;
        }
        match decode(record)? {
            Some(record) => {
                self.note_use(key, &record, touch).await;
                Ok(Acquired::Granted(record))
            }
            None => {
                // That there is no session is known, whatever becomes of a lease on nothing.
                let _ = self.release(key, lease).await;
                Ok(Acquired::Absent)
            }
        }
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        let call = Call::new(&self.scripts.extend, [&self.names(key).1])
            .bytes(&lease.holder.to_bytes())
            .number(millis(lease.ttl));
        Ok(number(&self.run(call).await?.value)? > 0)
    }

    async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        match self.store(&self.scripts.save, key, lease, expected, record, touch).await? {
            Kept::Not(written) => Ok(written),
            Kept::Alone | Kept::Contended => Err(unexpected_reply()),
        }
    }

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        let call = Call::inline(scripts::RELEASE, &self.names(key).1)
            .bytes(&lease.holder.to_bytes())
            .bytes(self.channel.as_bytes())
            .bytes(key.as_bytes());
        self.run(call).await.map(drop)
    }
}

impl KeepLease for Redis {
    async fn save_and_keep(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Kept, BackendError> {
        self.store(&self.scripts.save_and_keep, key, lease, expected, record, touch).await
    }
}

impl Redis {
    /// Stores the record by one of the scripts that need the lease.
    async fn store(
        &self,
        script: &TaughtScript,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Kept, BackendError> {
        let (record_name, lease_name) = self.names(key);
        let bytes = encode(&record);
        let call = Call::new(script, [&record_name, &lease_name])
            .bytes(&lease.holder.to_bytes())
            .bytes(&expected.to_be_bytes())
            .bytes(&bytes)
            .number(keep(&record, self.kept(touch)))
            .bytes(self.channel.as_bytes())
            .bytes(key.as_bytes())
            .number(millis(lease.ttl));
        let answer = self.changing(key, self.write(call, Replicas::is_repeated)).await?;
        match number(&answer.value)? {
            scripts::KEPT => Ok(Kept::Alone),
            scripts::KEPT_CONTENDED => Ok(Kept::Contended),
            _ => self.outcome(&record_name, answer, record.version, &bytes).await.map(Kept::Not),
        }
    }
}

impl CompareAndSet for Redis {
    async fn compare_and_set(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let (record_name, lease_name) = self.names(key);
        let bytes = encode(&record);
        let call = Call::new(&self.scripts.compare_and_set, [&record_name, &lease_name])
            .bytes(&expected.to_be_bytes())
            .bytes(&bytes)
            .number(keep(&record, self.kept(touch)));
        let answer = self.changing(key, self.write(call, Replicas::is_repeated)).await?;
        self.outcome(&record_name, answer, record.version, &bytes).await
    }
}
