//! A router served over TLS inside the test process, with a certificate that a browser can be told to trust.

use std::{
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{Router, serve::Listener};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use sha2::{Digest as _, Sha256};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
    server::TlsStream,
};

/// A certificate for any `*.test` host, with its key.
#[derive(Clone)]
pub struct Certificate {
    acceptor: TlsAcceptor,
    spki: String,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("spki", &self.spki).finish_non_exhaustive()
    }
}

impl Certificate {
    /// A new one.
    ///
    /// # Panics
    ///
    /// When no key can be made.
    #[expect(clippy::new_without_default, reason = "a default would be the same each time")]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new(vec!["*.test".into(), "localhost".into()]).expect("names of servers");
        let certificate = params.self_signed(&key).expect("a certificate can be signed");
        let spki = STANDARD.encode(Sha256::digest(key.subject_public_key_info()));
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key in PKCS 8");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("the key is the certificate's");
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), spki }
    }

    /// The arguments of a Chromium that trusts it, and binds sessions with keys in software.
    pub fn flags(&self) -> Vec<String> {
        vec![
            "--enable-features=DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting".into(),
            format!("--ignore-certificate-errors-spki-list={}", self.spki),
        ]
    }
}

/// A router that is being served over TLS, until this value is dropped.
#[derive(Debug)]
pub struct ServedSecurely {
    address: SocketAddr,
    _running: oneshot::Sender<()>,
}

impl ServedSecurely {
    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Serves a router over TLS on a loopback port: a free one for `0`. It listens when this returns.
///
/// # Panics
///
/// When the port is not free.
pub async fn serve_securely(router: Router, certificate: &Certificate, port: u16) -> ServedSecurely {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("a free loopback port");
    let address = listener.local_addr().expect("the listener's address");
    let (running, dropped) = oneshot::channel::<()>();
    let secure = SecureListener::new(listener, certificate.acceptor.clone());
    // Connections are cut with it: a browser keeps them open for as long as it may.
    tokio::spawn(async move {
        tokio::select! {
            _ = axum::serve(secure, router) => {}
            _ = dropped => {}
        }
    });
    ServedSecurely { address, _running: running }
}

/// Connections whose handshake is done. One that dawdles keeps no other waiting.
struct SecureListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl SecureListener {
    fn new(listener: TcpListener, acceptor: TlsAcceptor) -> Self {
        let (sender, ready) = mpsc::channel(64);
        let address = listener.local_addr().expect("the listener's address");
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = sender.closed() => break,
                };
                let Ok((stream, peer)) = accepted else { continue };
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        _ = sender.send((stream, peer)).await;
                    }
                });
            }
        });
        Self { address, ready }
    }
}

impl Listener for SecureListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
