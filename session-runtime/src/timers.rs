//! How long stores and leases take: the histograms of `metrics`, where that feature is on.

#[cfg(feature = "metrics")]
use std::time::Instant;

use crate::error::Error;
use crate::telemetry::Type;

/// How long a call to a store takes: told when this goes, so that a call is told too that nobody waits for any more.
#[cfg(feature = "metrics")]
pub(crate) struct StoreTimer {
    backend: &'static str,
    operation: &'static str,
    outcome: &'static str,
    started: Instant,
}

#[cfg(feature = "metrics")]
impl StoreTimer {
    /// `backend` is the path of its type, of which the name is told.
    pub(crate) fn start(backend: &'static str, operation: &'static str) -> Self {
        let backend = backend.rsplit("::").next().unwrap_or(backend);
        Self { backend, operation, outcome: "abandoned", started: Instant::now() }
    }

    pub(crate) fn answered(&mut self, is_ok: bool) {
        self.outcome = if is_ok { "ok" } else { "error" };
    }
}

#[cfg(feature = "metrics")]
impl Drop for StoreTimer {
    fn drop(&mut self) {
        let Self { backend, operation, outcome, started } = *self;
        metrics::histogram!("session_store_seconds", "backend" => backend, "operation" => operation, "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
    }
}

/// How long an exclusive borrow waits for its turn and the lease, loading included.
pub(crate) struct LeaseTimer {
    #[cfg(feature = "metrics")]
    session_type: Type,
    #[cfg(feature = "metrics")]
    started: Instant,
    #[cfg(feature = "metrics")]
    outcome: &'static str,
}

impl LeaseTimer {
    #[cfg(feature = "metrics")]
    pub(crate) fn start(session_type: Type) -> Self {
        Self { session_type, started: Instant::now(), outcome: "abandoned" }
    }

    #[cfg(not(feature = "metrics"))]
    pub(crate) fn start(_: Type) -> Self {
        Self {}
    }

    /// What came of it.
    #[cfg(feature = "metrics")]
    pub(crate) fn ended<T>(&mut self, outcome: &Result<Option<T>, Error>) {
        self.outcome = match outcome {
            Ok(Some(_)) => "granted",
            Ok(None) => "absent",
            Err(Error::Busy) => "busy",
            Err(_) => "error",
        };
    }

    #[cfg(not(feature = "metrics"))]
    pub(crate) fn ended<T>(&mut self, _: &Result<Option<T>, Error>) {}
}

#[cfg(feature = "metrics")]
impl Drop for LeaseTimer {
    fn drop(&mut self) {
        metrics::histogram!("session_lease_wait_seconds", "session_type" => self.session_type, "outcome" => self.outcome)
            .record(self.started.elapsed().as_secs_f64());
    }
}
