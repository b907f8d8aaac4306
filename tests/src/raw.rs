//! HTTP by hand, for what no well-behaved client sends: bytes outside ASCII, broken lines, half a request.

use std::net::SocketAddr;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Reply, wait};

/// A connection on which any bytes can be sent. Dropping it hangs up, as a client does that has gone away.
#[derive(Debug)]
pub struct Connection(TcpStream);

impl Connection {
    /// Connects.
    ///
    /// # Panics
    ///
    /// When nothing listens there.
    pub async fn open(address: SocketAddr) -> Self {
        let connected = wait::within(wait::ANSWER, "a connection", TcpStream::connect(address)).await;
        Self(connected.unwrap_or_else(|error| panic!("{address} can't be reached: {error}")))
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    ///
    /// When the other side has hung up.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        wait::within(wait::ANSWER, "bytes are sent", self.0.write_all(bytes.as_ref())).await.expect("bytes are sent");
    }

    /// Reads until the other side hangs up, as it does after a request with `Connection: close` or a malformed one.
    ///
    /// # Panics
    ///
    /// When [`wait::ANSWER`] has passed or what came is no HTTP answer.
    pub async fn reply(mut self) -> Reply {
        let mut bytes = Vec::new();
        // An answer may be followed by a reset, where the server has not read all that was sent.
        _ = wait::within(wait::ANSWER, "the server answers and hangs up", self.0.read_to_end(&mut bytes)).await;
        parse(&bytes).unwrap_or_else(|| panic!("no HTTP answer: {:?}", String::from_utf8_lossy(&bytes)))
    }
}

/// Sends `GET path` with these bytes as the value of its `Cookie` header.
pub async fn get_with_cookie(address: SocketAddr, path: &str, cookie: &[u8]) -> Reply {
    let mut connection = Connection::open(address).await;
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nCookie: ");
    connection.send([head.as_bytes(), cookie, b"\r\n\r\n"].concat()).await;
    connection.reply().await
}

// The body is what follows the head, chunked or not.
fn parse(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = str::from_utf8(&bytes[..end]).ok()?;
    let (status_line, lines) = head.split_once("\r\n").unwrap_or((head, ""));
    let status = status_line.split(' ').nth(1)?.parse::<StatusCode>().ok()?;
    let headers = lines.split("\r\n").filter(|line| !line.is_empty()).map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?))
    });
    let mut reply = Reply { status, headers: Default::default(), body: bytes[end + 4..].to_vec() };
    for header in headers {
        let (name, value) = header?;
        reply.headers.append(name, value);
    }
    Some(reply)
}
