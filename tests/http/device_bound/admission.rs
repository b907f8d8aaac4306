//! Who may use a bound session: whoever proves its device.

use axum::{
    Router,
    http::{Method, header::COOKIE},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Device as Binding, Error, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Device, device::Offer, serve};

use super::{Bound, DEVICE, MINUTE, NAME, SECOND, bound, site};
use crate::support::{Events, Ledger, Store, assert_problem, key, on_every_backend};

/// Each way to take a session.
const PROTECTED: [(Method, &str); 6] = [
    (Method::GET, "/me"),
    (Method::POST, "/visit"),
    (Method::GET, "/owned"),
    (Method::GET, "/extracted"),
    (Method::GET, "/guarded"),
    (Method::HEAD, "/me"),
];

async fn a_stolen_cookie_dies_with_the_grace_and_the_browser_lives_on(store: Store) {
    let Bound { site, .. } = bound(&store).await;
    site.clock.advance(30 * SECOND - std::time::Duration::from_millis(1));
    for (method, path) in PROTECTED {
        assert_eq!(site.stolen(method, path).await.status, 200, "{path}: a page may outrun its registration");
    }
    site.clock.advance(std::time::Duration::from_millis(1));
    for (method, path) in PROTECTED {
        let reply = site.stolen(method.clone(), path).await;
        if method == Method::HEAD {
            assert_eq!(reply.status, 401);
        } else {
            assert_problem(&reply, 401, "device-unproven");
        }
        assert_eq!(reply.header("www-authenticate"), Some(r#"Cookie cookie-name="__Host-account""#));
        assert!(reply.set_cookies().is_empty(), "the browser's cookies are left alone");
        assert_eq!(site.client.send(method, path, |request| request).await.status, 200, "{path}");
    }
    assert_eq!(site.stolen(Method::GET, "/greet").await.text(), "anonymous");
    assert_eq!(site.client.get("/greet").await.text(), "known");
    // Whoever can't prove the device any more can log in again.
    let again = site.stolen(Method::POST, "/login").await;
    assert_eq!(again.status, 200);
    assert!(Offer::of(&again).is_some());
    assert_eq!(site.client.get("/me").await.status, 200, "and ends nobody's session by that");
    let left = site.stolen(Method::POST, "/leave").await;
    assert_eq!((left.status.as_u16(), left.set_cookies().len()), (200, 2), "whoever logs out forgets both cookies");
    assert_eq!(site.client.get("/me").await.status, 200, "and a thief who does ends nobody's session");
}

async fn a_browser_that_logs_out_without_a_proof_is_logged_out(store: Store) {
    let Bound { site, session, challenge } = bound(&store).await;
    site.clock.advance(20 * MINUTE);
    assert_eq!(site.client.get("/greet").await.text(), "anonymous", "the proof has run out");
    assert_eq!(site.client.post("/leave").await.status, 200);
    assert_eq!(site.client.cookie(NAME), None);
    // A refresh that comes late gives the device's cookie alone.
    site.device.refresh(&site.client, super::PATH, &session, &challenge).await;
    assert_eq!(site.client.get("/greet").await.text(), "anonymous");
}

async fn a_session_that_is_not_bound_stays_as_it_is(store: Store) {
    let site = site(&store).await;
    site.clock.advance(60 * MINUTE);
    assert_eq!(site.stolen(Method::GET, "/me").await.status, 200);
    assert_eq!(site.client.get("/owned").await.text(), "Unbound");
}

async fn the_devices_cookie_is_for_one_session_and_one_key_and_for_eleven_minutes(store: Store) {
    let (one, other) = (bound(&store).await, bound(&store).await);
    one.site.clock.advance(MINUTE);
    let send = async |device: &str| {
        let cookie = format!("{NAME}={}; {DEVICE}={device}", one.site.client.cookie(NAME).unwrap());
        one.site.server.client().send(Method::GET, "/me", |request| request.header(COOKIE, cookie)).await
    };
    let own = one.site.client.cookie(DEVICE).unwrap();
    let foreign = other.site.client.cookie(DEVICE).unwrap();
    assert_eq!(send(&own).await.status, 200);
    for device in ["", "garbage", &foreign, &one.challenge, &one.site.client.cookie(NAME).unwrap()] {
        assert_problem(&send(device).await, 401, "device-unproven");
    }
    assert_eq!(
        send(&format!("{foreign}; {DEVICE}={own}")).await.status,
        200,
        "what is not this session's is passed over"
    );
    // A browser keeps it for ten minutes; what was sent in time may arrive late.
    one.site.clock.advance(10 * MINUTE - SECOND);
    assert_eq!(send(&own).await.status, 200);
    one.site.clock.advance(2 * SECOND);
    assert_problem(&send(&own).await, 401, "device-unproven");
}

async fn what_is_known_of_the_device_is_shown(store: Store) {
    let Bound { site, challenge, session } = bound(&store).await;
    let before = site.sessions.of("ann").list().await.unwrap();
    let [listing] = &before[..] else { panic!("one session: {before:?}") };
    let Binding::Bound { since, proven } = listing.device() else { panic!("bound: {listing:?}") };
    assert_eq!(since, proven);
    site.clock.advance(5 * MINUTE);
    site.device.refresh(&site.client, super::PATH, &session, &challenge).await;
    let after = site.sessions.of("ann").list().await.unwrap();
    assert_eq!(after[0].device(), Binding::Bound { since, proven: since + 5 * MINUTE });
    assert!(site.client.get("/owned").await.text().starts_with("Bound"));
}

on_every_backend![
    a_stolen_cookie_dies_with_the_grace_and_the_browser_lives_on,
    a_browser_that_logs_out_without_a_proof_is_logged_out,
    a_session_that_is_not_bound_stays_as_it_is,
    the_devices_cookie_is_for_one_session_and_one_key_and_for_eleven_minutes,
    what_is_known_of_the_device_is_shown,
];

#[tokio::test]
async fn a_refusal_is_told_with_what_the_browser_says_of_it() {
    let events = Events::listen();
    let Bound { site, .. } = bound(&Store::memory()).await;
    site.clock.advance(MINUTE);
    let cookie = format!("{NAME}={}", site.client.cookie(NAME).unwrap());
    let skipped = "server_error;session_identifier=\"x\"";
    let client = site.server.client();
    let refused = client
        .send(Method::GET, "/me", |request| request.header(COOKIE, &cookie).header("secure-session-skipped", skipped))
        .await;
    assert_problem(&refused, 401, "device-unproven");
    let told = events.named("session.device_unproven");
    assert_eq!((told.len(), told[0].field("reason")), (1, "no_cookie"));
    assert!(told[0].field("skipped").starts_with("server_error"));
    let token = site.client.cookie(NAME).unwrap();
    assert!(!events.text().contains(&token) && !events.text().contains(&site.client.cookie(DEVICE).unwrap()));
}

#[tokio::test]
async fn a_bound_session_costs_no_call_to_the_store_more() {
    let (ledger, clock) = (Ledger::default(), ManualClock::new());
    let builder = Sessions::<super::Account>::builder().backend(ledger.clone()).key(&key('k')).clock(clock.clone());
    let server = serve(super::routes(&builder.open().await.unwrap())).await;
    let client = server.client();
    let offer = Offer::of(&client.post("/login").await).unwrap();
    let asked = async |client: &session_tests::Client| {
        let before = ledger.asked();
        assert_eq!(client.get("/me").await.status, 200);
        ledger.asked() - before
    };
    // The first one finds out that nothing is bound, or is refused before it uses the session.
    assert_eq!(asked(&client).await, 2);
    let unbound = asked(&client).await;
    assert_eq!(Device::new(1).register(&client, &offer).await.status, 200);
    clock.advance(MINUTE);
    // The first use of a minute also looks at the owner's list.
    asked(&client).await;
    assert_eq!((asked(&client).await, unbound), (1, 1));
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound(require = true), cookie(name = "vault"))]
struct Vault {
    name: String,
}

#[session(optional)]
async fn open(slot: SessionSlot<Vault>) -> Result<(), Error> {
    slot.start(Vault { name: "ann".into() }).await
}

#[session(protected)]
async fn read(vault: &Vault) -> String {
    vault.name.clone()
}

#[tokio::test]
async fn where_a_device_is_required_a_session_without_one_ends_with_the_grace() {
    let clock = ManualClock::new();
    let vaults: Sessions<Vault> = Store::memory().builder().clock(clock.clone()).open().await.unwrap();
    let router = Router::new().route("/open", post(open)).route("/read", get(read)).merge(vaults.device_routes());
    let server = serve(router.with_state(vaults)).await;
    let (plain, binding) = (server.client(), server.client());
    plain.post("/open").await;
    let offer = Offer::of(&binding.post("/open").await).unwrap();
    assert_eq!(offer.path, "/.session/vault/device");
    assert_eq!(Device::new(1).register(&binding, &offer).await.status, 200);
    assert!(binding.cookie("vault-device").is_some());
    assert_eq!(plain.get("/read").await.status, 200, "a browser needs a moment to register");
    clock.advance(30 * SECOND);
    assert_problem(&plain.get("/read").await, 401, "device-unbound");
    assert_eq!(binding.get("/read").await.status, 200);
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound, cookie(name = "guest"), missing = redirect("/login"))]
struct Guest {
    name: String,
}

#[session(optional)]
async fn enter(slot: SessionSlot<Guest>) -> Result<(), Error> {
    slot.start(Guest { name: "gil".into() }).await
}

#[session(protected)]
async fn greet(guest: &mut Guest) -> String {
    guest.name.clone()
}

#[tokio::test]
async fn a_types_own_missing_answers_those_who_prove_nothing() {
    let clock = ManualClock::new();
    let guests: Sessions<Guest> = Store::memory().builder().clock(clock.clone()).open().await.unwrap();
    let router = Router::new().route("/enter", post(enter)).route("/greet", post(greet)).merge(guests.device_routes());
    let server = serve(router.with_state(guests)).await;
    let client = server.client();
    let offer = Offer::of(&client.post("/enter").await).unwrap();
    assert_eq!(Device::new(1).register(&client, &offer).await.status, 200);
    clock.advance(MINUTE);
    let stolen = format!("guest={}", client.cookie("guest").unwrap());
    let reply = server.client().send(Method::POST, "/greet", |request| request.header(COOKIE, stolen)).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/login")));
    assert_eq!(client.post("/greet").await.text(), "gil");
}
