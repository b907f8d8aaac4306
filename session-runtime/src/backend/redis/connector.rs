//! How a connection to Redis is made.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisResult};

/// The way to a Redis.
pub(super) struct Connector {
    client: Client,
    source: Source,
}

/// Who named the way, for what is said of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Url,
    /// The application's own client.
    Client,
}

impl Source {
    /// The argument that a refusal names.
    pub(super) fn place(self) -> &'static str {
        match self {
            Self::Url => "redis(url)",
            Self::Client => "redis(client)",
        }
    }

    /// What a remedy calls it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Url => "URL",
            Self::Client => "client",
        }
    }
}

impl Connector {
    pub(super) fn new(info: ConnectionInfo, source: Source) -> RedisResult<Self> {
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let tcp = tcp(info.tcp_settings().clone());
        let client = Client::open(info.set_redis_settings(settings).set_tcp_settings(tcp))?;
        Ok(Self { client, source })
    }

    pub(super) async fn connect(&self, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
        self.client.get_multiplexed_async_connection_with_config(config).await
    }

    pub(super) fn addr(&self) -> &ConnectionAddr {
        self.client.get_connection_info().addr()
    }

    pub(super) fn source(&self) -> Source {
        self.source
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
        let made = |tcp| Connector::new(info(tcp), Source::Client).unwrap().client.get_connection_info().clone();
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
