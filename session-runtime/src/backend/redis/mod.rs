//! Sessions in Redis or Valkey.
//!
//! A record is one string: eight bytes of version, of last use and of expiry (big endian,
//! milliseconds), then the body. The lease on it is a string beside it, in the same hash slot: the
//! holder's sixteen bytes, and one more once somebody waits. Its end is then published on one channel,
//! so that waiters in other processes are woken. So is the end of every session, for those who watch it.

#[cfg(feature = "testing")]
pub(super) mod fuzz;
mod scripts;
mod wakers;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, FromRedisValue, IntoConnectionInfo as _, Pipeline, ProtocolVersion, Value};
use tokio::sync::OnceCell;

use self::scripts::{Call, Scripts};
use self::wakers::Wakers;
use super::{
    Acquired, Backend, BackendError, Capabilities, Lease, Leases, OpenBackend, OpenError, Record, RecordKey, Scope,
    Touch, Watch, Written, touch_interval,
};
use crate::clock::Timestamp;
use crate::setting::FromSetting;

/// Sessions in Redis (6.2 or later) or Valkey, shared by every process that can reach it.
///
/// One multiplexed connection that reconnects by itself. A shared borrow is one `GETEX`; an exclusive
/// borrow is `SET NX` and `GETEX` in one round trip, and one script that saves and unlocks.
///
/// The idle timeout slides with every use by Redis's own expiry; `last_seen` inside the record follows
/// when it is a sixteenth of the timeout (at most a minute) old, and the runtime refuses by it.
pub struct Redis {
    connection: ConnectionManager,
    prefix: String,
    channel: String,
    scripts: Scripts,
    wakers: Arc<Wakers>,
    subscribed: OnceCell<()>,
}

/// The arguments of `backend = redis(...)`.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct RedisConfig {
    /// `redis://[user:password@]host:port/database`, `rediss://` with TLS, or `unix://path`.
    pub url: Option<RedisUrl>,
    /// What every key begins with (default: `application:Type:`, see [`Scope::identity`]).
    pub prefix: Option<String>,
}

/// A Redis URL that can be read. It may hold a password, so nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

impl std::fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisUrl(..)")
    }
}

impl FromSetting for RedisUrl {
    const EXAMPLE: Option<&'static str> = Some("redis://127.0.0.1:6379");

    fn from_setting(text: &str) -> Result<Self, String> {
        // The driver's own message may repeat the URL, and with it the password.
        text.into_connection_info().map_err(|_| NOT_A_URL)?;
        Ok(Self(text.into()))
    }
}

const NOT_A_URL: &str = "is not a Redis URL; write it as redis://[user:password@]host:6379/0";

impl std::fmt::Debug for RedisConfig {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisConfig").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// What a lease's name adds to its record's.
const LEASE: &str = ":lease";
/// How long one attempt to connect may take, and the longest pause between two attempts: short, so
/// that a Redis that comes back is in use at once.
const CONNECT: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// A waiter that was woken by nobody asks again after this long, should a message have been lost with
/// a connection.
const LOST_WAKE: Duration = Duration::from_secs(1);

impl Redis {
    /// Connects lazily: a Redis that is down is waited for by the calls, up to their deadline.
    ///
    /// # Errors
    /// A URL that can't be read.
    pub fn new(url: &str, prefix: impl Into<String>) -> Result<Self, OpenError> {
        let refuse = |_| OpenError::option("backend = redis(url)", None, NOT_A_URL);
        let info = url.into_connection_info().map_err(refuse)?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = redis::Client::open(info.set_redis_settings(settings)).map_err(refuse)?;
        let prefix = prefix.into();
        let wakers = Arc::new(Wakers::default());
        let woken = Arc::clone(&wakers);
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(None)
            .set_max_delay(LONGEST_PAUSE)
            .set_automatic_resubscription()
            .set_push_sender(move |push: redis::PushInfo| {
                woken.hear(&push);
                Ok::<(), std::convert::Infallible>(())
            });
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(refuse)?;
        let channel = format!("{prefix}freed");
        Ok(Self { connection, prefix, channel, scripts: Scripts::default(), wakers, subscribed: OnceCell::new() })
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

    async fn run<V: FromRedisValue>(&self, call: Call<'_>) -> Result<V, BackendError> {
        call.run(&self.connection).await.map_err(BackendError::new)
    }

    async fn send(&self, command: &Cmd) -> Result<Value, BackendError> {
        // Some refusals (out of memory, a read-only replica) come as a value.
        let answer = self.connection.clone().send_packed_command(command).await;
        answer.and_then(Value::extract_error).map_err(BackendError::new)
    }

    /// Writes the time of this use into the record, when it is due.
    async fn note_use(&self, key: &RecordKey, record: &Record, touch: Touch) -> Result<(), BackendError> {
        let slack = self.idle_slack(touch.idle);
        if touch.now.since(record.last_seen) < slack || !touch.is_live(record, slack) {
            return Ok(());
        }
        let call = Call::new(&self.scripts.touch, [&self.record(key)]).bytes(&touch.now.as_millis().to_be_bytes());
        self.run(call).await
    }

    /// Hears what is published from now on: this process is the only one to pay for it, once it waits or watches.
    async fn subscribe(&self) -> Result<(), BackendError> {
        let subscribe = || async { self.connection.clone().subscribe(&self.channel).await };
        self.subscribed.get_or_try_init(subscribe).await.map_err(BackendError::new).copied()
    }

    /// Asks for the lease once more, and says that somebody waits for it.
    async fn contend(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        self.subscribe().await?;
        let wake = self.wakers.listen(key);
        let (record, lease_name) = self.names(key);
        let call = Call::new(&self.scripts.contend, [&record, &lease_name])
            .bytes(&lease.holder.to_bytes())
            .number(millis(lease.ttl))
            .number(millis(touch.keep()));
        match self.run(call).await? {
            Value::Int(left) => {
                let left = Duration::from_millis(u64::try_from(left).unwrap_or(0).max(1));
                Ok(Acquired::Busy(Box::pin(async move {
                    let _ = tokio::time::timeout(left.min(LOST_WAKE), wake.woken()).await;
                })))
            }
            value => match decode(value)? {
                Some(record) => {
                    self.note_use(key, &record, touch).await?;
                    Ok(Acquired::Granted(record))
                }
                None => Ok(Acquired::Absent),
            },
        }
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
        Ok(self.send(&set).await? != Value::Nil)
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        let mut get = redis::cmd("GETEX");
        get.arg(self.record(key)).arg("PX").arg(millis(touch.keep()));
        let record = decode(self.send(&get).await?)?;
        if let Some(record) = &record {
            self.note_use(key, record, touch).await?;
        }
        Ok(record)
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        decode(self.send(redis::cmd("GET").arg(self.record(key))).await?)
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let call = Call::new(&self.scripts.update, [&self.record(key)])
            .bytes(&expected.to_be_bytes())
            .bytes(&encode(&record))
            .number(keep(&record, touch));
        written(self.run(call).await?)
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        let (record, lease_name) = self.names(key);
        let call = Call::new(&self.scripts.delete, [&record, &lease_name])
            .bytes(self.channel.as_bytes())
            .bytes(key.as_bytes());
        let found: i64 = self.run(call).await?;
        Ok(found > 0)
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

impl Leases for Redis {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        let (record_name, lease_name) = self.names(key);
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline
            .cmd("SET")
            .arg(lease_name)
            .arg(&lease.holder.to_bytes()[..])
            .arg("NX")
            .arg("PX")
            .arg(millis(lease.ttl));
        pipeline.cmd("GETEX").arg(record_name).arg("PX").arg(millis(touch.keep()));
        let answers = self.connection.clone().send_packed_commands(&pipeline, 0, 2).await.map_err(BackendError::new)?;
        let [locked, record]: [Value; 2] = answers.try_into().map_err(|_| unexpected_reply())?;
        let locked = locked.extract_error().map_err(BackendError::new)?;
        if locked == Value::Nil {
            return self.contend(key, lease, touch).await;
        }
        match decode(record)? {
            Some(record) => {
                self.note_use(key, &record, touch).await?;
                Ok(Acquired::Granted(record))
            }
            None => {
                self.release(key, lease).await?;
                Ok(Acquired::Absent)
            }
        }
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        let call = Call::new(&self.scripts.extend, [&self.names(key).1])
            .bytes(&lease.holder.to_bytes())
            .number(millis(lease.ttl));
        let kept: i64 = self.run(call).await?;
        Ok(kept > 0)
    }

    async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        let (record_name, lease_name) = self.names(key);
        let call = Call::new(&self.scripts.save, [&record_name, &lease_name])
            .bytes(&lease.holder.to_bytes())
            .bytes(&expected.to_be_bytes())
            .bytes(&encode(&record))
            .number(keep(&record, touch))
            .bytes(self.channel.as_bytes())
            .bytes(key.as_bytes());
        written(self.run(call).await?)
    }

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        let call = Call::inline(scripts::RELEASE, &self.names(key).1)
            .bytes(&lease.holder.to_bytes())
            .bytes(self.channel.as_bytes())
            .bytes(key.as_bytes());
        self.run(call).await
    }
}

impl OpenBackend for Redis {
    type Config = RedisConfig;

    async fn open(config: RedisConfig, scope: &Scope) -> Result<Self, OpenError> {
        let url = config.url.ok_or_else(|| {
            OpenError::option("backend = redis(url)", None, "is missing; write `url = env(\"REDIS_URL\")`")
        })?;
        let prefix = config.prefix.unwrap_or_else(|| format!("{}:", scope.identity().replace('/', ":")));
        let redis = Self::new(&url.0, prefix)?;
        // A first connection warms up and warns early. It is no error: calls fail until Redis is up.
        if let Err(error) = tokio::time::timeout(CONNECT, redis.send(&redis::cmd("PING")))
            .await
            .unwrap_or_else(|late| Err(BackendError::new(late)))
        {
            event!(warn, "session.backend_down", backend = "redis", %error, "Redis is not reachable yet");
        }
        Ok(redis)
    }
}

const HEADER: usize = 24;

fn encode(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + record.body.len());
    bytes.extend_from_slice(&record.version.to_be_bytes());
    bytes.extend_from_slice(&record.last_seen.as_millis().to_be_bytes());
    bytes.extend_from_slice(&record.expires.as_millis().to_be_bytes());
    bytes.extend_from_slice(&record.body);
    bytes
}

/// A record from a reply. What is too short to be one is no session, and is left alone.
fn decode(value: Value) -> Result<Option<Record>, BackendError> {
    let bytes = match value.extract_error().map_err(BackendError::new)? {
        Value::BulkString(bytes) => Bytes::from(bytes),
        Value::Nil => return Ok(None),
        _ => return Err(unexpected_reply()),
    };
    let word = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let (Some(version), Some(last_seen), Some(expires)) = (word(0), word(8), word(16)) else {
        event!(warn, "session.unreadable", "a stored session is too short to be one; left alone");
        return Ok(None);
    };
    Ok(Some(Record {
        version,
        last_seen: Timestamp::from_millis(last_seen),
        expires: Timestamp::from_millis(expires),
        body: bytes.slice(HEADER..),
    }))
}

fn unexpected_reply() -> BackendError {
    BackendError::new("Redis gave an answer of an unexpected type")
}

fn written(code: i64) -> Result<Written, BackendError> {
    match code {
        0 => Ok(Written::Absent),
        1 => Ok(Written::Done),
        2 => Ok(Written::Conflict),
        _ => Err(unexpected_reply()),
    }
}

fn keep(record: &Record, touch: Touch) -> u64 {
    millis(Touch { expires: record.expires, ..touch }.keep())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
