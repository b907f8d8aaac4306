//! Random operations, the same for the same seed.

use std::time::Duration;

use super::{IDLE, LIFETIME};

/// How many records and holders a sequence has.
pub(super) const KEYS: usize = 2;
pub(super) const HOLDERS: usize = 3;

/// How long a sequence is.
const LENGTH: usize = 80;

/// One step of a sequence. Records and holders go by their number; an odd one asks through the other handle.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Pass(Duration),
    Create { key: usize, side: usize },
    Load { key: usize, side: usize },
    Update { key: usize, side: usize, expecting: Expecting },
    Delete { key: usize, side: usize },
    Acquire { key: usize, holder: usize, ttl: Duration },
    Compare { key: usize, side: usize, expecting: Expecting },
    Extend { key: usize, holder: usize, ttl: Duration },
    Save { key: usize, holder: usize, expecting: Expecting },
    Keep { key: usize, holder: usize, ttl: Duration, expecting: Expecting },
    Release { key: usize, holder: usize },
    Sweep { side: usize, limit: usize },
}

/// The version that a write names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expecting {
    Stored,
    Older,
    Newer,
}

/// What a store can be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Supported {
    pub(super) pass: bool,
    pub(super) lease: bool,
    pub(super) keep: bool,
    pub(super) compare: bool,
    pub(super) sweep: bool,
}

/// SplitMix64: short, and good enough to choose.
struct Rng(u64);

impl Rng {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// The sequence of a seed.
pub(super) fn sequence(seed: u64, can: Supported) -> Vec<Operation> {
    let mut dice = Rng(seed);
    (0..LENGTH).map(|_| operation(&mut dice, can)).collect()
}

fn operation(dice: &mut Rng, can: Supported) -> Operation {
    use Operation::{Acquire, Compare, Create, Delete, Extend, Keep, Load, Pass, Release, Save, Sweep, Update};

    // The stored version more often than not: a sequence of refusals gets nowhere.
    const EXPECTING: [Expecting; 5] =
        [Expecting::Stored, Expecting::Stored, Expecting::Stored, Expecting::Older, Expecting::Newer];
    loop {
        // One record and one holder more often than the others, so that more happens to them.
        let [key, holder] = [KEYS, HOLDERS].map(|count| dice.below(count + 1).saturating_sub(1));
        let (side, limit) = (dice.below(2), dice.below(3));
        let (expecting, ttl) = (dice.one_of(&EXPECTING), ttl(dice, can));
        return match dice.below(64) {
            0..9 if can.pass => Pass(pause(dice)),
            9..15 => Create { key, side },
            15..18 => Load { key, side },
            18..23 => Update { key, side, expecting },
            23 => Delete { key, side },
            24..36 if can.lease => Acquire { key, holder, ttl },
            36..40 if can.lease => Extend { key, holder, ttl },
            40..49 if can.lease => Save { key, holder, expecting },
            49..52 if can.lease => Release { key, holder },
            52..54 if can.sweep => Sweep { side, limit },
            54..58 if can.compare => Compare { key, side, expecting },
            58..64 if can.keep => Keep { key, holder, ttl, expecting },
            _ => continue,
        };
    }
}

/// Whole seconds, so that no lease (see [`ttl`]) is asked for at the very instant at which it runs out.
fn pause(dice: &mut Rng) -> Duration {
    let seconds = Duration::from_secs;
    match dice.below(16) {
        0 => LIFETIME / 3,
        1 => IDLE,
        2 => IDLE / 2,
        _ => dice.one_of(&[seconds(1), seconds(10), seconds(60)]),
    }
}

fn ttl(dice: &mut Rng, can: Supported) -> Duration {
    let ttl = dice.one_of(&[Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(400)]);
    // Where the clock can't be turned none may run out.
    if can.pass { ttl + Duration::from_millis(5) } else { LIFETIME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence_of_what_the_store_can_do() {
        let can = Supported { pass: false, lease: false, keep: false, compare: false, sweep: false };
        let text = |seed| format!("{:?}", sequence(seed, can));
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
        let all: String = (0..50).map(text).collect();
        assert!(["Create", "Load", "Update", "Delete"].iter().all(|name| all.contains(name)));
        assert!(["Pass", "Acquire", "Keep", "Compare", "Sweep"].iter().all(|name| !all.contains(name)));
    }
}
