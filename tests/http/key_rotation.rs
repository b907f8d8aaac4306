//! Keys that are replaced while sessions live.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::Method,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    Error, Session, SessionData, SessionSlot, Sessions, backend::Memory, session, testing::ManualClock,
};
use session_tests::{Client, Reply, Served, serve};

use crate::support::{
    COOKIE, Store, User, assert_problem, is_alive, key, logged_in, on_every_backend, routes, send_with, token,
};

#[session(protected)]
async fn handle(session: Session<User>) -> String {
    session.name.clone()
}

#[session(optional)]
async fn slot(slot: SessionSlot<User>) -> Result<String, Error> {
    Ok(slot.get().map_or_else(String::new, |user| user.name.clone()))
}

#[session(protected(User))]
async fn guarded() {}

async fn plain() {}

async fn server(store: &Store, keys: &str, clock: &ManualClock) -> Served {
    let sessions = store.builder().key(keys).clock(clock.clone()).open().await.unwrap();
    let behind = Router::new().route("/behind/plain", get(plain)).route("/behind/borrowed", get(handle));
    let more = behind
        .route_layer(sessions.protect())
        .route("/handle", get(handle))
        .route("/slot", get(slot))
        .route("/guarded", get(guarded));
    serve(routes().merge(more).with_state(sessions)).await
}

/// One application before, during and after a rotation, all on one store.
struct Rotation {
    before: Served,
    during: Served,
    after: Served,
    clock: ManualClock,
}

impl Rotation {
    async fn of(store: &Store) -> Self {
        let (old, new, clock) = (key('o'), key('n'), ManualClock::new());
        Self {
            before: server(store, &old, &clock).await,
            during: server(store, &format!("{new}, {old}"), &clock).await,
            after: server(store, &new, &clock).await,
            clock,
        }
    }
}

async fn a_session_outlives_the_key_that_signed_it(store: Store) {
    let rotation = Rotation::of(&store).await;
    let client = logged_in(&rotation.before, "ann").await;
    let old = token(&client);
    let during = client.at(&rotation.during.url());
    let reply = during.get("/me").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1), "the next answer carries a new token");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_ne!(token(&client), old);
    for path in ["/me", "/", "/handle"] {
        assert!(during.get(path).await.set_cookies().is_empty(), "and only the next");
    }
    assert!(during.post("/visit").await.set_cookies().is_empty());

    let after = client.at(&rotation.after.url());
    assert_eq!(after.get("/me").await.json::<User>(), User { name: "ann".into(), visits: 1 });
    assert!(is_alive(&rotation.during, &old).await, "requests that were on their way with the old one are served");
    assert!(!is_alive(&rotation.after, &old).await, "until the old key is gone");
}

on_every_backend!(a_session_outlives_the_key_that_signed_it);

#[tokio::test]
async fn every_way_to_take_a_session_replaces_a_retired_keys_token() {
    let rotation = Rotation::of(&Store::memory()).await;
    let client = logged_in(&rotation.before, "ann").await;
    let cookie = format!("{COOKIE}={}", token(&client));
    let ways = [
        (Method::GET, "/me"),
        (Method::GET, "/"),
        (Method::POST, "/visit"),
        (Method::POST, "/look"),
        (Method::GET, "/handle"),
        (Method::GET, "/slot"),
        (Method::GET, "/guarded"),
    ];
    for (method, path) in ways {
        let reply = send_with(&rotation.during, method, path, &cookie).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1), "{path}");
        assert!(is_alive(&rotation.after, &given(&reply)).await, "{path}");
    }
}

/// The token that an answer gives.
fn given(reply: &Reply) -> String {
    let value = reply.set_cookies()[0].strip_prefix(COOKIE).and_then(|rest| rest.strip_prefix('='));
    value.and_then(|value| value.split(';').next()).expect("the answer sets the session's cookie").to_owned()
}

#[tokio::test]
async fn a_layer_replaces_a_retired_keys_token_once_whatever_is_behind_it() {
    let rotation = Rotation::of(&Store::memory()).await;
    for path in ["/behind/borrowed", "/behind/plain"] {
        let client = logged_in(&rotation.before, "ann").await;
        let reply = client.at(&rotation.during.url()).get(path).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1), "{path}");
        assert_eq!(client.at(&rotation.after.url()).get("/me").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_retired_key_that_is_gone_verifies_nothing() {
    let store = Store::memory();
    let rotation = Rotation::of(&store).await;
    let client = logged_in(&rotation.before, "ann").await;
    let reply = client.at(&rotation.after.url()).get("/me").await;
    assert_problem(&reply, 401, "missing");
    assert!(reply.set_cookies().is_empty());
    assert_eq!(client.get("/me").await.status, 200, "the session itself is untouched");
}

#[tokio::test]
async fn an_answer_that_sets_the_cookie_anyway_sets_it_once() {
    let rotation = Rotation::of(&Store::memory()).await;
    for (path, ends) in [("/rotate", false), ("/logout", true), ("/login", false)] {
        let client = logged_in(&rotation.before, "ann").await;
        let during = client.at(&rotation.during.url());
        let reply =
            if path == "/login" { during.post_form(path, &[("name", "bob")]).await } else { during.post(path).await };
        assert_eq!(reply.set_cookies().len(), 1, "{path}: {:?}", reply.set_cookies());
        assert_eq!(client.cookie(COOKIE).is_none(), ends, "{path}");
        let expected = if ends { 401 } else { 200 };
        assert_eq!(client.at(&rotation.after.url()).get("/me").await.status, expected, "{path}");
    }
}

#[tokio::test]
async fn a_token_under_a_new_key_is_no_new_lease_of_life() {
    let rotation = Rotation::of(&Store::memory()).await;
    let client = logged_in(&rotation.before, "ann").await;
    let alive = async |client: &Client| client.get("/me").await.status == 200;
    let during = client.at(&rotation.during.url());
    for _ in 0..36 {
        assert!(alive(&during).await);
        rotation.clock.advance(Duration::from_secs(20 * 60));
    }
    assert!(!alive(&during).await, "12 hours after login");
}

#[tokio::test]
async fn a_anonymous_client_gets_no_token_from_a_rotation() {
    let rotation = Rotation::of(&Store::memory()).await;
    assert!(rotation.during.client().get("/").await.set_cookies().is_empty());
}

#[tokio::test]
async fn three_keys_can_be_in_force_at_once() {
    let (store, clock) = (Store::memory(), ManualClock::new());
    let ring = [key('c'), key('b'), key('a')];
    let all = server(&store, &ring.join(","), &clock).await;
    for (age, one) in ring.iter().enumerate() {
        let client = logged_in(&server(&store, one, &clock).await, "ann").await;
        let reply = client.at(&all.url()).get("/me").await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, usize::from(age > 0)));
    }
}

/// A site of one page for people of this kind of session, all of whose instances share a memory.
macro_rules! site {
    ($module:ident, [$($option:tt)*], |$builder:ident, $memory:ident| $opened:expr) => {
        mod $module {
            use super::*;

            #[derive(Serialize, Deserialize, SessionData)]
            #[session($($option)*)]
            struct Person {
                name: String,
            }

            #[session(optional)]
            async fn enter(slot: SessionSlot<Person>, name: String) -> Result<(), Error> {
                slot.start(Person { name }).await
            }

            #[session(optional)]
            async fn greet(person: Option<&Person>) -> String {
                person.map_or_else(|| "anonymous".into(), |person| person.name.clone())
            }

            async fn serve(keys: &str, $memory: &Arc<Memory>) -> Served {
                let $builder = Sessions::<Person>::builder().key(keys);
                let router = Router::new().route("/", get(greet)).route("/login", post(enter));
                session_tests::serve(router.with_state($opened.open().await.unwrap())).await
            }

            #[tokio::test]
            async fn the_oldest_of_three_keys_is_retired_and_nobody_is_logged_out_who_used_the_site_meanwhile() {
                let (memory, mut stages) = (Arc::default(), Vec::new());
                for ring in RINGS {
                    let keys: Vec<_> = ring.chars().map(key).collect();
                    stages.push(serve(&keys.join(","), &memory).await);
                }
                nobody_who_comes_is_logged_out(&stages).await;
            }
        }
    };
}

site!(plain_site, [], |builder, memory| builder.shared_backend(Arc::clone(memory)));
site!(sealed_site, [encrypt], |builder, memory| builder.shared_backend(Arc::clone(memory)));
site!(carried_site, [backend = cookie, key = env("HTTP_TESTS_UNSET")], |builder, _memory| builder);
site!(carried_and_sealed_site, [backend = cookie, encrypt, key = env("HTTP_TESTS_UNSET")], |builder, _memory| builder);

/// A ring grows by a key, and by another one, and loses the oldest.
const RINGS: [&str; 4] = ["a", "ba", "cba", "cb"];

/// Five people who come at some of the stages; nobody does more than read after a login.
async fn nobody_who_comes_is_logged_out(stages: &[Served]) {
    let log_in = async |stage: usize, name: &str| {
        let client = stages[stage].client();
        let reply = client.send(Method::POST, "/login", |request| request.body(name.to_owned())).await;
        assert_eq!(reply.status, 200);
        client
    };
    let (always, once, never) = (log_in(0, "x").await, log_in(0, "x").await, log_in(0, "x").await);
    let (middle, end) = (log_in(1, "x").await, log_in(2, "x").await);
    let is_known = async |stage: usize, client: &Client| {
        let reply = client.at(&stages[stage].url()).get("/").await;
        assert!(reply.status == 200 && ["x", "anonymous"].contains(&reply.text()), "{}", reply.text());
        reply.text() == "x"
    };
    for stage in 0..stages.len() {
        assert!(is_known(stage, &always).await, "at every stage, {stage} as well");
        if stage == 2 {
            assert!(is_known(stage, &once).await, "once while both keys are in force");
        }
    }
    for (client, who) in [(&once, "who came once"), (&middle, "who came in the middle"), (&end, "who came in the end")]
    {
        assert!(is_known(3, client).await, "{who}");
    }
    assert!(!is_known(3, &never).await, "what the retired key alone vouches for is worth nothing");
    assert!(is_known(2, &never).await, "which is all there is to it");
}
