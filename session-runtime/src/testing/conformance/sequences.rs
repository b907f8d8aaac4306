//! Random sequences of operations, checked against the model, and made short where they fail.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::Pair;
use super::model::{Model, Outcome};
use super::operations::{Operation, Supported, sequence};

/// How many sequences are the same in each run: the fewest, and the most that fit into the time.
const FIXED: Range<u64> = 16..128;
const TIME: Duration = Duration::from_secs(1);
/// And how many are new in each run.
const FRESH: usize = 4;

/// The seed of a sequence that failed before.
const SEED: &str = "CONFORMANCE_SEED";

/// Names the sequence that was under way when a call failed or hung.
struct RunningSeed(u64);

impl Drop for RunningSeed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the sequence of {SEED}={}", self.0);
        }
    }
}

/// Runs sequences of what the store can do.
pub(super) async fn check(pair: &Pair, lease: bool) {
    let store = &pair.one.store;
    let (keep, compare) = (lease && store.keeping().is_some(), lease && store.comparing().is_some());
    let can = Supported { pass: !pair.is_real_time(), lease, keep, compare, sweep: store.sweeping().is_some() };
    for seed in seeds() {
        let _underway = RunningSeed(seed);
        let operations = sequence(seed, can);
        if let Err(wrong) = Model::new(pair).run(&operations).await {
            let (operations, wrong) = shortest(pair, operations, wrong).await;
            let lines: String = operations.iter().map(|operation| format!("\n    {operation:?}")).collect();
            panic!("{wrong}\nafter{lines}");
        }
    }
}

fn seeds() -> Box<dyn Iterator<Item = u64>> {
    if let Some(seed) = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()) {
        return Box::new(std::iter::once(seed));
    }
    let begun = Instant::now();
    let fixed = (0..FIXED.end).take_while(move |seed| *seed < FIXED.start || begun.elapsed() < TIME);
    let fresh = std::iter::repeat_with(|| u64::from_be_bytes(crate::id::random()));
    Box::new(fixed.chain(fresh.take(FRESH)))
}

/// Leaves out what isn't needed for a failure.
async fn shortest(pair: &Pair, mut operations: Vec<Operation>, mut wrong: String) -> (Vec<Operation>, String) {
    let mut at = operations.len();
    while at > 0 {
        at -= 1;
        let mut fewer = operations.clone();
        fewer.remove(at);
        let outcome: Outcome = Model::new(pair).run(&fewer).await;
        if let Err(still) = outcome {
            (operations, wrong) = (fewer, still);
        }
    }
    (operations, wrong)
}
