//! Databases of the benchmark's own, as they are after installation: on free ports, their data in one folder that goes
//! with them.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{Outcome, host, tools, variant::Variant};

const PATIENCE: Duration = Duration::from_secs(60);

/// Where the servers' sessions are, by the environment variables that say so.
pub(crate) struct Places {
    folder: PathBuf,
    servers: Vec<Child>,
    environment: Vec<(&'static str, String)>,
}

impl Places {
    /// Starts what these variants need besides Redis, on `core`.
    pub(crate) fn prepare(variants: &[Variant], core: usize) -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("session-benches-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut places = Self { folder, servers: Vec::new(), environment: Vec::new() };
        for (of, name, file) in [
            (&[Variant::File, Variant::FileDurable][..], "SESSION_DIR", "files"),
            (&[Variant::Sqlite], "SESSION_DB", "sessions.sqlite"),
        ] {
            if of.iter().any(|variant| variants.contains(variant)) {
                let path = places.folder.join(file);
                places.set(name, path.to_str().ok_or("the folder's name is not UTF-8")?.to_owned());
            }
        }
        if variants.contains(&Variant::Postgres) {
            places.start_postgres(core)?;
        }
        if variants.contains(&Variant::MySql) {
            places.start_mariadb(core)?;
        }
        Ok(places)
    }

    /// What the servers under load are told.
    pub(crate) fn environment(&self) -> &[(&'static str, String)] {
        &self.environment
    }

    /// Tells them something more.
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        self.environment.push((name, value));
    }

    fn start_postgres(&mut self, core: usize) -> Outcome<()> {
        let server = tools::POSTGRES.find().ok_or("PostgreSQL is not installed: run `cargo xtask setup`")?;
        let (data, port) = (self.data("postgres")?, free_port()?);
        let mut initdb = child(core, "postgres", &server.with_file_name("initdb"));
        run(initdb
            .args(["--username=bench", "--auth=trust", "--no-locale", "--encoding=UTF8", "--pgdata"])
            .arg(&data))?;
        let mut command = child(core, "postgres", &server);
        command.arg("-D").arg(&data).args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        self.servers.push(spawn(command.args(["-p", &port]))?);
        let mut ready = Command::new(server.with_file_name("pg_isready"));
        wait(ready.args(["-h", "127.0.0.1", "-p", &port]))?;
        self.set("POSTGRES_URL", format!("postgres://bench@127.0.0.1:{port}/postgres"));
        Ok(())
    }

    fn start_mariadb(&mut self, core: usize) -> Outcome<()> {
        let server = tools::MARIADB.find().ok_or("MariaDB is not installed: run `cargo xtask setup`")?;
        let (data, port) = (self.data("mysql")?, free_port()?);
        let datadir = format!("--datadir={}", data.display());
        let mut install = child(core, "mysql", Path::new("mariadb-install-db"));
        run(install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &datadir]))?;
        // One statement a line: the server reads the file so.
        let setup = "CREATE DATABASE IF NOT EXISTS bench;\nCREATE USER IF NOT EXISTS 'bench'@'%' IDENTIFIED BY 'bench';\n\
                     GRANT ALL ON bench.* TO 'bench'@'%';\n";
        fs::write(self.folder.join("setup.sql"), setup)?;
        let mut command = child(core, "mysql", &server);
        command.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve", &datadir]);
        for (option, file) in [("socket", "socket"), ("pid-file", "pid"), ("tmpdir", "")] {
            command.arg(format!("--{option}={}", data.join(file).display()));
        }
        command.arg(format!("--init-file={}", self.folder.join("setup.sql").display()));
        self.servers.push(spawn(command.arg(format!("--port={port}")))?);
        let mut ready = Command::new("mariadb-admin");
        wait(
            ready
                .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--user=bench", "--password=bench"])
                .args([&format!("--port={port}"), "status"]),
        )?;
        self.set("MYSQL_URL", format!("mysql://bench:bench@127.0.0.1:{port}/bench"));
        Ok(())
    }

    /// A folder for a database, its user's own.
    fn data(&self, user: &str) -> Outcome<PathBuf> {
        let data = self.folder.join(user);
        fs::create_dir_all(&data)?;
        if is_root()? {
            run(Command::new("chown").arg(user).arg(&data))?;
        }
        Ok(data)
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A command as the databases' user: they refuse to run as root.
fn child(core: usize, user: &str, program: &Path) -> Command {
    if !is_root().unwrap_or(false) {
        return host::child(core, program);
    }
    let mut command = host::child(core, "setpriv");
    // The signal is given up with the user, so it is asked for again.
    command.args(["--reuid", user, "--regid", user, "--clear-groups", "--pdeathsig", "KILL"]).arg(program);
    command
}

fn is_root() -> Outcome<bool> {
    let output = Command::new("id").arg("-u").output()?;
    Ok(output.stdout.starts_with(b"0"))
}

fn free_port() -> Outcome<String> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port().to_string())
}

fn spawn(command: &mut Command) -> Outcome<Child> {
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

fn run(command: &mut Command) -> Outcome<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{:?} failed: {said}", command.get_program()).into())
}

/// Asks again and again until the command succeeds.
fn wait(command: &mut Command) -> Outcome<()> {
    let start = Instant::now();
    while let Err(error) = run(command) {
        if start.elapsed() > PATIENCE {
            return Err(error);
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
