//! Random sequences of operations, checked against the model, and made short where they fail.

use super::Pair;
use super::model::{Outcome, World};
use super::operations::{Can, Operation, sequence};

/// The same in each run, and some that are new in each.
const FIXED: u64 = 16;
const FRESH: usize = 8;

/// The seed of a sequence that failed before.
const SEED: &str = "CONFORMANCE_SEED";

/// Names the sequence that was under way when a call failed or hung.
struct Underway(u64);

impl Drop for Underway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the sequence of {SEED}={}", self.0);
        }
    }
}

/// Runs sequences of what the store can do.
pub(super) async fn check(pair: &Pair, lease: bool) {
    let can = Can { pass: !pair.is_real_time(), lease, sweep: pair.one.store.sweeping().is_some() };
    for seed in seeds() {
        let _underway = Underway(seed);
        let operations = sequence(seed, can);
        if let Err(wrong) = World::new(pair).run(&operations).await {
            let (operations, wrong) = shortest(pair, operations, wrong).await;
            panic!("{wrong}\nafter {operations:#?}");
        }
    }
}

fn seeds() -> Vec<u64> {
    match std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => {
            let fresh = std::iter::repeat_with(|| u64::from_be_bytes(crate::id::random()));
            (0..FIXED).chain(fresh.take(FRESH)).collect()
        }
    }
}

/// Leaves out what isn't needed for a failure.
async fn shortest(pair: &Pair, mut operations: Vec<Operation>, mut wrong: String) -> (Vec<Operation>, String) {
    let mut at = operations.len();
    while at > 0 {
        at -= 1;
        let mut fewer = operations.clone();
        fewer.remove(at);
        let outcome: Outcome = World::new(pair).run(&fewer).await;
        if let Err(still) = outcome {
            (operations, wrong) = (fewer, still);
        }
    }
    (operations, wrong)
}
