//! Idle and absolute timeouts, by a clock that the test turns.

use std::time::Duration;

use axum::{Router, http::Method, routing::post};
use serde::{Deserialize, Serialize};
use session_runtime::{Clock, Error, SessionData, SessionSlot, Sessions, Timestamp, session, testing::ManualClock};
use session_tests::{Client, Served, serve};

use crate::support::{
    COOKIE, Store, User, assert_problem, is_alive, logged_in, on_every_backend, send_with, serve_users, token,
};

const MINUTE: Duration = Duration::from_secs(60);
/// Redis notes the time of a use when the last note is a minute old, and lets a session live that much longer.
const SLACK: u32 = 1;

async fn server(store: &Store, clock: &ManualClock) -> Served {
    serve_users(store.builder().clock(clock.clone()).open().await.unwrap()).await
}

/// A small generator, so that a failed run can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }
}

/// Uses a session in one of the ways that there are; whether it was alive.
async fn use_it(client: &Client, random: &mut Random) -> bool {
    let reply = match random.below(4) {
        0 => client.get("/me").await,
        1 => client.post("/visit").await,
        2 => client.post("/look").await,
        _ => client.post_form("/rename", &[("name", "Ann")]).await,
    };
    assert!(reply.status == 200 || reply.status == 401, "{}", reply.text());
    reply.status == 200
}

async fn a_session_in_use_lives_to_the_end_of_its_lifetime_and_never_longer(store: Store) {
    for seed in 0..12 {
        let (clock, mut random) = (ManualClock::new(), Random(seed));
        let server = server(&store, &clock).await;
        let client = logged_in(&server, "ann").await;
        let mut minutes = 0;
        loop {
            let step = 1 + random.below(29);
            minutes += step;
            clock.advance(step * MINUTE);
            let alive = use_it(&client, &mut random).await;
            assert_eq!(
                alive,
                minutes < 12 * 60,
                "seed {seed}: {minutes} minutes after login, {step} after the last use"
            );
            if !alive {
                break;
            }
        }
        clock.advance(MINUTE);
        assert!(!use_it(&client, &mut random).await, "seed {seed}: what has ended stays ended");
    }
}

async fn a_session_that_nobody_uses_ends_with_its_idle_timeout(store: Store) {
    for seed in 0..12 {
        let (clock, mut random) = (ManualClock::new(), Random(seed));
        let server = server(&store, &clock).await;
        let client = logged_in(&server, "ann").await;
        for _ in 0..random.below(10) {
            clock.advance((1 + random.below(29)) * MINUTE);
            assert!(use_it(&client, &mut random).await, "seed {seed}");
        }
        clock.advance((30 + SLACK + random.below(60)) * MINUTE);
        for _ in 0..3 {
            assert!(!use_it(&client, &mut random).await, "seed {seed}: a late use does not bring it back");
        }
        assert_eq!(client.get("/").await.text(), "anonymous");
    }
}

async fn rotating_a_session_does_not_lengthen_its_life(store: Store) {
    let clock = ManualClock::new();
    let server = server(&store, &clock).await;
    let client = logged_in(&server, "ann").await;
    for _ in 0..35 {
        clock.advance(20 * MINUTE);
        assert_eq!(client.post("/rotate").await.status, 200);
    }
    clock.advance(19 * MINUTE);
    assert_eq!(client.post("/rotate").await.status, 200, "a minute before the end of 12 hours");
    clock.advance(MINUTE);
    assert_problem(&client.post("/rotate").await, 401, "missing");
    assert_problem(&client.get("/me").await, 401, "missing");
}

async fn a_dead_token_does_not_keep_the_session_alive(store: Store) {
    let clock = ManualClock::new();
    let server = server(&store, &clock).await;
    let client = logged_in(&server, "ann").await;
    let (stolen, owner) = (token(&client), client.clone());
    owner.post("/rotate").await;
    for _ in 0..5 {
        clock.advance(10 * MINUTE);
        assert!(!is_alive(&server, &stolen).await);
    }
    assert!(!is_alive(&server, &token(&owner)).await, "its owner has not used it for 50 minutes");
}

on_every_backend!(
    a_dead_token_does_not_keep_the_session_alive,
    a_session_in_use_lives_to_the_end_of_its_lifetime_and_never_longer,
    a_session_that_nobody_uses_ends_with_its_idle_timeout,
    rotating_a_session_does_not_lengthen_its_life,
);

#[tokio::test]
async fn in_memory_a_session_ends_at_its_idle_timeout_to_the_millisecond() {
    let (store, clock) = (Store::memory(), ManualClock::new());
    let server = server(&store, &clock).await;
    let client = logged_in(&server, "ann").await;
    clock.advance(30 * MINUTE - Duration::from_millis(1));
    assert_eq!(client.get("/me").await.status, 200);
    clock.advance(30 * MINUTE);
    assert_problem(&client.get("/me").await, 401, "missing");
}

#[tokio::test]
async fn a_clock_that_jumps_makes_no_panic_and_no_immortal_session() {
    let (store, clock) = (Store::memory(), ManualClock::new());
    let server = server(&store, &clock).await;
    let client = logged_in(&server, "ann").await;
    let (kept, start) = (token(&client), clock.now());

    clock.set(Timestamp::from_millis(start.as_millis() - 50_000));
    assert!(is_alive(&server, &kept).await, "a little skew is tolerated");
    clock.set(Timestamp::from_millis(start.as_millis() - 70_000));
    assert!(!is_alive(&server, &kept).await, "a token from the future is not");
    for moment in [Timestamp::from_millis(0), Timestamp::from_millis(u64::MAX)] {
        clock.set(moment);
        assert!(!is_alive(&server, &kept).await);
        let client = server.client();
        assert_eq!(client.post_form("/login", &[("name", "bob")]).await.status, 303);
        assert_eq!(client.get("/").await.status, 200);
    }
    clock.set(start.plus(12 * 60 * MINUTE));
    assert!(!is_alive(&server, &kept).await, "the end has come, whatever happened between");
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "5m", lifetime = env("HTTP_TESTS_UNSET", default = "1h"))]
struct Brief;

#[session(optional)]
async fn start(slot: SessionSlot<Brief>) -> Result<(), Error> {
    slot.start(Brief).await
}

#[session(protected)]
async fn check(_brief: &Brief) {}

async fn brief(sessions: Sessions<Brief>) -> (Served, Client) {
    let server = serve(Router::new().route("/", post(start).get(check)).with_state(sessions)).await;
    let client = server.client();
    client.post("/").await;
    (server, client)
}

#[tokio::test]
async fn a_type_has_the_timeouts_that_it_declares() {
    let clock = ManualClock::new();
    let (_server, client) = brief(Store::memory().builder().clock(clock.clone()).open().await.unwrap()).await;
    for _ in 0..14 {
        clock.advance(4 * MINUTE);
        assert_eq!(client.get("/").await.status, 200);
    }
    clock.advance(4 * MINUTE);
    assert_eq!(client.get("/").await.status, 401, "after an hour");

    client.post("/").await;
    clock.advance(5 * MINUTE);
    assert_eq!(client.get("/").await.status, 401, "after five minutes without use");
}

#[tokio::test]
async fn a_builder_can_give_other_timeouts() {
    let clock = ManualClock::new();
    let builder = Store::memory().builder().clock(clock.clone()).idle(2 * MINUTE).lifetime(3 * MINUTE);
    let (_server, client) = brief(builder.open().await.unwrap()).await;
    for (minutes, status) in [(1, 200), (1, 200), (1, 401)] {
        clock.advance(minutes * MINUTE);
        assert_eq!(client.get("/").await.status, status);
    }
}

#[tokio::test]
async fn a_shorter_lifetime_counts_for_tokens_from_before_it_was_shortened() {
    let (store, clock) = (Store::memory(), ManualClock::new());
    let before = server(&store, &clock).await;
    let client = logged_in(&before, "ann").await;
    let shorter = store.builder::<User>().clock(clock.clone()).idle(10 * MINUTE).lifetime(20 * MINUTE);
    let after = serve_users(shorter.open().await.unwrap()).await;
    let cookie = format!("{COOKIE}={}", token(&client));
    for _ in 0..2 {
        clock.advance(9 * MINUTE);
        assert_eq!(send_with(&after, Method::GET, "/me", &cookie).await.status, 200);
    }
    clock.advance(3 * MINUTE);
    assert_problem(&send_with(&after, Method::GET, "/me", &cookie).await, 401, "missing");
}
