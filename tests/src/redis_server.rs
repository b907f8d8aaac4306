//! A private Redis server, to count, hang, kill and restart.

use std::{
    collections::BTreeMap,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use ::redis::{AsyncConnectionConfig, Client, RedisResult, aio::MultiplexedConnection, cmd};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
};

use crate::{
    certificates::{Authority, Identity},
    port::Port,
    process::Process,
    tools, wait,
};

/// A Redis server of the test's own, on a free loopback port, in a folder of its own. It ends with this value.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    program: Box<Path>,
    port: Port,
    folder: TempDir,
    arguments: Box<[String]>,
    /// The port for TLS, and where the certificates lie.
    tls: Option<Box<(Port, TempDir)>>,
    /// The port on which the nodes of a cluster talk to each other.
    bus: Option<Port>,
}

/// What makes a server durable, as [`Redis::start_durable`] does.
pub const DURABLE: &[&str] = &["--appendonly", "yes", "--appendfsync", "no"];

/// What makes a server take a replica at once: it does not wait for others.
pub const EAGER: &[&str] = &["--appendonly", "no", "--repl-diskless-sync-delay", "0"];

impl Redis {
    /// Starts a server that writes nothing to disk: what it held is gone after [`Redis::restart`].
    pub async fn start() -> Self {
        Self::start_with(&["--appendonly", "no"]).await
    }

    /// Starts a server that writes every change to its file before it answers: what it held is there again after
    /// [`Redis::restart`]. It does not wait for the disk, since what a killed process has written outlives it.
    pub async fn start_durable() -> Self {
        Self::start_with(DURABLE).await
    }

    /// Starts a server with more arguments, for example `&["--maxmemory", "2mb"]`.
    ///
    /// # Panics
    ///
    /// When no redis-server is installed or it doesn't come up.
    pub async fn start_with(arguments: &[&str]) -> Self {
        Self::start_program(redis_server(), arguments).await
    }

    async fn start_program(program: PathBuf, arguments: &[&str]) -> Self {
        let port = Port::reserve();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let process = launch(&program, &port, &folder, &arguments).await;
        Self { process, program: program.into(), port, folder, arguments: arguments.into(), tls: None, bus: None }
    }

    /// Starts a server that has a second port, for TLS alone, under this certificate and with more arguments, for example
    /// `&["--tls-auth-clients", "yes"]` (default: no). It trusts clients that this authority has signed.
    ///
    /// # Panics
    ///
    /// When no redis-server is installed or it doesn't come up.
    pub async fn start_tls(identity: &Identity, clients: &Authority, arguments: &[&str]) -> Self {
        let (tls, folder) = (Port::reserve(), tempfile::tempdir().expect("a temporary folder"));
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a file can be written");
            path.to_str().expect("a path of text").to_owned()
        };
        let port = tls.number().to_string();
        let (certificate, key) = (file("certificate.pem", &identity.certificate), file("key.pem", &identity.key));
        let ca = file("clients.pem", clients.pem());
        let own =
            ["--tls-port", &port, "--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
        let mut server = Self::start_with(&[&own[..], &["--tls-auth-clients", "no"], arguments].concat()).await;
        server.tls = Some(Box::new((tls, folder)));
        server
    }

    /// The port for TLS.
    ///
    /// # Panics
    ///
    /// When it has none.
    pub fn tls_port(&self) -> u16 {
        self.tls.as_ref().expect("started with TLS").0.number()
    }

    /// Its URL with TLS: `rediss://localhost:16379/`.
    pub fn tls_url(&self) -> String {
        format!("rediss://localhost:{}/", self.tls_port())
    }

    /// Starts it as a Sentinel that watches the server at this port as `main`.
    pub async fn start_sentinel(of: u16) -> Self {
        Self::start_sentinel_with(of, 1, "").await
    }

    /// The same, where so many have to agree that the server is down, and with more lines of configuration.
    ///
    /// # Panics
    ///
    /// When no redis-server is installed or it doesn't come up.
    pub async fn start_sentinel_with(of: u16, quorum: usize, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // It keeps its state in its configuration, so it needs a file.
        let file = folder.path().join("sentinel.conf");
        let text = format!("sentinel monitor main 127.0.0.1 {of} {quorum}\n{more}\n");
        fs::write(&file, text).expect("a file can be written");
        let arguments = vec![file.to_str().expect("a path of text").to_owned(), "--sentinel".to_owned()];
        let (program, port) = (redis_server(), Port::reserve());
        let process = launch(&program, &port, &folder, &arguments).await;
        Self { process, program: program.into(), port, folder, arguments: arguments.into(), tls: None, bus: None }
    }

    /// Starts it as a replica of the server at this loopback port, and waits until it has a link to it.
    ///
    /// # Panics
    ///
    /// When no redis-server is installed or it doesn't come up.
    pub async fn start_replica(of: u16) -> Self {
        let replica = Self::start_with(&[EAGER, &["--replicaof", "127.0.0.1", &of.to_string()]].concat()).await;
        let linked = async || {
            let info: String =
                cmd("INFO").arg("replication").query_async(&mut replica.connect().await).await.expect("Redis answers");
            info.contains("master_link_status:up")
        };
        wait::until(wait::START, "the replica has a link to its master", linked).await;
        replica
    }

    /// Starts it as a node of a cluster that has no other nodes yet.
    ///
    /// # Panics
    ///
    /// When no redis-server is installed or it doesn't come up.
    pub async fn start_cluster_node() -> Self {
        Self::start_cluster_node_with(redis_server(), &[]).await
    }

    /// The same by this program and with more arguments.
    ///
    /// # Panics
    ///
    /// When it doesn't come up.
    pub async fn start_cluster_node_with(program: PathBuf, arguments: &[&str]) -> Self {
        // Left to itself the node adds 10,000 to its port, and may land on one that a client goes out by.
        let bus = Port::reserve();
        let own = ["--cluster-enabled", "yes", "--cluster-port", &bus.number().to_string()];
        Self { bus: Some(bus), ..Self::start_program(program, &[&own, arguments].concat()).await }
    }

    /// The port on which a node of a cluster talks to the others.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn bus_port(&self) -> u16 {
        self.bus.as_ref().expect("started as a node of a cluster").number()
    }

    /// Its URL, as an application is given it: `redis://127.0.0.1:16379/`.
    pub fn url(&self) -> String {
        url(&self.port)
    }

    /// The port that it listens on, or will again.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// A connection to look into it. Its commands are counted as any other client's are.
    ///
    /// # Panics
    ///
    /// When the server is down or hung.
    pub async fn connect(&self) -> MultiplexedConnection {
        self.try_connect().await.unwrap_or_else(|error| panic!("no Redis at {}: {error}", self.url()))
    }

    /// The same while it may be down or close its connections.
    pub async fn try_connect(&self) -> RedisResult<MultiplexedConnection> {
        connect(&self.port).await
    }

    /// Hangs it: connections stay open and nothing answers.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Lets it go on after [`Redis::stop`].
    pub fn resume(&mut self) {
        self.process.resume();
    }

    /// Kills it: connections break and new ones are refused.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port, after [`Redis::kill`] or in place of the one that runs.
    pub async fn restart(&mut self) {
        self.process.kill();
        self.process = launch(&self.program, &self.port, &self.folder, &self.arguments).await;
    }

    /// Starts it again with more arguments, and doesn't wait until it has loaded what it had.
    pub async fn restart_with(&mut self, arguments: &[&str]) {
        self.process.kill();
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
        self.process = spawn(&self.program, &self.port, &self.folder, &arguments);
        let listens = async || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port())).await.is_ok();
        wait::until(wait::START, "redis-server listens", listens).await;
    }

    /// How often each command has run since the server started; what a script calls is counted as well.
    pub async fn commands(&self) -> Commands {
        let mut connection = self.connect().await;
        let stats: String =
            cmd("INFO").arg("commandstats").query_async(&mut connection).await.expect("Redis tells its statistics");
        Commands(stats.lines().filter_map(command_calls).collect())
    }

    /// Records the commands that clients send from now on, until [`Recording::finish`].
    pub async fn record(&self) -> Recording {
        // First, since a new connection says who it is, which some versions record.
        let marker = self.connect().await;
        let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port())).await;
        let mut stream = connected.unwrap_or_else(|error| panic!("no Redis at {}: {error}", self.url()));
        stream.write_all(b"MONITOR\r\n").await.expect("Redis takes a command");
        let mut recording = Recording { lines: BufReader::new(stream).lines(), marker };
        assert_eq!(recording.next_line().await, "+OK");
        recording
    }
}

fn redis_server() -> PathBuf {
    tools::REDIS.find().expect("redis-server is installed: run `cargo xtask setup`")
}

async fn launch(program: &Path, port: &Port, folder: &TempDir, arguments: &[String]) -> Process {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut process = spawn(program, port, folder, &arguments);
    process.wait_until("it answers", async |process: &Process| answers_as(port, process.id()).await).await;
    process
}

fn spawn(program: &Path, port: &Port, folder: &TempDir, arguments: &[&str]) -> Process {
    let mut command = Command::new(program);
    // A configuration's path comes first, and a Sentinel saves nothing.
    command
        .args(arguments)
        .args(["--bind", "127.0.0.1", "--port", &port.number().to_string(), "--dir"])
        .arg(folder.path());
    if !arguments.contains(&"--sentinel") {
        command.args(["--save", ""]);
    }
    Process::spawn("redis-server", command, &folder.path().join("log"))
}

// Asks for the process id, so that another server on the same port isn't taken for this one; and one that is still
// loading its file doesn't answer yet.
async fn answers_as(port: &Port, id: u32) -> bool {
    let Ok(mut connection) = connect(port).await else { return false };
    let info: RedisResult<String> = cmd("INFO").arg("server").query_async(&mut connection).await;
    let this = info.is_ok_and(|info| info.lines().any(|line| line == format!("process_id:{id}")));
    this && cmd("PING").query_async::<String>(&mut connection).await.is_ok()
}

async fn connect(port: &Port) -> RedisResult<MultiplexedConnection> {
    let patient = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(5)))
        .set_response_timeout(Some(Duration::from_secs(5)));
    Client::open(url(port))?.get_multiplexed_async_connection_with_config(&patient).await
}

fn url(port: &Port) -> String {
    format!("redis://127.0.0.1:{}/", port.number())
}

// cmdstat_client|setinfo:calls=2,usec=…
fn command_calls(line: &str) -> Option<(String, u64)> {
    let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
    let calls = rest.split(',').next()?.parse().ok()?;
    (name != "info").then(|| (name.to_owned(), calls))
}

/// How often each Redis command has run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commands(BTreeMap<String, u64>);

impl Commands {
    /// How often the command `name`, in lower case, has run.
    pub fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// How often any command has run.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// What has run since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let difference = |(name, calls): (&String, &u64)| (name.clone(), calls.saturating_sub(earlier.of(name)));
        Self(self.0.iter().map(difference).filter(|(_, calls)| *calls > 0).collect())
    }
}

/// The commands that clients send, while they are being recorded.
#[derive(Debug)]
pub struct Recording {
    lines: Lines<BufReader<TcpStream>>,
    marker: MultiplexedConnection,
}

impl Recording {
    /// Every command since [`Redis::record`], in order, as `"GETEX" "key" "EX" "1800"`: what was sent over the wire,
    /// so without what scripts call.
    pub async fn finish(mut self) -> Vec<String> {
        const END: &str = "the recording ends here";
        let _: String = cmd("ECHO").arg(END).query_async(&mut self.marker).await.expect("Redis answers");
        let mut commands = Vec::new();
        loop {
            let line = self.next_line().await;
            // +1339518083.107412 [0 127.0.0.1:60866] "get" "key", with [0 lua] for what a script calls
            let (source, command) = line.split_once("] ").expect("a line of MONITOR");
            if command.contains(END) {
                return commands;
            }
            if !source.ends_with(" lua") {
                commands.push(command.to_owned());
            }
        }
    }

    async fn next_line(&mut self) -> String {
        let line = wait::within(wait::ANSWER, "the next recorded command", self.lines.next_line()).await;
        line.expect("Redis goes on").expect("Redis goes on")
    }
}
