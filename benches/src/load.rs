//! The load: one thread, many keep-alive connections, each sending its next request when it has its answer.
//!
//! It shares a core with Redis, so it does little per request: the requests are prepared bytes, and an answer costs
//! one read and one write besides the poll.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{
    Outcome,
    client::{Answer, BUFFER},
};

/// A server that answers nothing for so long is hung.
const PATIENCE: Duration = Duration::from_secs(10);

/// Open connections, and the requests that each sends in turn.
pub(crate) struct Crowd {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
}

/// What was answered within a window of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered {
    pub(crate) requests: u64,
    pub(crate) elapsed: Duration,
}

impl Crowd {
    /// One connection per list of requests.
    pub(crate) fn open(address: SocketAddr, lists: Vec<Vec<Arc<[u8]>>>) -> Outcome<Self> {
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(lists.len());
        for (index, requests) in lists.into_iter().enumerate() {
            let stream = std::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
            connections.push(Connection::new(stream, requests));
        }
        Ok(Self { poll, events: Events::with_capacity(connections.len()), connections })
    }

    /// Sends and counts for `window`; requests that are then under way stay so.
    pub(crate) fn run(&mut self, window: Duration) -> Outcome<Answered> {
        let start = Instant::now();
        for connection in self.connections.iter_mut().filter(|connection| connection.idle) {
            connection.send()?;
        }
        let mut requests = 0;
        loop {
            self.wait()?;
            for event in &self.events {
                let connection = &mut self.connections[event.token().0];
                if connection.receive()? {
                    requests += 1;
                    connection.send()?;
                }
            }
            let elapsed = start.elapsed();
            if elapsed >= window {
                return Ok(Answered { requests, elapsed });
            }
        }
    }

    /// Sends each request of each connection once, from the first one on.
    pub(crate) fn pass(&mut self) -> Outcome<Answered> {
        let start = Instant::now();
        let before: u64 = self.connections.iter().map(|connection| connection.answers).sum();
        for connection in &mut self.connections {
            connection.send()?;
        }
        while !self.has_seen_all() {
            self.wait()?;
            for event in &self.events {
                let connection = &mut self.connections[event.token().0];
                if connection.receive()? && !connection.has_seen_all() {
                    connection.send()?;
                }
            }
        }
        let answers: u64 = self.connections.iter().map(|connection| connection.answers).sum();
        Ok(Answered { requests: answers - before, elapsed: start.elapsed() })
    }

    /// Whether each connection has had an answer to each of its requests.
    pub(crate) fn has_seen_all(&self) -> bool {
        self.connections.iter().all(Connection::has_seen_all)
    }

    /// Waits for what is under way, and gives the text of each connection's last answer, and how often it has sent the request
    /// that was answered so.
    pub(crate) fn finish(mut self) -> Outcome<Vec<(u64, String)>> {
        while self.connections.iter().any(|connection| !connection.idle) {
            self.wait()?;
            for event in &self.events {
                self.connections[event.token().0].receive()?;
            }
        }
        self.connections.into_iter().map(Connection::last).collect()
    }

    fn wait(&mut self) -> Outcome<()> {
        match self.poll.poll(&mut self.events, Some(PATIENCE)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error.into()),
            Ok(()) if self.events.is_empty() => Err("the server stopped answering".into()),
            Ok(()) => Ok(()),
        }
    }
}

struct Connection {
    stream: TcpStream,
    requests: Vec<Arc<[u8]>>,
    next: usize,
    idle: bool,
    answers: u64,
    buffer: Box<[u8; BUFFER]>,
    filled: usize,
}

impl Connection {
    fn new(stream: TcpStream, requests: Vec<Arc<[u8]>>) -> Self {
        Self { stream, requests, next: 0, idle: true, answers: 0, buffer: Box::new([0; BUFFER]), filled: 0 }
    }

    /// A request is far smaller than the socket's empty buffer, so it goes out whole.
    fn send(&mut self) -> Outcome<()> {
        self.stream.write_all(&self.requests[self.next])?;
        self.next = (self.next + 1) % self.requests.len();
        self.idle = false;
        self.filled = 0;
        Ok(())
    }

    /// Reads what has come; whether the answer is now complete.
    ///
    /// Once it is, nothing more can come before the next request, so the socket need not be read until it would block.
    fn receive(&mut self) -> Outcome<bool> {
        loop {
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            if Answer::parse(&self.buffer[..self.filled])?.is_some() {
                self.idle = true;
                self.answers += 1;
                return Ok(true);
            }
        }
    }

    fn has_seen_all(&self) -> bool {
        self.answers >= self.requests.len() as u64
    }

    fn last(self) -> Outcome<(u64, String)> {
        let answer = Answer::parse(&self.buffer[..self.filled])?;
        let text = answer.map(|answer| String::from_utf8_lossy(answer.body()).into_owned());
        Ok((self.answers.div_ceil(self.requests.len() as u64), text.unwrap_or_default()))
    }
}
