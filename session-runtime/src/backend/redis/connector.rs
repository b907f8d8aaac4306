//! How a connection to Redis is made.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, ProtocolVersion, RedisError, RedisResult,
    Value,
};

#[cfg(feature = "redis-cluster")]
use super::cluster::{Nodes, is_up};
use super::fault::without_arguments;
#[cfg(feature = "redis-sentinel")]
use super::sentinel::Sentinels;
#[cfg(feature = "redis-tls")]
pub(super) use super::tls::Tls;

/// What nobody can have without the feature.
#[cfg(not(feature = "redis-tls"))]
#[derive(Clone)]
pub(super) enum Tls {}

/// The way to a Redis.
pub(super) struct Connector {
    /// With an address of no meaning where Sentinels tell it.
    info: ConnectionInfo,
    source: Source,
    tls: Option<Tls>,
    #[cfg(feature = "redis-sentinel")]
    sentinels: Option<Sentinels>,
    #[cfg(feature = "redis-cluster")]
    nodes: Option<Nodes>,
}

/// Who named the way, for what is said of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Url,
    /// The application's own client.
    Client,
    #[cfg(feature = "redis-sentinel")]
    Sentinel,
    #[cfg(feature = "redis-cluster")]
    Cluster,
}

impl Source {
    /// The argument that a refusal names.
    pub(super) fn place(self) -> &'static str {
        match self {
            Self::Url => "redis(url)",
            Self::Client => "redis(client)",
            #[cfg(feature = "redis-sentinel")]
            Self::Sentinel => "redis(sentinel)",
            #[cfg(feature = "redis-cluster")]
            Self::Cluster => "redis(cluster)",
        }
    }

    /// What a remedy calls it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Url => "URL",
            Self::Client => "client",
            #[cfg(feature = "redis-sentinel")]
            Self::Sentinel => "`master`",
            #[cfg(feature = "redis-cluster")]
            Self::Cluster => "`cluster`",
        }
    }
}

impl Connector {
    pub(super) fn new(info: ConnectionInfo, source: Source, tls: Option<Tls>) -> Self {
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let tcp = tcp(info.tcp_settings().clone());
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
        Self {
            info,
            source,
            tls,
            #[cfg(feature = "redis-sentinel")]
            sentinels: None,
            #[cfg(feature = "redis-cluster")]
            nodes: None,
        }
    }

    /// Asks these for the address, for each connection anew.
    #[cfg(feature = "redis-sentinel")]
    pub(super) fn by(self, sentinels: Sentinels) -> Self {
        Self { sentinels: Some(sentinels), ..self }
    }

    /// Leads to any of these nodes, to another one for each connection.
    #[cfg(feature = "redis-cluster")]
    pub(super) fn among(self, nodes: Nodes) -> Self {
        Self { nodes: Some(nodes), ..self }
    }

    /// The way to one of the nodes, by the same login.
    #[cfg(feature = "redis-cluster")]
    pub(super) fn to(&self, (host, port): &(String, u16)) -> Self {
        let info = self.info.clone().set_addr(ConnectionAddr::Tcp(host.clone(), *port));
        Self::new(info, self.source, self.tls.clone())
    }

    /// The nodes of a cluster, if it leads to any of them.
    #[cfg(feature = "redis-cluster")]
    pub(super) fn nodes(&self) -> Option<&Nodes> {
        self.nodes.as_ref()
    }

    /// Asks for a sign of life. A node of a cluster has to be part of it.
    pub(super) async fn sign_of_life(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        #[cfg(feature = "redis-cluster")]
        if self.nodes.is_some() {
            return is_up(connection).await;
        }
        connection.send_packed_command(&redis::cmd("PING")).await.and_then(Value::extract_error).map(drop)
    }

    /// Connects and logs in.
    pub(super) async fn connect(&self, config: &AsyncConnectionConfig) -> Result<Link, ConnectError> {
        #[cfg(feature = "redis-sentinel")]
        if let Some(sentinels) = &self.sentinels {
            let master = self.info.clone().set_addr(sentinels.master().await?);
            return dial(&master, self.tls.as_ref(), config).await;
        }
        #[cfg(feature = "redis-cluster")]
        if let Some(nodes) = &self.nodes {
            return nodes.connect(&self.info, self.tls.as_ref(), config).await;
        }
        dial(&self.info, self.tls.as_ref(), config).await
    }

    /// The server of the last connection serves.
    pub(super) fn served(&self) {
        #[cfg(feature = "redis-sentinel")]
        if let Some(sentinels) = &self.sentinels {
            sentinels.served();
        }
    }

    /// Where it is, if that is always there.
    pub(super) fn addr(&self) -> Option<&ConnectionAddr> {
        #[cfg(feature = "redis-sentinel")]
        if self.sentinels.is_some() {
            return None;
        }
        #[cfg(feature = "redis-cluster")]
        if self.nodes.is_some() {
            return None;
        }
        Some(self.info.addr())
    }

    /// Whether it encrypts by itself. A client of the application's own may do so as well.
    pub(super) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn source(&self) -> Source {
        self.source
    }
}

/// Connects to this address and logs in.
pub(super) async fn dial(
    info: &ConnectionInfo,
    tls: Option<&Tls>,
    config: &AsyncConnectionConfig,
) -> Result<Link, ConnectError> {
    match tls {
        #[cfg(feature = "redis-tls")]
        Some(tls) => tls.connect(info, config).await,
        #[cfg(not(feature = "redis-tls"))]
        Some(tls) => match *tls {},
        None => {
            let client = Client::open(info.clone())?;
            let connection = client.get_multiplexed_async_connection_with_config(config).await?;
            Ok(Link { connection, _driver: None })
        }
    }
}

/// A connection, for as long as this lives.
pub(super) struct Link {
    pub(super) connection: MultiplexedConnection,
    _driver: Option<Driver>,
}

impl Link {
    /// A connection on a stream that the driver did not make, moved by this task.
    #[cfg(feature = "redis-tls")]
    pub(super) fn driven(connection: MultiplexedConnection, task: tokio::task::JoinHandle<()>) -> Self {
        Self { connection, _driver: Some(Driver(task)) }
    }
}

/// The task that moves a connection. It would wait for the answers of a silent server for ever.
struct Driver(tokio::task::JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why there is no connection.
pub(super) enum ConnectError {
    /// The driver's reason.
    Driver(RedisError),
    /// Waiting does not mend it: the remedy, and the reason.
    #[cfg_attr(
        not(any(feature = "redis-tls", feature = "redis-sentinel")),
        expect(dead_code, reason = "only what is found beside the driver")
    )]
    Lasting(String, String),
    /// Waiting may mend it: the reason.
    Passing(String),
}

impl From<RedisError> for ConnectError {
    fn from(error: RedisError) -> Self {
        Self::Driver(without_arguments(error))
    }
}

impl From<ConnectError> for RedisError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Driver(error) => error,
            ConnectError::Lasting(_, reason) | ConnectError::Passing(reason) => {
                (ErrorKind::Io, "there is no connection to Redis", reason).into()
            }
        }
    }
}

/// The system notices by itself when the other end of a connection has gone, whatever is sent. What a client of the
/// application's own says of that stays as it is.
fn tcp(settings: TcpSettings) -> TcpSettings {
    const IDLE: Duration = Duration::from_secs(10);
    let settings = settings.set_nodelay(true);
    let settings = match settings.keepalive() {
        Some(_) => settings,
        None => settings.set_keepalive(TcpKeepalive::new().with_time(IDLE).with_interval(IDLE / 5)),
    };
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = match settings.user_timeout() {
        Some(_) => settings,
        None => settings.set_user_timeout(IDLE),
    };
    settings
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_client_keeps_its_own_timeouts_and_gets_what_it_lacks() {
        const OWN: Duration = Duration::from_secs(77);
        let info = |tcp| {
            Client::open("redis://user:pass@127.0.0.1:7/3").unwrap().get_connection_info().clone().set_tcp_settings(tcp)
        };
        let made = |tcp| Connector::new(info(tcp), Source::Client, None).info;
        let plain = made(TcpSettings::default());
        assert!(plain.tcp_settings().nodelay() && plain.tcp_settings().keepalive().is_some());
        assert_eq!(plain.tcp_settings().user_timeout(), Some(Duration::from_secs(10)));
        let own = made(TcpSettings::default().set_user_timeout(OWN));
        assert_eq!(own.tcp_settings().user_timeout(), Some(OWN));
        let settings = own.redis_settings();
        assert_eq!((settings.username(), settings.password(), settings.db()), (Some("user"), Some("pass"), 3));
        assert!(matches!(settings.protocol(), ProtocolVersion::RESP3));
    }
}
