//! The flawed store's watches.

use std::{
    ptr,
    sync::{Arc, Mutex},
};

use futures_util::future::BoxFuture;
use session_runtime::backend::{BackendError, RecordKey, Watch};

use crate::{
    flawed::{Flawed, State},
    flaws::Flaw,
};

impl Flawed {
    /// Tells those who watch that a record is gone.
    pub(crate) fn tell(&self, name: &RecordKey) {
        for ((key, handle), watching) in &self.state().watches {
            let elsewhere = *handle != self.handle();
            if key != name || self.is(Flaw::EndsAreSilent) || elsewhere && self.is(Flaw::EndsStayHere) {
                continue;
            }
            match self.flaw {
                Some(Flaw::OneWatchIsTold) => watching.notify_one(),
                _ => watching.notify_waiters(),
            }
        }
    }

    /// What tells this handle from another on the same store.
    fn handle(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}

/// A watch that ends those of others with its own.
struct Jealous(Arc<Mutex<State>>, RecordKey);

impl Drop for Jealous {
    fn drop(&mut self) {
        self.0.lock().unwrap().watches.retain(|(key, _), _| *key != self.1);
    }
}

impl Watch for Flawed {
    async fn watch(&self, key: &RecordKey) -> Result<BoxFuture<'static, ()>, BackendError> {
        let name = self.name(key);
        let mut state = self.state();
        if self.is(Flaw::WatchesAreUses)
            && let Some(entry) = state.entries.get_mut(&name)
        {
            entry.record.version += 1;
        }
        let watching = Arc::clone(state.watches.entry((name, self.handle())).or_default());
        if self.is(Flaw::WatchesHearLate) {
            return Ok(Box::pin(async move { watching.notified().await }));
        }
        let told = Arc::clone(&watching).notified_owned();
        let jealous = self.is(Flaw::DroppedWatchesTakeOthersAlong).then(|| Jealous(self.shared(), name));
        Ok(Box::pin(async move {
            let _jealous = jealous;
            told.await;
        }))
    }
}
