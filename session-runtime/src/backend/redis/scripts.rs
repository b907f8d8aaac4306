//! What has to happen in one step on the server. Each script names all of its keys, in one hash slot.

use redis::aio::{ConnectionLike as _, ConnectionManager};
use redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, Script, ServerErrorKind, Value};

/// A script with its keys and arguments.
pub(super) struct Call<'a> {
    /// To be taught to a server that doesn't know it; `None` where the text goes with the call.
    script: Option<&'a Script>,
    command: Cmd,
}

impl<'a> Call<'a> {
    pub(super) fn new<const N: usize>(script: &'a Script, keys: [&str; N]) -> Self {
        let mut command = Cmd::with_capacity(16, 512);
        command.arg("EVALSHA").arg(script.get_hash()).arg(N);
        for key in keys {
            command.arg(key);
        }
        Self { script: Some(script), command }
    }

    /// A script of one key that goes with its whole text: for what has to work even if nobody waits for the
    /// answer, and so nobody could teach it to the server.
    pub(super) fn inline(text: &str, key: &str) -> Self {
        let mut command = Cmd::with_capacity(8, 512);
        command.arg("EVAL").arg(text).arg(1).arg(key);
        Self { script: None, command }
    }

    pub(super) fn bytes(mut self, argument: &[u8]) -> Self {
        self.command.arg(argument);
        self
    }

    pub(super) fn number(mut self, argument: u64) -> Self {
        self.command.arg(argument);
        self
    }

    /// Runs it: one round trip. A server that doesn't know the script (it was restarted, or flushed) is
    /// taught it, once.
    pub(super) async fn run<V: FromRedisValue>(self, connection: &ConnectionManager) -> RedisResult<V> {
        let mut connection = connection.clone();
        let answer = match (answer(connection.req_packed_command(&self.command).await), self.script) {
            (Err(error), Some(script)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                script.load_async(&mut connection).await?;
                answer(connection.req_packed_command(&self.command).await)?
            }
            (other, _) => other?,
        };
        Ok(V::from_redis_value(answer)?)
    }
}

/// An error that came as a value is an error.
fn answer(answer: RedisResult<Value>) -> RedisResult<Value> {
    answer.and_then(Value::extract_error)
}

/// The scripts, sent by their hash.
pub(super) struct Scripts {
    pub(super) touch: Script,
    pub(super) update: Script,
    pub(super) delete: Script,
    pub(super) contend: Script,
    pub(super) extend: Script,
    pub(super) save: Script,
}

/// KEYS: record. ARGV: time of use.
const TOUCH: &str = "
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('SETRANGE', KEYS[1], 8, ARGV[1]) end";

/// KEYS: record. ARGV: expected version, new record, milliseconds to keep it.
const UPDATE: &str = "
local version = redis.call('GETRANGE', KEYS[1], 0, 7)
if version == '' then return 0 end
if version ~= ARGV[1] then return 2 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1";

/// KEYS: record, lease. ARGV: channel, message.
const DELETE: &str = "
local found = redis.call('DEL', KEYS[1])
if found + redis.call('DEL', KEYS[2]) > 0 then redis.call('PUBLISH', ARGV[1], ARGV[2]) end
return found";

/// KEYS: record, lease. ARGV: holder, milliseconds of the lease, milliseconds to keep the record.
/// Answers the record, nothing, or how long the lease still runs.
const CONTEND: &str = "
local held = redis.call('GET', KEYS[2])
if held and string.sub(held, 1, 16) ~= ARGV[1] then
  if #held == 16 then redis.call('APPEND', KEYS[2], '!') end
  return redis.call('PTTL', KEYS[2])
end
local record = redis.call('GETEX', KEYS[1], 'PX', ARGV[3])
if record then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return record";

/// KEYS: lease. ARGV: holder, milliseconds of the lease.
const EXTEND: &str = "
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 16) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0";

/// KEYS: record, lease. ARGV: holder, expected version, new record, milliseconds to keep it, channel, message.
const SAVE: &str = "
local held = redis.call('GET', KEYS[2])
if not held or string.sub(held, 1, 16) ~= ARGV[1] then
  if redis.call('EXISTS', KEYS[1]) == 1 then return 2 end
  return 0
end
redis.call('DEL', KEYS[2])
if #held > 16 then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
local version = redis.call('GETRANGE', KEYS[1], 0, 7)
if version == '' then return 0 end
if version ~= ARGV[2] then return 2 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1";

/// KEYS: lease. ARGV: holder, channel, message.
pub(super) const RELEASE: &str = "
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 16) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  if #held > 16 then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
end";

impl Default for Scripts {
    fn default() -> Self {
        Self {
            touch: Script::new(TOUCH),
            update: Script::new(UPDATE),
            delete: Script::new(DELETE),
            contend: Script::new(CONTEND),
            extend: Script::new(EXTEND),
            save: Script::new(SAVE),
        }
    }
}
