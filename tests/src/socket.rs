//! A WebSocket client, over a real connection.

use std::{net::SocketAddr, time::Duration};

use axum::http::{HeaderValue, StatusCode, header};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::wait;

/// A WebSocket to a server on loopback, as a page of that server opens it.
#[derive(Debug)]
pub struct Socket(WebSocketStream<TcpStream>);

/// How a server closed a socket: the code of its close frame and the reason beside it; 1006 without a frame, as
/// browsers have it.
pub type Closed = (u16, String);

impl Socket {
    /// Opens a socket with this `Cookie` header.
    ///
    /// # Errors
    ///
    /// The status of an answer that is no upgrade.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub async fn open(server: SocketAddr, path: &str, cookie: &str) -> Result<Self, StatusCode> {
        let mut request = format!("ws://{server}{path}").into_client_request().expect("a URL");
        for (name, text) in [(header::COOKIE, cookie), (header::ORIGIN, &format!("http://{server}"))] {
            request.headers_mut().insert(name, HeaderValue::from_str(text).expect("a header's value"));
        }
        let connection = TcpStream::connect(server).await.expect("the server listens");
        match wait::within(wait::ANSWER, "the socket opens", client_async(request, connection)).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => Err(answer.status()),
            Err(error) => panic!("the socket doesn't open: {error}"),
        }
    }

    /// Sends a text.
    pub async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("the socket is open");
    }

    /// The next text that comes.
    pub async fn hear(&mut self) -> String {
        let hear = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return text.to_string(),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("no text comes, but {other:?}"),
                }
            }
        };
        wait::within(wait::ANSWER, "a text comes", hear).await
    }

    /// Waits until the server closes it, for `limit` at most; what comes before that is passed over.
    pub async fn closed(&mut self, limit: Duration) -> Closed {
        let closed = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), frame.reason.to_string()),
                    Some(Ok(Message::Close(None))) => return (1005, String::new()),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return (1006, String::new()),
                }
            }
        };
        wait::within(limit, "the server closes the socket", closed).await
    }

    /// Whether it is still open after a while.
    pub async fn stays_open(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, async { while let Some(Ok(_)) = self.0.next().await {} }).await.is_err()
    }
}
