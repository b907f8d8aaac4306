//! A way to a server that can be shut without a word, and led to another server.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A port that passes on what comes to a server, like a load balancer or an address that moves.
///
/// A connection that is made while it is open to one server stays with that server. It ends with this value.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    way: Arc<watch::Sender<Way>>,
}

/// Where new connections lead, and which of them are passed on.
#[derive(Clone, Copy, Debug)]
struct Way {
    port: u16,
    /// The round in which connections are made; those of earlier rounds are silent.
    round: u64,
    /// Whether new connections are silent as well.
    shut: bool,
}

impl Gate {
    /// Opens a way to the server at this loopback port.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let way = Arc::new(watch::Sender::new(Way { port, round: 0, shut: false }));
        tokio::spawn(accept(listener, way.subscribe()));
        Self { address, way }
    }

    /// The loopback port that it is open at.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its URL, as an application is given that of a Redis.
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// Nothing is passed on any more on the connections of now, in either direction; they stay open.
    pub fn silence(&self) {
        self.way.send_modify(|way| way.round += 1);
    }

    /// The same for new connections too: they are taken and nothing comes of them, until [`Gate::open`].
    pub fn shut(&self) {
        self.way.send_modify(|way| (way.round, way.shut) = (way.round + 1, true));
    }

    /// New connections are passed on again after [`Gate::shut`].
    pub fn open(&self) {
        self.way.send_modify(|way| way.shut = false);
    }

    /// New connections lead to another server.
    pub fn lead_to(&self, port: u16) {
        self.way.send_modify(|way| way.port = port);
    }
}

async fn accept(listener: TcpListener, mut way: watch::Receiver<Way>) {
    loop {
        let client = tokio::select! {
            accepted = listener.accept() => accepted,
            // The gate is gone.
            _ = async { while way.changed().await.is_ok() {} } => return,
        };
        let Ok((client, _)) = client else { return };
        let now = *way.borrow();
        tokio::spawn(lead(client, now, way.clone()));
    }
}

async fn lead(client: TcpStream, made: Way, way: watch::Receiver<Way>) {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, made.port)).await;
    // Nobody is there: the client's connection ends.
    let Ok(server) = server else { return };
    let (asking, answering) = (client.into_split(), server.into_split());
    let round = if made.shut { None } else { Some(made.round) };
    tokio::join!(pass(asking.0, answering.1, round, way.clone()), pass(answering.0, asking.1, round, way),);
}

/// Passes on what comes, as long as it is the connection's round; then keeps both ends open until the gate is gone.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    round: Option<u64>,
    mut way: watch::Receiver<Way>,
) {
    let mut buffer = vec![0; 64 * 1024];
    let passing = async {
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
        _ = to.shutdown().await;
    };
    let silent = async {
        _ = way.wait_for(|way| Some(way.round) != round).await;
    };
    tokio::select! {
        biased;
        () = silent => {}
        () = passing => return,
    }
    while way.changed().await.is_ok() {}
}
