//! Sentinels, which know where the master is.
//!
//! They are asked for each connection anew, all at once. Those that have not heard of a failover yet name the old master:
//! up to two seconds longer than the one that led it. So the server is tried that most of them name, then another one. A
//! connection to a master of before fails, or shows that it takes no writes, and they are asked again. Nothing is asked
//! of them while a connection holds.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, FromRedisValue as _, ProtocolVersion, Value, parse_redis_url,
};

use super::connector::{ConnectError, Tls, dial};
use super::heartbeat::within;
use super::url::{Address, host_of, tls_is_missing};
use crate::setting::FromSetting;

/// How long a Sentinel may take. A connection is tried for a second in all.
const ASK: Duration = Duration::from_millis(400);
/// How long the others may take once one has answered.
const OTHERS: Duration = Duration::from_millis(50);
/// Where a Sentinel listens if nothing else is said.
const PORT: u16 = 26_379;

/// Where Sentinels are: addresses separated by commas. They may hold passwords, so nothing prints them.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisSentinels(Vec<String>);

impl std::fmt::Debug for RedisSentinels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisSentinels(..)")
    }
}

impl FromSetting for RedisSentinels {
    const EXAMPLE: Option<&'static str> = Some("10.0.0.1:26379,10.0.0.2:26379,10.0.0.3:26379");

    fn from_setting(text: &str) -> Result<Self, String> {
        let addresses: Vec<String> = text.split(',').map(|address| address.trim().to_owned()).collect();
        for (place, address) in addresses.iter().enumerate() {
            parse(address).map_err(|why| format!("has an address (number {}) that {why}", place + 1))?;
        }
        Ok(Self(addresses))
    }
}

impl RedisSentinels {
    pub(super) fn addresses(&self) -> impl Iterator<Item = Address> {
        // Each was read before.
        self.0.iter().filter_map(|text| parse(text).ok())
    }
}

fn parse(text: &str) -> Result<Address, String> {
    host_of(text, PORT, "is no address; write it as host:26379, or as redis://user:password@host:26379")
}

/// The name of a master, with what is needed to log in to it.
#[derive(Clone)]
pub struct RedisMaster {
    pub(super) name: String,
    pub(super) info: ConnectionInfo,
    pub(super) tls: bool,
}

impl std::fmt::Debug for RedisMaster {
    /// It may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisMaster").field("name", &self.name).finish_non_exhaustive()
    }
}

impl FromSetting for RedisMaster {
    const EXAMPLE: Option<&'static str> = Some("mymaster");

    fn from_setting(text: &str) -> Result<Self, String> {
        const WRONG: &str = "is no name of a master; write it as mymaster, or as redis://user:password@mymaster/0";
        let url = if text.contains("://") { text.to_owned() } else { format!("redis://{text}") };
        let parsed = parse_redis_url(&url).ok_or(WRONG)?;
        let name = parsed.host_str().filter(|name| !name.is_empty()).ok_or(WRONG)?.to_owned();
        if parsed.port().is_some() {
            return Err("has a port, which the Sentinels tell; remove it".into());
        }
        if url.len() > text.len() && name != text {
            return Err(WRONG.into());
        }
        let Address { info, tls } =
            Address::parse(&url).map_err(|why| if tls_is_missing(&why) { why } else { WRONG.to_owned() })?;
        Ok(Self { name, info, tls })
    }
}

/// Who is asked for the master.
pub(super) struct Sentinels {
    each: Vec<Sentinel>,
    master: String,
    /// Where a connection was tried and did not serve.
    failed: Mutex<Option<Place>>,
}

/// A host and a port.
type Place = (String, u16);

struct Sentinel {
    info: ConnectionInfo,
    tls: Option<Tls>,
}

/// What a Sentinel says.
enum Told {
    Master(Place),
    /// It does not know the name.
    Unknown,
}

impl Sentinels {
    pub(super) fn new(addresses: &RedisSentinels, master: &str, tls: Option<&Tls>) -> Self {
        let each = addresses.addresses();
        let each = each.map(|Address { info, tls: wanted }| {
            // Where a login fails, the answer has the Sentinel's own words.
            let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
            Sentinel { info: info.set_redis_settings(settings), tls: tls.filter(|_| wanted).cloned() }
        });
        Self { each: each.collect(), master: master.to_owned(), failed: Mutex::default() }
    }

    /// Where the master is.
    pub(super) async fn master(&self) -> Result<ConnectionAddr, ConnectError> {
        let mut asked: FuturesUnordered<_> = self.each.iter().map(|sentinel| sentinel.ask(&self.master)).collect();
        let (mut named, mut unknown, mut wrong, mut missing) = (Vec::new(), None, None, Vec::new());
        let mut limit = ASK * 2;
        while let Some(Some((place, told))) = within(limit, asked.next()).await {
            match told {
                Ok(Told::Master(master)) => {
                    named.push(master);
                    limit = OTHERS;
                }
                Ok(Told::Unknown) => unknown = Some(place),
                Err(ConnectError::Lasting(remedy, reason)) => wrong = Some((remedy, format!("{place}: {reason}"))),
                Err(ConnectError::Passing(reason)) => missing.push(format!("{place}: {reason}")),
                Err(ConnectError::Driver(error)) => match refusal(&error) {
                    Some(remedy) => wrong = Some((remedy.to_owned(), format!("{place}: {error}"))),
                    None => missing.push(format!("{place}: {error}")),
                },
            }
        }
        if let Some((host, port)) = self.choose(&named) {
            return Ok(ConnectionAddr::Tcp(host, port));
        }
        if let Some(place) = unknown {
            let remedy = "names Sentinels that do not know this `master`; write the name that their configuration has";
            let reason = format!("the Sentinel {place} knows no master of the name {:?}", self.master);
            return Err(ConnectError::Lasting(remedy.into(), reason));
        }
        if let Some((remedy, reason)) = wrong {
            return Err(ConnectError::Lasting(remedy, reason));
        }
        Err(ConnectError::Passing(format!("no Sentinel answers ({})", missing.join("; "))))
    }
}

impl Sentinels {
    /// What most of them name; another one, if there is, than what did not serve last time. Those that have not heard of
    /// a failover may be the most.
    fn choose(&self, named: &[Place]) -> Option<Place> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let votes = |place: &&Place| named.iter().filter(|other| other == place).count();
        // Of several maxima the last one is taken, and the first answer was the quickest.
        let other = named.iter().rev().filter(|place| Some(*place) != failed.as_ref()).max_by_key(votes);
        let chosen = other.or(named.first())?;
        *failed = Some(chosen.clone());
        Some(chosen.clone())
    }

    /// The server that was chosen last serves.
    pub(super) fn served(&self) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Sentinel {
    /// What it says, and its address.
    async fn ask(&self, master: &str) -> (String, Result<Told, ConnectError>) {
        let silent = || Err(ConnectError::Passing("it did not answer in time".into()));
        let told = within(ASK, self.try_ask(master)).await.unwrap_or_else(silent);
        (self.info.addr().to_string(), told)
    }

    async fn try_ask(&self, master: &str) -> Result<Told, ConnectError> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let link = dial(&self.info, self.tls.as_ref(), &config).await?;
        let mut command = redis::cmd("SENTINEL");
        command.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
        let answer = link.connection.clone().send_packed_command(&command).await.and_then(Value::extract_error)?;
        if answer == Value::Nil {
            return Ok(Told::Unknown);
        }
        Ok(Told::Master(Place::from_redis_value(answer).map_err(redis::RedisError::from)?))
    }
}

/// What to do where waiting does not help.
fn refusal(error: &redis::RedisError) -> Option<&'static str> {
    let said = error.to_string();
    if said.contains("unknown command") {
        Some("names a server that is no Sentinel; Sentinels usually listen on port 26379")
    } else if matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"))
        || error.kind() == redis::ErrorKind::AuthenticationFailed
    {
        Some("was refused by a Sentinel; check the user and the password in its URL")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentinels_are_addresses_or_urls() {
        let read = |text: &str| -> Result<Vec<String>, String> {
            let sentinels = RedisSentinels::from_setting(text)?;
            Ok(sentinels.addresses().map(|address| address.info.addr().to_string()).collect())
        };
        assert_eq!(read("10.0.0.1:7, s.example").unwrap(), ["10.0.0.1:7", "s.example:26379"]);
        assert_eq!(
            read("redis://u:p@s.example,redis://s.example:6379").unwrap(),
            ["s.example:26379", "s.example:6379"]
        );
        assert_eq!(read("[::1]:7").unwrap().len(), 1);
        for wrong in ["", "a:7,,b:7", "a:port", "http://a", "a/0", "user:hunter2@a", "unix:///tmp/a"] {
            let why = read(wrong).unwrap_err();
            assert!(why.contains("is no address; write it as") && !why.contains("hunter2"), "{wrong}: {why}");
        }
        assert!(read("a:7,b:x").unwrap_err().contains("number 2"));
    }

    #[test]
    fn where_sentinels_differ_the_server_is_tried_that_most_name_and_that_was_not_tried_in_vain() {
        let sentinels = Sentinels::new(&RedisSentinels::from_setting("a,b").unwrap(), "main", None);
        let chosen = |ports: &[u16]| {
            let named: Vec<Place> = ports.iter().map(|port| ("a".into(), *port)).collect();
            sentinels.choose(&named).map(|place| place.1)
        };
        // The old one is named by most, and is gone; then by one of three, and serves no more.
        assert_eq!([chosen(&[7, 7, 8]), chosen(&[7, 7, 8]), chosen(&[7, 7, 8])], [Some(7), Some(8), Some(7)]);
        sentinels.served();
        assert_eq!([chosen(&[8, 7, 8]), chosen(&[8, 8])], [Some(8), Some(8)]);
        sentinels.served();
        assert_eq!([chosen(&[7, 8, 8]), chosen(&[7]), chosen(&[])], [Some(8), Some(7), None]);
    }

    #[test]
    fn a_master_is_a_name_or_a_url_with_the_name_as_its_host() {
        let master = RedisMaster::from_setting("My_master.1-a").unwrap();
        assert_eq!((master.name.as_str(), master.tls), ("My_master.1-a", false));
        let master = RedisMaster::from_setting("redis://shop:hunter2@Main/3").unwrap();
        let settings = master.info.redis_settings();
        assert_eq!((master.name.as_str(), settings.db(), settings.username()), ("Main", 3, Some("shop")));
        assert!(!format!("{master:?}").contains("hunter2"));
        assert!(RedisMaster::from_setting("main:6379").unwrap_err().contains("has a port"));
        for wrong in ["", "main/3", "shop:hunter2@main", "http://main", "a b", "redis:///3"] {
            let why = RedisMaster::from_setting(wrong).unwrap_err();
            assert!(why.contains("is no name of a master") && !why.contains("hunter2"), "{wrong}: {why}");
        }
    }
}
