//! Those who wait for a session: patiently, for a while only, and without pestering Redis.

use std::{collections::BTreeSet, time::Duration};

use axum::http::StatusCode;

use crate::fleet::{Fleet, PATIENT, Terms, assert_problem, on_every_fleet, sorted};

on_every_fleet! {
    who_queues_longer_than_wait_is_told_to_come_again_and_leaves_the_line
}

async fn who_queues_longer_than_wait_is_told_to_come_again_and_leaves_the_line(fleet: Fleet) {
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    for member in 0..fleet.members.len() {
        let reply = writer.post(member, "/hasty/2").await;
        assert_problem(&reply, StatusCode::CONFLICT, "busy");
        let retry: u32 = reply.header("retry-after").expect("Retry-After").parse().unwrap();
        assert!(retry > 0);
    }
    assert!(!slow.is_finished());
    fleet.open(0).await;
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    assert_eq!(writer.post(fleet.last(), "/hasty/3").await.status, StatusCode::OK);
    assert_eq!(writer.entries(0).await, [1, 3]);
}

#[tokio::test]
async fn the_builders_wait_is_for_handlers_that_name_none() {
    let fleet = Fleet::on_redis(2, Terms { wait: Duration::from_millis(200), ..PATIENT }).await;
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    for member in [0, 1] {
        assert_problem(&writer.post(member, "/append/2").await, StatusCode::CONFLICT, "busy");
        assert_problem(&writer.post(member, "/update/3").await, StatusCode::CONFLICT, "busy");
    }
    fleet.open(0).await;
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    assert_eq!(writer.entries(1).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_wait_in_one_process_one_contends_with_redis_and_it_does_not_poll() {
    let mut fleet = Fleet::on_redis(2, PATIENT).await;
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1000");
    fleet.held(0, 1).await;
    let redis = fleet.redis();
    let recording = redis.record().await;
    let line: Vec<_> = (0..20).map(|entry| writer.posting(1, &format!("/append/{entry}"))).collect();

    // Time has to pass for a poll to show.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(line.iter().all(|request| !request.is_finished()));
    let commands = recording.finish().await;
    let leases: Vec<_> =
        commands.iter().filter(|line| line.starts_with("\"SET\"") && line.contains(":lease\"")).collect();
    let holders: BTreeSet<_> = leases.iter().map(|line| line.split("\" \"").nth(2).unwrap()).collect();
    assert_eq!(holders.len(), 1, "one of twenty asks: {commands:#?}");
    // A look around each second, should a message have been lost, is three commands.
    assert!(commands.len() <= 20, "{} commands in 3 s: {commands:#?}", commands.len());
    assert_eq!(commands.iter().filter(|line| line.starts_with("\"SUBSCRIBE\"")).count(), 1, "{commands:#?}");

    fleet.open(0).await;
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    for request in line {
        assert_eq!(request.await.unwrap().status, StatusCode::OK);
    }
    let entries = writer.entries(0).await;
    assert_eq!(entries[0], 1000);
    assert_eq!(sorted(entries), (0..20).chain([1000]).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiter_in_another_process_is_woken_by_a_message_after_each_way_to_give_up_a_session() {
    let mut fleet = Fleet::on_redis(2, PATIENT).await;
    // What the slow handler comes to: its answer, its client's leaving, or the session's end.
    for how in ["open", "leave", "end"] {
        let writer = fleet.writer().await;
        let published = fleet.redis().commands().await.of("publish");
        let slow = fleet.ask(0, "/hold/1", &writer).await;
        fleet.held(0, 1).await;
        let waiter = writer.posting(1, "/append/2");
        fleet.announced().await;
        let expected = match how {
            "open" => {
                fleet.open(0).await;
                StatusCode::OK
            }
            "leave" => {
                drop(slow);
                StatusCode::OK
            }
            _ => {
                assert_eq!(writer.post(0, "/end").await.status, StatusCode::OK);
                fleet.open(0).await;
                StatusCode::UNAUTHORIZED
            }
        };
        assert_eq!(waiter.await.unwrap().status, expected, "{how}");
        assert_eq!(fleet.redis().commands().await.of("publish"), published + 1, "{how}");
    }
}
