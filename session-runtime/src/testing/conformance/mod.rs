//! What every backend must do, whichever it is: the suite that the crate's own backends pass, and yours.
//!
//! [`conformance!`](macro@crate::testing::conformance) makes each behaviour a test of its own, so that a failure
//! names what is broken. The behaviours are here as functions, each with what it asks of a store:
//!
//! - [`records`]: conditional writes, expiry, and what must hold of them when many ask at once;
//! - [`interrupted`]: futures that are dropped half-way, and handles that go away;
//! - [`leases`]: exclusive use, and who is woken when it ends;
//! - [`keeping`]: leases that are kept over a save;
//! - [`comparing`]: changes without a lease, and who is left alone by them;
//! - [`sweeping`]: removing what has expired;
//! - [`watching`]: who is told of a session's end;
//! - [`listing`]: reading every record, page by page.
//!
//! [`records`] and [`leases`] each end with random sequences of operations, checked against a simple model.
//!
//! A session that travels in its cookie ([`Cookie`](crate::backend::Cookie)) has no store to be asked; what of this
//! holds of it all the same is asked over HTTP, by the same names, in the toolkit's own tests.
//!
//! A backend is asked with time as the runtime gives it ([`Touch::now`](crate::backend::Touch),
//! [`Lease::now`](crate::backend::Lease)), and the suite turns that clock: nothing waits. For a store that goes
//! by a clock of its own there is [`Pair::real_time`].

pub mod comparing;
pub mod interrupted;
pub mod keeping;
pub mod leases;
pub mod listing;
mod model;
mod operations;
mod pair;
pub mod records;
mod sequences;
pub mod sweeping;
pub mod watching;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;

pub use self::pair::Pair;

const IDLE: Duration = Duration::from_secs(600);
const LIFETIME: Duration = Duration::from_secs(3600);
/// A lease that doesn't run out meanwhile, and one that does.
const LEASE: Duration = Duration::from_secs(600);
const SHORT_LEASE: Duration = Duration::from_millis(150);
/// How many do the same at once.
const MANY: usize = 32;

/// Makes the suite's behaviours tests of a backend, in a module of the name given.
///
/// ```
/// use session_runtime::{backend::Memory, testing::{Pair, conformance}};
///
/// conformance! {
///     memory: Backend + Leases + KeepLease + CompareAndSet + Sweep + Watch + List => Pair::shared(Memory::default())
/// }
/// ```
///
/// The traits are those that the backend implements: [`Backend`](crate::backend::Backend), and then of
/// [`Leases`](crate::backend::Leases), [`KeepLease`](crate::backend::KeepLease), [`CompareAndSet`](crate::backend::CompareAndSet), [`Sweep`](crate::backend::Sweep), [`Watch`](crate::backend::Watch) and
/// [`List`](crate::backend::List). The expression gives a [`Pair`] of handles on an empty store. It is evaluated for each test, inside a tokio runtime, so it
/// may `.await`; it sees what is in scope in the module where the macro is called.
///
/// Nothing else is needed: neither another dependency nor an attribute for asynchronous tests.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance {
    ($name:ident: Backend $(+ $capability:ident)* => $pair:expr $(,)?) => {
        $crate::__behaviours! { @module $name [$pair] [$($capability)*] Backend $($capability)* }
    };
}

/// Lists the behaviours, and makes tests or a table of them.
#[doc(hidden)]
#[macro_export]
macro_rules! __behaviours {
    (@module $name:ident [$pair:expr] [$($declared:ident)*] $($capability:ident)+) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "the expression may use nothing of it")]
            use super::*;

            #[test]
            fn the_capabilities_are_those_that_are_tested() {
                $crate::testing::conformance::capabilities(async { $pair }, &[$(stringify!($declared)),*]);
            }

            $($crate::__behaviours! { @of $capability [$pair] })+
        }
    };
    (@of Backend [$pair:expr]) => {
        $crate::__behaviours! { @names records @tests [$pair] }
        $crate::__behaviours! { @names interrupted @tests [$pair] }
    };
    (@of Leases [$pair:expr]) => { $crate::__behaviours! { @names leases @tests [$pair] } };
    (@of KeepLease [$pair:expr]) => { $crate::__behaviours! { @names keeping @tests [$pair] } };
    (@of CompareAndSet [$pair:expr]) => { $crate::__behaviours! { @names comparing @tests [$pair] } };
    (@of Sweep [$pair:expr]) => { $crate::__behaviours! { @names sweeping @tests [$pair] } };
    (@of Watch [$pair:expr]) => { $crate::__behaviours! { @names watching @tests [$pair] } };
    (@of List [$pair:expr]) => { $crate::__behaviours! { @names listing @tests [$pair] } };
    (@of $other:ident [$pair:expr]) => {
        compile_error!(concat!(
            "`", stringify!($other), "` is no capability that the suite knows: name `Leases`, `KeepLease`, \
             `CompareAndSet`, `Sweep`, `Watch`, `List`"
        ));
    };
    (@tests [$pair:expr] $part:ident $($behaviour:ident)+) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::testing::conformance::run(async { $pair }, $crate::testing::conformance::$part::$behaviour);
            }
        )+
    };
    (@list $part:ident $($behaviour:ident)+) => {
        &[$(Behaviour {
            part: stringify!($part),
            name: stringify!($behaviour),
            ask: |pair| Box::pin($crate::testing::conformance::$part::$behaviour(pair)),
        }),+]
    };

    (@names records $($then:tt)+) => {
        $crate::__behaviours! { $($then)+ records
            a_record_is_created_once_and_loaded_as_it_was_written
            keys_that_look_alike_name_different_records
            loading_updating_and_deleting_what_is_not_there_is_no_error_and_creates_nothing
            of_many_who_create_one_record_at_once_one_succeeds
            an_update_replaces_the_version_that_it_names_and_no_other
            of_many_who_update_one_version_at_once_one_succeeds
            an_update_never_brings_back_what_was_deleted
            a_load_notes_the_use_within_the_slack_that_the_store_names
            looking_at_a_record_is_no_use_of_it
            a_load_that_meets_a_change_takes_nothing_back
            a_load_that_meets_the_end_never_brings_the_record_back
            a_reader_sees_one_version_or_the_next_and_never_half_of_it
            an_expired_record_is_not_revived_by_loading_it
            a_record_outlives_its_idle_timeout_only_by_being_used
            a_record_that_never_idles_is_there_until_it_expires
            a_clock_that_jumps_makes_no_immortal_record
            any_sequence_of_operations_ends_as_the_model_says
        }
    };
    (@names interrupted $($then:tt)+) => {
        $crate::__behaviours! { $($then)+ interrupted
            a_creation_that_is_dropped_has_happened_or_not
            a_write_that_is_dropped_has_happened_or_not
            a_removal_that_is_dropped_has_happened_or_not
            a_handle_that_goes_away_takes_no_record_with_it
        }
    };
    (@names leases $($then:tt)+) => {
        $crate::__behaviours! { $($then)+ leases
            a_lease_is_one_holders_until_it_is_given_up
            a_lease_keeps_no_reader_waiting_and_no_delete
            a_lease_on_what_is_not_there_is_absent_and_holds_nothing
            saving_gives_up_the_lease_and_wakes_who_waits
            releasing_wakes_who_waits_and_the_release_of_another_does_nothing
            deleting_wakes_who_waits_and_what_he_finds_is_nothing
            a_save_of_another_version_is_refused_and_gives_up_the_lease
            a_save_without_the_lease_is_refused
            a_save_after_the_end_creates_nothing
            a_lease_that_ran_out_is_anothers_and_the_late_save_and_release_are_refused
            a_lease_that_ran_out_is_refused_even_if_nobody_took_it
            an_extended_lease_is_kept_and_a_lost_one_is_not_extended
            many_holders_take_turns_and_lose_no_change
            a_waiter_who_gives_up_leaves_nothing_behind
            a_borrow_that_is_dropped_holds_nothing_for_longer_than_its_lease
            who_leaves_while_he_asks_keeps_the_lease_from_nobody_for_longer_than_it_runs
            any_sequence_of_borrows_ends_as_the_model_says
        }
    };
    (@names keeping $($then:tt)+) => {
        $crate::__behaviours! { $($then)+ keeping
            a_save_that_keeps_the_lease_stores_and_leaves_it_with_its_holder
            a_save_that_keeps_the_lease_tells_that_somebody_waits
            a_save_that_keeps_the_lease_is_refused_for_another_version_and_gives_it_up
            a_save_that_keeps_the_lease_is_refused_without_one
            a_save_that_keeps_the_lease_creates_nothing_after_the_end
            a_save_that_keeps_the_lease_extends_it
            a_lease_that_ran_out_is_not_kept
            a_save_that_keeps_the_lease_and_is_dropped_has_happened_or_not
        }
    };
    (@names comparing $($then:tt)+) => {
        $crate::__behaviours! { $($then)+ comparing
            a_comparison_replaces_the_version_that_it_names_and_no_other
            a_comparison_with_what_is_not_there_creates_nothing
            a_comparison_leaves_a_session_alone_that_somebody_holds
            a_lease_that_ran_out_is_in_no_comparisons_way
            of_many_comparisons_with_one_version_one_succeeds
            comparisons_and_borrows_at_once_lose_no_change
            a_comparison_that_is_dropped_has_happened_or_not
        }
    };
    (@names sweeping $($then:tt)+) => {
        $crate::__behaviours! { $($then)+ sweeping
            a_sweep_removes_what_has_expired_and_nothing_else
            a_sweep_removes_no_more_than_it_is_told_to
            a_sweep_leaves_what_is_in_use_and_takes_what_reached_its_lifetime
            a_sweep_goes_by_each_records_own_time
            many_who_sweep_at_once_remove_each_record_once
            what_has_expired_is_told_of_before_it_is_forgotten
            forgetting_takes_what_has_expired_and_nothing_else
        }
    };
    (@names watching $($then:tt)+) => {
        $crate::__behaviours! { $($then)+ watching
            a_watch_tells_when_the_record_is_deleted_through_either_handle
            a_watch_hears_from_its_answer_on
            everybody_who_watches_is_told
            a_watch_that_is_dropped_leaves_nothing_behind
            watching_is_no_use_and_creates_nothing
        }
    };
    (@names listing $($then:tt)+) => {
        $crate::__behaviours! { $($then)+ listing
            every_record_is_listed_as_it_is_stored
            a_list_shows_what_is_stored_at_the_moment
            what_is_stored_all_along_is_listed_while_others_come_and_go
            listing_is_no_use_of_a_record
        }
    };
}

/// One thing that a backend must do, for those who run the suite with a harness of their own.
pub struct Behaviour {
    part: &'static str,
    name: &'static str,
    ask: fn(Pair) -> LocalBoxFuture<'static, ()>,
}

/// Every behaviour of the suite, in its parts.
pub static BEHAVIOURS: &[&[Behaviour]] = &[
    crate::__behaviours! { @names records @list },
    crate::__behaviours! { @names interrupted @list },
    crate::__behaviours! { @names leases @list },
    crate::__behaviours! { @names keeping @list },
    crate::__behaviours! { @names comparing @list },
    crate::__behaviours! { @names sweeping @list },
    crate::__behaviours! { @names watching @list },
    crate::__behaviours! { @names listing @list },
];

impl Behaviour {
    /// The part of the suite that it belongs to: the name of its module.
    pub const fn part(&self) -> &'static str {
        self.part
    }

    /// What is to hold, as the name of a function.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Asks it of a store.
    ///
    /// # Panics
    /// If the store does otherwise.
    pub fn check(&self, pair: impl Future<Output = Pair>) {
        run(pair, self.ask);
    }
}

impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.part, self.name)
    }
}

/// Asks a behaviour of a store, in a runtime made for it.
#[doc(hidden)]
pub fn run<F: Future<Output = ()>>(pair: impl Future<Output = Pair>, behaviour: impl FnOnce(Pair) -> F) {
    // Two threads, so that what can go wrong between two of them has a chance to.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a tokio runtime can be started");
    runtime.block_on(async { behaviour(pair.await).await });
}

/// Whether a store has the capabilities that it is tested for, and no others.
#[doc(hidden)]
pub fn capabilities(pair: impl Future<Output = Pair>, tested: &[&str]) {
    run(pair, async |pair: Pair| {
        for side in [&pair.one, &pair.other] {
            let store = &side.store;
            let found = [
                ("Leases", store.leases().is_some()),
                ("KeepLease", store.keeping().is_some()),
                ("CompareAndSet", store.comparing().is_some()),
                ("Sweep", store.sweeping().is_some()),
                ("Watch", store.watching().is_some()),
                ("List", store.listing().is_some()),
            ];
            for (name, found) in found {
                let by_test = tested.contains(&name);
                assert_eq!(found, by_test, "`{name}` by `Backend::capabilities` and by what `conformance!` was given");
            }
        }
    });
}
