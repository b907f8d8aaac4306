//! A backend of one's own, step by step: sessions in memory where nobody has to make room for others.
//!
//! Run it: `SESSION_KEYS=$(cargo run --bin keygen) cargo run --bin own_backend`, then open
//! <http://localhost:3000>. Its tests are the suite that every backend passes: `cargo test --bin own_backend`.

#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/serve.rs"]
mod serve;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use session_runtime::backend::{
    Acquired, Backend, BackendError, Capabilities, Holder, Lease, Leases, OpenBackend, OpenError, Record, RecordKey,
    Scope, Sweep, Touch, Written,
};
use session_runtime::{SessionData, Timestamp};
use tokio::sync::Notify;

/// Step 7, and the aim of it all: an attribute names the backend by its path, with arguments as its
/// [`OpenBackend::Config`] has them. Whether it keeps its sessions longer than the process lives isn't known
/// there, so a key has to be given.
#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(
    backend = crate::Shelf(capacity = 100),
    key = env("SESSION_KEYS"),
    cookie(http_on_localhost),
)]
struct User {
    name: String,
    visits: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    serve::serve(routes::router().with_state(User::sessions().await?)).await
}

/// Step 1: the state. `memory` forgets whoever was idle longest when it is full; a shelf that is full takes
/// nobody new (503), and forgets nobody.
struct Shelf {
    places: Mutex<HashMap<RecordKey, Place>>,
    capacity: usize,
}

/// A record as the runtime made it (its body is opaque here), the idle timeout of its type, and who has it
/// exclusively.
struct Place {
    record: Record,
    idle: Duration,
    held: Option<HeldLease>,
}

struct HeldLease {
    holder: Holder,
    until: Timestamp,
    freed: Arc<Notify>,
}

impl Shelf {
    fn new(capacity: usize) -> Self {
        Self { places: Mutex::default(), capacity }
    }

    /// Each operation below is done under this lock from its question to its answer: that makes it atomic, and
    /// with no `.await` in between it can't be dropped half-way.
    fn places(&self) -> MutexGuard<'_, HashMap<RecordKey, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The record as it was before this use, which is noted unless the record has expired: then the runtime will
    /// refuse it, and nothing may revive it.
    fn used(&mut self, touch: Touch) -> Record {
        let before = self.record.clone();
        if touch.is_live(&before, Duration::ZERO) {
            self.record.last_seen = touch.now;
        }
        before
    }

    /// The only way to write over a record: whoever read another version is told of the conflict.
    fn replace(&mut self, expected: u64, record: Record) -> Written {
        if self.record.version != expected {
            return Written::Conflict;
        }
        self.record = record;
        Written::Done
    }

    /// Ends the holder's lease, and wakes who waits for it.
    fn give_up(&mut self, holder: Holder) -> Option<HeldLease> {
        let held = self.held.take_if(|held| held.holder == holder)?;
        held.freed.notify_waiters();
        Some(held)
    }
}

/// Step 2: records. What isn't there is no error; an `Err` says that the store can't be asked, and becomes a 503.
impl Backend for Shelf {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        let mut places = self.places();
        if places.contains_key(key) {
            return Ok(false);
        }
        if places.len() >= self.capacity {
            return Err(BackendError::new("the shelf is full"));
        }
        places.insert(*key, Place { record, idle: touch.idle, held: None });
        Ok(true)
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        Ok(self.places().get_mut(key).map(|place| place.used(touch)))
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        Ok(self.places().get(key).map(|place| place.record.clone()))
    }

    async fn update(&self, key: &RecordKey, expected: u64, record: Record, _: Touch) -> Result<Written, BackendError> {
        // Never an insertion: a session that has ended stays ended.
        Ok(self.places().get_mut(key).map_or(Written::Absent, |place| place.replace(expected, record)))
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        let place = self.places().remove(key);
        if let Some(HeldLease { freed, .. }) = place.as_ref().and_then(|place| place.held.as_ref()) {
            freed.notify_waiters();
        }
        Ok(place.is_some())
    }

    /// Step 3: what it can do besides. Without leases it would be a backend all the same, one for `&User` and
    /// `Session<User>`.
    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(self).sweep(self)
    }
}

/// Step 4: exclusive borrows, `&mut User`. A lease has an end, so that nobody who vanished keeps a session locked;
/// and whoever overslept it finds out when he saves.
impl Leases for Shelf {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        let mut places = self.places();
        let Some(place) = places.get_mut(key) else { return Ok(Acquired::Absent) };
        if let Some(held) = place.held.as_ref().filter(|held| held.holder != lease.holder && lease.now < held.until) {
            // Listens from here on, under the lock: no wake is missed.
            let freed = Arc::clone(&held.freed).notified_owned();
            let left = held.until.since(lease.now);
            return Ok(Acquired::Busy(Box::pin(async move {
                let _ = tokio::time::timeout(left, freed).await;
            })));
        }
        place.held = Some(HeldLease { holder: lease.holder, until: lease.now.plus(lease.ttl), freed: Arc::default() });
        Ok(Acquired::Granted(place.used(touch)))
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        let mut places = self.places();
        let held = places.get_mut(key).and_then(|place| place.held.as_mut());
        let held = held.filter(|held| held.holder == lease.holder && lease.now < held.until);
        Ok(held.map(|held| held.until = lease.now.plus(lease.ttl)).is_some())
    }

    async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        _: Touch,
    ) -> Result<Written, BackendError> {
        let mut places = self.places();
        let Some(place) = places.get_mut(key) else { return Ok(Written::Absent) };
        // Given up in any case, and in the same step as the record is written.
        Ok(match place.give_up(lease.holder) {
            Some(held) if lease.now < held.until => place.replace(expected, record),
            _ => Written::Conflict,
        })
    }

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        self.places().get_mut(key).and_then(|place| place.give_up(lease.holder));
        Ok(())
    }
}

/// Step 5: what has expired goes, in batches, whenever the runtime asks for it.
impl Sweep for Shelf {
    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize, BackendError> {
        let mut places = self.places();
        let touch = |place: &Place| Touch { now, idle: place.idle, expires: place.record.expires };
        let expired = |place: &Place| !touch(place).is_live(&place.record, Duration::ZERO);
        let found = places.iter().filter(|(_, place)| expired(place)).map(|(key, _)| *key);
        let found: Vec<RecordKey> = found.take(limit).collect();
        found.iter().for_each(|key| drop(places.remove(key)));
        Ok(found.len())
    }
}

/// Step 6: the arguments. Each is a field of its name, of a type that text can become, so that it can be a literal
/// or come from the environment: `capacity = env("SHELF_CAPACITY", default = "100")`.
#[derive(Default)]
struct ShelfConfig {
    capacity: Option<usize>,
}

impl OpenBackend for Shelf {
    type Config = ShelfConfig;

    async fn open(config: ShelfConfig, _: &Scope) -> Result<Self, OpenError> {
        match config.capacity {
            Some(capacity @ 1..) => Ok(Self::new(capacity)),
            _ => Err(OpenError::option("backend = Shelf(capacity)", None, "is 0 or missing; write `capacity = 100`")),
        }
    }
}

// Step 8: whether it is right. Each behaviour becomes a test; the traits named are those that are implemented.
#[cfg(test)]
session_runtime::testing::conformance! {
    shelf: Backend + Leases + Sweep => session_runtime::testing::Pair::shared(Shelf::new(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_shelf_without_room_is_refused_and_a_full_one_takes_nobody_new() {
        let scope = Scope::new("examples", "User");
        assert!(Shelf::open(ShelfConfig::default(), &scope).await.is_err());
        let shelf = Shelf::open(ShelfConfig { capacity: Some(1) }, &scope).await.unwrap();
        let now = Timestamp::from_secs(1_000_000);
        let touch = Touch { now, idle: Duration::from_secs(60), expires: now.plus(Duration::from_secs(600)) };
        let record = Record { version: 1, last_seen: now, expires: touch.expires, body: Vec::new().into() };
        let [ann, bob] = [1, 2].map(|number| RecordKey::from_bytes([number; 32]));
        assert!(shelf.create(&ann, record.clone(), touch).await.unwrap());
        assert!(shelf.create(&bob, record, touch).await.is_err());
        assert!(shelf.load(&ann, touch).await.unwrap().is_some());
    }
}
