//! Many who queue for one session in one process: the lease goes from one to the next with the record, and nothing that is
//! promised of each of them changes by it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use session_tests::{Reply, wait};
use tokio::task::{JoinHandle, JoinSet};

use crate::{
    fleet::{Fleet, PATIENT, Terms, Writer, assert_problem, on_every_fleet, sorted},
    sql_fleet::on_every_database,
};

on_every_fleet! {
    who_fails_in_the_middle_of_a_queue_leaves_nothing_and_the_others_are_saved
    a_client_that_leaves_in_the_middle_of_a_queue_leaves_nothing_and_the_others_are_saved
    of_fifty_at_once_exactly_those_that_were_answered_with_success_are_kept
}

on_every_database! {
    who_fails_in_the_middle_of_a_queue_leaves_nothing_and_the_others_are_saved
    a_client_that_leaves_in_the_middle_of_a_queue_leaves_nothing_and_the_others_are_saved
    of_fifty_at_once_exactly_those_that_were_answered_with_success_are_kept
    two_processes_that_write_one_session_all_the_time_each_get_their_share
}

mod between_processes {
    use super::two_processes_that_write_one_session_all_the_time_each_get_their_share;
    use crate::fleet::on_fleets_of_two;

    on_fleets_of_two! {
        two_processes_that_write_one_session_all_the_time_each_get_their_share
    }
}

const SHORT: Terms = Terms { lease: Duration::from_millis(800), ..PATIENT };

/// Long enough that requests are in the queue by then, nearly always. No test fails if they are not.
async fn queued() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

async fn answered(request: JoinHandle<Reply>) -> Reply {
    wait::within(wait::ANSWER, "an answer", request).await.unwrap()
}

async fn who_fails_in_the_middle_of_a_queue_leaves_nothing_and_the_others_are_saved(fleet: Fleet) {
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    let succeeding = [2, 4, 6].map(|entry| writer.posting(0, &format!("/append/{entry}")));
    let failing = ["/fail/3", "/panic/5"].map(|path| {
        let writer = writer.clone();
        tokio::spawn(async move { writer.try_post(0, path).await })
    });
    let behind = writer.posting(0, "/append/7");
    queued().await;
    fleet.open(0).await;
    for request in succeeding.into_iter().chain([slow, behind]) {
        let reply = answered(request).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    }
    for request in failing {
        assert!(request.await.unwrap().is_none_or(|reply| reply.status.is_server_error()));
    }
    assert_eq!(sorted(writer.entries(fleet.last()).await), [1, 2, 4, 6, 7]);
    assert_eq!(writer.post(fleet.last(), "/append/8").await.status, StatusCode::OK);
    assert_eq!(fleet.stored().await, 1, "no lease is left behind");
}

async fn a_client_that_leaves_in_the_middle_of_a_queue_leaves_nothing_and_the_others_are_saved(fleet: Fleet) {
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    let leaving = fleet.ask(0, "/hold/2", &writer).await;
    queued().await;
    let behind = [3, 4].map(|entry| writer.posting(0, &format!("/append/{entry}")));
    queued().await;
    fleet.open(0).await;
    assert_eq!(answered(slow).await.status, StatusCode::OK);
    // Whether it is its turn or not yet.
    drop(leaving);
    for request in behind {
        assert_eq!(answered(request).await.status, StatusCode::OK);
    }
    assert_eq!(sorted(writer.entries(fleet.last()).await), [1, 3, 4]);
    assert_eq!(writer.post(fleet.last(), "/append/5").await.status, StatusCode::OK);
    assert_eq!(fleet.stored().await, 1, "no lease is left behind");
}

async fn of_fifty_at_once_exactly_those_that_were_answered_with_success_are_kept(fleet: Fleet) {
    let writer = fleet.writer().await;
    let mut requests = JoinSet::new();
    let mut leaving = Vec::new();
    for entry in 0..50 {
        let (writer, member) = (writer.clone(), entry as usize / 2 % fleet.members.len());
        match entry % 10 {
            3 => leaving.push(fleet.ask(member, &format!("/append/{entry}"), &writer).await),
            kind => {
                let action = match kind {
                    5 => "fail",
                    7 => "update",
                    8 => "look",
                    9 => "add",
                    _ => "append",
                };
                let path = if action == "look" { "/look".to_owned() } else { format!("/{action}/{entry}") };
                requests.spawn(async move { (entry, action, writer.post(member, &path).await) });
            }
        }
    }
    queued().await;
    drop(leaving);
    let mut expected = Vec::new();
    for (entry, action, reply) in requests.join_all().await {
        if action == "fail" {
            assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
            continue;
        }
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        if action != "look" {
            expected.push(entry);
        }
    }
    let kept = sorted(writer.entries(fleet.last()).await);
    // Who left may have been saved before.
    let kept: Vec<_> = kept.into_iter().filter(|entry| entry % 10 != 3).collect();
    assert_eq!(kept, sorted(expected));
}

/// How often a record was loaded for an exclusive borrow.
async fn loads(fleet: &mut Fleet) -> u64 {
    fleet.redis().commands().await.of("getex")
}

/// A handler of the first process that is held in the middle, with a lease that another one has left to it; and how many
/// entries there are.
async fn handed_over(fleet: &mut Fleet, writer: &Writer) -> (JoinHandle<Reply>, Vec<u32>) {
    let mut entries = Vec::new();
    for entry in (1..).step_by(2) {
        let before = writer.posting(0, &format!("/hold/{entry}"));
        fleet.held(0, 1).await;
        let loaded = loads(fleet).await;
        let behind = writer.posting(0, &format!("/hold/{}", entry + 1));
        queued().await;
        fleet.open(0).await;
        assert_eq!(answered(before).await.status, StatusCode::OK);
        entries.push(entry);
        fleet.held(0, 1).await;
        if loads(fleet).await == loaded {
            return (behind, entries);
        }
        fleet.open(0).await;
        assert_eq!(answered(behind).await.status, StatusCode::OK);
        entries.push(entry + 1);
    }
    unreachable!("it is tried until it is so")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_in_one_process_loads_the_record_once_in_a_while() {
    let mut fleet = Fleet::on_redis(1, PATIENT).await;
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1000");
    fleet.held(0, 1).await;
    let before = loads(&mut fleet).await;
    let queue: Vec<_> = (0..40).map(|entry| writer.posting(0, &format!("/add/{entry}"))).collect();
    queued().await;
    fleet.open(0).await;
    for request in queue.into_iter().chain([slow]) {
        assert_eq!(answered(request).await.status, StatusCode::OK);
    }
    let loaded = loads(&mut fleet).await - before;
    assert!(loaded <= 20, "{loaded} of 40 borrows loaded the record");
    let entries = writer.entries(0).await;
    assert_eq!(sorted(entries), (0..40).chain([1000]).collect::<Vec<_>>());
    assert_eq!(fleet.stored().await, 1, "no lease is left behind");
}

async fn two_processes_that_write_one_session_all_the_time_each_get_their_share(fleet: Fleet) {
    each_gets_its_share(fleet, "append", 400, 40).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_share_saves_each_get_their_share() {
    each_gets_its_share(Fleet::on_redis(2, PATIENT).await, "add", 1200, 200).await;
}

/// So many writes in all, and at most so many of one process in a row: a run of it, and further ones if the other was not
/// told in time that the session is free.
async fn each_gets_its_share(fleet: Fleet, action: &'static str, writes: usize, row: usize) {
    let writer = fleet.writer().await;
    let (begun, shares) = (Arc::new(AtomicUsize::new(0)), Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]));
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let (writer, begun, shares) = (writer.clone(), Arc::clone(&begun), Arc::clone(&shares));
        tasks.spawn(async move {
            let member = task % 2;
            loop {
                let entry = begun.fetch_add(1, Ordering::Relaxed);
                if entry >= writes {
                    return;
                }
                // Odd ones are of the second process.
                let path = format!("/{action}/{}", entry * 2 + member);
                assert_eq!(writer.post(member, &path).await.status, StatusCode::OK);
                shares[member].fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tasks.join_all().await;
    let [one, other] = [&shares[0], &shares[1]].map(|share| share.load(Ordering::Relaxed));
    assert_eq!(one + other, writes);
    assert!(one.min(other) * 10 >= writes * 4, "one has {one} of {writes}, the other {other}");
    let entries = writer.entries(0).await;
    let longest = entries.chunk_by(|one, next| one % 2 == next % 2).map(<[u32]>::len).max().unwrap_or_default();
    assert!(longest <= row, "{longest} writes of one process while the other waited: {entries:?}");
    let numbers = entries.into_iter().map(|entry| entry / 2).collect();
    assert_eq!(sorted(numbers), (0..u32::try_from(writes).unwrap()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_handed_over_in_a_process_that_is_killed_is_free_when_the_lease_has_run_out() {
    let mut fleet = Fleet::on_redis(2, SHORT).await;
    let writer = fleet.writer().await;
    let (held, mut entries) = handed_over(&mut fleet, &writer).await;
    fleet.app(0).kill();
    assert!(held.await.is_err(), "the connection broke");
    assert_eq!(writer.entries(1).await, entries, "what was answered is there");
    assert_eq!(writer.post(1, "/append/100").await.status, StatusCode::OK);
    entries.push(100);
    assert_eq!(writer.entries(1).await, entries);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_by_another_process_ends_a_session_that_was_handed_over() {
    let mut fleet = Fleet::on_redis(2, PATIENT).await;
    let writer = fleet.writer().await;
    let (held, _) = handed_over(&mut fleet, &writer).await;
    let queue: Vec<_> = (100..105).map(|entry| writer.posting(0, &format!("/append/{entry}"))).collect();
    queued().await;
    assert_eq!(writer.post(1, "/end").await.status, StatusCode::OK);
    fleet.open(0).await;
    assert_problem(&answered(held).await, StatusCode::CONFLICT, "ended");
    for request in queue {
        assert_eq!(answered(request).await.status, StatusCode::UNAUTHORIZED, "nobody goes on with the record");
    }
    assert_eq!(fleet.stored().await, 0, "nothing was brought back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_by_another_process_refuses_the_save_of_a_session_that_was_handed_over() {
    let mut fleet = Fleet::on_redis(2, PATIENT).await;
    let writer = fleet.writer().await;
    let (held, mut entries) = handed_over(&mut fleet, &writer).await;
    let reply = writer.post(1, "/rotate").await;
    assert_eq!(reply.status, StatusCode::OK);
    let writer = writer.rotated(&reply);
    let behind = writer.posting(0, "/append/100");
    queued().await;
    fleet.open(0).await;
    assert_problem(&answered(held).await, StatusCode::CONFLICT, "conflict");
    assert_eq!(answered(behind).await.status, StatusCode::OK, "the next loads what is stored");
    entries.push(100);
    assert_eq!(writer.entries(1).await, entries);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_overslept_a_lease_that_was_handed_over_cannot_overwrite_who_wrote_meanwhile() {
    let mut fleet = Fleet::on_redis(2, SHORT).await;
    let writer = fleet.writer().await;
    let (late, mut entries) = handed_over(&mut fleet, &writer).await;
    fleet.app(0).stop();
    assert_eq!(writer.post(1, "/append/100").await.status, StatusCode::OK);
    fleet.app(0).resume();
    fleet.open(0).await;
    assert_problem(&answered(late).await, StatusCode::CONFLICT, "conflict");
    entries.push(100);
    assert_eq!(writer.entries(0).await, entries);
}
