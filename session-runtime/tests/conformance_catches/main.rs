//! The suite of backends catches what it is there to catch: a store with one flaw at a time fails it, where it
//! should.

mod borrowed;
mod compared;
mod flawed;
mod flaws;
mod kept;
mod listed;
mod watched;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use session_runtime::{
    backend::Memory,
    testing::{
        Pair, conformance,
        conformance::{BEHAVIOURS, Behaviour},
    },
};

use crate::{
    flawed::Flawed,
    flaws::{ALSO, FLAWS, Flaw, SEQUENTIAL},
};

// Without a flaw the store passes, and without its capabilities as the backend that it is then.
conformance! { flawless: Backend + Leases + KeepLease + CompareAndSet + Sweep + Watch + List => Flawed::pair(None) }
conformance! { plain: Backend => Flawed::pair(Some(Flaw::NothingIsDeclared)) }
conformance! { memory: Backend + Leases + KeepLease + CompareAndSet + Sweep + Watch + List => Pair::shared(Memory::default()) }

fn behaviours() -> impl Iterator<Item = &'static Behaviour> {
    BEHAVIOURS.iter().copied().flatten()
}

/// What a behaviour says against a store.
fn complaint(flaw: Flaw, behaviour: &str) -> Option<String> {
    let behaviour = behaviours().find(|known| known.name() == behaviour).expect("it is one of the suite's");
    // Not as long as for a store that may yet do what it should.
    let pair = async { Flawed::pair(Some(flaw)).patience(Duration::from_millis(300)) };
    let payload = catch_unwind(AssertUnwindSafe(|| behaviour.check(pair))).err()?;
    let text = payload.downcast_ref::<String>().cloned();
    Some(text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
}

fn pairs() -> impl Iterator<Item = (Flaw, &'static str)> {
    let sequential = SEQUENTIAL.iter().flat_map(|(behaviour, flaws)| flaws.iter().map(|flaw| (*flaw, *behaviour)));
    FLAWS.iter().chain(ALSO).copied().chain(sequential)
}

#[test]
fn each_flaw_is_caught_by_the_behaviour_that_names_it() {
    let missed: Vec<_> = pairs().filter(|(flaw, behaviour)| complaint(*flaw, behaviour).is_none()).collect();
    assert!(missed.is_empty(), "not caught: {missed:#?}");
}

#[test]
fn each_behaviour_catches_a_flaw() {
    let caught: Vec<_> = pairs().map(|(_, behaviour)| behaviour).collect();
    let idle: Vec<_> = behaviours().filter(|behaviour| !caught.contains(&behaviour.name())).collect();
    assert!(idle.is_empty(), "nothing shows that these would fail: {idle:#?}");
}

#[test]
fn a_sequence_that_fails_is_made_short_and_shown() {
    let text = complaint(Flaw::SavesCreate, "any_sequence_of_borrows_ends_as_the_model_says").expect("it is caught");
    assert!(text.contains("a save: Done, not Absent"), "{text}");
    assert_eq!(text.matches("Save {").count(), 1, "one operation is enough to show it: {text}");
    for other in ["Create {", "Load {", "Acquire {", "Pass("] {
        assert!(!text.contains(other), "{text}");
    }
}

#[test]
fn capabilities_that_are_not_declared_are_missed() {
    let check = |flaw, tested: &[&str]| {
        catch_unwind(|| conformance::capabilities(async { Flawed::pair(flaw) }, tested)).is_ok()
    };
    let all = ["Leases", "KeepLease", "CompareAndSet", "Sweep", "Watch", "List"];
    assert!(check(None, &all));
    assert!(!check(Some(Flaw::NothingIsDeclared), &all));
    for left_out in all {
        let tested: Vec<_> = all.into_iter().filter(|name| *name != left_out).collect();
        assert!(!check(None, &tested), "what a store can do is to be tested: {left_out}");
    }
}
