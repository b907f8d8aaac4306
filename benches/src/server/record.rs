//! What every session holds.

use serde::{Deserialize, Serialize};

/// A name of sixteen characters, three roles, ten integers.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) numbers: [u64; 10],
}

impl Record {
    pub(crate) fn new(number: usize) -> Self {
        Self {
            name: format!("visitor-{number:08}"),
            roles: ["reader", "editor", "billing"].map(str::to_owned).to_vec(),
            // The first is the counter; the others have the sizes of ids and times.
            numbers: [0, 1, 42, 365, 4_096, 86_400, 1_000_003, 4_294_967_295, 1_763_760_000, 1_763_760_000_000],
        }
    }

    /// Counts a write.
    pub(crate) fn count(&mut self) -> String {
        self.numbers[0] += 1;
        self.numbers[0].to_string()
    }
}
