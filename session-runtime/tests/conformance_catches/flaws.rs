//! What can be wrong with a backend, and what the suite says then.

/// Lists the flaws, each with a behaviour that must show it.
macro_rules! flaws {
    ($($behaviour:ident: $($flaw:ident)+;)+) => {
        /// What is wrong with a store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Flaw { $($($flaw,)+)+ NothingIsDeclared }

        /// Each flaw, and a behaviour that must show it.
        pub(crate) const FLAWS: &[(Flaw, &str)] = &[$($((Flaw::$flaw, stringify!($behaviour)),)+)+];
    };
}

flaws! {
    a_record_is_created_once_and_loaded_as_it_was_written:
        CreationsReplace BodiesEndAtZero BodiesAreText VersionsAreFloats LoadsTellThisUse;
    keys_that_look_alike_name_different_records: NamesAreShort NamesHaveNoCase;
    loading_updating_and_deleting_what_is_not_there_is_no_error_and_creates_nothing:
        AbsentIsAnError UpdatesCreate RemovalsAlwaysFind;
    of_many_who_create_one_record_at_once_one_succeeds: CreationsRace;
    an_update_replaces_the_version_that_it_names_and_no_other: UpdatesOverwrite HandlesRemember;
    of_many_who_update_one_version_at_once_one_succeeds: UpdatesRace;
    an_update_never_brings_back_what_was_deleted: RemovalsHide;
    a_load_notes_the_use_within_the_slack_that_the_store_names: UsesAreForgotten UsesAreVersions UsesMoveTheEnd;
    a_load_that_meets_a_change_takes_nothing_back: UsesWriteBack;
    looking_at_a_record_is_no_use_of_it: LooksAreUses;
    a_reader_sees_one_version_or_the_next_and_never_half_of_it: WritesAreTorn;
    an_expired_record_is_not_revived_by_loading_it: UsesRevive;
    a_record_outlives_its_idle_timeout_only_by_being_used: ForgetsEarly;
    a_record_that_never_idles_is_there_until_it_expires: EndlessIdlesOut;

    a_creation_that_is_dropped_has_happened_or_not: CreationsAreTorn;
    a_write_that_is_dropped_has_happened_or_not: WritesRemoveFirst;
    a_removal_that_is_dropped_has_happened_or_not: RemovalsAreTorn;
    a_handle_that_goes_away_takes_no_record_with_it: HandlesTakeAllWithThem;

    a_lease_is_one_holders_until_it_is_given_up: LeasesAreShared;
    a_lease_keeps_no_reader_waiting_and_no_delete: ReadersWait;
    a_lease_on_what_is_not_there_is_absent_and_holds_nothing: NothingIsLeased;
    saving_gives_up_the_lease_and_wakes_who_waits: SavesWakeNobody SavesKeepTheLease;
    releasing_wakes_who_waits_and_the_release_of_another_does_nothing: ReleasesWakeNobody AnybodyReleases;
    deleting_wakes_who_waits_and_what_he_finds_is_nothing: RemovalsWakeNobody RemovalsKeepTheLease;
    a_save_of_another_version_is_refused_and_gives_up_the_lease: SavesOverwrite RefusalsKeepTheLease;
    a_save_without_the_lease_is_refused: AnybodySaves OthersFreeTheLease;
    a_save_after_the_end_creates_nothing: SavesCreate;
    a_lease_that_ran_out_is_anothers_and_the_late_save_and_release_are_refused: LeasesNeverEnd WaitersMissTheEnd;
    a_lease_that_ran_out_is_refused_even_if_nobody_took_it: SavesMayBeLate ExtensionsMayBeLate;
    an_extended_lease_is_kept_and_a_lost_one_is_not_extended: ExtensionsAreIdle AnybodyExtends;
    many_holders_take_turns_and_lose_no_change: LeasesRace;
    a_waiter_who_gives_up_leaves_nothing_behind: WaitersKeepTheirPlace;
    a_borrow_that_is_dropped_holds_nothing_for_longer_than_its_lease: BorrowsStick;
    who_leaves_while_he_asks_keeps_the_lease_from_nobody_for_longer_than_it_runs: LeaversKeepTheirPlace;

    a_save_that_keeps_the_lease_stores_and_leaves_it_with_its_holder: KeepsStoreNothing KeepsGiveUp;
    a_save_that_keeps_the_lease_tells_that_somebody_waits: KeepsAreAlone;
    a_save_that_keeps_the_lease_is_refused_for_another_version_and_gives_it_up: KeepsOverwrite RefusalsKeepOn;
    a_save_that_keeps_the_lease_is_refused_without_one: AnybodyKeeps;
    a_save_that_keeps_the_lease_creates_nothing_after_the_end: KeepsCreate;
    a_save_that_keeps_the_lease_extends_it: KeepsDoNotExtend;
    a_lease_that_ran_out_is_not_kept: KeepsMayBeLate;
    a_save_that_keeps_the_lease_and_is_dropped_has_happened_or_not: KeepsRemoveFirst;

    a_comparison_replaces_the_version_that_it_names_and_no_other: ComparisonsOverwrite;
    a_comparison_with_what_is_not_there_creates_nothing: ComparisonsCreate;
    a_comparison_leaves_a_session_alone_that_somebody_holds: ComparisonsKnowNoLease;
    a_lease_that_ran_out_is_in_no_comparisons_way: LeasesOutlastComparisons;
    of_many_comparisons_with_one_version_one_succeeds: ComparisonsRace;
    comparisons_and_borrows_at_once_lose_no_change: ComparisonsLookForLeasesFirst;
    a_comparison_that_is_dropped_has_happened_or_not: ComparisonsRemoveFirst;

    a_sweep_removes_what_has_expired_and_nothing_else: SweepsTakeNothing SweepsTakeAll;
    a_sweep_removes_no_more_than_it_is_told_to: SweepsKnowNoBound SweepsTakeMore;
    a_sweep_leaves_what_is_in_use_and_takes_what_reached_its_lifetime: SweepsGoByAge;
    a_sweep_goes_by_each_records_own_time: SweepsKnowOneTimeout;
    many_who_sweep_at_once_remove_each_record_once: SweepsCountTwice;
    what_has_expired_is_told_of_before_it_is_forgotten: TellsOfTheLive TellsOfMore TellingRemoves;
    forgetting_takes_what_has_expired_and_nothing_else: ForgetsTheLive ForgetsAndCountsAll;

    a_watch_tells_when_the_record_is_deleted_through_either_handle: EndsStayHere EndsAreSilent;
    a_watch_hears_from_its_answer_on: WatchesHearLate;
    everybody_who_watches_is_told: OneWatchIsTold;
    a_watch_that_is_dropped_leaves_nothing_behind: DroppedWatchesTakeOthersAlong;
    watching_is_no_use_and_creates_nothing: WatchesAreUses;

    every_record_is_listed_as_it_is_stored: ListsHaveOnePage ListsCountTheVersion;
    a_list_shows_what_is_stored_at_the_moment: ListsRememberTheGone;
    what_is_stored_all_along_is_listed_while_others_come_and_go: ListsGoByPlace;
    listing_is_no_use_of_a_record: ListsAreUses;
}

/// What shows in a sequence of operations that come one after the other.
pub(crate) const SEQUENTIAL: &[(&str, &[Flaw])] = {
    use Flaw::*;
    &[
        (
            "any_sequence_of_operations_ends_as_the_model_says",
            &[
                CreationsReplace,
                BodiesEndAtZero,
                BodiesAreText,
                LoadsTellThisUse,
                UpdatesCreate,
                RemovalsAlwaysFind,
                UpdatesOverwrite,
                HandlesRemember,
                RemovalsHide,
                UsesAreForgotten,
                UsesAreVersions,
                ForgetsEarly,
                UsesMoveTheEnd,
                SweepsTakeAll,
                SweepsKnowNoBound,
            ],
        ),
        (
            "any_sequence_of_borrows_ends_as_the_model_says",
            &[
                LeasesAreShared,
                NothingIsLeased,
                SavesKeepTheLease,
                AnybodyReleases,
                RemovalsKeepTheLease,
                SavesOverwrite,
                RefusalsKeepTheLease,
                AnybodySaves,
                OthersFreeTheLease,
                SavesCreate,
                LeasesNeverEnd,
                SavesMayBeLate,
                ExtensionsMayBeLate,
                ExtensionsAreIdle,
                AnybodyExtends,
                KeepsStoreNothing,
                KeepsGiveUp,
                KeepsOverwrite,
                RefusalsKeepOn,
                AnybodyKeeps,
                KeepsCreate,
                KeepsDoNotExtend,
                KeepsMayBeLate,
                ComparisonsOverwrite,
                ComparisonsCreate,
                ComparisonsKnowNoLease,
                LeasesOutlastComparisons,
            ],
        ),
    ]
};

/// What is shown by a flaw that is above at another behaviour.
pub(crate) const ALSO: &[(Flaw, &str)] = &[
    (Flaw::UsesWriteBack, "a_load_that_meets_the_end_never_brings_the_record_back"),
    (Flaw::UsesRevive, "a_clock_that_jumps_makes_no_immortal_record"),
];
