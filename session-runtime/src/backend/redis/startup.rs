//! What is wrong with a Redis, found when the application starts.
//!
//! The check does what requests will do, with a key and a lease of its own, on a connection that is not replaced: so
//! the server's own reason is at hand. What waiting can mend (a server that is down, still loads its data or is full) is
//! logged, and the calls wait for it. Anything else is refused, with the remedy.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, ConnectionAddr, ErrorKind, FromRedisValue as _, Pipeline, RedisError, RedisResult,
    ServerErrorKind, Value, cmd,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::attempt::CONNECT;
use super::connector::{ConnectError, Connector, Link, Source};
use super::fault::said;
use super::scripts::RELEASE;
use super::{Redis, near_cache};
use crate::backend::{OpenError, RecordKey};

/// How long all of it may take. A server that needs longer is treated as one that is down.
const OPENING: Duration = Duration::from_secs(5);
/// How long what the check stores is kept, should it not come to removing it.
const KEPT: u64 = 10_000;

/// Why a check did not succeed.
pub(super) enum Trouble {
    /// Waiting mends it.
    Passing(String),
    /// Waiting does not. The remedy, and the server's own words.
    Lasting(String, String),
}

impl Trouble {
    pub(super) fn lasting(remedy: impl Into<String>, error: &RedisError) -> Self {
        Self::Lasting(remedy.into(), words(error))
    }

    /// An answer that nothing here expects.
    pub(super) fn of(error: &RedisError, remedy: impl Into<String>) -> Self {
        if passes(error) { Self::Passing(words(error)) } else { Self::lasting(remedy, error) }
    }
}

/// What the server said, or what happened on the way to it.
fn words(error: &RedisError) -> String {
    match (error.code(), said(error)) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    }
}

/// Whether waiting mends it.
fn passes(error: &RedisError) -> bool {
    const KINDS: [ServerErrorKind; 6] = [
        ServerErrorKind::BusyLoading,
        ServerErrorKind::MasterDown,
        ServerErrorKind::ClusterDown,
        ServerErrorKind::TryAgain,
        // A slot moves.
        ServerErrorKind::Moved,
        ServerErrorKind::Ask,
    ];
    const CODES: [&str; 4] = ["OOM", "MISCONF", "NOREPLICAS", "BUSY"];
    match error.kind() {
        ErrorKind::Server(kind) if KINDS.contains(&kind) => true,
        ErrorKind::Io => !error.to_string().contains("certificate"),
        _ if error.detail().is_some_and(|detail| detail.contains("max number of clients")) => true,
        _ => error.code().is_some_and(|code| CODES.contains(&code)),
    }
}

impl Redis {
    /// Sees whether this Redis is one that sessions can live in: that it lets itself be logged in to, takes writes, and
    /// runs each command that requests will send. `backend = redis(...)` does this when it is opened.
    ///
    /// A Redis that is not reachable at the moment, still loads its data or is full is no error: that is logged, and
    /// calls fail until it is over. So is a `maxmemory-policy` by which sessions may be evicted.
    ///
    /// # Errors
    /// What is wrong, with the server's own words: the password, the database's number, a right that the user lacks, a
    /// replica, a Sentinel, a node of a cluster, a port for TLS, a server that is too old.
    ///
    /// ```
    /// # async fn example() -> Result<(), session_runtime::OpenError> {
    /// use session_runtime::backend::Redis;
    ///
    /// let redis = Redis::new("redis://127.0.0.1:6379", "shop:")?;
    /// redis.check().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check(&self) -> Result<(), OpenError> {
        let late = || Err(Trouble::Passing(format!("no answer within {} s", OPENING.as_secs())));
        match timeout(OPENING, self.try_check()).await.unwrap_or_else(|_| late()) {
            Ok(()) => Ok(()),
            Err(Trouble::Passing(error)) => {
                event!(warn, "session.backend_down", backend = "redis", %error, "Redis can't be used yet");
                Ok(())
            }
            Err(Trouble::Lasting(remedy, error)) => {
                Err(OpenError::backend(self.connection.connector().source().place(), remedy, error))
            }
        }
    }

    async fn try_check(&self) -> Result<(), Trouble> {
        let connector = self.connection.connector();
        #[cfg(feature = "redis-cluster")]
        if let Some(nodes) = connector.nodes() {
            return self.check_cluster(connector, nodes).await;
        }
        let mut link = log_in(connector).await?;
        check_role(&mut link.connection, connector.source()).await?;
        self.check_server(&mut link.connection, &RecordKey::from_bytes(crate::id::random())).await?;
        connector.served();
        Ok(())
    }

    /// What requests will do, with this key.
    pub(super) async fn check_server(
        &self,
        connection: &mut MultiplexedConnection,
        key: &RecordKey,
    ) -> Result<(), Trouble> {
        self.check_rights(connection, key).await?;
        self.check_scripts(connection, key).await?;
        if let Some(replicas) = &self.replicas {
            replicas.check(connection).await.map_err(|error| Trouble::of(&error, REFUSED))?;
        }
        warn_of_eviction(connection).await;
        Ok(())
    }

    /// Each command that is sent, or called by a script, on a key and a channel as requests use them.
    async fn check_rights(&self, connection: &mut MultiplexedConnection, key: &RecordKey) -> Result<(), Trouble> {
        let name = self.record(key);
        let on_key = |command: &str| {
            let mut on_key = cmd(command);
            on_key.arg(&name);
            on_key
        };
        let with = |mut command: Cmd, arguments: &[&str]| {
            command.arg(arguments);
            command
        };
        let kept = KEPT.to_string();
        let eval = |command: &str, script: &str| {
            let mut eval = cmd(command);
            eval.arg(script).arg(1).arg(&name);
            eval
        };
        let mut commands = vec![
            ("+ping", cmd("PING")),
            ("+set", with(on_key("SET"), &["probe", "NX", "PX", &kept])),
            ("+get", on_key("GET")),
            ("+getex", with(on_key("GETEX"), &["PX", &kept])),
            ("+exists", on_key("EXISTS")),
            ("+getrange", with(on_key("GETRANGE"), &["0", "7"])),
            ("+setrange", with(on_key("SETRANGE"), &["0", "p"])),
            ("+append", with(on_key("APPEND"), &["!"])),
            ("+pttl", on_key("PTTL")),
            ("+pexpire", with(on_key("PEXPIRE"), &[&kept])),
            ("+eval", eval("EVAL", "return 1")),
            ("+evalsha", eval("EVALSHA", &"0".repeat(40))),
            ("+publish", with(cmd("PUBLISH"), &[&self.channel, "probe"])),
            ("+del", on_key("DEL")),
        ];
        #[cfg(feature = "redis-cluster")]
        if self.connection.is_cluster() {
            commands.extend(super::cluster::commands());
        }
        if self.near.is_some() {
            commands.push(("+client|tracking", near_cache::tracking()));
        }
        if self.replicas.is_some() {
            commands.push(("+wait", with(cmd("WAIT"), &["0", "1"])));
        }
        let mut pipeline = Pipeline::with_capacity(commands.len());
        commands.iter().for_each(|(_, command)| _ = pipeline.add_command(command.clone()));
        let answers = connection.send_packed_commands(&pipeline, 0, commands.len()).await;
        let answers = answers.map_err(|error| Trouble::of(&error, REFUSED))?;
        let rights = commands.iter().map(|(right, _)| *right);
        let mut errors: Vec<(&str, RedisError)> =
            rights.zip(answers).filter_map(|(right, answer)| Some((right, answer.extract_error().err()?))).collect();
        // The driver waits for a subscription's confirmation by itself.
        errors.extend(connection.subscribe(&self.channel).await.err().map(|error| ("+subscribe", error)));
        errors.retain(|(_, error)| error.kind() != ErrorKind::Server(ServerErrorKind::NoScript));

        let is_right = |error: &RedisError| error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm);
        let mut missing: Vec<String> = Vec::new();
        for (right, error) in errors.iter().filter(|(_, error)| is_right(error)) {
            let detail = error.detail().unwrap_or_default();
            let right = match *right {
                _ if detail.contains(" key") => format!("~{}*", self.prefix),
                _ if detail.contains("channel") => format!("&{}", self.channel),
                right => right.to_owned(),
            };
            if !missing.contains(&right) {
                missing.push(right);
            }
        }
        let Some((_, first)) = errors.iter().find(|(_, error)| is_right(error)) else {
            return errors.first().map_or(Ok(()), |(_, error)| Err(Trouble::of(error, REFUSED)));
        };
        let remedy = format!("names a user who lacks rights; give it `{}`", missing.join(" "));
        Err(Trouble::lasting(remedy, first))
    }

    /// Each script, and the server knows them from then on.
    async fn check_scripts(&self, connection: &mut MultiplexedConnection, key: &RecordKey) -> Result<(), Trouble> {
        let (record, lease) = self.names(key);
        // As in a life: used, asked for by two, extended, saved, given up, ended.
        let (version, holder, other) = ([0; 8], [1; 16], [2; 16]);
        let bytes = [0; 24];
        let scripts = &self.scripts;
        let mut pipeline = Pipeline::with_capacity(12);
        let mut call = |text: &str, keys: &[&String], arguments: &[&[u8]]| {
            pipeline.cmd("EVAL").arg(text).arg(keys.len()).arg(keys).arg(arguments);
        };
        let (kept, channel, message): (&[u8], _, _) = (b"10000", self.channel.as_bytes(), b"probe");
        call("redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])", &[&record], &[&bytes, kept]);
        call(scripts.touch.text(), &[&record], &[&version, kept]);
        call(scripts.update.text(), &[&record], &[&version, &bytes, kept]);
        call(scripts.compare_and_set.text(), &[&record, &lease], &[&version, &bytes, kept]);
        call(scripts.take.text(), &[&record, &lease], &[&holder, kept, kept]);
        call(scripts.contend.text(), &[&record, &lease], &[&holder, kept, kept]);
        call(scripts.contend.text(), &[&record, &lease], &[&other, kept, kept]);
        call(scripts.extend.text(), &[&lease], &[&holder, kept]);
        let save: [&[u8]; 7] = [&holder, &version, &bytes, kept, channel, message, kept];
        call(scripts.save_and_keep.text(), &[&record, &lease], &save);
        call(scripts.save.text(), &[&record, &lease], &save);
        call(RELEASE, &[&lease], &[&holder, channel, message]);
        call(scripts.delete.text(), &[&record, &lease], &[channel, message]);
        let answers = connection.send_packed_commands(&pipeline, 0, pipeline.len()).await;
        let error = match answers {
            Ok(answers) => answers.into_iter().find_map(|answer| answer.extract_error().err()),
            Err(error) => Some(error),
        };
        error.map_or(Ok(()), |error| Err(Trouble::of(&error, "names a server that can't run the scripts of sessions")))
    }
}

/// Connects and logs in.
pub(super) async fn log_in(connector: &Connector) -> Result<Link, Trouble> {
    let noun = connector.source().noun();
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let silent = || Err(ConnectError::Passing("it did not answer in time".into()));
    let error = match timeout(CONNECT, connector.connect(&config)).await.unwrap_or_else(|_| silent()) {
        Ok(link) => return Ok(link),
        Err(ConnectError::Lasting(remedy, reason)) => return Err(Trouble::Lasting(remedy, reason)),
        Err(ConnectError::Passing(reason)) => return Err(wrong_port(connector, reason).await),
        Err(ConnectError::Driver(error)) => error,
    };
    if error.is_connection_dropped() && !error.is_connection_refusal() {
        return Err(wrong_port(connector, words(&error)).await);
    }
    let said = error.to_string();
    let no_hello = said.contains("unknown command") && said.contains("HELLO");
    let remedy = if no_hello || error.kind() == ErrorKind::RESP3NotSupported || error.code() == Some("NOPROTO") {
        "names a server without RESP3; Redis 6.2 or later is needed, and a proxy has to pass on HELLO 3".to_owned()
    } else if matches!(error.kind(), ErrorKind::AuthenticationFailed)
        || matches!(error.code(), Some("WRONGPASS" | "NOAUTH"))
        || error.detail().is_some_and(|detail| detail.contains("AUTH"))
    {
        format!("was refused by Redis; check the {noun}'s user and password")
    } else if said.contains("switch database") {
        format!("was refused by Redis; check the number of the database in the {noun}")
    } else if error.kind() == ErrorKind::Parse {
        "names a server that does not speak the protocol of Redis".to_owned()
    } else {
        format!("was refused by Redis; check the {noun}")
    };
    Err(Trouble::of(&error, remedy))
}

/// Whether a server that says nothing that can be understood speaks TLS where none is expected, or the reverse.
async fn wrong_port(connector: &Connector, reason: String) -> Trouble {
    let Some(ConnectionAddr::Tcp(host, port)) = connector.addr() else { return Trouble::Passing(reason) };
    let (asked, remedy): (BoxFuture<'_, bool>, _) = if connector.has_tls() {
        (Box::pin(speaks_plainly(host, *port)), "names a port without TLS; write the URL as redis://")
    } else {
        (Box::pin(speaks_tls(host, *port)), "names a port that expects TLS; write the URL as rediss://")
    };
    match timeout(CONNECT, asked).await {
        Ok(true) => Trouble::Lasting(remedy.into(), reason),
        Ok(false) | Err(_) => Trouble::Passing(reason),
    }
}

const REFUSED: &str = "names a server that refuses what sessions need (Redis 6.2 or later, or Valkey)";

/// That it is one server, and takes writes. Whoever may log in may ask this.
pub(super) async fn check_role(connection: &mut MultiplexedConnection, source: Source) -> Result<(), Trouble> {
    let answer = connection.send_packed_command(&cmd("HELLO")).await.and_then(Value::extract_error);
    let said = |answer: Value| HashMap::<String, Value>::from_redis_value(answer).ok();
    let Some(server) = answer.ok().and_then(said) else { return Ok(()) };
    let is = |field: &str, words: &[&str]| {
        let value = server.get(field).cloned().and_then(|value| String::from_redis_value(value).ok());
        value.filter(|value| words.contains(&value.as_str()))
    };
    let refuse = |remedy: &str, field: &str, value: String| {
        Err(Trouble::Lasting(remedy.to_owned(), format!("the server says `{field}: {value}`")))
    };
    if let Some(mode) = is("mode", &["sentinel"]) {
        return refuse(
            "names a Sentinel, which stores nothing; write `sentinel` and `master` in place of the URL",
            "mode",
            mode,
        );
    }
    #[cfg(feature = "redis-cluster")]
    if source == Source::Cluster {
        return match is("mode", &["standalone"]) {
            Some(mode) => refuse("names a server that is no node of a cluster; write `url` in its place", "mode", mode),
            None => Ok(()),
        };
    }
    if let Some(mode) = is("mode", &["cluster"]) {
        return refuse(
            "names a node of a cluster, which has only some of the keys; write `cluster` in place of the URL",
            "mode",
            mode,
        );
    }
    #[cfg(not(any(feature = "redis-sentinel", feature = "redis-cluster")))]
    let _ = source;
    match is("role", &["replica", "slave"]) {
        #[cfg(feature = "redis-sentinel")]
        Some(role) if source == Source::Sentinel => {
            Err(Trouble::Passing(format!("the server that the Sentinels name says `role: {role}`")))
        }
        Some(role) => refuse("names a replica, which takes no writes; name the master", "role", role),
        None => Ok(()),
    }
}

/// Tells if the server may throw sessions away. Who may not look is told nothing.
async fn warn_of_eviction(connection: &mut MultiplexedConnection) {
    let policy = match info_memory(connection).await {
        Ok(policy) => policy,
        Err(_) => {
            let mut get = cmd("CONFIG");
            get.arg("GET").arg("maxmemory-policy");
            let answer = connection.send_packed_command(&get).await.and_then(Value::extract_error);
            let policy = answer.and_then(|answer| Ok(HashMap::<String, String>::from_redis_value(answer)?));
            policy.ok().and_then(|mut policy| policy.remove("maxmemory-policy"))
        }
    };
    if let Some(policy) = policy.filter(|policy| policy != "noeviction") {
        event!(
            warn,
            "session.evictable",
            backend = "redis",
            maxmemory_policy = policy,
            "Redis may throw sessions away, and the lists by which the sessions of an owner are ended; \
             set maxmemory-policy to noeviction"
        );
    }
}

async fn info_memory(connection: &mut MultiplexedConnection) -> RedisResult<Option<String>> {
    let mut info = cmd("INFO");
    info.arg("memory");
    let answer = connection.send_packed_command(&info).await.and_then(Value::extract_error)?;
    let text = String::from_redis_value(answer)?;
    Ok(text.lines().find_map(|line| line.strip_prefix("maxmemory_policy:")).map(|policy| policy.trim().to_owned()))
}

/// Whether what listens there answers the beginning of a TLS handshake. It ends such a connection without a word in
/// the protocol of Redis, just as a proxy does that has no server behind it.
async fn speaks_tls(host: &str, port: u16) -> bool {
    // A record with a ClientHello: version, random, no session, one cipher suite, no compression.
    let mut hello = vec![0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3];
    hello.extend(crate::id::random::<32>());
    hello.extend([0, 0, 2, 0xc0, 0x2f, 1, 0]);
    let mut answer = [0; 2];
    let Ok(mut stream) = TcpStream::connect((host, port)).await else { return false };
    let asked = stream.write_all(&hello).await.is_ok();
    // An alert, or the server's part of the handshake.
    asked && stream.read_exact(&mut answer).await.is_ok() && matches!(answer, [0x15 | 0x16, 3])
}

/// Whether what listens there answers a command that is not encrypted.
async fn speaks_plainly(host: &str, port: u16) -> bool {
    let mut answer = [0];
    let Ok(mut stream) = TcpStream::connect((host, port)).await else { return false };
    let asked = stream.write_all(b"PING\r\n").await.is_ok();
    // Pong, or that a login is needed first.
    asked && stream.read_exact(&mut answer).await.is_ok() && matches!(answer, [b'+' | b'-'])
}
