//! What is measured: the servers, and what is asked of them.

use std::str::FromStr;

/// One of the servers under load; all have the same routes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Variant {
    Bare,
    BareCookie,
    Memory,
    MemoryUpdate,
    RedisNear,
    TowerMemory,
    AxumSession,
    Cookie,
    PrivateJar,
    File,
    FileDurable,
    Sqlite,
    Postgres,
    MySql,
    Raw,
    Redis,
    RedisUpdate,
    TowerRedis,
    TowerRedisSliding,
}

impl Variant {
    /// In the order of the table: each baseline before what is compared with it.
    pub(crate) const ALL: [Self; 19] = [
        Self::Bare,
        Self::BareCookie,
        Self::Memory,
        Self::MemoryUpdate,
        Self::RedisNear,
        Self::TowerMemory,
        Self::AxumSession,
        Self::Cookie,
        Self::PrivateJar,
        Self::File,
        Self::FileDurable,
        Self::Sqlite,
        Self::Postgres,
        Self::MySql,
        Self::Raw,
        Self::Redis,
        Self::RedisUpdate,
        Self::TowerRedis,
        Self::TowerRedisSliding,
    ];

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::BareCookie => "bare-cookie",
            Self::Memory => "memory",
            Self::MemoryUpdate => "memory-update",
            Self::RedisNear => "redis-near",
            Self::TowerMemory => "tower-memory",
            Self::AxumSession => "axum-session",
            Self::Cookie => "cookie",
            Self::PrivateJar => "private-jar",
            Self::File => "file",
            Self::FileDurable => "file-durable",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::Raw => "raw",
            Self::Redis => "redis",
            Self::RedisUpdate => "redis-update",
            Self::TowerRedis => "tower-redis",
            Self::TowerRedisSliding => "tower-redis-sliding",
        }
    }

    /// Its name in the table.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Bare => "no session",
            Self::BareCookie => "no session, but its cookie and header",
            Self::Memory => "session-runtime, memory",
            Self::MemoryUpdate => "session-runtime, memory, update",
            Self::RedisNear => "session-runtime, Redis, near-cache",
            Self::TowerMemory => "tower-sessions, memory",
            Self::AxumSession => "axum_session, memory",
            Self::Cookie => "session-runtime, cookie",
            Self::PrivateJar => "axum-extra, PrivateCookieJar",
            Self::File => "session-runtime, file",
            Self::FileDurable => "session-runtime, file, durable",
            Self::Sqlite => "session-runtime, SQLite",
            Self::Postgres => "session-runtime, PostgreSQL",
            Self::MySql => "session-runtime, MariaDB",
            Self::Raw => "raw Redis",
            Self::Redis => "session-runtime, Redis",
            Self::RedisUpdate => "session-runtime, Redis, update",
            Self::TowerRedis => "tower-sessions, Redis",
            Self::TowerRedisSliding => "tower-sessions, sliding",
        }
    }

    /// The server that this one's rate is divided by.
    pub(crate) fn baseline(self) -> Self {
        match self {
            Self::Raw | Self::Redis | Self::RedisUpdate | Self::TowerRedis | Self::TowerRedisSliding => Self::Raw,
            _ => Self::Bare,
        }
    }

    pub(crate) fn uses_redis(self) -> bool {
        self.baseline() == Self::Raw || self == Self::RedisNear
    }

    /// The toolkit on one backend after the other.
    pub(crate) const BACKENDS: [Self; 9] = [
        Self::Memory,
        Self::Cookie,
        Self::File,
        Self::FileDurable,
        Self::Redis,
        Self::RedisNear,
        Self::Sqlite,
        Self::Postgres,
        Self::MySql,
    ];

    /// What an answer counts after so many writes of its session; `None` where requests carry no session.
    pub(crate) fn counted(self, writes: u64) -> Option<u64> {
        match self {
            Self::Bare | Self::BareCookie => None,
            // A request is the same each time, so each changes the session as it was at login.
            Self::Cookie | Self::PrivateJar => Some(writes.min(1)),
            _ => Some(writes),
        }
    }

    /// Whether a write waits for those of the same session before it, so that none may be lost.
    pub(crate) fn is_exclusive(self) -> bool {
        !matches!(
            self,
            Self::Bare
                | Self::BareCookie
                | Self::Raw
                | Self::Cookie
                | Self::TowerMemory
                | Self::AxumSession
                | Self::TowerRedis
                | Self::TowerRedisSliding
        )
    }

    /// The share of the baseline's rate that the toolkit is meant to reach.
    pub(crate) fn aim(self, load: Load) -> Option<f64> {
        match (self, load) {
            (Self::Memory, Load::Read | Load::ReadMany) => Some(0.90),
            (Self::Memory, Load::Write) => Some(0.75),
            (Self::RedisNear, Load::Read | Load::ReadMany) => Some(0.80),
            (Self::Redis, Load::Read | Load::ReadMany) => Some(0.95),
            (Self::Redis, Load::Write) => Some(0.85),
            _ => None,
        }
    }

    /// How many commands a request is meant to cost Redis at most.
    pub(crate) fn most_commands(self, load: Load) -> Option<f64> {
        match (self, load) {
            (Self::RedisNear, Load::Read | Load::ReadMany) => Some(0.05),
            (Self::Redis, Load::Read | Load::ReadMany) => Some(1.0),
            _ => None,
        }
    }
}

impl FromStr for Variant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|variant| variant.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("no server is called `{name}`; there are {names}")
        })
    }
}

/// What the connections ask for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Load {
    /// Every connection reads the same session.
    Read,
    /// The connections read a thousand sessions in turn.
    ReadMany,
    /// The connections write a thousand sessions in turn, each its own share of them: writers of one session would queue, by
    /// design.
    Write,
    /// They do: every connection writes the same session.
    WriteOne,
}

impl Load {
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::ReadMany, Self::Write, Self::WriteOne];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Read => "read, one session",
            Self::ReadMany => "read, 1,000 sessions",
            Self::Write => "exclusive write, 1,000 sessions",
            Self::WriteOne => "exclusive write, one session",
        }
    }
}
