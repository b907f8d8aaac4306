//! Removing what has expired, from stores that don't forget by themselves.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use super::core::Core;
use super::{SessionData, Sessions, ending};
use crate::error::Error;
use crate::lease::StoreClient;

/// The most that one call removes before it lets others on.
const BATCH: usize = 256;

impl<T: SessionData> Sessions<T> {
    /// Removes every session that has expired from the store, and says how many: for those who would rather
    /// have a scheduler do it. A store that forgets by itself has nothing to remove.
    ///
    /// The runtime does the same in the background, for as long as a `Sessions` lives. Where types have an `on_end`, it is
    /// called before a session is removed, and this waits for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the backend is down; what was removed until then stays so.
    pub async fn sweep(&self) -> Result<usize, Error> {
        self.core().sweep().await
    }
}

impl Core {
    fn sweep(&self) -> BoxFuture<'_, Result<usize, Error>> {
        Box::pin(sweep(&self.0.client))
    }
}

async fn sweep(client: &StoreClient) -> Result<usize, Error> {
    if let Some(swept) = ending::sweep(client).await? {
        return Ok(swept);
    }
    let mut swept = 0;
    while let Some(store) = client.store.sweeping() {
        let batch = client.within(store.sweep(client.now(), BATCH)).await?;
        swept += batch;
        if batch < BATCH {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(swept)
}

/// A task that sweeps now and then. It ends with the sessions.
pub(super) fn sweeper(client: &Arc<StoreClient>, idle: Duration) -> Option<JoinHandle<()>> {
    client.store.sweeping()?;
    let client = Arc::clone(client);
    let pause = (idle / 4).clamp(Duration::from_secs(1), Duration::from_secs(60));
    Some(tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            // A failure is logged where the deadline is kept; the next round tries again.
            let _ = sweep(&client).await;
        }
    }))
}
