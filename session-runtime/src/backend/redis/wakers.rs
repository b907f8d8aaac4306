//! Who in this process waits for a lease that another process holds, or watches for a session's end.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use redis::{PushInfo, PushKind, Value};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::id::RecordKey;

#[derive(Default)]
pub(super) struct Wakers(Mutex<HashMap<RecordKey, Arc<Notify>>>);

impl Wakers {
    /// Listens from now on.
    pub(super) fn listen(self: &Arc<Self>, key: &RecordKey) -> ReleaseWaiter {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notified = Box::pin(Arc::clone(waiting.entry(*key).or_default()).notified_owned());
        notified.as_mut().enable();
        ReleaseWaiter { notified: Some(notified), wakers: Arc::clone(self), key: *key }
    }

    /// A message from Redis: a lease was given up, or a session ended.
    pub(super) fn hear(&self, push: &PushInfo) {
        match (&push.kind, push.data.as_slice()) {
            (PushKind::Message, [_, Value::BulkString(key)]) => {
                let key = <[u8; 32]>::try_from(key.as_slice()).ok().map(RecordKey::from_bytes);
                let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(notify) = key.and_then(|key| waiting.get(&key)) {
                    notify.notify_waiters();
                }
            }
            (PushKind::Disconnection, _) => self.wake_all(),
            _ => {}
        }
    }

    /// Messages may have been lost with a connection, so each waiter has to look for itself.
    pub(super) fn wake_all(&self) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.values().for_each(|notify| notify.notify_waiters());
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// A place among those who wait, given up when it is dropped.
pub(super) struct ReleaseWaiter {
    notified: Option<Pin<Box<OwnedNotified>>>,
    wakers: Arc<Wakers>,
    key: RecordKey,
}

impl ReleaseWaiter {
    pub(super) async fn woken(mut self) {
        if let Some(notified) = &mut self.notified {
            notified.await;
        }
    }
}

impl Drop for ReleaseWaiter {
    fn drop(&mut self) {
        self.notified = None;
        let mut waiting = self.wakers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.get(&self.key).is_some_and(|notify| Arc::strong_count(notify) == 1) {
            waiting.remove(&self.key);
        }
    }
}
