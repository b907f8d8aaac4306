//! Processes that die between two steps, and answers that never arrive: whoever asks again finds what was done.

use serde_json::Value;
use session_runtime::{
    Clock as _, Sessions, SystemClock,
    backend::{Acquired, Holder, Lease, Leases, List as _, RecordKey, Redis, Touch},
    testing::ManualClock,
};
use session_tests::{
    Device,
    device::{Offer, challenge},
    serve,
};

use super::{Account, Bound, MINUTE, PATH, SECOND, Site, assert_refused, bound, routes, site};
use crate::support::{Answers, DEADLINE, Late, Store, key, on_every_backend};

async fn a_registration_is_finished_by_another_process_than_the_one_that_began_it(store: Store) {
    let Site { server, other, client, device, offer, clock, .. } = site(&store).await;
    let elsewhere = client.at(&other.url());
    let session = client.cookie(super::NAME);
    // Its answer is lost with the process.
    let lost = device.register(&session_tests::Client::new(&server.url()), &offer).await;
    drop(server);
    let again = device.register(&elsewhere, &offer).await;
    assert_eq!(again.status, 200, "{}", again.text());
    let identifier = |reply: &session_tests::Reply| reply.json::<Value>()["session_identifier"].clone();
    assert_eq!(identifier(&again), identifier(&lost));
    clock.advance(31 * SECOND);
    assert_eq!(elsewhere.get("/me").await.status, 200);
    assert_eq!(client.cookie(super::NAME), session);
}

async fn a_proof_whose_answer_was_lost_is_answered_by_another_process(store: Store) {
    let Bound { site, session, challenge: next } = bound(&store).await;
    site.clock.advance(9 * MINUTE);
    let Site { server, other, client, device, .. } = site;
    let lost = device.refresh(&session_tests::Client::new(&server.url()), PATH, &session, &next).await;
    assert_eq!(lost.status, 204);
    drop(server);
    let elsewhere = client.at(&other.url());
    let again = device.refresh(&elsewhere, PATH, &session, &next).await;
    assert_eq!(again.status, 204, "{}", again.text());
    assert_eq!(elsewhere.get("/me").await.status, 200);
}

on_every_backend![
    a_registration_is_finished_by_another_process_than_the_one_that_began_it,
    a_proof_whose_answer_was_lost_is_answered_by_another_process,
];

/// What a process leaves behind that is killed while it has each record exclusively.
async fn killed_in_the_middle(backend: &Redis) -> Vec<(RecordKey, Lease)> {
    let now = SystemClock.now();
    let hour = 60 * MINUTE;
    let mut left = Vec::new();
    let page = backend.list(None, 100).await.unwrap();
    assert!(page.next.is_none(), "all on one page");
    for record in page.records {
        let lease = Lease { holder: Holder::new(), ttl: hour, now };
        let touch = Touch { now, idle: hour, expires: now.plus(hour) };
        let acquired = backend.acquire(&record.key, lease, touch).await.unwrap();
        assert!(matches!(acquired, Acquired::Granted(_)), "the lease is free");
        left.push((record.key, lease));
    }
    left
}

#[tokio::test]
async fn a_process_that_was_killed_with_the_session_in_its_hands_keeps_no_browser_from_proving_its_key() {
    let redis = session_tests::Redis::start().await;
    let backend = Redis::new(&redis.url(), "test:").unwrap();
    let store = Store::Redis(redis);
    let Bound { site, session, challenge: next } = bound(&store).await;
    site.clock.advance(9 * MINUTE);
    assert!(!killed_in_the_middle(&backend).await.is_empty());
    let reply = site.device.refresh(&site.elsewhere(), PATH, &session, &next).await;
    assert_eq!(reply.status, 204, "{}", reply.text());
    assert_eq!(site.client.get("/me").await.status, 200);
}

#[tokio::test]
async fn a_registration_waits_for_the_lease_of_a_killed_process_and_is_503_before_the_browser_gives_up() {
    let redis = session_tests::Redis::start().await;
    let backend = Redis::new(&redis.url(), "test:").unwrap();
    let store = Store::Redis(redis);
    let site = site(&store).await;
    let left = killed_in_the_middle(&backend).await;
    assert_refused(&site.device.register(&site.elsewhere(), &site.offer).await, 503, "unavailable");
    assert_eq!(site.client.get("/me").await.status, 200, "it is a session as before");
    for (key, lease) in left {
        backend.release(&key, lease).await.unwrap();
    }
    assert_eq!(site.device.register(&site.elsewhere(), &site.offer).await.status, 200);
}

#[tokio::test]
async fn a_binding_whose_write_has_no_answer_is_found_by_who_asks_again() {
    let (late, clock) = (Late::default(), ManualClock::new());
    let builder = || Sessions::<Account>::builder().backend(late.clone()).key(&key('k')).clock(clock.clone());
    let sessions = builder().deadline(DEADLINE).open().await.unwrap();
    let server = serve(routes(&sessions)).await;
    let client = server.client();
    let offer = Offer::of(&client.post("/login").await).unwrap();
    late.answers(Answers::LosesAllFromAWrite);
    assert_refused(&Device::new(1).register(&client, &offer).await, 503, "unavailable");
    late.answers(Answers::Prompt);
    let reply = Device::new(1).register(&client, &offer).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let session = reply.json::<Value>()["session_identifier"].as_str().unwrap().to_owned();

    clock.advance(9 * MINUTE);
    let next = challenge(&reply.headers).unwrap();
    late.answers(Answers::LosesAllFromAWrite);
    let unsure = Device::new(1).refresh(&client, PATH, &session, &next).await;
    assert_refused(&unsure, 503, "unavailable");
    late.answers(Answers::Prompt);
    let again = Device::new(1).refresh(&client, PATH, &session, &next).await;
    assert_eq!(again.status, 204, "{}", again.text());
    assert_eq!(client.get("/me").await.status, 200);
}
