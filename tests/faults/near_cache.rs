//! `near_cache`: what one process does is seen by another, which answers from memory.

use std::time::Duration;

use axum::http::StatusCode;
use session_tests::Redis;
use tokio::time::Instant;

use crate::fleet::{Fleet, PATIENT, Way};

const ROUNDS: u32 = 200;
/// Much longer than a message of Redis takes, for a machine that does much else.
const SOON: Duration = Duration::from_secs(30);

/// Two processes on one Redis.
pub(crate) async fn fleet() -> Fleet {
    let redis = Redis::start().await;
    let way: Way = vec![("REDIS_URL", redis.url()), ("NEAR_CACHE", "5000".to_owned())];
    Fleet::by_ways(&[way.clone(), way], redis, PATIENT).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_in_one_process_ends_the_session_in_the_other() {
    let fleet = fleet().await;
    for round in 0..ROUNDS {
        let writer = fleet.writer().await;
        for member in [1, 0, 1] {
            assert_eq!(writer.get(member, "/entries").await.status, StatusCode::OK);
        }
        assert_eq!(writer.post(0, "/end").await.status, StatusCode::OK);
        assert_eq!(writer.get(0, "/entries").await.status, StatusCode::UNAUTHORIZED, "round {round}: one's own");
        let ended = Instant::now();
        while writer.get(1, "/entries").await.status != StatusCode::UNAUTHORIZED {
            assert!(ended.elapsed() < SOON, "round {round}: the end is not seen");
        }
        assert_eq!(writer.get(1, "/entries").await.status, StatusCode::UNAUTHORIZED, "round {round}: it came back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_two_processes_are_all_there_and_both_see_them() {
    let fleet = fleet().await;
    let writer = fleet.writer().await;
    for entry in 0..ROUNDS {
        let member = entry as usize % 2;
        assert_eq!(writer.post(member, &format!("/append/{entry}")).await.status, StatusCode::OK);
        assert_eq!(writer.entries(member).await.last(), Some(&entry), "one's own change");
        let changed = Instant::now();
        while writer.entries(1 - member).await.last() != Some(&entry) {
            assert!(changed.elapsed() < SOON, "entry {entry} is not seen");
        }
    }
    assert_eq!(writer.entries(0).await.len(), ROUNDS as usize);
}
