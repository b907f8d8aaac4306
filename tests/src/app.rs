//! Applications in processes of their own.

use std::{
    env,
    ffi::OsString,
    fmt::Write,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{Client, port::Port, process::Process, wait};

/// Where `cargo xtask test` has put the examples; without it they are built on first use.
const EXAMPLES: &str = "SESSION_EXAMPLES";

/// What the examples read from the environment: a developer's own settings must not reach a test.
const SETTINGS: [&str; 13] = [
    "PORT",
    "REDIS_URL",
    "SESSION_KEYS",
    "SESSION_STORE",
    "SESSION_DIR",
    "SESSION_DB",
    "ACCOUNTS",
    "RUST_LOG",
    "ISSUER",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "PUBLIC_URL",
    "USERS_DB",
];

/// A program that is going to be run.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Program {
    /// Sets an environment variable.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts it as a server on a free loopback port, which it is told as `PORT`. It listens when this returns.
    ///
    /// # Panics
    ///
    /// When it ends instead, or doesn't listen within [`wait::START`]; the message has what it printed.
    pub async fn start(self) -> App {
        let port = Port::reserve();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let process = self.launch(&port, &folder).await;
        App { process, port, folder, program: self }
    }

    /// Runs it to its end, for a program that is no server, or one that must refuse to start.
    ///
    /// # Panics
    ///
    /// When it is still running after [`wait::START`].
    pub async fn run(self) -> Output {
        let mut command = tokio::process::Command::from(self.command());
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
        wait::within(wait::START, &format!("{} ends", self.path.display()), output).await.expect("it can be run")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        for setting in SETTINGS {
            command.env_remove(setting);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    async fn launch(&self, port: &Port, folder: &TempDir) -> Process {
        let mut command = self.command();
        command.env("PORT", port.number().to_string()).current_dir(folder.path());
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let mut process = Process::spawn(&name, command, &folder.path().join("log"));
        let address = (Ipv4Addr::LOCALHOST, port.number());
        process.wait_until("it listens", async |_: &Process| TcpStream::connect(address).await.is_ok()).await;
        process
    }
}

/// A server in a process of its own, on a free loopback port. It ends with this value.
#[derive(Debug)]
pub struct App {
    process: Process,
    port: Port,
    folder: TempDir,
    program: Program,
}

impl App {
    /// One of the programs of the `examples` package: `quickstart`, `fleet`, `files`, `sqlite`, `keygen`.
    pub fn example(name: &str) -> Program {
        Self::program(examples().join(name))
    }

    /// A program of the test package: `App::program(env!("CARGO_BIN_EXE_greeter"))`.
    pub fn program(path: impl Into<PathBuf>) -> Program {
        Program { path: path.into(), environment: Vec::new() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.number()).into()
    }

    /// Its address as a URL without a path: `http://127.0.0.1:15123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// A client of this server with an empty cookie jar.
    pub fn client(&self) -> Client {
        Client::new(&self.url())
    }

    /// What it has printed so far, on standard output and standard error.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Hangs it: connections stay open and nothing answers.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Lets it go on after [`App::stop`].
    pub fn resume(&mut self) {
        self.process.resume();
    }

    /// Kills it: connections break and new ones are refused.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port with the same environment.
    pub async fn restart(&mut self) {
        self.process.kill();
        self.process = self.program.launch(&self.port, &self.folder).await;
    }
}

/// The folder with the examples' programs.
fn examples() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| env::var_os(EXAMPLES).map_or_else(build_examples, PathBuf::from))
}

// Into the folder that this test came from, with the same profile: <target>/<profile>/deps/<test>.
fn build_examples() -> PathBuf {
    let test = env::current_exe().expect("the test's own path");
    let folder = test.ancestors().nth(2).expect("a test in target/<profile>/deps");
    let profile = folder.file_name().expect("a profile").to_str().expect("a profile's name");
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--locked", "--package", "examples", "--features", "all", "--bins"])
        .args(["--profile", if profile == "debug" { "dev" } else { profile }, "--target-dir"])
        .arg(folder.parent().expect("a target folder"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "the examples don't build:\n{}", String::from_utf8_lossy(&output.stderr));
    folder.to_owned()
}

/// The programs' output, as a failed assertion shows it best.
pub fn describe(output: &Output) -> String {
    let mut text = output.status.to_string();
    for (name, stream) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        _ = write!(text, "\n--- {name}\n{}", String::from_utf8_lossy(stream));
    }
    text
}
