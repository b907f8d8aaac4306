//! Sessions in Redis or Valkey.
//!
//! A record is one string: eight bytes of version, of last use and of expiry (big endian,
//! milliseconds), then the body. The lease on it is a string beside it, in the same hash slot: the
//! holder's sixteen bytes, and one more once somebody waits. Its end is then published on one channel,
//! so that waiters in other processes are woken. So is the end of every session, for those who watch it.

mod attempt;
#[cfg(feature = "redis-cluster")]
mod cluster;
mod config;
mod connection;
mod connector;
mod encoding;
mod fault;
#[cfg(feature = "testing")]
pub(super) mod fuzz;
mod heartbeat;
mod leases;
mod listing;
mod near_cache;
mod replicas;
mod scripts;
#[cfg(feature = "redis-sentinel")]
mod sentinel;
mod startup;
#[cfg(feature = "redis-tls")]
mod tls;
mod url;
mod wakers;
mod way;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::{Cmd, Value};

#[cfg(feature = "redis-cluster")]
pub use self::cluster::RedisNodes;
pub use self::config::RedisConfig;
use self::config::URL;
use self::connection::{Answer, Connection, Loss, Request, Use};
use self::connector::{Connector, Source};
use self::encoding::{decode, encode, keep, millis, number, written};
use self::fault::unavailable;
use self::near_cache::NearCache;
use self::replicas::Replicas;
use self::scripts::{Call, Scripts};
#[cfg(feature = "redis-sentinel")]
pub use self::sentinel::{RedisMaster, RedisSentinels};
#[cfg(feature = "redis-tls")]
pub use self::tls::Pem;
pub use self::url::RedisUrl;
use self::wakers::Wakers;
use self::way::Way;
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
    connection: Way,
    prefix: String,
    channel: String,
    scripts: Scripts,
    wakers: Arc<Wakers>,
    /// What writes wait for, if they do.
    replicas: Option<Replicas>,
    /// What was read, if that is kept.
    near: Option<Arc<NearCache>>,
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
        let connection = Way::new(connector, &prefix, &channel, Arc::clone(&wakers));
        Self { connection, prefix, channel, scripts: Scripts::default(), wakers, replicas: None, near: None }
    }

    /// Answers shared borrows of sessions that this process has read without asking Redis, which says when they change.
    /// `backend = redis(near_cache = "1s")` does this. What the bound promises is in
    /// [the guide](crate::guide::redis#a-near-cache). It has no effect on a cluster.
    ///
    /// ```
    /// # fn example() -> Result<(), session_runtime::OpenError> {
    /// use std::time::Duration;
    ///
    /// use session_runtime::backend::Redis;
    ///
    /// let redis = Redis::new("redis://127.0.0.1:6379", "shop:")?.near_cache(Duration::from_secs(1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn near_cache(self, bound: Duration) -> Self {
        if self.connection.is_cluster() {
            return self;
        }
        let near = Arc::new(NearCache::new(bound, &self.prefix));
        let use_of = Use { near: Some(Arc::clone(&near)), ..Use::default() };
        let (connector, wakers) = (Arc::clone(self.connection.connector()), Arc::clone(&self.wakers));
        let connection = Connection::new(connector, &self.prefix, &self.channel, wakers, use_of);
        Self { connection: Way::Alone(connection), near: Some(near), ..self }
    }

    /// The use by which Redis forgets a session by itself. What is answered from here does not slide that, so it is kept
    /// for as much longer as a use may go unnoted.
    fn kept(&self, touch: Touch) -> Touch {
        let unnoted = if self.near.is_some() { touch_interval(touch.idle) } else { Duration::ZERO };
        Touch { idle: touch.idle.saturating_add(unnoted), ..touch }
    }

    /// This process writes a session: before and after, so that nothing read meanwhile is kept.
    async fn changing<T>(&self, key: &RecordKey, write: impl Future<Output = T>) -> T {
        let forget = || self.near.iter().for_each(|near| near.forget(key));
        forget();
        let written = write.await;
        forget();
        written
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
            .number(millis(self.kept(touch).keep()));
        if let Ok(Err(error)) = tokio::time::timeout(NOTE, self.changing(key, self.run(call))).await {
            event!(debug, "session.use_not_noted", backend = "redis", %error, "a session's use was not noted");
        }
    }

    /// A read that asks Redis only for what it has not said of, and notes the use when it is due.
    async fn load_near(&self, near: &NearCache, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        let record = match near.get(key) {
            Some(record) => record,
            None => {
                let reading = near.begin(key);
                // What is read by GETEX is not tracked.
                let Some(record) = self.peek(key).await? else { return Ok(None) };
                near.keep(key, reading, &record);
                record
            }
        };
        self.note_use(key, &record, touch).await;
        Ok(Some(record))
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
        set.arg(self.record(key)).arg(encode(&record)).arg("NX").arg("PX").arg(keep(&record, self.kept(touch)));
        // Not twice: one that is still on its way could come after the session's end, and bring it back.
        Ok(self.send(&set, Loss::Fail).await? != Value::Nil)
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        if let Some(near) = &self.near {
            return self.load_near(near, key, touch).await;
        }
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
            .number(keep(&record, self.kept(touch)));
        let answer = self.changing(key, self.write(call, Replicas::is_repeated)).await?;
        self.outcome(&name, answer, record.version, &bytes).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        let (record, lease_name) = self.names(key);
        let call = Call::new(&self.scripts.delete, [&record, &lease_name])
            .bytes(self.channel.as_bytes())
            .bytes(key.as_bytes());
        let answer = self.changing(key, self.write(call, Replicas::found_nothing)).await?;
        // What a second attempt does not find, the first has ended.
        Ok(answer.repeated || number(&answer.value)? > 0)
    }

    fn idle_slack(&self, idle: Duration) -> Duration {
        touch_interval(idle)
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        let capabilities = Capabilities::none().leases(self).keep_lease(self).compare_and_set(self).watch(self);
        // A node of a cluster names its own keys alone.
        if self.connection.is_cluster() { capabilities } else { capabilities.list(self) }
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
        let (connector, replicas, near) = (config.connector()?, config.replicas()?, config.near_cache()?);
        let prefix = config.prefix.unwrap_or_else(|| format!("{}:", scope.identity().replace('/', ":")));
        let mut redis = Self::on(connector, prefix);
        if let Some((count, timeout)) = replicas {
            redis = redis.wait_replicas(count, timeout);
        }
        if let Some(bound) = near {
            redis = redis.near_cache(bound);
        }
        redis.check().await?;
        Ok(redis)
    }
}
