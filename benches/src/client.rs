//! HTTP/1.1 as far as a benchmark needs it: requests as bytes, answers told apart, one plain blocking client.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use memchr::memmem;

use crate::Outcome;

/// Larger than any answer of the servers here.
pub(crate) const BUFFER: usize = 4096;

/// The bytes of a request with no body, under `cookie` if there is one.
pub(crate) fn request(method: &str, path: &str, cookie: Option<&str>) -> Vec<u8> {
    let length = if method == "POST" { "content-length: 0\r\n" } else { "" };
    let cookie = cookie.map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
    format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{length}{cookie}\r\n").into_bytes()
}

/// An answer within the bytes that it came in.
pub(crate) struct Answer<'a> {
    head: &'a [u8],
    body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The answer at the start of `bytes`, or `None` while it is incomplete.
    pub(crate) fn parse(bytes: &'a [u8]) -> Outcome<Option<Self>> {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
        let (head, rest) = (&bytes[..end + 2], &bytes[end + 4..]);
        let answer = Self { head, body: rest };
        if !head.starts_with(b"HTTP/1.1 200 ") {
            return Err(format!("the server answered\n{}", String::from_utf8_lossy(bytes)).into());
        }
        let length = answer.header(b"content-length: ").ok_or("an answer had no length")?;
        let length: usize = std::str::from_utf8(length)?.parse()?;
        Ok(rest.get(..length).map(|body| Self { head, body }))
    }

    pub(crate) fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The value of the header line that starts with `prefix`, in lower case as hyper writes it.
    fn header(&self, prefix: &'a [u8]) -> Option<&'a [u8]> {
        self.headers(prefix).next()
    }

    /// The values of all such lines.
    fn headers(&self, prefix: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let lines = self.head.split_inclusive(|byte| *byte == b'\n');
        lines.filter_map(move |line| line.strip_prefix(prefix)?.strip_suffix(b"\r\n"))
    }

    /// The cookie that the answer sets. A library may take another one back in the same answer, in either order.
    fn cookie(&self) -> Option<String> {
        let cookies = self.headers(b"set-cookie: ").map(String::from_utf8_lossy);
        let mut cookies = cookies.filter_map(|cookie| Some(cookie.split(';').next()?.to_owned()));
        cookies.find(|cookie| cookie.split_once('=').is_some_and(|(_, value)| !value.is_empty()))
    }
}

/// One connection that waits for each answer.
pub(crate) struct Client(TcpStream);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self(stream))
    }

    /// Sends a request; gives the cookie that the answer set, and its text.
    pub(crate) fn send(&mut self, request: &[u8]) -> Outcome<(Option<String>, String)> {
        self.0.write_all(request)?;
        let mut buffer = [0; BUFFER];
        let mut filled = 0;
        loop {
            let read = self.0.read(&mut buffer[filled..])?;
            if read == 0 {
                return Err("the server closed a connection".into());
            }
            filled += read;
            if let Some(answer) = Answer::parse(&buffer[..filled])? {
                return Ok((answer.cookie(), String::from_utf8(answer.body().to_vec())?));
            }
        }
    }
}
