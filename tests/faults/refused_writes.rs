//! Redis refuses writes, as one does that is full.

use axum::http::StatusCode;
use redis::cmd;

use crate::fleet::{Fleet, PATIENT, assert_problem};

/// Makes Redis refuse every write that needs memory, as one does that is full, or let them through again.
async fn refuse_writes(fleet: &mut Fleet, refuse: bool) {
    let mut connection = fleet.redis().connect().await;
    let limit = usize::from(refuse);
    let _: () = cmd("CONFIG").arg("SET").arg("maxmemory").arg(limit).query_async(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_redis_refuses_to_store_is_a_503_and_the_session_of_before_lives_on() {
    let mut fleet = Fleet::on_redis(1, PATIENT).await;
    let writer = fleet.writer().await;
    refuse_writes(&mut fleet, true).await;
    assert_problem(&fleet.client(0).post("/start").await, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    assert_problem(&writer.post(0, "/start").await, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    assert_eq!(writer.entries(0).await, [] as [u32; 0], "reading goes on");
    refuse_writes(&mut fleet, false).await;
    assert_eq!(writer.post(0, "/append/1").await.status, StatusCode::OK);
    assert_eq!(fleet.stored().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_handler_runs_without_its_lease_when_redis_refuses_to_store_it() {
    let mut fleet = Fleet::on_redis(1, PATIENT).await;
    let writer = fleet.writer().await;
    refuse_writes(&mut fleet, true).await;
    // A handler that ran would stay in the latch.
    let held = fleet.client(0);
    let answer = tokio::select! {
        answer = writer.post(0, "/hold/1") => answer,
        _ = held.get("/held/1") => panic!("the handler runs without a lease"),
    };
    assert_problem(&answer, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    assert_problem(&writer.post(0, "/update/1").await, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    assert_problem(&writer.post(0, "/rotate").await, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    refuse_writes(&mut fleet, false).await;
    assert_eq!(writer.post(0, "/append/2").await.status, StatusCode::OK);
    assert_eq!(writer.entries(0).await, [2]);
}
