//! Writes that replicas have acknowledged before they are answered.
//!
//! `WAIT` holds up whatever its connection asks behind it, and looks at what that connection has written. So the writes
//! that wait have a connection of their own, on which each is followed by its `WAIT` in the same round trip. They are sent
//! one after the other, so that it is known for how long one may be held up: beyond that the connection is dead.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, Value, cmd};
use tokio::sync::Mutex;

use super::Redis;
use super::connection::{Answer, Connection, Loss, Request, Use};
use super::encoding::{millis, number, unexpected_reply};
use super::fault::unavailable;
use super::scripts::Call;
use crate::error::BackendError;

/// What a write waits for.
pub(super) struct Replicas {
    connection: Connection,
    count: u32,
    wait: Cmd,
    turns: Mutex<()>,
}

impl Replicas {
    /// At start-up: whether as many replicas are there as writes wait for. They may still come, so that is only told.
    pub(super) async fn check(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let acknowledged = connection.send_packed_command(&self.wait).await?.extract_error()?;
        if let Ok(acknowledged) = number(&acknowledged)
            && acknowledged < i64::from(self.count)
        {
            event!(
                warn,
                "session.not_replicated",
                backend = "redis",
                acknowledged,
                wanted = self.count,
                "Redis has fewer replicas than `wait_replicas` names; until it has, changes and ends of sessions are \
                 answered with 503"
            );
        }
        Ok(())
    }

    /// Whether a write may have been made by an attempt before this one, whose connection is gone.
    pub(super) fn is_repeated(answer: &Answer) -> bool {
        answer.repeated
    }

    /// The same of an end, or whether it found what another one has ended.
    pub(super) fn found_nothing(answer: &Answer) -> bool {
        answer.repeated || number(&answer.value).is_ok_and(|found| found == 0)
    }

    /// Whether as many have acknowledged as have to.
    fn confirm(&self, acknowledged: &Value) -> Result<(), BackendError> {
        let acknowledged = number(acknowledged)?;
        if acknowledged >= i64::from(self.count) {
            return Ok(());
        }
        event!(
            warn,
            "session.not_replicated",
            backend = "redis",
            acknowledged,
            wanted = self.count,
            "a change of a session is made, and too few replicas of Redis have acknowledged it"
        );
        let wanted = self.count;
        Err(BackendError::not_safe(format!("the change is made, and {acknowledged} of {wanted} replicas have it")))
    }
}

impl Redis {
    /// Makes every end and every change of a session wait until so many replicas have acknowledged it, for as long as this
    /// at most. `backend = redis(wait_replicas = 1)` does this. What it promises is in
    /// [the guide](crate::guide::redis#what-a-failover-can-undo). It can't be used with a cluster: each such write fails.
    ///
    /// ```
    /// # fn example() -> Result<(), session_runtime::OpenError> {
    /// use std::time::Duration;
    ///
    /// use session_runtime::backend::Redis;
    ///
    /// let redis = Redis::new("redis://127.0.0.1:6379", "shop:")?.wait_replicas(1, Duration::from_millis(500));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn wait_replicas(self, count: u32, timeout: Duration) -> Self {
        let connector = Arc::clone(self.connection.connector());
        // By one write, and by the one before it whose caller may have gone.
        let use_of = Use { held_up: timeout.saturating_mul(2), near: None };
        let wakers = Arc::clone(&self.wakers);
        let connection = Connection::new(connector, &self.prefix, &self.channel, wakers, use_of);
        let mut wait = cmd("WAIT");
        wait.arg(count).arg(millis(timeout));
        let replicas = (count > 0).then_some(Replicas { connection, count, wait, turns: Mutex::default() });
        Self { replicas, ..self }
    }

    /// Runs a script that ends or changes a session, and waits for the replicas if that is asked for.
    ///
    /// `is_behind` says of an answer that this connection may not have made the write that the answer stands for, so
    /// that its `WAIT` did not wait for it.
    pub(super) async fn write(
        &self,
        call: Call<'_>,
        is_behind: impl FnOnce(&Answer) -> bool,
    ) -> Result<Answer, BackendError> {
        let Some(replicas) = &self.replicas else { return self.run(call).await };
        if self.connection.is_cluster() {
            return Err(BackendError::new("`wait_replicas` can't be used with a cluster"));
        }
        let _turn = replicas.turns.lock().await;
        let sent = call.run_with(&replicas.wait, &replicas.connection).await;
        let (answer, mut acknowledged) = sent.map_err(unavailable)?;
        if is_behind(&answer) {
            acknowledged = self.mark(replicas).await?;
        }
        replicas.confirm(&acknowledged).map(|()| answer)
    }

    /// Waits for all that the server has written before: for a message of no meaning, which replicas get as well.
    async fn mark(&self, replicas: &Replicas) -> Result<Value, BackendError> {
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.cmd("PUBLISH").arg(&self.channel).arg("mark").add_command(replicas.wait.clone());
        let sent = replicas.connection.send(Request::All(&pipeline), Loss::Resend).await.map_err(unavailable)?;
        match sent.value {
            Value::Array(answers) => answers.into_iter().next_back().ok_or_else(unexpected_reply),
            _ => Err(unexpected_reply()),
        }
    }
}
