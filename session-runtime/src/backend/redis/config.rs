//! The arguments of `backend = redis(...)`, and the way that they name.

use std::time::Duration;

#[cfg(feature = "redis-cluster")]
use super::cluster::{Nodes, RedisNodes};
use super::connector::{Connector, Source};
#[cfg(feature = "redis-sentinel")]
use super::sentinel::{RedisMaster, RedisSentinels, Sentinels};
#[cfg(feature = "redis-tls")]
use super::tls::{Pem, Tls};
use super::url::{Address, RedisUrl};
use crate::backend::OpenError;

/// The arguments of `backend = redis(...)`.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct RedisConfig {
    /// `redis://[user:password@]host:port/database`, `rediss://` with TLS (cargo feature `redis-tls`), or `unix://path`.
    pub url: Option<RedisUrl>,
    /// Where the Sentinels are that know the server, in place of `url`: addresses such as `10.0.0.1:26379`, or URLs with a
    /// user and a password of the Sentinels' own. Needs `master`.
    #[cfg(feature = "redis-sentinel")]
    pub sentinel: Option<RedisSentinels>,
    /// The name by which the Sentinels know the server, or a URL with that name as its host: `main`, or
    /// `redis://user:password@main/database`.
    #[cfg(feature = "redis-sentinel")]
    pub master: Option<RedisMaster>,
    /// Some nodes of a cluster, in place of `url`: addresses such as `10.0.0.1:6379`, or URLs with the user and the password
    /// that all of its nodes have. The others are found by asking these.
    #[cfg(feature = "redis-cluster")]
    pub cluster: Option<RedisNodes>,
    /// What every key begins with (default: `application:Type:`, see [`Scope::identity`](crate::backend::Scope::identity)).
    pub prefix: Option<String>,
    /// How many replicas have to acknowledge an end or a change before it is answered (default: 0).
    pub wait_replicas: Option<u32>,
    /// How long a write waits for them (default: 500 ms). Needs `wait_replicas`.
    pub wait_timeout: Option<Duration>,
    /// Answers shared borrows of sessions that this process has read without asking Redis; and for how long at most a change
    /// by another process may go unseen, should the connection die without a word.
    pub near_cache: Option<Duration>,
    /// The certificates of the authorities that may have signed the server's (default: the system's). Needs a URL
    /// with TLS.
    #[cfg(feature = "redis-tls")]
    pub ca: Option<Pem>,
    /// The certificate by which the server knows this client, with those up to its authority. Needs `client_key`.
    #[cfg(feature = "redis-tls")]
    pub client_cert: Option<Pem>,
    /// The private key of `client_cert`.
    #[cfg(feature = "redis-tls")]
    pub client_key: Option<Pem>,
}

impl std::fmt::Debug for RedisConfig {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisConfig").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

pub(super) const URL: &str = "backend = redis(url)";
/// Half of the deadline that calls have by default, so that a write can say what it waited for in vain.
const WAIT_TIMEOUT: Duration = Duration::from_millis(500);

impl RedisConfig {
    /// The way that the arguments name.
    pub(super) fn connector(&self) -> Result<Connector, OpenError> {
        #[cfg(feature = "redis-sentinel")]
        if let Some(sentinels) = self.sentinels()? {
            return Ok(sentinels);
        }
        #[cfg(feature = "redis-cluster")]
        if let Some(cluster) = self.nodes()? {
            return Ok(cluster);
        }
        let refuse = |why: &str| OpenError::option(URL, None, why);
        let url = self.url.as_ref().ok_or_else(|| refuse("is missing; write `url = env(\"REDIS_URL\")`"))?;
        let Address { info, tls } = Address::parse(url.as_str()).map_err(|why| refuse(&why))?;
        #[cfg(feature = "redis-tls")]
        let tls = Tls::of(self, tls)?;
        #[cfg(not(feature = "redis-tls"))]
        let tls = without_tls(tls);
        Ok(Connector::new(info, Source::Url, tls))
    }

    /// The way to a cluster, where its nodes are named.
    #[cfg(feature = "redis-cluster")]
    fn nodes(&self) -> Result<Option<Connector>, OpenError> {
        let Some(cluster) = &self.cluster else { return Ok(None) };
        let refuse = |argument: &str, why| Err(OpenError::option(format!("backend = redis({argument})"), None, why));
        if self.url.is_some() {
            return refuse("url", "can't be used, since `cluster` says where the nodes are");
        }
        if self.prefix.as_ref().is_some_and(|prefix| prefix.contains('{')) {
            return refuse(
                "prefix",
                "has a `{`, by which a cluster would put all sessions into one slot; leave it out",
            );
        }
        if self.wait_replicas.is_some_and(|count| count > 0) {
            return refuse("wait_replicas", "can't be used with `cluster`");
        }
        if self.near_cache.is_some() {
            return refuse("near_cache", "can't be used with `cluster`");
        }
        let addresses: Vec<Address> = cluster.addresses().collect();
        let Some(Address { info, tls: wanted }) = addresses.first() else {
            return refuse("cluster", "has no address");
        };
        #[cfg(feature = "redis-tls")]
        let tls = Tls::of(self, *wanted)?;
        #[cfg(not(feature = "redis-tls"))]
        let tls = without_tls(*wanted);
        Ok(Some(Connector::new(info.clone(), Source::Cluster, tls).among(Nodes::new(&addresses))))
    }

    /// How many replicas writes wait for, and how long.
    pub(super) fn replicas(&self) -> Result<Option<(u32, Duration)>, OpenError> {
        let refuse =
            |argument: &str, why: &str| Err(OpenError::option(format!("backend = redis({argument})"), None, why));
        let timeout = self.wait_timeout.unwrap_or(WAIT_TIMEOUT);
        if !(Duration::from_millis(1)..=Duration::from_secs(10)).contains(&timeout) {
            return refuse("wait_timeout", "is no time to wait for replicas; write \"500ms\", at most \"10s\"");
        }
        match self.wait_replicas {
            None if self.wait_timeout.is_some() => {
                refuse("wait_timeout", "has no effect without `wait_replicas`; add `wait_replicas = 1`")
            }
            None | Some(0) => Ok(None),
            Some(count) => Ok(Some((count, timeout))),
        }
    }

    /// For how long at most what a near-cache answers may be outdated.
    pub(super) fn near_cache(&self) -> Result<Option<Duration>, OpenError> {
        match self.near_cache {
            Some(bound) if !(Duration::from_millis(100)..=Duration::from_secs(10)).contains(&bound) => {
                let why = "is no bound for what a read may miss; write \"1s\", from \"100ms\" to \"10s\"";
                Err(OpenError::option("backend = redis(near_cache)", None, why))
            }
            bound => Ok(bound),
        }
    }

    /// The way by Sentinels, where they are named.
    #[cfg(feature = "redis-sentinel")]
    fn sentinels(&self) -> Result<Option<Connector>, OpenError> {
        let refuse =
            |argument: &str, why: &str| Err(OpenError::option(format!("backend = redis({argument})"), None, why));
        let (sentinel, master) = match (&self.sentinel, &self.master) {
            (None, None) => return Ok(None),
            (Some(_), None) => {
                return refuse("master", "is missing; it is the name by which the Sentinels know the server");
            }
            (None, Some(_)) => {
                return refuse("sentinel", "is missing; it says where the Sentinels are that know `master`");
            }
            (Some(_), Some(_)) if self.url.is_some() => {
                return refuse(
                    "url",
                    "can't be used, since the Sentinels tell the address; write user, password and database in `master`",
                );
            }
            (Some(sentinel), Some(master)) => (sentinel, master),
        };
        #[cfg(feature = "redis-cluster")]
        if self.cluster.is_some() {
            return refuse("cluster", "can't be used with `sentinel`; a cluster promotes its replicas by itself");
        }
        let wanted = master.tls || sentinel.addresses().any(|address| address.tls);
        #[cfg(feature = "redis-tls")]
        let tls = Tls::of(self, wanted)?;
        #[cfg(not(feature = "redis-tls"))]
        let tls = without_tls(wanted);
        let sentinels = Sentinels::new(sentinel, &master.name, tls.as_ref());
        let tls = tls.filter(|_| master.tls);
        Ok(Some(Connector::new(master.info.clone(), Source::Sentinel, tls).by(sentinels)))
    }
}

/// A URL that asks for TLS is refused when it is read.
#[cfg(not(feature = "redis-tls"))]
fn without_tls(wanted: bool) -> Option<super::connector::Tls> {
    debug_assert!(!wanted);
    None
}
