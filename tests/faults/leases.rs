//! Leases that run out, are kept, and outlive their process.

use std::time::Duration;

use axum::http::StatusCode;
use session_tests::wait;

use crate::fleet::{Fleet, PATIENT, Terms, assert_problem};

const SHORT: Terms = Terms { lease: Duration::from_millis(400), ..PATIENT };

#[tokio::test]
async fn a_process_that_overslept_its_lease_cannot_overwrite_who_wrote_meanwhile() {
    let mut fleet = Fleet::on_redis(2, SHORT).await;
    let writer = fleet.writer().await;
    let late = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    fleet.app(0).stop();
    let reply = writer.post(1, "/append/2").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    fleet.app(0).resume();
    fleet.open(0).await;
    assert_problem(&late.await.unwrap(), StatusCode::CONFLICT, "conflict");
    for member in [0, 1] {
        assert_eq!(writer.entries(member).await, [2]);
    }
    assert_eq!(writer.post(0, "/append/3").await.status, StatusCode::OK);
    assert_eq!(writer.entries(1).await, [2, 3]);
    assert_eq!(fleet.stored().await, 1, "no lease is left behind");
}

#[tokio::test]
async fn a_process_that_overslept_its_lease_does_not_disturb_who_has_it_now() {
    let mut fleet = Fleet::on_redis(2, SHORT).await;
    let writer = fleet.writer().await;
    let late = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    fleet.app(0).stop();
    let now = writer.posting(1, "/hold/2");
    fleet.held(1, 1).await;
    fleet.app(0).resume();
    fleet.open(0).await;
    assert_problem(&late.await.unwrap(), StatusCode::CONFLICT, "lease-lost");
    fleet.open(1).await;
    assert_eq!(now.await.unwrap().status, StatusCode::OK, "the late one took no lease from it");
    assert_eq!(writer.entries(0).await, [2]);
}

#[tokio::test]
async fn a_process_that_overslept_a_logout_brings_nothing_back() {
    let mut fleet = Fleet::on_redis(2, SHORT).await;
    let writer = fleet.writer().await;
    let late = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    fleet.app(0).stop();
    assert_eq!(writer.post(1, "/end").await.status, StatusCode::OK);
    fleet.app(0).resume();
    fleet.open(0).await;
    assert_problem(&late.await.unwrap(), StatusCode::CONFLICT, "ended");
    assert_eq!(fleet.stored().await, 0);
}

#[tokio::test]
async fn a_handler_slower_than_its_lease_keeps_it_and_is_saved() {
    let mut fleet = Fleet::on_redis(2, SHORT).await;
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    let other = writer.posting(1, "/append/2");
    let redis = fleet.redis();
    let start = redis.commands().await.of("pexpire");
    // A third of the lease passes between two extensions, so that ten of them are three leases.
    let extended = async || redis.commands().await.of("pexpire") >= start + 10;
    wait::until(wait::ANSWER, "the lease was extended ten times", extended).await;
    assert!(!slow.is_finished() && !other.is_finished());
    fleet.open(0).await;
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    assert_eq!(other.await.unwrap().status, StatusCode::OK);
    assert_eq!(writer.entries(0).await, [1, 2]);
}

#[tokio::test]
async fn a_handler_slower_than_its_lease_keeps_it_on_memory_too() {
    let fleet = Fleet::on_memory(SHORT).await;
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    tokio::time::sleep(SHORT.lease * 3).await;
    fleet.open(0).await;
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    assert_eq!(writer.entries(0).await, [1]);
}

#[tokio::test]
async fn a_session_held_by_a_process_that_is_killed_is_free_when_the_lease_has_run_out() {
    let mut fleet = Fleet::on_redis(2, SHORT).await;
    let writer = fleet.writer().await;
    let held = tokio::spawn({
        let writer = writer.clone();
        async move { writer.try_post(0, "/hold/1").await }
    });
    fleet.held(0, 1).await;
    assert_eq!(fleet.stored().await, 2, "the session and the lease on it");
    fleet.app(0).kill();
    assert!(held.await.unwrap().is_none(), "the connection broke");
    assert_eq!(writer.entries(1).await, [] as [u32; 0], "readers don't wait");
    assert_eq!(writer.post(1, "/append/2").await.status, StatusCode::OK);
    assert_eq!(writer.entries(1).await, [2]);
    fleet.app(0).restart().await;
    assert_eq!(writer.entries(0).await, [2], "a session outlives a process of its application");
}
