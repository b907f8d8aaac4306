//! Sessions in Redis or Valkey.
//!
//! A record is one string: eight bytes of version, of last use and of expiry (big endian,
//! milliseconds), then the body. The lease on it is a string beside it, in the same hash slot: the
//! holder's sixteen bytes, and one more once somebody waits. Its end is then published on one channel,
//! so that waiters in other processes are woken. So is the end of every session, for those who watch it.

mod config;
mod connection;
mod connector;
mod encoding;
mod fault;
#[cfg(feature = "testing")]
pub(super) mod fuzz;
mod heartbeat;
mod leases;
mod replicas;
mod scripts;
#[cfg(feature = "redis-sentinel")]
mod sentinel;
mod startup;
#[cfg(feature = "redis-tls")]
mod tls;
mod url;
mod wakers;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::{Cmd, Value};

pub use self::config::RedisConfig;
use self::config::URL;
use self::connection::{Answer, Connection, Loss, Request};
use self::connector::{Connector, Source};
use self::encoding::{decode, encode, keep, millis, number, written};
use self::fault::unavailable;
use self::replicas::Replicas;
use self::scripts::{Call, Scripts};
#[cfg(feature = "redis-sentinel")]
pub use self::sentinel::{RedisMaster, RedisSentinels};
#[cfg(feature = "redis-tls")]
pub use self::tls::Pem;
pub use self::url::RedisUrl;
use self::wakers::Wakers;
use super::{
    Backend, BackendError, Capabilities, OpenBackend, OpenError, Record, RecordKey, Scope, Touch, Watch, Written,
    touch_interval,
};
use crate::setting::FromSetting;

/// Sessions in Redis (6.2 or later) or Valkey, shared by every process that can reach it.
///
/// One multiplexed connection, which is replaced within a few seconds when it breaks, when nothing is heard on
/// it any more, or when its server has become a replica. A shared borrow is one `GETEX`; an exclusive borrow is
/// `SET NX` and `GETEX` in one round trip, and one script that saves and unlocks.
///
/// The idle timeout slides with every use by Redis's own expiry; `last_seen` inside the record follows
/// when it is a sixteenth of the timeout (at most a minute) old, and the runtime refuses by it.
pub struct Redis {
    connection: Connection,
    prefix: String,
    channel: String,
    scripts: Scripts,
    wakers: Arc<Wakers>,
    /// What writes wait for, if they do.
    replicas: Option<Replicas>,
}

/// What a lease's name adds to its record's.
const LEASE: &str = ":lease";
/// A waiter that was woken by nobody asks again after this long, should a message have been lost with
/// a connection.
const LOST_WAKE: Duration = Duration::from_secs(1);
/// How long a read waits for its use to be noted.
const NOTE: Duration = Duration::from_millis(250);

impl Redis {
    /// Connects lazily: a Redis that is down is waited for by the calls, up to their deadline.
    ///
    /// # Errors
    /// A URL that can't be read.
    pub fn new(url: &str, prefix: impl Into<String>) -> Result<Self, OpenError> {
        let url = FromSetting::from_setting(url).map_err(|why| OpenError::option(URL, None, why))?;
        let config = RedisConfig { url: Some(url), ..RedisConfig::default() };
        Ok(Self::on(config.connector()?, prefix.into()))
    }

    /// Sessions in the Redis that a client of the application's own leads to: its address, user, password, database and
    /// TLS are taken from it. The connection is one of its own, with RESP3, so the client and its other connections
    /// stay as they are.
    ///
    /// ```no_run
    /// # use session_runtime::{Sessions, SessionData, backend::Redis};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, SessionData)]
    /// # #[session(crate = session_runtime)]
    /// # struct User;
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = redis::Client::open("redis://127.0.0.1:6379")?;
    /// let backend = Redis::from_client(&client, "shop:User:").await?;
    /// let sessions = Sessions::<User>::builder().backend(backend).open().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What [`Redis::check`] finds. A Redis that is down is no error.
    pub async fn from_client(client: &redis::Client, prefix: impl Into<String>) -> Result<Self, OpenError> {
        let redis = Self::on(Connector::new(client.get_connection_info().clone(), Source::Client, None), prefix.into());
        redis.check().await?;
        Ok(redis)
    }

    fn on(connector: Connector, prefix: String) -> Self {
        let channel = format!("{prefix}freed");
        let wakers = Arc::new(Wakers::default());
        let connection = Connection::new(Arc::new(connector), &prefix, &channel, Arc::clone(&wakers));
        Self { connection, prefix, channel, scripts: Scripts::default(), wakers, replicas: None }
    }

    /// The name of a record. The braces make it one hash slot with its lease.
    fn record(&self, key: &RecordKey) -> String {
        let mut name = String::with_capacity(self.prefix.len() + 45 + LEASE.len());
        name.push_str(&self.prefix);
        name.push('{');
        key.push_to(&mut name);
        name.push('}');
        name
    }

    /// The names of a record and of the lease on it.
    fn names(&self, key: &RecordKey) -> (String, String) {
        let record = self.record(key);
        let lease = [&record, LEASE].concat();
        (record, lease)
    }

    async fn run(&self, call: Call<'_>) -> Result<Answer, BackendError> {
        call.run(&self.connection).await.map_err(unavailable)
    }

    async fn send(&self, command: &Cmd, loss: Loss) -> Result<Value, BackendError> {
        let sent = self.connection.send(Request::One(command), loss).await;
        sent.map(|answer| answer.value).map_err(unavailable)
    }

    /// Writes the time of this use into the record, when it is due. A session that was found is used whether that
    /// succeeds or not: the next use notes it.
    async fn note_use(&self, key: &RecordKey, record: &Record, touch: Touch) {
        let slack = self.idle_slack(touch.idle);
        if touch.now.since(record.last_seen) < slack || !touch.is_live(record, slack) {
            return;
        }
        let call = Call::new(&self.scripts.touch, [&self.record(key)])
            .bytes(&touch.now.as_millis().to_be_bytes())
            .number(millis(touch.keep()));
        if let Ok(Err(error)) = tokio::time::timeout(NOTE, self.run(call)).await {
            event!(debug, "session.use_not_noted", backend = "redis", %error, "a session's use was not noted");
        }
    }

    /// What became of a conditional write. If it was sent twice, the second may have met the first: then what is
    /// stored is what it wrote.
    async fn outcome(&self, name: &str, answer: Answer, version: u64, bytes: &[u8]) -> Result<Written, BackendError> {
        let code = written(number(&answer.value)?)?;
        if code == Written::Done || !answer.repeated {
            return Ok(code);
        }
        let stored = self.send(redis::cmd("GET").arg(name), Loss::Resend).await?;
        if matches!(&stored, Value::BulkString(stored) if stored == bytes) {
            return Ok(Written::Done);
        }
        match decode(stored)? {
            // Somebody may have written after us, so that nobody knows.
            Some(record) if record.version > version => Err(BackendError::new(
                "the connection to Redis was lost, and whether the session was stored is not known",
            )),
            Some(_) => Ok(Written::Conflict),
            None => Ok(Written::Absent),
        }
    }

    /// Hears what is published from now on: a process pays for it once it waits or watches.
    async fn subscribe(&self) -> Result<(), BackendError> {
        self.connection.subscribe().await.map_err(unavailable)
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Backend for Redis {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        let mut set = redis::cmd("SET");
        set.arg(self.record(key)).arg(encode(&record)).arg("NX").arg("PX").arg(keep(&record, touch));
        // Not twice: one that is still on its way could come after the session's end, and bring it back.
        Ok(self.send(&set, Loss::Fail).await? != Value::Nil)
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        let mut get = redis::cmd("GETEX");
        get.arg(self.record(key)).arg("PX").arg(millis(touch.keep()));
        let record = decode(self.send(&get, Loss::Resend).await?)?;
        if let Some(record) = &record {
            self.note_use(key, record, touch).await;
        }
        Ok(record)
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        decode(self.send(redis::cmd("GET").arg(self.record(key)), Loss::Resend).await?)
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let (name, bytes) = (self.record(key), encode(&record));
        let call = Call::new(&self.scripts.update, [&name])
            .bytes(&expected.to_be_bytes())
            .bytes(&bytes)
            .number(keep(&record, touch));
        let answer = self.write(call, Replicas::is_repeated).await?;
        self.outcome(&name, answer, record.version, &bytes).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        let (record, lease_name) = self.names(key);
        let call = Call::new(&self.scripts.delete, [&record, &lease_name])
            .bytes(self.channel.as_bytes())
            .bytes(key.as_bytes());
        let answer = self.write(call, Replicas::found_nothing).await?;
        // What a second attempt does not find, the first has ended.
        Ok(answer.repeated || number(&answer.value)? > 0)
    }

    fn idle_slack(&self, idle: Duration) -> Duration {
        touch_interval(idle)
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self).watch(self)
    }
}

impl Watch for Redis {
    async fn watch(&self, key: &RecordKey) -> Result<BoxFuture<'static, ()>, BackendError> {
        self.subscribe().await?;
        Ok(Box::pin(self.wakers.listen(key).woken()))
    }
}

impl OpenBackend for Redis {
    type Config = RedisConfig;

    async fn open(config: RedisConfig, scope: &Scope) -> Result<Self, OpenError> {
        let (connector, replicas) = (config.connector()?, config.replicas()?);
        let prefix = config.prefix.unwrap_or_else(|| format!("{}:", scope.identity().replace('/', ":")));
        let mut redis = Self::on(connector, prefix);
        if let Some((count, timeout)) = replicas {
            redis = redis.wait_replicas(count, timeout);
        }
        redis.check().await?;
        Ok(redis)
    }
}
