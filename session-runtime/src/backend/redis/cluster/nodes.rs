//! The nodes that are named, and a connection to any one of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, ErrorKind, FromRedisValue as _, RedisResult, Value, cmd,
};

use super::slots::{Place, Told};
use crate::backend::redis::connector::{ConnectError, Link, Tls, dial};
use crate::backend::redis::heartbeat::within;
use crate::backend::redis::url::{Address, host_of};
use crate::setting::FromSetting;

/// How long a node may take to be connected to. A connection is tried for a second in all.
const DIAL: Duration = Duration::from_millis(400);
/// Where a node listens if nothing else is said.
const PORT: u16 = 6379;

/// Where nodes of a cluster are: addresses separated by commas. They may hold passwords, so nothing prints them.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisNodes(Vec<String>);

impl std::fmt::Debug for RedisNodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisNodes(..)")
    }
}

impl FromSetting for RedisNodes {
    const EXAMPLE: Option<&'static str> = Some("redis://10.0.0.1:6379,redis://10.0.0.2:6379,redis://10.0.0.3:6379");

    fn from_setting(text: &str) -> Result<Self, String> {
        let texts: Vec<String> = text.split(',').map(|address| address.trim().to_owned()).collect();
        let mut first: Option<Address> = None;
        for (place, text) in texts.iter().enumerate() {
            let refuse = |why: &str| format!("has an address (number {}) that {why}", place + 1);
            let address = parse(text).map_err(|why| refuse(&why))?;
            if address.info.redis_settings().db() != 0 {
                return Err(refuse("names a database; sessions in a cluster are in database 0"));
            }
            match &first {
                Some(first) if !same_login(first, &address) => {
                    return Err(refuse(
                        "differs from the first in user, password or TLS, which are the same for all nodes of a cluster",
                    ));
                }
                Some(_) => {}
                None => first = Some(address),
            }
        }
        Ok(Self(texts))
    }
}

fn parse(text: &str) -> Result<Address, String> {
    host_of(text, PORT, "is no address; write it as host:6379, or as redis://user:password@host:6379")
}

fn same_login(one: &Address, other: &Address) -> bool {
    let login = |address: &Address| {
        let settings = address.info.redis_settings();
        (address.tls, settings.username().map(str::to_owned), settings.password().map(str::to_owned))
    };
    login(one) == login(other)
}

impl RedisNodes {
    pub(in crate::backend::redis) fn addresses(&self) -> impl Iterator<Item = Address> {
        // Each was read before.
        self.0.iter().filter_map(|text| parse(text).ok())
    }
}

/// The nodes that are known.
pub(in crate::backend::redis) struct Nodes {
    named: Vec<Place>,
    /// What the cluster said last.
    told: Mutex<Vec<Place>>,
    /// Which one is tried next. Processes begin at different ones, so that no node has all the subscriptions.
    next: AtomicUsize,
    /// The host of the last connection.
    host: Mutex<String>,
}

impl Nodes {
    pub(in crate::backend::redis) fn new(named: &[Address]) -> Self {
        let named = named.iter().filter_map(|address| place(address.info.addr())).collect();
        let [start] = crate::id::random::<1>();
        Self { named, told: Mutex::default(), next: AtomicUsize::new(start.into()), host: Mutex::default() }
    }

    /// Those that the application names.
    pub(super) fn named(&self) -> &[Place] {
        &self.named
    }

    /// What the cluster says of its nodes.
    pub(super) fn learn(&self, told: &[Place]) {
        told.clone_into(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The host of the node that is connected to, for one that does not know its own.
    pub(super) fn host(&self) -> String {
        self.host.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Connects to any node that is part of a working cluster: to another one each time, if there is.
    pub(in crate::backend::redis) async fn connect(
        &self,
        info: &ConnectionInfo,
        tls: Option<&Tls>,
        config: &AsyncConnectionConfig,
    ) -> Result<Link, ConnectError> {
        let mut places = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for place in &self.named {
            if !places.contains(place) {
                places.push(place.clone());
            }
        }
        let mut missing = Vec::new();
        for _ in 0..places.len() {
            let (host, port) = &places[self.next.fetch_add(1, Ordering::Relaxed) % places.len()];
            let info = info.clone().set_addr(ConnectionAddr::Tcp(host.clone(), *port));
            let reason = match within(DIAL, try_connect(&info, tls, config)).await {
                Some(Ok(link)) => {
                    host.clone_into(&mut self.host.lock().unwrap_or_else(PoisonError::into_inner));
                    return Ok(link);
                }
                Some(Err(error)) => redis::RedisError::from(error).to_string(),
                None => "it did not answer in time".to_owned(),
            };
            missing.push(format!("{host}:{port}: {reason}"));
        }
        Err(ConnectError::Passing(format!("no node of the cluster can be used ({})", missing.join("; "))))
    }
}

async fn try_connect(
    info: &ConnectionInfo,
    tls: Option<&Tls>,
    config: &AsyncConnectionConfig,
) -> Result<Link, ConnectError> {
    let mut link = dial(info, tls, config).await?;
    is_up(&mut link.connection).await?;
    Ok(link)
}

/// The place of an address.
fn place(addr: &ConnectionAddr) -> Option<Place> {
    match addr {
        ConnectionAddr::Tcp(host, port) => Some((host.clone(), *port)),
        _ => None,
    }
}

/// Whether this node sees a working cluster. One that is cut off from the others, or has left them, goes on to answer but
/// hears no messages, and does not learn where slots move to.
pub(in crate::backend::redis) async fn is_up(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    let mut info = cmd("CLUSTER");
    info.arg("INFO");
    let answer = connection.send_packed_command(&info).await.and_then(Value::extract_error)?;
    let text = String::from_redis_value(answer)?;
    if text.lines().any(|line| line.trim() == "cluster_state:ok") {
        return Ok(());
    }
    Err((ErrorKind::Io, "this node says that the cluster is down").into())
}

/// What a node says of the slots.
pub(super) async fn slots(connection: &mut MultiplexedConnection, asked: &str) -> RedisResult<Told> {
    let answer = connection.send_packed_command(&cluster_slots()).await.and_then(Value::extract_error)?;
    Told::read(answer, asked).ok_or_else(unreadable)
}

pub(super) fn cluster_slots() -> redis::Cmd {
    let mut command = cmd("CLUSTER");
    command.arg("SLOTS");
    command
}

pub(super) fn unreadable() -> redis::RedisError {
    (ErrorKind::UnexpectedReturnType, "an answer to CLUSTER SLOTS can't be read").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_addresses_or_urls_with_one_login() {
        let read = |text: &str| -> Result<Vec<String>, String> {
            let nodes = RedisNodes::from_setting(text)?;
            Ok(nodes.addresses().map(|address| address.info.addr().to_string()).collect())
        };
        assert_eq!(read("10.0.0.1:7, s.example").unwrap(), ["10.0.0.1:7", "s.example:6379"]);
        assert_eq!(read("redis://u:p@a,redis://u:p@b:7/0").unwrap(), ["a:6379", "b:7"]);
        for wrong in ["", "a:7,,b:7", "a:port", "http://a", "a/0", "user:hunter2@a", "unix:///tmp/a"] {
            let why = read(wrong).unwrap_err();
            assert!(why.contains("is no address; write it as") && !why.contains("hunter2"), "{wrong}: {why}");
        }
        for wrong in ["redis://u:hunter2@a,b", "a,redis://:hunter2@b"] {
            let why = read(wrong).unwrap_err();
            assert!(why.contains("(number 2) that differs from the first") && !why.contains("hunter2"), "{why}");
        }
        assert!(read("a,redis://b/3").unwrap_err().contains("names a database"));
    }
}
