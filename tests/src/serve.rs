//! A router served inside the test process.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::{net::TcpListener, sync::oneshot};

use crate::Client;

/// A router that is being served on a loopback port, until this value is dropped.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    _running: oneshot::Sender<()>,
}

/// Serves `router` on a free loopback port. It listens when this returns.
pub async fn serve(router: Router) -> Served {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free loopback port");
    let address = listener.local_addr().expect("the listener's address");
    let (running, dropped) = oneshot::channel();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move { _ = dropped.await });
    tokio::spawn(async move { server.await.expect("serving goes on") });
    Served { address, _running: running }
}

impl Served {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL without a path: `http://127.0.0.1:41234`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client of this server with an empty cookie jar.
    pub fn client(&self) -> Client {
        Client::new(&self.url())
    }
}
