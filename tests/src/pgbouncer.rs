//! PgBouncer in front of a PostgreSQL server.

use std::fs;

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::{Postgres, database::Kind, port::Port, process::Process, tools};

// It refuses to run as root, as the databases do.
const KIND: Kind = Kind { name: "pgbouncer", users: &["postgres", "nobody"] };

/// A PgBouncer that gives each transaction another connection. It ends with this value.
#[derive(Debug)]
pub struct PgBouncer {
    port: Port,
    _process: Process,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts one in front of this server, with four connections to it.
    ///
    /// # Panics
    ///
    /// When no PgBouncer is installed or it doesn't come up.
    pub async fn before(server: &Postgres) -> Self {
        let program = tools::PGBOUNCER.find().expect("PgBouncer is installed: run `cargo xtask setup`");
        let (port, folder) = (Port::reserve(), KIND.folder());
        let (at, to) = (port.number(), server.port());
        let config = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]
postgres = host=127.0.0.1 port={to}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {at}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
"
        )
        // With this way to log in it has to be told who it is to PostgreSQL.
        .replace(&format!("port={to}"), &format!("port={to} user=tester"));
        fs::write(&config, text).expect("a file can be written");
        let mut command = KIND.command(program);
        command.arg(&config);
        let mut process = Process::spawn("pgbouncer", command, &folder.path().join("log"));
        let url = url(&port);
        // As the toolkit does: it knows no such setting.
        let options = url.parse::<sqlx::postgres::PgConnectOptions>().expect("a URL").extra_float_digits(None);
        let answers = async |_: &Process| PgConnection::connect_with(&options).await.is_ok();
        process.wait_until("it answers", answers).await;
        Self { port, _process: process, _folder: folder }
    }

    /// Its URL, as an application is given it.
    pub fn url(&self) -> String {
        url(&self.port)
    }
}

fn url(port: &Port) -> String {
    format!("postgres://tester:open-sesame@127.0.0.1:{}/postgres", port.number())
}
