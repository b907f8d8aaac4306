//! What the runtime counts, for the thread that listens.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};

/// Counters by their name and labels: `session_refused_total{session_type=User,reason=token}`.
#[derive(Clone, Default)]
pub(crate) struct Counters(Arc<Mutex<BTreeMap<String, u64>>>, Measured);

/// How often each histogram was given a value, by its name and labels.
type Measured = Arc<Mutex<BTreeMap<String, u64>>>;

struct Measure {
    measured: Measured,
    name: String,
}

impl HistogramFn for Measure {
    fn record(&self, value: f64) {
        assert!((0.0..600.0).contains(&value), "{} is in seconds: {value}", self.name);
        *self.measured.lock().unwrap().entry(self.name.clone()).or_default() += 1;
    }
}

fn name(key: &Key) -> String {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

struct Count {
    counters: Counters,
    name: String,
}

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        *self.counters.0.lock().unwrap().entry(self.name.clone()).or_default() += value;
    }

    fn absolute(&self, value: u64) {
        self.counters.0.lock().unwrap().insert(self.name.clone(), value);
    }
}

impl Counters {
    /// Runs `scenario` while everything that is counted on this thread goes here.
    pub(crate) async fn of(scenario: impl Future<Output = ()>) -> BTreeMap<String, u64> {
        let counters = Self::default();
        let guard = set_default_local_recorder(&counters);
        scenario.await;
        drop(guard);
        counters.0.lock().unwrap().clone()
    }

    /// The same for what is measured.
    pub(crate) async fn measured(scenario: impl Future<Output = ()>) -> BTreeMap<String, u64> {
        let counters = Self::default();
        let guard = set_default_local_recorder(&counters);
        scenario.await;
        drop(guard);
        counters.1.lock().unwrap().clone()
    }
}

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Count { counters: self.clone(), name: name(key) }))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Measure { measured: Arc::clone(&self.1), name: name(key) }))
    }
}
