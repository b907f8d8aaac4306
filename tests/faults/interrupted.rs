//! Handlers that don't come to a good end: nothing of theirs is saved, and the session is free at once.
//!
//! At once is not by the clock here: the fleet's leases outlive every test, so that whoever comes next can only have
//! found the session given up.

use axum::http::StatusCode;

use crate::fleet::{Fleet, Writer, on_every_fleet};

on_every_fleet! {
    a_client_that_goes_away_leaves_nothing_half_done_and_the_session_free
    a_client_that_goes_away_while_it_queues_leaves_the_line
    a_handler_that_panics_leaves_nothing_half_done_and_the_session_free
    a_handler_that_answers_500_leaves_nothing_half_done_and_the_session_free
}

/// The session lives, has what it had, and can be borrowed exclusively on every member.
async fn goes_on(fleet: &Fleet, writer: &Writer) {
    let mut expected = vec![1];
    assert_eq!(writer.entries(fleet.last()).await, expected);
    for (member, entry) in (0..fleet.members.len()).rev().zip(100..) {
        let reply = writer.post(member, &format!("/append/{entry}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        expected.push(entry);
    }
    assert_eq!(writer.entries(0).await, expected);
    assert_eq!(fleet.stored().await, 1, "no lease is left behind");
}

async fn writer(fleet: &Fleet) -> Writer {
    let writer = fleet.writer().await;
    assert_eq!(writer.post(0, "/append/1").await.status, StatusCode::OK);
    writer
}

async fn a_client_that_goes_away_leaves_nothing_half_done_and_the_session_free(fleet: Fleet) {
    let writer = writer(&fleet).await;
    for _ in 0..3 {
        let connection = fleet.ask(0, "/hold/2", &writer).await;
        fleet.held(0, 1).await;
        drop(connection);
        fleet.held(0, 0).await;
    }
    goes_on(&fleet, &writer).await;
}

async fn a_client_that_goes_away_while_it_queues_leaves_the_line(fleet: Fleet) {
    let writer = writer(&fleet).await;
    let slow = writer.posting(0, "/hold/2");
    fleet.held(0, 1).await;
    // A second request on the same connection would wait for the first; so each has its own, and a read in between
    // shows that the server has seen to them.
    for member in 0..fleet.members.len() {
        let impatient = fleet.ask(member, "/append/3", &writer).await;
        assert_eq!(writer.entries(member).await, [1]);
        drop(impatient);
    }
    let behind = writer.posting(fleet.last(), "/append/4");
    fleet.open(0).await;
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    assert_eq!(behind.await.unwrap().status, StatusCode::OK);
    let entries = writer.entries(0).await;
    assert_eq!(entries.iter().filter(|entry| **entry != 3).collect::<Vec<_>>(), [&1, &2, &4]);
    assert_eq!(fleet.stored().await, 1, "no lease is left behind");
}

async fn a_handler_that_panics_leaves_nothing_half_done_and_the_session_free(fleet: Fleet) {
    let writer = writer(&fleet).await;
    for _ in 0..3 {
        let reply = writer.try_post(0, "/panic/2").await;
        assert!(reply.is_none_or(|reply| reply.status.is_server_error()));
    }
    goes_on(&fleet, &writer).await;
}

async fn a_handler_that_answers_500_leaves_nothing_half_done_and_the_session_free(fleet: Fleet) {
    let writer = writer(&fleet).await;
    for _ in 0..3 {
        let reply = writer.post(0, "/fail/2").await;
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(reply.set_cookies().is_empty());
    }
    goes_on(&fleet, &writer).await;
}
