//! What the runtime tells `tracing`, for the thread that listens: a test and the server inside it.

use std::{
    collections::BTreeMap,
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

/// One event or span: its name, level and fields.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    pub(crate) target: &'static str,
    pub(crate) is_event: bool,
    fields: BTreeMap<&'static str, String>,
}

impl Told {
    /// A field's text; empty without it.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// Everything told on this thread since.
pub(crate) struct Events {
    told: Arc<Mutex<Vec<Told>>>,
    _guard: DefaultGuard,
}

impl Events {
    /// Listens until this value is dropped.
    pub(crate) fn listen() -> Self {
        let told = Arc::<Mutex<Vec<Told>>>::default();
        let guard = tracing::subscriber::set_default(Listener { told: Arc::clone(&told) });
        Self { told, _guard: guard }
    }

    /// The runtime's of this name.
    pub(crate) fn named(&self, name: &str) -> Vec<Told> {
        self.told.lock().unwrap().iter().filter(|told| told.name == name).cloned().collect()
    }

    /// All of the runtime's.
    pub(crate) fn all(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// All of the runtime's, as one text.
    pub(crate) fn text(&self) -> String {
        self.told.lock().unwrap().iter().fold(String::new(), |mut text, told| {
            writeln!(text, "{told:?}").unwrap();
            text
        })
    }
}

struct Listener {
    told: Arc<Mutex<Vec<Told>>>,
}

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Listener {
    fn note(&self, metadata: &Metadata<'static>, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(BTreeMap::new());
        record(&mut fields);
        let told = Told {
            name: metadata.name(),
            level: *metadata.level(),
            target: metadata.target(),
            is_event: metadata.is_event(),
            fields: fields.0,
        };
        self.told.lock().unwrap().push(told);
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("session_runtime")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(span.metadata(), |fields| span.record(fields));
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        self.note(event.metadata(), |fields| event.record(fields));
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
