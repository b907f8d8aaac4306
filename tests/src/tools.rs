//! The programs that the tests start, and where they are found.
//!
//! `cargo xtask setup` includes this file, so that what is installed and what is looked for are one list.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A program that the tests start.
#[derive(Debug)]
pub struct Tool {
    /// The names it goes by, the preferred one first.
    pub programs: &'static [&'static str],
    /// The Debian package that brings it.
    pub package: &'static str,
    /// What it is asked, to see that it is what it seems.
    pub ask: &'static [&'static str],
}

const VERSION: &[&str] = &["--version"];

/// A Redis server.
pub const REDIS: Tool = Tool { programs: &["redis-server"], package: "redis-server", ask: VERSION };

/// A PostgreSQL server; `initdb` stands beside it.
pub const POSTGRES: Tool = Tool { programs: &["postgres"], package: "postgresql", ask: VERSION };

/// A MariaDB server; `mariadb-install-db` comes with it.
pub const MARIADB: Tool = Tool { programs: &["mariadbd"], package: "mariadb-server", ask: VERSION };

/// A pooler of connections to PostgreSQL.
pub const PGBOUNCER: Tool = Tool { programs: &["pgbouncer"], package: "pgbouncer", ask: VERSION };

/// Chromium, or a Chrome that was installed by hand.
pub const BROWSER: Tool = Tool {
    programs: &["chromium", "google-chrome", "google-chrome-stable", "chromium-browser"],
    package: "chromium",
    ask: VERSION,
};

/// The driver that speaks WebDriver for [`BROWSER`].
pub const DRIVER: Tool = Tool { programs: &["chromedriver"], package: "chromium-driver", ask: VERSION };

/// The driver of WebKit, the engine of Safari.
pub const WEBKIT: Tool = Tool { programs: &["WebKitWebDriver"], package: "webkit2gtk-driver", ask: &["--help"] };

/// A screen that nobody sees, for [`WEBKIT`].
pub const SCREEN: Tool = Tool { programs: &["Xvfb"], package: "xvfb", ask: &["-help"] };

/// Firefox.
pub const FIREFOX: Tool = Tool { programs: &["firefox-esr", "firefox"], package: "firefox-esr", ask: VERSION };

/// The command-line client whose cookie jar the examples must please.
pub const CURL: Tool = Tool { programs: &["curl"], package: "curl", ask: VERSION };

/// A caching proxy to stand before an application.
pub const NGINX: Tool = Tool { programs: &["nginx"], package: "nginx-light", ask: &["-v"] };

/// Another one, which reads `Vary` by code of its own.
pub const VARNISH: Tool = Tool { programs: &["varnishd"], package: "varnish", ask: &["-V"] };
/// A file system in user space that shows a folder in another place.
pub const BINDFS: Tool = Tool { programs: &["bindfs"], package: "bindfs", ask: VERSION };
/// What makes certificates for servers.
pub const OPENSSL: Tool = Tool { programs: &["openssl"], package: "openssl", ask: &["version"] };

/// A Prometheus server, to run the example's dashboard and alert rules on.
pub const PROMETHEUS: Tool = Tool { programs: &["prometheus"], package: "prometheus", ask: VERSION };
/// What checks and tests alert rules.
pub const PROMTOOL: Tool = Tool { programs: &["promtool"], package: "prometheus", ask: VERSION };

/// What counts the instructions of a program.
pub const VALGRIND: Tool = Tool { programs: &["valgrind"], package: "valgrind", ask: VERSION };

/// A Python that can read our tokens.
pub const PYTHON_CRYPTOGRAPHY: Tool =
    Tool { programs: PYTHON, package: "python3-cryptography", ask: &["-c", "import cryptography"] };

/// A Python with the HTTP client whose cookie jar the examples must please.
pub const PYTHON_REQUESTS: Tool =
    Tool { programs: PYTHON, package: "python3-requests", ask: &["-c", "import requests"] };

/// A Python that can make a folder of packages of its own, for [`python_packages`].
pub const PYTHON_VENV: Tool =
    Tool { programs: PYTHON, package: "python3-venv", ask: &["-c", "import ensurepip, venv"] };

/// The packages of the files `requirements.txt` in `tests/openapi`, `tests/backends` and `tests/browser`, which Debian does
/// not have in these versions: a virtual environment that `cargo xtask setup` makes.
pub fn python_packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target").join("python")
}

// The packages are for the system's own one.
const PYTHON: &[&str] = &["/usr/bin/python3", "python3"];

/// All of them.
pub const ALL: &[Tool] = &[
    REDIS,
    POSTGRES,
    MARIADB,
    PGBOUNCER,
    BROWSER,
    DRIVER,
    CURL,
    NGINX,
    VARNISH,
    BINDFS,
    OPENSSL,
    PROMETHEUS,
    PROMTOOL,
    VALGRIND,
    PYTHON_CRYPTOGRAPHY,
    PYTHON_REQUESTS,
    PYTHON_VENV,
    WEBKIT,
    SCREEN,
    FIREFOX,
];

impl Tool {
    /// The program's path, if one of its names is on `PATH`, or where Debian keeps servers, and answers what it is asked.
    ///
    /// The answer is asked for because some distributions install a stand-in that only names another package, and a
    /// Python may lack the module.
    pub fn find(&self) -> Option<PathBuf> {
        let path = env::var_os("PATH")?;
        let folders: Vec<_> = servers().chain(env::split_paths(&path)).collect();
        self.programs
            .iter()
            .flat_map(|program| folders.iter().map(move |folder| folder.join(program)))
            .find(|candidate| candidate.is_file() && self.is_answered_by(candidate))
    }

    fn is_answered_by(&self, program: &Path) -> bool {
        let mut command = Command::new(program);
        command.args(self.ask).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// Where Debian keeps servers that are not on everybody's `PATH`: PostgreSQL's versions side by side, the newest first.
fn servers() -> impl Iterator<Item = PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<u32> = versions.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable();
    let postgres = versions.into_iter().rev().map(|version| format!("/usr/lib/postgresql/{version}/bin").into());
    postgres.chain([PathBuf::from("/usr/sbin")])
}
