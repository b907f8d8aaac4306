//! Where an example keeps its sessions.

use std::env::{self, VarError};
use std::error::Error;

#[cfg(any(feature = "redis", feature = "file", feature = "sqlite"))]
use session_runtime::backend::Backend;
#[cfg(feature = "file")]
use session_runtime::backend::File;
#[cfg(feature = "redis")]
use session_runtime::backend::Redis;
#[cfg(feature = "sqlite")]
use session_runtime::backend::Sqlite;
use session_runtime::{SessionData, Sessions};

/// In memory, as the type declares, or where `SESSION_STORE` says, so that several processes share them:
/// `redis://127.0.0.1:6379`, `file:target/sessions`, or `sqlite:target/sessions.sqlite`.
pub(crate) async fn open<T: SessionData>() -> Result<Sessions<T>, Box<dyn Error>> {
    let place = match env::var("SESSION_STORE") {
        Ok(place) => place,
        Err(VarError::NotPresent) => return Ok(T::sessions().await?),
        Err(error) => return Err(error.into()),
    };
    match place.split_once(':') {
        #[cfg(feature = "redis")]
        Some(("redis" | "rediss", _)) => shared(Redis::new(&place, "examples:")?).await,
        #[cfg(feature = "file")]
        Some(("file", folder)) => shared(File::new(folder)?).await,
        #[cfg(feature = "sqlite")]
        Some(("sqlite", file)) => shared(Sqlite::new(file, "sessions").await?).await,
        _ => Err(format!(
            "SESSION_STORE is {place:?}; write redis://host:port, file:folder or sqlite:file, and build with the \
             cargo feature of that name"
        )
        .into()),
    }
}

/// A store that outlives this process needs keys that do.
#[cfg(any(feature = "redis", feature = "file", feature = "sqlite"))]
async fn shared<T: SessionData, B: Backend>(backend: B) -> Result<Sessions<T>, Box<dyn Error>> {
    let keys = env::var("SESSION_KEYS").map_err(|_| "set SESSION_KEYS to the output of `cargo run --bin keygen`")?;
    Ok(Sessions::builder().backend(backend).key(&keys).open().await?)
}
