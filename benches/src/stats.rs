//! What a measurement yields, and the middle of several.

use std::collections::BTreeMap;

use crate::variant::{Load, Variant};

/// One server under one load in one round.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Processor time of the server, in microseconds per request.
    pub(crate) cpu: f64,
    /// The share of its core that the server used: well under 1, something else held it up.
    pub(crate) busy: f64,
    /// Redis commands per request, by name, those that scripts ran included.
    pub(crate) commands: BTreeMap<String, f64>,
}

/// What a server asks of Redis for one request.
#[derive(Clone, Default, Debug)]
pub(crate) struct Commands {
    /// Those it sent.
    pub(crate) sent: f64,
    /// Those that a script ran inside Redis.
    pub(crate) in_scripts: f64,
}

/// Everything measured.
#[derive(Default)]
pub(crate) struct Results {
    /// One sample per round.
    pub(crate) samples: BTreeMap<(Load, Variant), Vec<Sample>>,
    pub(crate) commands: BTreeMap<(Load, Variant), Commands>,
    /// Instructions per request.
    pub(crate) instructions: BTreeMap<(Load, Variant), f64>,
}

impl Results {
    /// The median over the rounds of one figure.
    pub(crate) fn median(&self, load: Load, variant: Variant, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples[&(load, variant)].iter().map(figure).collect())
    }

    /// The rate as a share of another's, taken within each round, lowest first.
    pub(crate) fn ratios(&self, load: Load, variant: Variant, base: Variant) -> Vec<f64> {
        let rates = self.samples[&(load, variant)].iter();
        let base = self.samples[&(load, base)].iter();
        let mut ratios: Vec<f64> = rates.zip(base).map(|(one, base)| one.rate / base.rate).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }
}

/// The middle value, or the mean of the two middle ones.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}
