//! A connection over TLS breaks, hangs and goes silent as any other does.

use std::time::Duration;

use axum::http::StatusCode;
use session_tests::{Gate, Redis, redis_server::DURABLE};

use crate::{
    fleet::{Fleet, PATIENT, Terms, over_tls},
    outages::{TERMS, through_an_outage},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_under_load_costs_503s_and_nothing_is_lost() {
    let mut fleet = Fleet::over_tls(2, TERMS).await;
    for worker in through_an_outage(&mut fleet, Redis::stop, async |redis| redis.resume()).await {
        worker.assert_nothing_but_503(&[0, 3], 2);
        worker.assert_nothing_lost().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_durable_redis_that_is_killed_and_restarted_under_load_costs_503s_and_nothing_is_lost() {
    let (redis, way) = over_tls(DURABLE).await;
    let mut fleet = Fleet::by_ways(&[way.clone(), way], redis, TERMS).await;
    for worker in through_an_outage(&mut fleet, Redis::kill, Redis::restart).await {
        worker.assert_nothing_but_503(&[0, 3], 2);
        worker.assert_nothing_lost().await;
    }
}

/// The deadline leaves time for a new connection, so that nobody is told of the silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_on_a_silent_connection_is_asked_again_on_its_replacement() {
    let (redis, mut way) = over_tls(&[]).await;
    let gate = Gate::to(redis.tls_port()).await;
    way[0].1 = gate.url().replace("redis://", "rediss://");
    let terms = Terms { deadline: Duration::from_secs(20), ..PATIENT };
    let fleet = Fleet::by_ways(&[way], redis, terms).await;
    let writer = fleet.writer().await;
    for (path, entries) in [("/append/1", &[1][..]), ("/update/2", &[1, 2]), ("/look", &[1, 2])] {
        gate.silence();
        assert_eq!(writer.post(0, path).await.status, StatusCode::OK, "{path}");
        gate.silence();
        assert_eq!(writer.entries(0).await, entries, "{path}");
    }
}
