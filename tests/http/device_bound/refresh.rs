//! The table of answers to a refresh.

use axum::http::StatusCode;
use serde_json::{Value, json};
use session_runtime::Sessions;
use session_tests::{
    Client, Device, Reply,
    device::{Offer, challenge, send},
    serve,
};

use super::{Account, Bound, DEVICE, MINUTE, PATH, SECOND, assert_guarded, assert_refused, bound};
use crate::support::{Ledger, Store, key, on_every_backend};
use session_runtime::testing::ManualClock;

/// The browser is asked for a proof, by a challenge that it answers at once.
fn asked(reply: &Reply) -> String {
    assert_refused(reply, 403, "device-unproven");
    challenge(&reply.headers).expect("a challenge, or the browser ends the session")
}

/// The key was proved.
fn proven(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{}", reply.text());
    assert_guarded(reply);
    let [cookie] = reply.set_cookies()[..] else { panic!("one cookie: {:?}", reply.set_cookies()) };
    assert_eq!(cookie.split_once("; ").unwrap().1, "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600");
    assert!(cookie.starts_with(&format!("{DEVICE}=")));
    challenge(&reply.headers).expect("the next challenge")
}

fn ended(reply: &Reply, session: &str) {
    assert_eq!(reply.status, 200);
    assert_guarded(reply);
    assert_eq!(reply.json::<Value>(), json!({ "session_identifier": session, "continue": false }));
    assert!(reply.set_cookies().is_empty());
}

async fn a_proof_is_answered_with_a_cookie_and_the_next_challenge_on_any_process(store: Store) {
    let Bound { site, session, challenge } = bound(&store).await;
    let mut next = challenge;
    for round in 0..4 {
        site.clock.advance(9 * MINUTE);
        // A link from another site causes a refresh without the session's `Lax` cookie.
        let client = if round % 2 == 0 { site.elsewhere() } else { Client::new(&site.server.url()) };
        let reply = site.device.refresh(&client, PATH, &session, &next).await;
        next = proven(&reply);
        site.client.set_cookie(reply.set_cookies()[0]);
        assert_eq!(site.client.get("/me").await.status, 200);
    }
}

async fn no_proof_and_a_stale_one_are_asked_for_another(store: Store) {
    let Bound { site, session, challenge } = bound(&store).await;
    let without = asked(&send(&site.client, PATH, Some(&session), None).await);
    let pushed = proven(&site.device.refresh(&site.client, PATH, &session, &without).await);
    // At the same moment: what is pushed with an answer is newer than what was answered.
    site.clock.advance(2 * MINUTE);
    proven(&site.device.refresh(&site.client, PATH, &session, &pushed).await);
    // That one was newer than the one that the registration pushed.
    site.clock.advance(MINUTE);
    let newer = asked(&site.device.refresh(&site.client, PATH, &session, &challenge).await);
    // 20 minutes are as old as a challenge may be.
    site.clock.advance(20 * MINUTE + SECOND);
    let newest = asked(&site.device.refresh(&site.client, PATH, &session, &newer).await);
    proven(&site.device.refresh(&site.elsewhere(), PATH, &session, &newest).await);
}

async fn a_proof_that_is_sent_again_holds_for_a_minute(store: Store) {
    let Bound { site, session, challenge } = bound(&store).await;
    site.clock.advance(5 * MINUTE);
    proven(&site.device.refresh(&site.client, PATH, &session, &challenge).await);
    site.clock.advance(MINUTE);
    proven(&site.device.refresh(&site.elsewhere(), PATH, &session, &challenge).await);
    site.clock.advance(SECOND);
    asked(&site.device.refresh(&site.client, PATH, &session, &challenge).await);
}

async fn a_wrong_key_a_wrong_kind_and_garbage_are_401_and_the_binding_stays(store: Store) {
    let Bound { site, session, challenge } = bound(&store).await;
    let typ = json!({ "alg": "ES256", "typ": "JWT" });
    for proof in [
        Device::new(2).proof(&challenge),
        site.device.registration(&challenge),
        site.device.sign(&typ, &json!({ "jti": challenge })),
        "garbage".into(),
    ] {
        assert_refused(&send(&site.client, PATH, Some(&session), Some(&proof)).await, 401, "device-proof");
    }
    // A challenge that nobody made, one of another session, and the cookie in its place.
    let other = bound(&store).await;
    let cookie = site.client.cookie(DEVICE);
    for foreign in ["challenge".to_owned(), other.challenge, cookie.unwrap_or_default()] {
        asked(&site.device.refresh(&site.client, PATH, &session, &foreign).await);
    }
    assert_refused(&send(&site.client, PATH, Some("no identifier"), None).await, 400, "device-proof");
    site.clock.advance(MINUTE);
    proven(&site.device.refresh(&site.client, PATH, &session, &challenge).await);
}

async fn a_session_that_has_ended_is_not_continued(store: Store) {
    let Bound { site, session, challenge } = bound(&store).await;
    let logout = site.client.post("/logout").await;
    let removed: Vec<&str> = logout.set_cookies().into_iter().filter(|cookie| cookie.contains("Max-Age=0")).collect();
    assert_eq!(removed.len(), 2, "both cookies: {removed:?}");
    assert!(removed.iter().any(|cookie| cookie.starts_with(&format!("{DEVICE}=;"))));
    ended(&site.device.refresh(&site.client, PATH, &session, &challenge).await, &session);
    ended(&send(&site.client, PATH, Some(&session), None).await, &session);

    let unknown = "A".repeat(43);
    ended(&send(&site.client, PATH, Some(&unknown), None).await, &unknown);
}

async fn a_refresh_checks_the_idle_timeout_and_does_not_slide_it(store: Store) {
    let Bound { site, session, challenge } = bound(&store).await;
    let (mut next, mut rounds) = (challenge, 0);
    // The idle timeout is two hours.
    loop {
        site.clock.advance(9 * MINUTE);
        rounds += 1;
        let reply = site.device.refresh(&site.client, PATH, &session, &next).await;
        if reply.status == StatusCode::OK {
            ended(&reply, &session);
            break;
        }
        next = proven(&reply);
        assert!(rounds < 20, "it ends although it is refreshed");
    }
    assert!(rounds >= 13, "{rounds}");
}

async fn a_refresh_is_answered_while_a_handler_has_the_session(store: Store) {
    let Bound { site, session, challenge } = bound(&store).await;
    site.clock.advance(MINUTE);
    let visits = (0..10).map(|_| site.client.post("/visit"));
    let refreshes = (0..5).map(|_| site.device.refresh(&site.client, PATH, &session, &challenge));
    let (visits, refreshes) =
        tokio::join!(futures_util::future::join_all(visits), futures_util::future::join_all(refreshes));
    refreshes.iter().for_each(|reply| drop(proven(reply)));
    // The jar has the cookie of the registration or of a refresh.
    assert!(visits.iter().all(|reply| reply.status == 200), "{visits:?}");
    assert_eq!(site.client.post("/visit").await.text(), "11", "no visit is lost to a refresh");
}

on_every_backend![
    a_proof_is_answered_with_a_cookie_and_the_next_challenge_on_any_process,
    no_proof_and_a_stale_one_are_asked_for_another,
    a_proof_that_is_sent_again_holds_for_a_minute,
    a_wrong_key_a_wrong_kind_and_garbage_are_401_and_the_binding_stays,
    a_session_that_has_ended_is_not_continued,
    a_refresh_checks_the_idle_timeout_and_does_not_slide_it,
    a_refresh_is_answered_while_a_handler_has_the_session,
];

#[tokio::test]
async fn a_store_that_is_down_is_503_and_the_same_proof_holds_later() {
    let (ledger, clock) = (Ledger::default(), ManualClock::new());
    let builder = Sessions::<Account>::builder().backend(ledger.clone()).key(&key('k')).clock(clock.clone());
    let server = serve(super::routes(&builder.open().await.unwrap())).await;
    let (client, device) = (server.client(), Device::new(1));
    let offer = Offer::of(&client.post("/login").await).unwrap();
    let reply = device.register(&client, &offer).await;
    let (session, next) = (reply.json::<Value>(), challenge(&reply.headers).unwrap());
    let session = session["session_identifier"].as_str().unwrap();
    clock.advance(9 * MINUTE);
    ledger.set_down(true);
    let down = device.refresh(&client, PATH, session, &next).await;
    assert_refused(&down, 503, "unavailable");
    assert!(down.header("retry-after").is_some(), "and never an answer that ends the binding");
    ledger.set_down(false);
    proven(&device.refresh(&client, PATH, session, &next).await);
}

#[tokio::test]
async fn keys_are_rotated_under_a_bound_session() {
    let store = Store::memory();
    let Bound { site, session, challenge } = bound(&store).await;
    site.clock.advance(MINUTE);
    let both = format!("{},{}", key('n'), key('k'));
    let sessions: Sessions<Account> = store.builder().key(&both).clock(site.clock.clone()).open().await.unwrap();
    let server = serve(super::routes(&sessions)).await;
    let client = site.client.at(&server.url());
    assert_eq!(client.get("/me").await.status, 200, "the device's cookie of the older key");
    let next = proven(&site.device.refresh(&client, PATH, &session, &challenge).await);
    let alone = store.builder().key(&key('n')).clock(site.clock.clone()).open().await.unwrap();
    let server = serve(super::routes(&alone)).await;
    site.clock.advance(MINUTE);
    proven(&site.device.refresh(&client.at(&server.url()), PATH, &session, &next).await);
    assert_eq!(client.at(&server.url()).get("/me").await.status, 200);
}
