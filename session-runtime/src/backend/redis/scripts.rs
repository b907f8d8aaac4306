//! What has to happen in one step on the server. Each script names all of its keys, in one hash slot, and may be run
//! twice: it changes nothing that it did not find as it expects it.

use redis::{Cmd, ErrorKind, Pipeline, RedisResult, Script, ServerErrorKind, Value};

use super::connection::{Answer, Connection, Loss, Request};
use super::way::Way;

/// A script with its keys and arguments.
pub(super) struct Call<'a> {
    /// `None` where the text goes with the call.
    script: Option<&'a TaughtScript>,
    command: Cmd,
    loss: Loss,
}

/// A script that is sent by its hash.
pub(super) struct TaughtScript {
    text: &'static str,
    hash: String,
}

impl TaughtScript {
    fn new(text: &'static str) -> Self {
        Self { text, hash: Script::new(text).get_hash().to_owned() }
    }

    /// Its text, which is in the server's memory from then on.
    pub(super) fn text(&self) -> &'static str {
        self.text
    }
}

impl<'a> Call<'a> {
    pub(super) fn new<const N: usize>(script: &'a TaughtScript, keys: [&str; N]) -> Self {
        let mut command = Cmd::with_capacity(16, 512);
        command.arg("EVALSHA").arg(&script.hash).arg(N);
        for key in keys {
            command.arg(key);
        }
        Self { script: Some(script), command, loss: Loss::Resend }
    }

    /// A script of one key that goes with its whole text: for what has to work even if nobody waits for the
    /// answer, and so nobody could teach it to the server. It takes back what was sent before.
    pub(super) fn inline(text: &str, key: &str) -> Self {
        let mut command = Cmd::with_capacity(8, 512);
        command.arg("EVAL").arg(text).arg(1).arg(key);
        Self { script: None, command, loss: Loss::Follow }
    }

    pub(super) fn bytes(mut self, argument: &[u8]) -> Self {
        self.command.arg(argument);
        self
    }

    pub(super) fn number(mut self, argument: u64) -> Self {
        self.command.arg(argument);
        self
    }

    /// Runs it as [`Call::run`] does, and then `after`, in the same round trip: the answers of both.
    pub(super) async fn run_with(self, after: &Cmd, connection: &Connection) -> RedisResult<(Answer, Value)> {
        let both = |command: &Cmd| {
            let mut pipeline = Pipeline::with_capacity(2);
            pipeline.add_command(command.clone()).add_command(after.clone());
            pipeline
        };
        let sent = connection.send(Request::All(&both(&self.command)), self.loss).await;
        let sent = match (sent, self.script) {
            (Err(error), Some(script)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let taught = both(&with_text(&self.command, script.text));
                connection.send(Request::All(&taught), self.loss).await
            }
            (sent, _) => sent,
        }?;
        let of_another_type = || (ErrorKind::UnexpectedReturnType, "two answers were expected").into();
        let Value::Array(answers) = sent.value else { return Err(of_another_type()) };
        let [value, behind]: [Value; 2] = answers.try_into().map_err(|_| of_another_type())?;
        Ok((Answer { value, repeated: sent.repeated }, behind))
    }

    /// Runs it: one round trip. A server that doesn't know the script (it was restarted, or flushed) is sent
    /// its text, which it then knows.
    pub(super) async fn run(self, connection: &Way) -> RedisResult<Answer> {
        let sent = connection.send(Request::One(&self.command), self.loss).await;
        match (sent, self.script) {
            (Err(error), Some(script)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                connection.send(Request::One(&with_text(&self.command, script.text)), self.loss).await
            }
            (sent, _) => sent,
        }
    }
}

/// The same call with the script's text in place of its hash.
fn with_text(by_hash: &Cmd, text: &str) -> Cmd {
    let mut command = Cmd::with_capacity(16, 1024);
    command.arg("EVAL").arg(text);
    for argument in by_hash.args_iter().skip(2) {
        if let redis::Arg::Simple(bytes) = argument {
            command.arg(bytes);
        }
    }
    command
}

/// The scripts, sent by their hash.
pub(super) struct Scripts {
    pub(super) touch: TaughtScript,
    pub(super) update: TaughtScript,
    pub(super) compare_and_set: TaughtScript,
    pub(super) delete: TaughtScript,
    pub(super) take: TaughtScript,
    pub(super) contend: TaughtScript,
    pub(super) extend: TaughtScript,
    pub(super) save: TaughtScript,
    pub(super) save_and_keep: TaughtScript,
}

/// KEYS: record. ARGV: time of use, milliseconds to keep it.
///
/// A full server refuses `SETRANGE`, which could need memory, but not `PEXPIRE`; and once a script has written it is let
/// go on. So a session that is used stays alive on a full server, and this takes no memory.
const TOUCH: &str = "
if redis.call('PEXPIRE', KEYS[1], ARGV[2]) == 1 then redis.call('SETRANGE', KEYS[1], 8, ARGV[1]) end";

/// KEYS: record. ARGV: expected version, new record, milliseconds to keep it.
const UPDATE: &str = "
local version = redis.call('GETRANGE', KEYS[1], 0, 7)
if version == '' then return 0 end
if version ~= ARGV[1] then return 2 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1";

/// KEYS: record, lease. ARGV: expected version, new record, milliseconds to keep it.
const COMPARE_AND_SET: &str = "
local version = redis.call('GETRANGE', KEYS[1], 0, 7)
if version == '' then return 0 end
if version ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 2 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1";

/// KEYS: record, lease. ARGV: channel, message.
///
/// Here and below a message that can't be published fails nothing: what was done before it is done, and must be told.
const DELETE: &str = "
local found = redis.call('DEL', KEYS[1])
if found + redis.call('DEL', KEYS[2]) > 0 then redis.pcall('PUBLISH', ARGV[1], ARGV[2]) end
return found";

/// KEYS: record, lease. ARGV: holder, milliseconds of the lease, milliseconds to keep the record.
/// Answers the record, nothing, or 0 if another one holds it. It is for a cluster, where a slot that moves between two
/// commands could leave a lease that nobody knows of.
const TAKE: &str = "
local held = redis.call('GET', KEYS[2])
if held and string.sub(held, 1, 16) ~= ARGV[1] then return 0 end
local record = redis.call('GETEX', KEYS[1], 'PX', ARGV[3])
if record then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return record";

/// KEYS: record, lease. ARGV: holder, milliseconds of the lease, milliseconds to keep the record.
/// Answers the record, nothing, or how long the lease still runs. A waiter that could not be noted on a full server looks
/// again by itself.
const CONTEND: &str = "
local held = redis.call('GET', KEYS[2])
if held and string.sub(held, 1, 16) ~= ARGV[1] then
  if #held == 16 then redis.pcall('APPEND', KEYS[2], '!') end
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
if #held > 16 then redis.pcall('PUBLISH', ARGV[5], ARGV[6]) end
local version = redis.call('GETRANGE', KEYS[1], 0, 7)
if version == '' then return 0 end
if version ~= ARGV[2] then return 2 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1";

/// What [`SAVE_AND_KEEP`] answers where it has stored the record and kept the lease.
pub(super) const KEPT: i64 = 3;
/// The same while another process waits for it.
pub(super) const KEPT_CONTENDED: i64 = 4;

/// KEYS: record, lease. ARGV: holder, expected version, new record, milliseconds to keep it, channel, message,
/// milliseconds of the lease.
///
/// As on a save, a write comes first that a full server takes, after which the script is let go on.
const SAVE_AND_KEEP: &str = "
local held = redis.call('GET', KEYS[2])
if not held or string.sub(held, 1, 16) ~= ARGV[1] then
  if redis.call('EXISTS', KEYS[1]) == 1 then return 2 end
  return 0
end
local version = redis.call('GETRANGE', KEYS[1], 0, 7)
if version ~= ARGV[2] then
  redis.call('DEL', KEYS[2])
  if #held > 16 then redis.pcall('PUBLISH', ARGV[5], ARGV[6]) end
  if version == '' then return 0 end
  return 2
end
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
if #held > 16 then return 4 end
return 3";

/// KEYS: lease. ARGV: holder, channel, message.
pub(super) const RELEASE: &str = "
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 16) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  if #held > 16 then redis.pcall('PUBLISH', ARGV[2], ARGV[3]) end
end";

impl Default for Scripts {
    fn default() -> Self {
        Self {
            touch: TaughtScript::new(TOUCH),
            update: TaughtScript::new(UPDATE),
            compare_and_set: TaughtScript::new(COMPARE_AND_SET),
            delete: TaughtScript::new(DELETE),
            take: TaughtScript::new(TAKE),
            contend: TaughtScript::new(CONTEND),
            extend: TaughtScript::new(EXTEND),
            save: TaughtScript::new(SAVE),
            save_and_keep: TaughtScript::new(SAVE_AND_KEEP),
        }
    }
}
