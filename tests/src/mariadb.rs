//! A private MariaDB server, to count, hang, kill and restart.

use std::{fs, path::Path};

use sqlx::{Connection, MySqlConnection, Row};
use tempfile::TempDir;

use crate::{database::Kind, port::Port, process::Process, tools};

const KIND: Kind = Kind { name: "mariadb", users: &["mysql", "nobody"] };

// Read by the server before it listens.
const SETUP: &str = "\
CREATE DATABASE IF NOT EXISTS app;
CREATE USER IF NOT EXISTS 'tester'@'%' IDENTIFIED BY 'open-sesame';
GRANT ALL ON app.* TO 'tester'@'%' WITH GRANT OPTION;
CREATE USER IF NOT EXISTS 'shop'@'%' IDENTIFIED BY 'open-sesame';
CREATE USER IF NOT EXISTS 'hasty'@'%' IDENTIFIED BY 'open-sesame' WITH MAX_STATEMENT_TIME 0.001;
GRANT ALL ON app.* TO 'hasty'@'%';
";

/// A MariaDB server of the test's own, on a free loopback port, in a folder of its own. It ends with this value.
///
/// What it has confirmed survives [`MariaDb::kill`]; only the machine's end would be its own.
#[derive(Debug)]
pub struct MariaDb {
    process: Process,
    port: Port,
    folder: TempDir,
    options: &'static [&'static str],
}

impl MariaDb {
    /// Starts a server with an empty database.
    ///
    /// # Panics
    ///
    /// When no MariaDB is installed or it doesn't come up.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with an empty database and these options, as in `--autocommit=0`.
    ///
    /// # Panics
    ///
    /// When no MariaDB is installed or it doesn't come up.
    pub async fn start_with(options: &'static [&'static str]) -> Self {
        let server = tools::MARIADB.find().expect("MariaDB is installed: run `cargo xtask setup`");
        let (port, folder) = (Port::reserve(), KIND.folder());
        let make = |data: &Path| {
            let mut install = KIND.command("mariadb-install-db");
            install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
            install.args(SMALL).arg(format!("--datadir={}", data.display()));
            install
        };
        KIND.copy_empty(&server, make, &folder.path().join("data"));
        fs::write(folder.path().join("setup.sql"), SETUP).expect("a file can be written");
        let process = launch(&server, &port, &folder, options).await;
        Self { process, port, folder, options }
    }

    /// Its URL, as an application is given it. The user `shop` with the same password has no rights until a test grants
    /// them; the statements of the user `hasty` are ended after a millisecond.
    pub fn url(&self) -> String {
        url(self.port())
    }

    /// The port that it listens on, or will again.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// A connection to look into it.
    ///
    /// # Panics
    ///
    /// When the server is down.
    pub async fn connect(&self) -> MySqlConnection {
        let connected = MySqlConnection::connect(&self.url()).await;
        connected.unwrap_or_else(|error| panic!("no MariaDB at port {}: {error}", self.port()))
    }

    /// How often each kind of statement has run since the server started: `SELECT`, `INSERT`, `UPDATE`, `DELETE`.
    ///
    /// # Panics
    ///
    /// When the server is down.
    pub async fn statements(&self) -> [u64; 4] {
        let sql = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_select', 'Com_insert', 'Com_update', 'Com_delete')";
        let rows = sqlx::raw_sql(sql).fetch_all(&mut self.connect().await).await.expect("statements are counted");
        ["Com_select", "Com_insert", "Com_update", "Com_delete"].map(|name| {
            let row = rows.iter().find(|row| row.get::<String, _>(0) == name).expect("each is counted");
            row.get::<String, _>(1).parse().expect("a number")
        })
    }

    /// Hangs it: connections stay open and nothing answers.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Lets it go on after [`MariaDb::stop`].
    pub fn resume(&mut self) {
        self.process.resume();
    }

    /// Kills it: connections break and new ones are refused.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port, after [`MariaDb::kill`] or in place of the one that runs.
    pub async fn restart(&mut self) {
        self.process.kill();
        let server = tools::MARIADB.find().expect("MariaDB is still installed");
        self.process = launch(&server, &self.port, &self.folder, self.options).await;
    }
}

const SMALL: [&str; 2] = ["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M"];

async fn launch(server: &Path, port: &Port, folder: &TempDir, options: &[&str]) -> Process {
    let mut command = KIND.command(server);
    let inside = |name: &str| folder.path().join(name).display().to_string();
    command.args(["--no-defaults", "--bind-address=127.0.0.1"]).args(SMALL);
    // What was committed is the system's at once and the disk's a second later: it is killed here, but the machine
    // goes on.
    command.args(["--innodb-flush-log-at-trx-commit=2", "--skip-name-resolve", "--max-connections=300"]);
    for (name, value) in [
        ("port", port.number().to_string()),
        ("datadir", inside("data")),
        ("socket", inside("socket")),
        ("pid-file", inside("pid")),
        ("tmpdir", inside("")),
        ("init-file", inside("setup.sql")),
    ] {
        command.arg(format!("--{name}={value}"));
    }
    command.args(options);
    let mut process = Process::spawn("mariadbd", command, &folder.path().join("log"));
    let url = url(port.number());
    process.wait_until("it answers", async |_: &Process| MySqlConnection::connect(&url).await.is_ok()).await;
    process
}

fn url(port: u16) -> String {
    format!("mysql://tester:open-sesame@127.0.0.1:{port}/app")
}
