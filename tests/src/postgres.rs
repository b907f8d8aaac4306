//! A private PostgreSQL server, to count, hang, kill and restart.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection, Row};
use tempfile::TempDir;

use crate::{database::Kind, port::Port, process::Process, tools};

const KIND: Kind = Kind { name: "postgres", users: &["postgres", "nobody"] };

/// A PostgreSQL server of the test's own, on a free loopback port, in a folder of its own. It ends with this value.
///
/// What it has confirmed survives [`Postgres::kill`]; only the machine's end would be its own.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    port: Port,
    folder: TempDir,
    settings: &'static [&'static str],
}

impl Postgres {
    /// Starts a server with an empty database.
    ///
    /// # Panics
    ///
    /// When no PostgreSQL is installed or it doesn't come up.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with an empty database and these settings, as in `max_connections=10`.
    ///
    /// # Panics
    ///
    /// When no PostgreSQL is installed or it doesn't come up.
    pub async fn start_with(settings: &'static [&'static str]) -> Self {
        let server = tools::POSTGRES.find().expect("PostgreSQL is installed: run `cargo xtask setup`");
        let (port, folder) = (Port::reserve(), KIND.folder());
        let make = |data: &Path| {
            let mut initdb = KIND.command(server.with_file_name("initdb"));
            initdb.args(["--username=tester", "--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync"]);
            initdb.args(["--wal-segsize=1", "--pgdata"]).arg(data);
            initdb
        };
        KIND.copy_empty(&server, make, &folder.path().join("data"));
        let process = launch(&server, &port, &folder, settings).await;
        Self { process, port, folder, settings }
    }

    /// From now on everybody needs the password of [`Postgres::url`], and proves to have it with SCRAM.
    ///
    /// # Panics
    ///
    /// When the server is down.
    pub async fn require_passwords(&self) {
        let mut connection = self.connect().await;
        let setup = "SET password_encryption = 'scram-sha-256'; ALTER ROLE tester PASSWORD 'open-sesame'";
        sqlx::raw_sql(setup).execute(&mut connection).await.expect("a password can be set");
        let rule = "host all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(self.folder.path().join("data/pg_hba.conf"), rule).expect("the rules can be written");
        sqlx::raw_sql("SELECT pg_reload_conf()").execute(&mut connection).await.expect("it reads its rules again");
        // It is told by a signal, and follows it soon.
        let refused = self.url().replace("open-sesame", "wrong");
        crate::wait::until(crate::wait::ANSWER, "a wrong password is refused", async || {
            PgConnection::connect(&refused).await.is_err()
        })
        .await;
    }

    /// Starts it again as a standby, which takes no writes.
    ///
    /// # Panics
    ///
    /// When it doesn't come up.
    pub async fn restart_as_standby(&mut self) {
        fs::write(self.folder.path().join("data/standby.signal"), "").expect("a file can be written");
        self.restart().await;
    }

    /// Its URL, as an application is given it. Any password does, so that tests can look for it where it must not be.
    pub fn url(&self) -> String {
        url(self.port())
    }

    /// The port that it listens on, or will again.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// A connection to look into it.
    ///
    /// # Panics
    ///
    /// When the server is down.
    pub async fn connect(&self) -> PgConnection {
        let connected = PgConnection::connect(&self.url()).await;
        connected.unwrap_or_else(|error| panic!("no PostgreSQL at port {}: {error}", self.port()))
    }

    /// The statements that have run since the last call of this method, and how often each, as `pg_stat_statements`
    /// counts them; those of this method and of connecting aside.
    ///
    /// # Panics
    ///
    /// When the server is down.
    pub async fn statements(&self) -> Vec<(String, i64)> {
        let mut connection = self.connect().await;
        let setup = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements";
        sqlx::raw_sql(setup).execute(&mut connection).await.expect("statements can be counted");
        let sql = "SELECT query, calls FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%' \
                   AND query NOT LIKE 'SET %' ORDER BY query";
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("statements are counted");
        sqlx::raw_sql("SELECT pg_stat_statements_reset()").execute(&mut connection).await.expect("they start anew");
        rows.iter().map(|row| (row.get("query"), row.get("calls"))).collect()
    }

    /// Hangs it: connections stay open and nothing answers.
    pub fn stop(&mut self) {
        self.process.stop();
        // Each connection has a process, in a group of its own. With their parent halted there are no new ones.
        let children = self.children();
        signal(&children, Signal::STOP);
        while children.iter().any(|child| is_running(*child)) {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets it go on after [`Postgres::stop`].
    pub fn resume(&mut self) {
        signal(&self.children(), Signal::CONT);
        self.process.resume();
    }

    /// Kills it: connections break and new ones are refused.
    pub fn kill(&mut self) {
        self.process.stop();
        let children = self.children();
        signal(&children, Signal::KILL);
        self.process.kill();
        // Their parent was this process's child; now they are nobody's, and reaped by the system in a moment.
        while children.iter().any(|child| is_running(*child)) {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Starts it again on the same port, after [`Postgres::kill`] or in place of the one that runs.
    pub async fn restart(&mut self) {
        self.kill();
        let server = tools::POSTGRES.find().expect("PostgreSQL is still installed");
        self.process = launch(&server, &self.port, &self.folder, self.settings).await;
    }

    fn children(&self) -> Vec<Pid> {
        let parent = self.process.id().to_string();
        let processes = fs::read_dir("/proc").expect("the system lists its processes").flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        ids.filter(|id| state(*id).is_some_and(|(_, of)| of == parent)).filter_map(Pid::from_raw).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Asked to end at once, it takes its shared memory with it. Killed, it leaves it behind, and the system has room for
        // that of some 4,000 servers.
        if !self.process.ends_by(Signal::QUIT) {
            self.kill();
        }
    }
}

/// A process's state and its parent.
fn state(id: i32) -> Option<(String, String)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
}

fn is_running(process: Pid) -> bool {
    state(process.as_raw_nonzero().get()).is_some_and(|(state, _)| !matches!(state.as_str(), "T" | "Z" | "X"))
}

fn signal(processes: &[Pid], signal: Signal) {
    for process in processes {
        // The only failure left is that it is gone already.
        _ = kill_process(*process, signal);
    }
}

async fn launch(server: &Path, port: &Port, folder: &TempDir, settings: &[&str]) -> Process {
    let mut command: Command = KIND.command(server);
    command.arg("-D").arg(folder.path().join("data")).current_dir(folder.path());
    for (name, value) in [
        ("listen_addresses", "127.0.0.1"),
        ("port", &port.number().to_string()),
        ("unix_socket_directories", ""),
        // It is killed here, but the machine goes on.
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("shared_preload_libraries", "pg_stat_statements"),
        ("max_connections", "300"),
    ] {
        command.args(["-c", &format!("{name}={value}")]);
    }
    for setting in settings {
        command.args(["-c", setting]);
    }
    let mut process = Process::spawn("postgres", command, &folder.path().join("log"));
    let url = url(port.number());
    process.wait_until("it answers", async |_: &Process| PgConnection::connect(&url).await.is_ok()).await;
    process
}

fn url(port: u16) -> String {
    format!("postgres://tester:open-sesame@127.0.0.1:{port}/postgres")
}
