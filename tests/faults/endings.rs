//! A session that ends or changes its id while a handler has it.

use axum::http::StatusCode;

use crate::fleet::{Fleet, assert_problem, on_every_fleet};

on_every_fleet! {
    a_session_that_ended_under_a_slow_handler_stays_ended_and_the_handler_is_told
    a_logout_does_not_wait_for_a_slow_handler_and_those_in_line_find_no_session
    a_session_that_was_replaced_by_a_new_login_under_a_slow_handler_stays_ended
    a_session_that_was_rotated_under_a_slow_handler_keeps_its_new_id_alone
    an_update_of_a_session_that_ended_meanwhile_is_refused
}

async fn a_session_that_ended_under_a_slow_handler_stays_ended_and_the_handler_is_told(fleet: Fleet) {
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    let logout = writer.post(fleet.last(), "/end").await;
    assert_eq!(logout.status, StatusCode::OK);
    assert!(logout.set_cookies()[0].contains("Max-Age=0"), "{:?}", logout.set_cookies());
    assert_eq!(fleet.stored().await, 0);

    fleet.open(0).await;
    assert_problem(&slow.await.unwrap(), StatusCode::CONFLICT, "ended");
    assert_eq!(fleet.stored().await, 0, "the slow handler brought nothing back");
    for member in 0..fleet.members.len() {
        assert_problem(&writer.get(member, "/entries").await, StatusCode::UNAUTHORIZED, "missing");
        assert_problem(&writer.post(member, "/append/2").await, StatusCode::UNAUTHORIZED, "missing");
    }
    assert_eq!(fleet.stored().await, 0);
}

async fn a_logout_does_not_wait_for_a_slow_handler_and_those_in_line_find_no_session(fleet: Fleet) {
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    let line: Vec<_> = (0..6).map(|entry| writer.posting(entry % fleet.members.len(), "/append/2")).collect();
    assert_eq!(writer.post(0, "/end").await.status, StatusCode::OK, "the slow handler is still held");
    fleet.open(0).await;
    assert_problem(&slow.await.unwrap(), StatusCode::CONFLICT, "ended");
    for request in line {
        assert_problem(&request.await.unwrap(), StatusCode::UNAUTHORIZED, "missing");
    }
    assert_eq!(fleet.stored().await, 0);
}

async fn a_session_that_was_replaced_by_a_new_login_under_a_slow_handler_stays_ended(fleet: Fleet) {
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    let login = writer.post(fleet.last(), "/start").await;
    assert_eq!(login.status, StatusCode::CREATED);
    fleet.open(0).await;
    assert_problem(&slow.await.unwrap(), StatusCode::CONFLICT, "ended");
    assert_problem(&writer.get(0, "/entries").await, StatusCode::UNAUTHORIZED, "missing");
    assert_eq!(writer.rotated(&login).entries(0).await, [] as [u32; 0], "the new session has nothing of the old one");
    assert_eq!(fleet.stored().await, 1);
}

async fn a_session_that_was_rotated_under_a_slow_handler_keeps_its_new_id_alone(fleet: Fleet) {
    let writer = fleet.writer().await;
    assert_eq!(writer.post(0, "/append/1").await.status, StatusCode::OK);
    let slow = writer.posting(0, "/hold/2");
    fleet.held(0, 1).await;
    let reply = writer.post(fleet.last(), "/rotate").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let rotated = writer.rotated(&reply);

    fleet.open(0).await;
    assert_problem(&slow.await.unwrap(), StatusCode::CONFLICT, "conflict");
    assert_eq!(fleet.stored().await, 1, "the old id is not created again");
    for member in 0..fleet.members.len() {
        assert_problem(&writer.get(member, "/entries").await, StatusCode::UNAUTHORIZED, "missing");
        assert_problem(&writer.post(member, "/append/3").await, StatusCode::UNAUTHORIZED, "missing");
        assert_eq!(rotated.entries(member).await, [1], "the late change is not there");
    }
    assert_eq!(rotated.post(0, "/append/4").await.status, StatusCode::OK);
    assert_eq!(rotated.entries(fleet.last()).await, [1, 4]);
}

async fn an_update_of_a_session_that_ended_meanwhile_is_refused(fleet: Fleet) {
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    // Loads its snapshot, then waits for the holder.
    let update = writer.posting(fleet.last(), "/update/2");
    assert_eq!(writer.post(0, "/end").await.status, StatusCode::OK);
    fleet.open(0).await;
    slow.await.unwrap();
    let update = update.await.unwrap();
    // It may have come to its snapshot only after the session had ended.
    if update.status != StatusCode::UNAUTHORIZED {
        assert_problem(&update, StatusCode::CONFLICT, "ended");
    }
    assert_eq!(fleet.stored().await, 0);
}
