//! The offer, and the table of answers to a registration.

use axum::http::Method;
use serde_json::{Value, json};
use session_runtime::Sessions;
use session_tests::{
    Client, Device, Reply,
    device::{Offer, challenge, send},
    serve,
};

use super::{Account, Bound, DEVICE, MINUTE, NAME, PATH, SECOND, assert_guarded, assert_refused, bound, site};
use crate::support::{Events, Ledger, Store, key, on_every_backend};

async fn a_registration_binds_the_session_on_any_process_and_without_its_cookie(store: Store) {
    let site = site(&store).await;
    // A login that comes back from another site: the browser sends no `Lax` cookie with the registration.
    let without_cookies = Client::new(&site.other.url());
    let reply = site.device.register(&without_cookies, &site.offer).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_guarded(&reply);
    let body: Value = reply.json();
    let session = body["session_identifier"].as_str().unwrap();
    assert_eq!(session.len(), 43);
    let token = site.client.cookie(NAME).unwrap();
    assert!(!body.to_string().contains(&token[..40]), "nothing of the token is in it");
    assert_eq!(
        body,
        json!({
            "session_identifier": session,
            "refresh_url": PATH,
            "scope": { "include_site": false, "scope_specification": [
                { "type": "exclude", "domain": "*", "path": "/static" },
                { "type": "exclude", "domain": "*", "path": "/health" },
            ] },
            "credentials": [{
                "type": "cookie", "name": DEVICE, "attributes": "HttpOnly; SameSite=Lax; Secure; Path=/",
            }],
            "allowed_refresh_initiators": ["*"],
        })
    );
    // The header and the JSON name one cookie in the same words: a difference would be a refresh with every request.
    let [cookie] = reply.set_cookies()[..] else { panic!("one cookie: {:?}", reply.set_cookies()) };
    let attributes: Vec<&str> = cookie.split("; ").skip(1).filter(|part| !part.starts_with("Max-Age")).collect();
    assert_eq!(body["credentials"][0]["attributes"], attributes.join("; "));
    assert!(cookie.starts_with(&format!("{DEVICE}=")) && cookie.contains("Max-Age=600"), "{cookie}");
    assert!(challenge(&reply.headers).is_some(), "the first refresh needs no round trip for its challenge");

    site.clock.advance(31 * SECOND);
    site.client.set_cookie(cookie);
    assert_eq!(site.client.get("/me").await.text(), "ann");
    assert_eq!(site.elsewhere().get("/me").await.text(), "ann");
}

async fn the_first_key_wins_and_the_same_one_again_is_answered_again(store: Store) {
    let Bound { site, session, .. } = bound(&store).await;
    let again = site.device.register(&site.client, &site.offer).await;
    assert_eq!((again.status.as_u16(), &again.json::<Value>()["session_identifier"]), (200, &session.as_str().into()));
    assert!(again.set_cookies()[0].starts_with(DEVICE));
    let other = Device::new(2).register(&site.client, &site.offer).await;
    assert_refused(&other, 409, "device-proof");
    assert_eq!(site.client.get("/me").await.status, 200);
}

async fn of_ten_registrations_at_once_one_wins(store: Store) {
    let site = site(&store).await;
    let race = (1..=10).map(|number| {
        let (client, offer) = (if number % 2 == 0 { site.client.clone() } else { site.elsewhere() }, &site.offer);
        async move { (number, Device::new(number).register(&client, offer).await.status.as_u16()) }
    });
    let answers = futures_util::future::join_all(race).await;
    let won: Vec<u8> = answers.iter().filter(|(_, status)| *status == 200).map(|(number, _)| *number).collect();
    let lost = answers.iter().filter(|(_, status)| *status == 409).count();
    assert_eq!((won.len(), lost), (1, 9), "{answers:?}");
    let again = Device::new(won[0]).register(&site.client, &site.offer).await;
    assert_eq!(again.status, 200);
}

async fn a_registration_that_cannot_be_used_is_refused_and_costs_nothing(store: Store) {
    let site = site(&store).await;
    let (client, challenge) = (&site.client, &site.offer.challenge);
    let good = site.device.registration(challenge);
    let header = json!({ "alg": "ES256", "typ": "dbsc+jwt" });
    let forged = format!("{}.{}", good.rsplit_once('.').unwrap().0, {
        let other = Device::new(2).registration(challenge);
        other.rsplit_once('.').unwrap().1.to_owned()
    });
    let cases: Vec<(&str, u16, Option<String>)> = vec![
        ("no proof", 400, None),
        ("an empty one", 400, Some(String::new())),
        ("no proof at all", 400, Some("a.b.c".into())),
        ("a proof without a key", 400, Some(site.device.sign(&header, &json!({ "jti": challenge })))),
        ("an oversized one", 400, Some(format!("{good}{}", "A".repeat(5000)))),
        ("another key's signature", 401, Some(forged)),
        ("a challenge that nobody made", 401, Some(site.device.registration("challenge"))),
        ("the session's own token", 401, Some(site.device.registration(&client.cookie(NAME).unwrap()))),
    ];
    for (what, status, proof) in cases {
        let reply = send(client, PATH, None, proof.as_deref()).await;
        assert_refused(&reply, status, "device-proof");
        assert_eq!(client.get("/me").await.status, 200, "{what}: the session stays as it is");
    }
    let cross_site = client
        .send(Method::POST, PATH, |request| {
            request.header("sec-fetch-site", "cross-site").header("secure-session-response", &good)
        })
        .await;
    assert_refused(&cross_site, 403, "cross-site");
    assert_eq!(client.get(PATH).await.status, 405);
    // Chromium sends it bare; the draft has it in quotes.
    let quoted = send(client, PATH, None, Some(&format!("\"{good}\""))).await;
    assert_eq!(quoted.status, 200);
}

async fn an_offer_is_for_five_minutes_and_for_the_id_that_it_was_made_for(store: Store) {
    let site = site(&store).await;
    let rotated = site.client.post("/rotate").await;
    let newer = Offer::of(&rotated).expect("a new token comes with a new offer");
    assert_refused(&site.device.register(&site.client, &site.offer).await, 401, "device-proof");
    site.clock.advance(5 * MINUTE + SECOND);
    assert_refused(&site.device.register(&site.client, &newer).await, 401, "device-proof");
    let newest = Offer::of(&site.client.post("/rotate").await).unwrap();
    site.client.post("/logout").await;
    assert_refused(&site.device.register(&site.client, &newest).await, 401, "device-proof");
}

async fn a_bound_session_is_offered_nothing_and_keeps_its_device_across_rotations(store: Store) {
    let Bound { site, .. } = bound(&store).await;
    site.clock.advance(MINUTE);
    let rotated = site.client.post("/rotate").await;
    assert_eq!(rotated.status, 200);
    assert!(Offer::of(&rotated).is_none(), "it is bound");
    let [cookie] = rotated.set_cookies()[..] else { panic!("the session's alone: {:?}", rotated.set_cookies()) };
    assert!(cookie.starts_with(&format!("{NAME}=")));
    assert_eq!(site.elsewhere().get("/me").await.status, 200, "the device's cookie holds for the new id");
    assert!(Offer::of(&site.client.get("/me").await).is_none());
}

on_every_backend![
    a_registration_binds_the_session_on_any_process_and_without_its_cookie,
    the_first_key_wins_and_the_same_one_again_is_answered_again,
    of_ten_registrations_at_once_one_wins,
    a_registration_that_cannot_be_used_is_refused_and_costs_nothing,
    an_offer_is_for_five_minutes_and_for_the_id_that_it_was_made_for,
    a_bound_session_is_offered_nothing_and_keeps_its_device_across_rotations,
];

#[tokio::test]
async fn a_store_that_is_down_is_503_and_the_same_registration_holds_later() {
    let ledger = Ledger::default();
    let sessions: Sessions<Account> = Sessions::builder().backend(ledger.clone()).key(&key('k')).open().await.unwrap();
    let server = serve(super::routes(&sessions)).await;
    let client = server.client();
    let offer = Offer::of(&client.post("/login").await).unwrap();
    ledger.set_down(true);
    let down = Device::new(1).register(&client, &offer).await;
    assert_refused(&down, 503, "unavailable");
    assert!(down.header("retry-after").is_some());
    ledger.set_down(false);
    assert_eq!(Device::new(1).register(&client, &offer).await.status, 200);
}

#[tokio::test]
async fn without_the_route_nothing_is_offered_and_that_is_told_once() {
    let events = Events::listen();
    let sessions: Sessions<Account> = Store::memory().builder().open().await.unwrap();
    let router = axum::Router::new().route("/login", axum::routing::post(super::login)).with_state(sessions);
    let server = serve(router).await;
    for _ in 0..2 {
        let reply: Reply = server.client().post("/login").await;
        assert_eq!(reply.status, 200);
        assert!(Offer::of(&reply).is_none());
    }
    assert_eq!(events.named("session.device_route_missing").len(), 1);
}
