//! `backend = cookie`, held to the suite of all backends as far as it goes.
//!
//! A record that travels in its token is nowhere to be asked for by its key, so the suite's functions have no store to
//! ask here. Each behaviour of theirs is asked below, by its name, of what such a session is: an application in two
//! instances, over HTTP, and clients with cookie jars. What this backend can't hold is named with the reason, what
//! happens instead is shown, and [`every_behaviour_of_the_suite_is_held_here_or_named`] keeps both lists whole.

use std::time::Duration;

use session_runtime::{Clock, Sessions, Timestamp, testing::conformance::BEHAVIOURS};
use session_tests::wait;
use tokio::task::JoinSet;

use crate::cookie_app::*;

/// What is held, each a test of the name that it has in the suite; and of the rest, why not.
macro_rules! behaviours {
    (held: $($held:ident)+ ; not: $($not:ident: $why:literal)+ ; parts: $($part:ident: $reason:literal)+) => {
        $(
            mod $held {
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn by_carried_sessions() {
                    super::$held(super::Fleet::new().await).await;
                }
            }
        )+

        const HELD: &[&str] = &[$(stringify!($held)),+];
        const NOT_HELD: &[(&str, &str)] = &[$((stringify!($not), $why)),+];
        const PARTS_NOT_HELD: &[(&str, &str)] = &[$((stringify!($part), $reason)),+];
    };
}

behaviours! {
    held:
        a_record_is_created_once_and_loaded_as_it_was_written
        loading_updating_and_deleting_what_is_not_there_is_no_error_and_creates_nothing
        a_load_notes_the_use_within_the_slack_that_the_store_names
        a_reader_sees_one_version_or_the_next_and_never_half_of_it
        an_expired_record_is_not_revived_by_loading_it
        a_record_outlives_its_idle_timeout_only_by_being_used
        a_clock_that_jumps_makes_no_immortal_record
        any_sequence_of_operations_ends_as_the_model_says
        a_creation_that_is_dropped_has_happened_or_not
        a_write_that_is_dropped_has_happened_or_not
        a_removal_that_is_dropped_has_happened_or_not
        a_handle_that_goes_away_takes_no_record_with_it
    ;
    not:
        keys_that_look_alike_name_different_records: "nothing is looked up by a key"
        of_many_who_create_one_record_at_once_one_succeeds: "nothing is stored under a key that two could want"
        an_update_replaces_the_version_that_it_names_and_no_other: "nobody knows what the newest version is"
        of_many_who_update_one_version_at_once_one_succeeds: "the client keeps the last answer"
        an_update_never_brings_back_what_was_deleted: "an old cookie is as good as the client that kept it"
        looking_at_a_record_is_no_use_of_it: "there is nothing to look at but at its client"
        a_record_that_never_idles_is_there_until_it_expires: "only lists of owners never idle, and there are none"
        a_load_that_meets_a_change_takes_nothing_back: "the client keeps the last answer, and a read may have one"
        a_load_that_meets_the_end_never_brings_the_record_back: "the client keeps the last answer"
    ;
    parts:
        leases: "exclusive borrows don't compile, see tests/ui/handler/fail/exclusive_on_the_cookie_backend.rs"
        keeping: "there is no lease to keep"
        comparing: "nobody knows what the newest version is"
        sweeping: "there is nothing to sweep"
        listing: "there is nothing to list"
        watching: "no end can be told but to the client that asks for it"
}

#[test]
fn every_behaviour_of_the_suite_is_held_here_or_named() {
    let mut expected = Vec::new();
    for behaviour in BEHAVIOURS.iter().flat_map(|part| *part) {
        if PARTS_NOT_HELD.iter().all(|(part, _)| *part != behaviour.part()) {
            expected.push(behaviour.name());
        }
    }
    let mut named: Vec<_> = HELD.iter().copied().chain(NOT_HELD.iter().map(|(name, _)| *name)).collect();
    for names in [&mut expected, &mut named] {
        names.sort_unstable();
    }
    assert_eq!(named, expected);
}

const MILLISECOND: Duration = Duration::from_millis(1);

/// Each start is a session of its own; any text comes back from either instance as it was written, up to the size of
/// a cookie.
async fn a_record_is_created_once_and_loaded_as_it_was_written(fleet: Fleet) {
    let large = "x".repeat(2500);
    for text in ["", "\0\r\n\u{feff}\u{1f980}\"\\", &large] {
        let (browser, other) = (fleet.started(text).await, fleet.started(text).await);
        assert_ne!(browser.cookie(), other.cookie());
        let seen = browser.seen(0).await.expect("it was created");
        assert_eq!(seen.note, note(1, text));
        assert_eq!(seen.expires - seen.created, LIFETIME.as_millis());
        assert_eq!(browser.seen(1).await.as_ref(), Some(&seen));
    }
    let browser = fleet.started("before").await;
    assert_eq!(browser.post(0, "/start", &"x".repeat(4096)).await.status, 500, "too large for a cookie");
    assert_eq!(browser.note(1).await, Some(note(1, "before")));
}

/// Without a cookie there is no session, and nothing but starting one makes one.
async fn loading_updating_and_deleting_what_is_not_there_is_no_error_and_creates_nothing(fleet: Fleet) {
    let browser = fleet.client();
    assert_eq!(browser.note(0).await, None);
    for path in ["/change", "/rotate", "/end"] {
        let reply = browser.post(1, path, "x").await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (401, 0), "{path}");
    }
    assert_eq!((browser.note(1).await, browser.cookie()), (None, None));
}

/// A read that is due is noted in a new cookie, and the idle timeout is counted from there by every instance.
async fn a_load_notes_the_use_within_the_slack_that_the_store_names(fleet: Fleet) {
    assert!(slack() < IDLE);
    let browser = fleet.started("x").await;
    let before = browser.seen(0).await.expect("it is there");
    fleet.clock.advance(slack());
    let reply = browser.reply(0).await;
    assert_eq!(reply.set_cookies().len(), 1, "the use is noted");
    assert_eq!(seen(&reply), Some(before), "a use changes nothing else");
    assert!(browser.reply(0).await.set_cookies().is_empty(), "and is noted once");
    fleet.clock.advance(IDLE - MILLISECOND);
    assert!(browser.note(1).await.is_some(), "the timeout began anew");
}

/// A cookie is replaced as a whole.
async fn a_reader_sees_one_version_or_the_next_and_never_half_of_it(fleet: Fleet) {
    const LAST: u64 = 40;
    let browser = fleet.started("1").await;
    let mut readers = JoinSet::new();
    for side in 0..2 {
        let browser = browser.clone();
        readers.spawn(async move {
            let mut last = 0;
            while last < LAST {
                let found = browser.note(side).await.expect("it is there all the time");
                assert!(found.version == 1 || found == told_note(found.version), "{found:?}");
                assert!(found.version >= last, "version {} after version {last}", found.version);
                last = found.version;
            }
        });
    }
    for version in 2..=LAST {
        assert_eq!(browser.post(version as usize, &format!("/told/{version}"), "").await.status, 200);
    }
    wait::within(wait::START, "the readers see the last version", readers.join_all()).await;
}

/// Looking at a session that has expired, be it by its idle timeout or its lifetime, gives it no new cookie.
async fn an_expired_record_is_not_revived_by_loading_it(fleet: Fleet) {
    for over in [IDLE + slack(), LIFETIME] {
        let browser = fleet.started("x").await;
        fleet.clock.advance(over);
        for side in [0, 1, 0] {
            let reply = browser.reply(side).await;
            assert_eq!(seen(&reply), None);
            assert!(reply.set_cookies().iter().all(|cookie| cookie.contains("Max-Age=0")), "a look revived it");
        }
        let before = browser.cookie();
        assert_eq!(browser.post(1, "/change", "y").await.status, 401);
        assert_eq!((browser.note(0).await, browser.cookie()), (None, before));
    }
}

/// The idle timeout is counted from the last use, and no live session is refused.
async fn a_record_outlives_its_idle_timeout_only_by_being_used(fleet: Fleet) {
    let (used, unused, rested) =
        (fleet.started("used").await, fleet.started("unused").await, fleet.started("rested").await);
    for step in 1..=30 {
        fleet.clock.advance(IDLE / 10);
        assert!(used.note(step).await.is_some(), "it is in use");
        if step == 9 {
            assert!(rested.note(step).await.is_some(), "its timeout is not over");
        }
    }
    assert_eq!(unused.note(0).await, None, "nobody used it");
}

/// A clock that jumps ahead and back makes no session immortal: its end doesn't move.
async fn a_clock_that_jumps_makes_no_immortal_record(fleet: Fleet) {
    let browser = fleet.started("x").await;
    let start = fleet.clock.now();
    let expires = browser.seen(0).await.expect("it was created").expires;
    let at = |seconds| start.plus(Duration::from_secs(seconds));
    let before = Timestamp::from_secs(start.as_secs() / 2);
    for time in [at(300), at(365 * 86_400), at(300), before, at(600)] {
        fleet.clock.set(time);
        if let Some(seen) = browser.seen(1).await {
            assert_eq!(seen.expires, expires, "the end doesn't move");
        }
    }
    fleet.clock.set(start.plus(LIFETIME));
    assert_eq!(browser.note(0).await, None);
}

/// What a client has, as far as its own requests decide it.
#[derive(Clone)]
struct Model {
    note: Note,
    last_seen: Timestamp,
    expires: Timestamp,
}

impl Model {
    fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires && now.since(self.last_seen) < IDLE + slack()
    }
}

/// Numbers that look random, the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// One client's requests, one after the other, to either instance, with time going by, answer as a model does.
async fn any_sequence_of_operations_ends_as_the_model_says(fleet: Fleet) {
    for seed in 0..16 {
        let (browser, mut dice, mut model) = (fleet.client(), Dice(seed), None::<Model>);
        for step in 0..60 {
            let (now, side) = (fleet.clock.now(), dice.below(2) as usize);
            let live = model.clone().filter(|model| model.is_live(now));
            let what = dice.below(16);
            let status = match what {
                0..4 => {
                    fleet.clock.advance([MILLISECOND, slack(), IDLE / 2, IDLE, LIFETIME / 2][dice.below(5) as usize]);
                    continue;
                }
                4..6 => browser.post(side, "/start", &step.to_string()).await.status,
                6..11 => {
                    assert_eq!(browser.note(side).await, live.as_ref().map(|model| model.note.clone()), "seed {seed}");
                    note_read(&mut model, live, now);
                    continue;
                }
                11..14 => browser.post(side, "/change", &step.to_string()).await.status,
                14 => browser.post(side, "/rotate", "").await.status,
                _ => browser.post(side, "/end", "").await.status,
            };
            let expected = if live.is_some() || (4..6).contains(&what) { 200 } else { 401 };
            assert_eq!(status.as_u16(), expected, "seed {seed}, step {step}: {what}");
            let used = live.map(|model| Model { last_seen: now, ..model });
            model = match what {
                4..6 => Some(Model { note: note(1, &step.to_string()), last_seen: now, expires: now.plus(LIFETIME) }),
                11..14 => used.map(|model| {
                    let note = note(model.note.version + 1, &step.to_string());
                    Model { note, ..model }
                }),
                14 => used,
                _ => None,
            };
        }
    }
}

/// A read notes the use when that is due.
fn note_read(model: &mut Option<Model>, live: Option<Model>, now: Timestamp) {
    if let (Some(model), Some(live)) = (model, live)
        && now.since(live.last_seen) >= slack()
    {
        model.last_seen = now;
    }
}

/// A login whose answer never came left the client with its session or without.
async fn a_creation_that_is_dropped_has_happened_or_not(fleet: Fleet) {
    for round in 0..ROUNDS {
        let browser = fleet.client();
        let answered = browser.dropped(round, "/start", "new").await;
        let found = browser.note(1).await;
        assert!(found == Some(note(1, "new")) || found.is_none() && !answered, "{found:?}, answered: {answered}");
        assert_eq!(browser.post(0, "/start", "next").await.status, 200);
        assert_eq!(browser.note(1).await, Some(note(1, "next")));
    }
}

const ROUNDS: u64 = 32;

/// A change whose answer never came left the client with the old cookie or the new one.
async fn a_write_that_is_dropped_has_happened_or_not(fleet: Fleet) {
    let browser = fleet.started("0").await;
    for round in 1..=ROUNDS {
        let before = browser.note(0).await.expect("it is there");
        let answered = browser.dropped(round, "/change", &round.to_string()).await;
        let found = browser.note(1).await.expect("a change that is dropped loses no session");
        let after = note(before.version + 1, &round.to_string());
        assert!(found == after || found == before && !answered, "{found:?}, answered: {answered}");
    }
}

/// A logout whose answer never came left the client with its session or without, and can be asked for again.
async fn a_removal_that_is_dropped_has_happened_or_not(fleet: Fleet) {
    for round in 0..ROUNDS {
        let browser = fleet.started("x").await;
        let answered = browser.dropped(round, "/end", "").await;
        let found = browser.note(1).await;
        assert!(found.is_none() || found == Some(note(1, "x")) && !answered, "{found:?}, answered: {answered}");
        browser.post(1, "/end", "").await;
        assert_eq!((browser.note(0).await, browser.cookie()), (None, None));
    }
}

/// An instance that ends takes nothing with it: it had nothing.
async fn a_handle_that_goes_away_takes_no_record_with_it(mut fleet: Fleet) {
    let browser = fleet.started("x").await;
    drop(fleet.servers.remove(0));
    assert_eq!(browser.note(1).await, Some(note(1, "x")));
    assert_eq!(browser.post(1, "/change", "y").await.status, 200);
    assert_eq!(browser.note(1).await, Some(note(2, "y")));
}

#[tokio::test]
async fn what_is_not_held_is_as_the_documentation_says() {
    let fleet = Fleet::new().await;
    let browser = fleet.started("first").await;
    let first = browser.cookie().unwrap();
    // Two who change one version: both are answered, and the client keeps what it heard last.
    let other = fleet.client();
    other.client.set_cookie(&format!("{NAME}={first}; Path=/; Secure"));
    for (client, text) in [(&browser, "one"), (&other, "other")] {
        assert_eq!(client.post(0, "/change", text).await.status, 200);
    }
    assert_eq!((browser.note(0).await, other.note(1).await), (Some(note(2, "one")), Some(note(2, "other"))));
    // What somebody kept works after a change, a rotation and a logout, until it expires; and then no more.
    assert_eq!(browser.post(0, "/rotate", "").await.status, 200);
    assert_eq!(browser.post(0, "/end", "").await.status, 200);
    assert_eq!((browser.note(1).await, browser.kept(1, &first).await), (None, Some(note(1, "first"))));
    fleet.clock.advance(IDLE + slack());
    assert_eq!(browser.kept(1, &first).await, None);
}

#[tokio::test]
async fn there_is_nothing_to_sweep() {
    let fleet = Fleet::new().await;
    let sessions = Sessions::<Note>::builder().key(KEY).clock(fleet.clock.clone()).open().await.unwrap();
    fleet.clock.advance(LIFETIME);
    assert_eq!(sessions.sweep().await.unwrap(), 0);
}
