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
    /// The share of all writes that was not lost, where all connections write one session.
    pub(crate) kept: Option<f64>,
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
    /// The load average of the machine before the first round and after each.
    pub(crate) loads: Vec<f64>,
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
        let mut ratios = self.within_rounds(load, variant, base, |one, base| one.rate / base.rate);
        ratios.sort_by(f64::total_cmp);
        ratios
    }

    /// The processor time of another as a share of this one's: what the ratio of the rates would be if each waited for
    /// nothing.
    pub(crate) fn by_cpu(&self, load: Load, variant: Variant, base: Variant) -> Vec<f64> {
        self.within_rounds(load, variant, base, |one, base| base.cpu / one.cpu)
    }

    fn within_rounds(
        &self,
        load: Load,
        variant: Variant,
        base: Variant,
        ratio: impl Fn(&Sample, &Sample) -> f64,
    ) -> Vec<f64> {
        let samples = self.samples[&(load, variant)].iter();
        samples.zip(&self.samples[&(load, base)]).map(|(one, base)| ratio(one, base)).collect()
    }
}

/// The middle value, or the mean of the two middle ones.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}
