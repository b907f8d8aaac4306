//! A way to Redis that counts round trips.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Passes on what comes, and counts how often something is asked after the last answer has come: for who asks one
/// thing after another these are the round trips, whatever was put in each.
pub(crate) struct Proxy {
    address: SocketAddr,
    trips: Arc<AtomicUsize>,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), trips: Arc::default(), cut: Arc::default() };
        let (trips, cut) = (Arc::clone(&proxy.trips), Arc::clone(&proxy.cut));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
                let (asking, answering) = (client.into_split(), server.into_split());
                let (trips, open) = (Arc::clone(&trips), Arc::new(AtomicBool::new(false)));
                let asked = Arc::clone(&open);
                tokio::spawn(pass(asking.0, answering.1, move || {
                    if !asked.swap(true, Ordering::SeqCst) {
                        trips.fetch_add(1, Ordering::SeqCst);
                    }
                    true
                }));
                let cut = Arc::clone(&cut);
                tokio::spawn(pass(answering.0, asking.1, move || {
                    open.store(false, Ordering::SeqCst);
                    !cut.swap(false, Ordering::SeqCst)
                }));
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// The next answer is lost, and its connection with it.
    pub(crate) fn lose_answer(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Whether that has happened.
    pub(crate) fn has_lost_answer(&self) -> bool {
        !self.cut.load(Ordering::SeqCst)
    }

    pub(crate) fn trips(&self) -> usize {
        self.trips.load(Ordering::SeqCst)
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, goes_on: impl Fn() -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if !goes_on() || to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}
