//! One session, wanted by many at once.

use axum::http::StatusCode;
use session_tests::{App, Redis};
use tokio::task::JoinSet;

use crate::fleet::{Fleet, on_every_fleet, sorted};

on_every_fleet! {
    fifty_exclusive_borrows_at_once_all_leave_their_change
    fifty_updates_of_an_owned_session_at_once_are_all_there
    shared_borrows_do_not_wait_for_a_handler_that_holds_the_session_and_fifty_that_queue
    shared_borrows_see_whole_states_while_fifty_write
    two_sessions_do_not_wait_for_each_other
    two_types_borrowed_in_opposite_orders_do_not_deadlock
}

const FIFTY: std::ops::Range<u32> = 0..50;

/// Sends fifty requests at once, to the members by turns, each with a number of its own.
async fn fifty(fleet: &Fleet, path: &str) {
    let writer = fleet.writer().await;
    let mut requests = JoinSet::new();
    for entry in FIFTY {
        let (writer, member) = (writer.clone(), entry as usize % fleet.members.len());
        let path = format!("{path}/{entry}");
        requests.spawn(async move { writer.post(member, &path).await });
    }
    for reply in requests.join_all().await {
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    }
    for member in 0..fleet.members.len() {
        assert_eq!(sorted(writer.entries(member).await), FIFTY.collect::<Vec<_>>());
    }
    assert_eq!(fleet.stored().await, 1, "no lease is left behind");
}

async fn fifty_exclusive_borrows_at_once_all_leave_their_change(fleet: Fleet) {
    fifty(&fleet, "/append").await;
}

async fn fifty_updates_of_an_owned_session_at_once_are_all_there(fleet: Fleet) {
    fifty(&fleet, "/update").await;
}

async fn shared_borrows_do_not_wait_for_a_handler_that_holds_the_session_and_fifty_that_queue(fleet: Fleet) {
    let writer = fleet.writer().await;
    let slow = writer.posting(0, "/hold/1000");
    fleet.held(0, 1).await;
    let queue: Vec<_> =
        FIFTY.map(|entry| writer.posting(entry as usize % fleet.members.len(), &format!("/append/{entry}"))).collect();

    // The latch opens only after these have been answered: one that waited for the holder would never be.
    for _ in 0..20 {
        for member in 0..fleet.members.len() {
            assert_eq!(writer.entries(member).await, [] as [u32; 0], "nothing is saved yet");
            assert_eq!(writer.get(member, "/greeting").await.text(), "known");
        }
    }
    assert!(!slow.is_finished() && queue.iter().all(|request| !request.is_finished()));

    fleet.open(0).await;
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    for request in queue {
        assert_eq!(request.await.unwrap().status, StatusCode::OK);
    }
    let entries = writer.entries(fleet.last()).await;
    assert_eq!(entries[0], 1000, "who came first was first");
    assert_eq!(sorted(entries), FIFTY.chain([1000]).collect::<Vec<_>>());
}

async fn shared_borrows_see_whole_states_while_fifty_write(fleet: Fleet) {
    let writer = fleet.writer().await;
    let writes: Vec<_> =
        FIFTY.map(|entry| writer.posting(entry as usize % fleet.members.len(), &format!("/append/{entry}"))).collect();
    let mut seen = vec![Vec::new(); fleet.members.len()];
    while !writes.iter().all(tokio::task::JoinHandle::is_finished) {
        for (member, seen) in seen.iter_mut().enumerate() {
            let entries = writer.entries(member).await;
            assert!(entries.starts_with(seen), "{entries:?} takes back some of {seen:?}");
            *seen = entries;
        }
    }
    for write in writes {
        assert_eq!(write.await.unwrap().status, StatusCode::OK);
    }
}

async fn two_sessions_do_not_wait_for_each_other(fleet: Fleet) {
    let (one, other) = (fleet.writer().await, fleet.writer().await);
    let slow = one.posting(0, "/hold/1");
    fleet.held(0, 1).await;
    for member in 0..fleet.members.len() {
        assert_eq!(other.post(member, "/append/2").await.status, StatusCode::OK);
    }
    assert!(!slow.is_finished());
    fleet.open(0).await;
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
}

async fn two_types_borrowed_in_opposite_orders_do_not_deadlock(fleet: Fleet) {
    let jar = fleet.client(0);
    assert_eq!(jar.post("/start").await.status, StatusCode::CREATED);
    assert_eq!(jar.post("/start-cart").await.status, StatusCode::CREATED);
    let mut requests = JoinSet::new();
    for entry in FIFTY {
        let order = if entry / 2 % 2 == 0 { "ledger-and-cart" } else { "cart-and-ledger" };
        let client = jar.at(&fleet.url(entry as usize % fleet.members.len()));
        requests.spawn(async move { client.post(&format!("/{order}/{entry}")).await });
    }
    for reply in requests.join_all().await {
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    }
    for path in ["/entries", "/items"] {
        assert_eq!(sorted(jar.get(path).await.json()), FIFTY.collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_of_the_fleet_example_serve_one_session_and_lose_no_visit() {
    let redis = Redis::start().await;
    let key = String::from_utf8(App::example("keygen").run().await.stdout).unwrap();
    let program = || App::example("fleet").env("REDIS_URL", redis.url()).env("SESSION_KEYS", key.trim());
    let (one, other) = (program().start().await, program().start().await);
    let client = one.client();
    assert_eq!(client.post_form("/login", &[("name", "Ada")]).await.status, StatusCode::SEE_OTHER);

    let mut visits = JoinSet::new();
    for visit in FIFTY {
        let client = client.at(&if visit % 2 == 0 { one.url() } else { other.url() });
        visits.spawn(async move { client.post("/visit").await });
    }
    let counts = visits.join_all().await.iter().map(|reply| reply.text().parse().unwrap()).collect();
    assert_eq!(sorted(counts), (1..=50).collect::<Vec<_>>(), "each visit has a count of its own");
    for app in [&one, &other] {
        let me: serde_json::Value = client.at(&app.url()).get("/me").await.json();
        assert_eq!(me, serde_json::json!({ "name": "Ada", "visits": 50 }));
    }

    let old = client.cookie("user").unwrap();
    assert_eq!(client.at(&other.url()).post("/logout").await.status, StatusCode::SEE_OTHER);
    let late = one.client();
    late.set_cookie(&format!("user={old}; Path=/"));
    assert_eq!(late.get("/me").await.status, StatusCode::UNAUTHORIZED, "a logout on one process holds on the other");
}
