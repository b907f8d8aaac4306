//! What the library tells `tracing`, for tests that assert on it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, Subscriber, set_default};
use tracing::{Level, Metadata};

/// The events of this library that are told on the thread that listens, until this is dropped. The guide's page about
/// observability names them.
///
/// A `#[tokio::test]` and all that it spawns are on one thread, unless its flavor is `multi_thread`. While this listens,
/// no other subscriber of the thread hears anything.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use session_runtime::{SessionData, Sessions, backend::Memory, testing::Events};
/// # #[derive(Serialize, Deserialize, SessionData)]
/// # struct User { name: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let users = Sessions::<User>::builder().backend(Memory::default()).ephemeral_key().open().await?;
/// let events = Events::listen();
/// let started = users.start(User { name: "Ann".into() }).await?;
/// let event = events.only("session.started");
/// assert_eq!(event.field("session"), Some(started.public_id().to_string().as_str()));
/// # Ok(())
/// # }
/// ```
#[must_use = "it listens until it is dropped"]
pub struct Events {
    told: Arc<Mutex<Vec<ToldEvent>>>,
    _guard: DefaultGuard,
}

/// An event as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldEvent {
    name: &'static str,
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

impl Events {
    /// Listens from now on.
    pub fn listen() -> Self {
        let told = Arc::<Mutex<Vec<ToldEvent>>>::default();
        let guard = set_default(Listener(Arc::clone(&told)));
        Self { told, _guard: guard }
    }

    /// All events until now, in their order.
    pub fn all(&self) -> Vec<ToldEvent> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those of this name, such as `session.ended`.
    pub fn named(&self, name: &str) -> Vec<ToldEvent> {
        self.all().into_iter().filter(|event| event.name == name).collect()
    }

    /// The one of this name.
    ///
    /// # Panics
    /// If there is none, or more than one.
    pub fn only(&self, name: &str) -> ToldEvent {
        let mut found = self.named(name);
        let all: Vec<&str> = self.all().iter().map(|event| event.name).collect();
        assert_eq!(found.len(), 1, "events named {name:?} among {all:?}");
        found.remove(0)
    }

    /// Forgets what was told until now.
    pub fn clear(&self) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

impl ToldEvent {
    /// The name, such as `session.started`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// A field's text, such as that of `session`: the public id.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

struct Listener(Arc<Mutex<Vec<ToldEvent>>>);

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == "session_runtime"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        let metadata = event.metadata();
        let told = ToldEvent { name: metadata.name(), level: *metadata.level(), fields: fields.0 };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
