//! The store that an address names.

use std::path::Path;
use std::time::Duration;

use futures_util::future::BoxFuture;
use session_runtime::backend::{self, BackendError, List, ListCursor, ListPage, Record, RecordKey};
use session_runtime::inspect::Purpose;

use crate::cli::StoreArgs;
use crate::failure::{Failure, Result};

/// How long one call may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How many records are asked for at once.
const PAGE: usize = 200;
const VARIABLE: &str = "SESSION_STORE";
const SCHEMES: &str = "redis://host:6379, postgres://host/database, mysql://host/database, sqlite:sessions.db or \
                       file:/var/lib/shop/sessions";

type Answer<'a, T> = BoxFuture<'a, std::result::Result<T, BackendError>>;

/// A backend whose type is forgotten.
trait AnyStore: Send + Sync {
    fn list<'a>(&'a self, after: Option<&'a ListCursor>) -> Answer<'a, ListPage>;
    fn peek<'a>(&'a self, key: &'a RecordKey) -> Answer<'a, Option<Record>>;
    fn delete<'a>(&'a self, key: &'a RecordKey) -> Answer<'a, bool>;
}

impl<B: List> AnyStore for B {
    fn list<'a>(&'a self, after: Option<&'a ListCursor>) -> Answer<'a, ListPage> {
        Box::pin(List::list(self, after, PAGE))
    }

    fn peek<'a>(&'a self, key: &'a RecordKey) -> Answer<'a, Option<Record>> {
        Box::pin(backend::Backend::peek(self, key))
    }

    fn delete<'a>(&'a self, key: &'a RecordKey) -> Answer<'a, bool> {
        Box::pin(backend::Backend::delete(self, key))
    }
}

pub(crate) struct Store(Box<dyn AnyStore>);

impl Store {
    /// Opens the store. Nothing is asked of a server yet, unless `probes` is set.
    pub(crate) async fn open(args: &StoreArgs, probes: bool) -> Result<Self> {
        let address = address(args)?;
        let scheme = address.split(':').next().unwrap_or_default();
        match scheme {
            "redis" | "rediss" | "redis+unix" | "unix" => redis(&address, args, probes).await,
            "postgres" | "postgresql" => postgres(&address, args, probes).await,
            "mysql" | "mariadb" => mysql(&address, args, probes).await,
            "sqlite" => sqlite(path_of(&address, "sqlite:"), args).await,
            "file" => files(path_of(&address, "file:"), args),
            // The address is not repeated: it may hold a password.
            _ => Err(Failure::wrong(format!("the store's address has no scheme that is known; write {SCHEMES}"))),
        }
    }

    async fn ask<T>(&self, answer: Answer<'_, T>) -> Result<T> {
        match tokio::time::timeout(DEADLINE, answer).await {
            Ok(answer) => answer.map_err(|error| Failure::store(format!("the store refused or failed: {error}"))),
            Err(_) => Err(Failure::store(format!("the store did not answer within {} s", DEADLINE.as_secs()))),
        }
    }

    pub(crate) async fn list(&self, after: Option<&ListCursor>) -> Result<ListPage> {
        self.ask(self.0.list(after)).await
    }

    pub(crate) async fn peek(&self, key: &RecordKey) -> Result<Option<Record>> {
        self.ask(self.0.peek(key)).await
    }

    pub(crate) async fn delete(&self, key: &RecordKey) -> Result<bool> {
        self.ask(self.0.delete(key)).await
    }
}

fn address(args: &StoreArgs) -> Result<String> {
    if let Some(address) = &args.store {
        let authority = address.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        if user.contains(':') || ["password=", "pass="].iter().any(|name| address.contains(name)) {
            let why =
                format!("--store holds a password, which other users of this machine can see; put it in {VARIABLE}");
            return Err(Failure::wrong(why));
        }
        return Ok(address.clone());
    }
    std::env::var(VARIABLE)
        .ok()
        .filter(|address| !address.is_empty())
        .ok_or_else(|| Failure::wrong(format!("there is no store; set {VARIABLE}, or give --store, as in {SCHEMES}")))
}

fn path_of<'a>(address: &'a str, scheme: &str) -> &'a Path {
    let path = address.strip_prefix(scheme).unwrap_or(address);
    Path::new(path.strip_prefix("//").unwrap_or(path))
}

/// The type that is meant, if one is.
pub(crate) fn purpose(args: &StoreArgs) -> Option<Purpose> {
    let identity = args.identity.as_deref()?;
    Some(match &args.cookie {
        Some(cookie) => Purpose::new(identity, cookie),
        None => Purpose::of_type(identity),
    })
}

#[cfg(feature = "redis")]
async fn redis(address: &str, args: &StoreArgs, probes: bool) -> Result<Store> {
    let prefix = match (&args.prefix, &args.identity) {
        (Some(prefix), _) => prefix.clone(),
        (None, Some(identity)) => format!("{}:", identity.replace('/', ":")),
        (None, None) => {
            return Err(Failure::wrong(
                "Redis may hold other keys as well; say which are sessions by --type or --prefix",
            ));
        }
    };
    let redis = backend::Redis::new(address, prefix).map_err(|error| Failure::wrong(error.to_string()))?;
    if probes {
        redis.check().await.map_err(Failure::store)?;
    }
    Ok(Store(Box::new(redis)))
}

#[cfg(feature = "postgres")]
async fn postgres(address: &str, args: &StoreArgs, probes: bool) -> Result<Store> {
    let lazy = backend::Postgres::new(address, &args.table).map_err(|error| Failure::wrong(error.to_string()))?;
    if !probes {
        return Ok(Store(Box::new(lazy)));
    }
    let mut config = backend::PostgresConfig::default();
    config.url = session_runtime::FromSetting::from_setting(address).map(Some).map_err(Failure::wrong)?;
    config.table = Some(args.table.clone());
    let opened = <backend::Postgres as backend::OpenBackend>::open(config, &SCOPE).await;
    opened.map(|postgres| Store(Box::new(postgres))).map_err(Failure::store)
}

#[cfg(feature = "mysql")]
async fn mysql(address: &str, args: &StoreArgs, probes: bool) -> Result<Store> {
    let lazy = backend::MySql::new(address, &args.table).map_err(|error| Failure::wrong(error.to_string()))?;
    if !probes {
        return Ok(Store(Box::new(lazy)));
    }
    let mut config = backend::MySqlConfig::default();
    config.url = session_runtime::FromSetting::from_setting(address).map(Some).map_err(Failure::wrong)?;
    config.table = Some(args.table.clone());
    let opened = <backend::MySql as backend::OpenBackend>::open(config, &SCOPE).await;
    opened.map(|mysql| Store(Box::new(mysql))).map_err(Failure::store)
}

/// The scope of a store whose place is told in full.
#[cfg(any(feature = "mysql", feature = "postgres"))]
const SCOPE: backend::Scope = backend::Scope::new("session-admin", "Any");

#[cfg(feature = "sqlite")]
async fn sqlite(path: &Path, args: &StoreArgs) -> Result<Store> {
    // Opening makes a file that is missing, which is no help to who has misspelt it.
    if !path.is_file() {
        return Err(Failure::wrong(format!("there is no file {}", path.display())));
    }
    let opened = backend::Sqlite::new(path, &args.table).await;
    opened.map(|sqlite| Store(Box::new(sqlite))).map_err(Failure::store)
}

#[cfg(feature = "file")]
fn files(path: &Path, args: &StoreArgs) -> Result<Store> {
    let folder = args.identity.as_ref().map_or_else(|| path.to_owned(), |identity| path.join(identity));
    if !folder.is_dir() {
        return Err(Failure::wrong(format!("there is no folder {}", folder.display())));
    }
    if args.identity.is_none() {
        return Err(Failure::wrong("each type has a folder of its own; say which by --type"));
    }
    backend::File::new(folder).map(|files| Store(Box::new(files))).map_err(Failure::store)
}

#[cfg(not(all(feature = "redis", feature = "postgres", feature = "mysql", feature = "sqlite", feature = "file")))]
fn without(feature: &str) -> Result<Store> {
    Err(Failure::wrong(format!("this program was built without the feature `{feature}`")))
}

#[cfg(not(feature = "redis"))]
async fn redis(_: &str, _: &StoreArgs, _: bool) -> Result<Store> {
    without("redis")
}

#[cfg(not(feature = "postgres"))]
async fn postgres(_: &str, _: &StoreArgs, _: bool) -> Result<Store> {
    without("postgres")
}

#[cfg(not(feature = "mysql"))]
async fn mysql(_: &str, _: &StoreArgs, _: bool) -> Result<Store> {
    without("mysql")
}

#[cfg(not(feature = "sqlite"))]
async fn sqlite(_: &Path, _: &StoreArgs) -> Result<Store> {
    without("sqlite")
}

#[cfg(not(feature = "file"))]
fn files(_: &Path, _: &StoreArgs) -> Result<Store> {
    without("file")
}
