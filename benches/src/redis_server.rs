//! A Redis of the benchmark's own: on a free port, with nothing kept on disk, gone when the benchmark is.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use crate::{Outcome, host, stats::Commands};

const PATIENCE: Duration = Duration::from_secs(10);

/// Written to Redis to find the end of what a [`Watch`] is asked about.
const MARK: &str = "session-benches-mark";

pub(crate) struct RedisServer {
    process: Child,
    address: SocketAddr,
    connection: Option<redis::Connection>,
}

impl RedisServer {
    pub(crate) fn start(core: usize) -> Outcome<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let process = host::child(core, "redis-server")
            .args(["--bind", "127.0.0.1", "--port", &free.port().to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let mut server = Self { process, address: free, connection: None };
        server.connection = Some(server.wait()?);
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// Forgets all sessions.
    pub(crate) fn clear(&mut self) -> Outcome<()> {
        Ok(redis::cmd("FLUSHALL").exec(self.connection()?)?)
    }

    /// How often each command has been run, by clients or by their scripts.
    pub(crate) fn calls(&mut self) -> Outcome<Calls> {
        let info: String = redis::cmd("INFO").arg("commandstats").query(self.connection()?)?;
        let count = |line: &str| {
            let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let calls = numbers.split(',').next()?.parse().ok()?;
            (name != "info").then(|| (name.to_owned(), calls))
        };
        Ok(Calls(info.lines().filter_map(count).collect()))
    }

    /// Follows every command from now on.
    pub(crate) fn watch(&mut self) -> Outcome<Watch<'_>> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"MONITOR\r\n")?;
        let mut lines = BufReader::new(stream);
        lines.read_line(&mut String::new())?;
        Ok(Watch { lines, server: self })
    }

    fn connection(&mut self) -> Outcome<&mut redis::Connection> {
        self.connection.as_mut().ok_or_else(|| "Redis is not connected".into())
    }

    fn wait(&mut self) -> Outcome<redis::Connection> {
        let client = redis::Client::open(self.url())?;
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("redis-server stopped at once ({status})").into());
            }
            match client.get_connection_with_timeout(PATIENCE) {
                Ok(connection) => return Ok(connection),
                Err(error) if start.elapsed() > PATIENCE => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Calls by command since Redis started.
pub(crate) struct Calls(BTreeMap<String, u64>);

impl Calls {
    /// The calls between `earlier` and these, for each of `requests`.
    pub(crate) fn since(&self, earlier: &Self, requests: u64) -> BTreeMap<String, f64> {
        let fresh = |(name, calls): (&String, &u64)| {
            let calls = calls - earlier.0.get(name).unwrap_or(&0);
            (calls > 0).then(|| (name.clone(), calls as f64 / requests as f64))
        };
        self.0.iter().filter_map(fresh).collect()
    }
}

/// All commands as Redis gets them, which tells those of clients from those of scripts.
pub(crate) struct Watch<'a> {
    lines: BufReader<TcpStream>,
    server: &'a mut RedisServer,
}

impl Watch<'_> {
    /// The commands seen so far, for each of `requests`.
    pub(crate) fn count(mut self, requests: u64) -> Outcome<Commands> {
        redis::cmd("ECHO").arg(MARK).exec(self.server.connection()?)?;
        let mut seen = Commands::default();
        let mut line = String::new();
        loop {
            line.clear();
            if self.lines.read_line(&mut line)? == 0 || line.contains(MARK) {
                break;
            }
            // +1763760000.123456 [0 127.0.0.1:50000] "GETEX" "key", or [0 lua]
            if line.contains("[0 lua]") {
                seen.in_scripts += 1.0;
            } else {
                seen.sent += 1.0;
            }
        }
        let requests = requests as f64;
        Ok(Commands { sent: seen.sent / requests, in_scripts: seen.in_scripts / requests })
    }
}
