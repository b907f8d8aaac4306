//! The URL of a Redis.

#[cfg(any(feature = "redis-sentinel", feature = "redis-cluster"))]
use redis::ConnectionAddr;
use redis::{ConnectionInfo, IntoConnectionInfo as _, parse_redis_url};

use crate::setting::FromSetting;

/// A Redis URL that can be read. It may hold a password, so nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

impl RedisUrl {
    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisUrl(..)")
    }
}

impl FromSetting for RedisUrl {
    const EXAMPLE: Option<&'static str> = Some("redis://127.0.0.1:6379");

    fn from_setting(text: &str) -> Result<Self, String> {
        Address::parse(text)?;
        Ok(Self(text.into()))
    }
}

/// What a URL says.
pub(super) struct Address {
    pub(super) info: ConnectionInfo,
    pub(super) tls: bool,
}

impl Address {
    /// Reads a URL. Its error may be shown: the driver's own message may repeat the URL, and with it the password.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut url = parse_redis_url(text).ok_or(NOT_A_URL)?;
        let tls = matches!(url.scheme(), "rediss" | "valkeys");
        if tls {
            if cfg!(not(feature = "redis-tls")) {
                return Err("asks for TLS, which needs the cargo feature `redis-tls` of session-runtime".into());
            }
            if url.fragment().is_some() {
                return Err(
                    "ends with `#`; a certificate can't be left unchecked, so name its authority by `ca`".into()
                );
            }
            // The driver reads the rest. TLS is not its matter.
            url.set_scheme("redis").map_err(|()| NOT_A_URL)?;
        }
        Ok(Self { info: url.into_connection_info().map_err(|_| NOT_A_URL)?, tls })
    }
}

/// Reads `host`, `host:port`, or a URL that names one server; with this port if it has none.
#[cfg(any(feature = "redis-sentinel", feature = "redis-cluster"))]
pub(super) fn host_of(text: &str, port: u16, wrong: &str) -> Result<Address, String> {
    let is_url = text.contains("://");
    let url = if is_url { text.to_owned() } else { format!("redis://{text}") };
    let has_port = match parse_redis_url(&url) {
        Some(parsed) if is_url || parsed.username().is_empty() && parsed.path().trim_matches('/').is_empty() => {
            parsed.port().is_some()
        }
        _ => return Err(wrong.into()),
    };
    let Address { info, tls } =
        Address::parse(&url).map_err(|why| if tls_is_missing(&why) { why } else { wrong.into() })?;
    let addr = match info.addr() {
        ConnectionAddr::Tcp(host, written) => ConnectionAddr::Tcp(host.clone(), if has_port { *written } else { port }),
        _ => return Err(wrong.into()),
    };
    Ok(Address { info: info.set_addr(addr), tls })
}

#[cfg(any(feature = "redis-sentinel", feature = "redis-cluster"))]
pub(super) fn tls_is_missing(why: &str) -> bool {
    why.contains("`redis-tls`")
}

const NOT_A_URL: &str = "is not a Redis URL; write it as redis://[user:password@]host:6379/0";
