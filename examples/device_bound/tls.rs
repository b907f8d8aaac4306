//! Serving over TLS with a certificate made for this run.

use std::error::Error;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use sha2::{Digest as _, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// Listens on 127.0.0.1, on the port in `PORT` or 3443.
pub(crate) async fn serve(app: Router) -> Result<(), Box<dyn Error>> {
    let port = match std::env::var("PORT") {
        Ok(port) => port.parse().map_err(|_| format!("PORT is {port:?}; set it to a number from 0 to 65535"))?,
        Err(_) => 3443,
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("can't listen on 127.0.0.1:{port} ({error}); set PORT to a free one"))?;
    let url = format!("https://localhost:{}", listener.local_addr()?.port());
    let (acceptor, spki) = certificate()?;
    println!("The certificate's public key has the SHA-256 {spki}");
    println!("Open {url} in a browser that trusts it and binds sessions with keys in software:\n");
    println!(
        "chromium --user-data-dir=/tmp/device-bound --no-first-run \
         --enable-features=DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting \
         --ignore-certificate-errors-spki-list={spki} {url}\n"
    );
    Ok(axum::serve(TlsListener::new(listener, acceptor)?, app).await?)
}

/// A certificate for `localhost`, and the hash of its public key as Chromium takes it.
fn certificate() -> Result<(TlsAcceptor, String), Box<dyn Error>> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".into()])?.self_signed(&key)?;
    let spki = STANDARD.encode(Sha256::digest(key.subject_public_key_info()));
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der())?)?;
    Ok((TlsAcceptor::from(Arc::new(config)), spki))
}

/// Connections whose handshake is done. One that dawdles keeps no other waiting.
struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    fn new(listener: TcpListener, acceptor: TlsAcceptor) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(64);
        tokio::spawn(async move {
            loop {
                let Ok((stream, peer)) = listener.accept().await else { continue };
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        // Nobody takes it once serving has ended.
                        let _ = sender.send((stream, peer)).await;
                    }
                });
            }
        });
        Ok(Self { address, ready })
    }
}

impl Listener for TlsListener {
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
