//! What the database servers have in common: a user who may run them, and a folder that was made once and is copied.

use std::{
    env,
    fs::{self, File},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Databases refuse to run as root, so tests that run as root give them a user of the system.
#[derive(Clone, Copy, Debug)]
struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// The one of these names that comes first; `None` for tests that don't run as root.
    fn find(names: &[&str]) -> Option<Self> {
        if !rustix::process::getuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").expect("the system's users can be read");
        let number = |name: &&str| {
            let mut fields =
                users.lines().map(|line| line.split(':')).find(|line| line.clone().next() == Some(name))?;
            Some(Self { uid: fields.nth(2)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
        };
        Some(names.iter().find_map(number).unwrap_or_else(|| panic!("there is a user of the name {}", names[0])))
    }
}

/// The kinds of servers, each with its own way to make an empty database.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Whom it runs as where the tests are root's.
    pub(crate) users: &'static [&'static str],
}

impl Kind {
    /// A command that runs as the servers' user.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        if let Some(User { uid, gid }) = User::find(self.users) {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// A folder that belongs to the servers' user.
    pub(crate) fn folder(&self) -> TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        self.give(folder.path());
        folder
    }

    fn give(&self, path: &Path) {
        if let Some(User { uid, gid }) = User::find(self.users) {
            chown(path, Some(uid), Some(gid)).expect("a folder can be given away");
        }
    }

    /// Copies the data of an empty database to `data`. They are made once for each version of the server, which is
    /// the slow part, by whoever comes first.
    pub(crate) fn copy_empty(&self, server: &Path, make: impl FnOnce(&Path) -> Command, data: &Path) {
        let original = self.original(&version(server), make);
        let copied = Command::new("cp").arg("-a").args([&original, data]).stdin(Stdio::null()).status();
        assert!(copied.is_ok_and(|status| status.success()), "{} can be copied", original.display());
    }

    fn original(&self, version: &str, make: impl FnOnce(&Path) -> Command) -> PathBuf {
        let uid = rustix::process::getuid().as_raw();
        let home = env::temp_dir().join(format!("session-tests-{}-{uid}", self.name));
        fs::create_dir_all(&home).expect("a folder for the database's original");
        self.give(&home);
        let lock = File::create(home.join("lock")).expect("a lock can be made");
        lock.lock().expect("the lock can be had");
        let original = home.join(version);
        if !original.exists() {
            let draft = home.join("draft");
            _ = fs::remove_dir_all(&draft);
            let output = make(&draft).stdin(Stdio::null()).output();
            let output = output.unwrap_or_else(|error| panic!("a database can't be made: {error}"));
            let said = [output.stdout, output.stderr].concat();
            assert!(output.status.success(), "a database can't be made:\n{}", String::from_utf8_lossy(&said));
            fs::rename(&draft, &original).expect("the original can be named");
        }
        original
    }
}

/// What the server calls its version, as the name of a file.
fn version(server: &Path) -> String {
    let output = Command::new(server).arg("--version").output().expect("it tells its version");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
}
