//! TLS on the way to Redis.
//!
//! The driver can do it, too. It takes the provider of cryptography that the process has set, and panics if there is
//! none where two are built in; it reads the system's certificates anew for each connection; and what is wrong with a
//! certificate is only text in its errors. Here the provider is named, so the application sets nothing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::SockRef;
use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use super::RedisConfig;
use super::connector::{ConnectError, Link};
use crate::error::OpenError;
use crate::setting::FromSetting;

/// Certificates, or a private key, in PEM format. An attribute or a variable has the path of a file, which is read when
/// the sessions are opened, or the text itself.
#[derive(Clone)]
pub struct Pem(Vec<u8>);

impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pem(..)")
    }
}

impl FromSetting for Pem {
    const EXAMPLE: Option<&'static str> = Some("/etc/ssl/redis/ca.pem");

    fn from_setting(text: &str) -> Result<Self, String> {
        if text.contains("-----BEGIN ") {
            return Ok(Self(text.into()));
        }
        // The text is not repeated: it may be a key that was cut.
        std::fs::read(text).map(Self).map_err(|error| format!("names a file that can't be read: {error}"))
    }
}

/// What is sent and expected in a handshake.
#[derive(Clone)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    has_own_ca: bool,
}

/// The first connection to any address of a host: one of them may be dead without a word.
async fn reach(host: &str, port: u16) -> io::Result<TcpStream> {
    first(tokio::net::lookup_host((host, port)).await?.collect()).await
}

async fn first(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts: FuturesUnordered<_> = addresses.into_iter().map(TcpStream::connect).collect();
    let mut error = io::Error::other("the host has no address");
    while let Some(connected) = attempts.next().await {
        match connected {
            Ok(socket) => return Ok(socket),
            Err(why) => error = why,
        }
    }
    Err(error)
}

impl Tls {
    /// `None` where the URL asks for none.
    pub(super) fn of(config: &RedisConfig, wanted: bool) -> Result<Option<Self>, OpenError> {
        let RedisConfig { ca, client_cert, client_key, .. } = config;
        let refuse = |argument: &str, why: &str| OpenError::option(format!("backend = redis({argument})"), None, why);
        if !wanted {
            let given = [("ca", ca), ("client_cert", client_cert), ("client_key", client_key)];
            let given = given.into_iter().find(|(_, pem)| pem.is_some());
            let why = "is for TLS, and no URL asks for it; write the URL as rediss://";
            return given.map_or(Ok(None), |(argument, _)| Err(refuse(argument, why)));
        }
        let roots = match ca {
            Some(ca) => own_roots(ca).map_err(|why| refuse("ca", &why))?,
            None => system_roots().map_err(|why| refuse("url", &why))?,
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder =
            builder.with_safe_default_protocol_versions().map_err(|error| refuse("url", &error.to_string()))?;
        let builder = builder.with_root_certificates(roots);
        let config = match (client_cert, client_key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(_), None) => return Err(refuse("client_key", "is missing; it is the private key of `client_cert`")),
            (None, Some(_)) => return Err(refuse("client_cert", "is missing; it is the certificate of `client_key`")),
            (Some(cert), Some(key)) => {
                let chain = certificates(cert).map_err(|why| refuse("client_cert", &why))?;
                let key = PrivateKeyDer::from_pem_slice(&key.0)
                    .map_err(|error| refuse("client_key", &format!("has no private key in PEM format: {error}")))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| refuse("client_key", &format!("can't be used with `client_cert`: {error}")))?
            }
        };
        Ok(Some(Self { config: Arc::new(config), has_own_ca: ca.is_some() }))
    }

    pub(super) async fn connect(
        &self,
        info: &ConnectionInfo,
        config: &AsyncConnectionConfig,
    ) -> Result<Link, ConnectError> {
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            return Err(ConnectError::Lasting("names no host, which TLS needs".into(), "there is no name".into()));
        };
        let socket = reach(host, *port).await.map_err(redis::RedisError::from)?;
        settle(&socket, info.tcp_settings()).map_err(redis::RedisError::from)?;
        let stream = self.encrypt(host, socket).await?;
        let connected = MultiplexedConnection::new_with_config(info.redis_settings(), stream, config.clone()).await;
        let (connection, driver) = connected.map_err(|error| match alert(&error.to_string()) {
            Some(remedy) => ConnectError::Lasting(remedy.into(), error.to_string()),
            None => error.into(),
        })?;
        Ok(Link::driven(connection, tokio::spawn(driver)))
    }

    async fn encrypt(&self, host: &str, socket: TcpStream) -> Result<TlsStream<TcpStream>, ConnectError> {
        let lasting = |remedy: &str, reason: String| ConnectError::Lasting(remedy.into(), reason);
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| lasting("names a host that no certificate can be for", error.to_string()))?;
        let shaken = TlsConnector::from(Arc::clone(&self.config)).connect(name, socket).await;
        shaken.map_err(|error| match error.get_ref().and_then(|error| error.downcast_ref()) {
            Some(Error::InvalidCertificate(why)) => lasting(self.remedy(why), error.to_string()),
            Some(Error::AlertReceived(_)) => {
                lasting(alert(&error.to_string()).unwrap_or("refused the TLS handshake"), error.to_string())
            }
            Some(Error::PeerIncompatible(_)) => {
                lasting("names a server whose version of TLS is too old; 1.2 or 1.3 is needed", error.to_string())
            }
            _ => ConnectError::Passing(error.to_string()),
        })
    }

    fn remedy(&self, why: &CertificateError) -> &'static str {
        match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "names a server whose certificate has expired; give it a new one, or correct this machine's clock"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "names a server whose certificate is not valid yet; correct this machine's clock, or the server's \
                 certificate"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "names a server whose certificate is for another name; write the host as the certificate has it"
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature if self.has_own_ca => {
                "names a server whose certificate was signed by none of the authorities in `ca`"
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "names a server whose certificate was signed by no authority that this system trusts; give the \
                 authority's certificate by `ca`"
            }
            _ => "names a server whose certificate can't be used",
        }
    }
}

/// What the server may have found wrong with the client, by the alert that it sent.
fn alert(error: &str) -> Option<&'static str> {
    let (_, alert) = error.split_once("received fatal alert: ")?;
    Some(if alert.starts_with("CertificateRequired") || alert.starts_with("HandshakeFailure") {
        "may ask for a certificate of the client; give it by `client_cert` and `client_key`"
    } else if ["BadCertificate", "UnsupportedCertificate", "CertificateRevoked", "CertificateExpired"]
        .into_iter()
        .chain(["CertificateUnknown", "UnknownCA", "AccessDenied", "DecryptError"])
        .any(|refusal| alert.starts_with(refusal))
    {
        "refused the certificate of the client; check `client_cert`, and which authorities the server trusts"
    } else {
        "refused the TLS handshake"
    })
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.0).collect();
    let found = found.map_err(|error| format!("is not in PEM format: {error}"))?;
    if found.is_empty() { Err("has no certificate in PEM format".into()) } else { Ok(found) }
}

fn own_roots(ca: &Pem) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|error| format!("has a certificate that can't be used: {error}"))?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(String::new, |error| format!(": {error}"));
        return Err(format!(
            "asks for TLS, and this system has no certificates of authorities (Debian: package ca-certificates); \
             install them, or give one by `ca`{why}"
        ));
    }
    Ok(roots)
}

/// As the driver does it for a socket of its own.
fn settle(socket: &TcpStream, settings: &TcpSettings) -> io::Result<()> {
    let socket = SockRef::from(socket);
    socket.set_tcp_nodelay(settings.nodelay())?;
    if let Some(keepalive) = settings.keepalive() {
        socket.set_tcp_keepalive(keepalive)?;
    }
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    socket.set_tcp_user_timeout(settings.user_timeout())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use redis::io::tcp::socket2::{Domain, Socket, Type};

    use super::*;

    #[tokio::test]
    async fn of_several_addresses_one_that_is_dead_without_a_word_keeps_nobody() {
        // Its queue is full, so that it answers no more.
        let silent = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        silent.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        silent.listen(0).unwrap();
        let dead = silent.local_addr().unwrap().as_socket().unwrap();
        let _queued = TcpStream::connect(dead).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live = listener.local_addr().unwrap();
        let socket = first(vec![dead, live]).await.unwrap();
        assert_eq!(socket.peer_addr().unwrap(), live);
        assert!(first(Vec::new()).await.unwrap_err().to_string().contains("no address"));
    }
}
