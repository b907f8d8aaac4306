//! Several cookies of the session's name in one request.

use std::{sync::Arc, time::Duration};

use axum::http::Method;
use session_runtime::{Sessions, backend::Memory};
use session_tests::raw;
use tracing::Level;

use crate::{
    bad_cookies::Scene,
    support::{COOKIE, Events, User, assert_problem, key, logged_in, send_with, serve_users, token},
};

/// Every order of these cookies, in one header and in several.
fn orders(one: &str, other: &str) -> [String; 4] {
    [
        format!("{COOKIE}={one}; {COOKIE}={other}"),
        format!("{COOKIE}={other}; {COOKIE}={one}"),
        format!("{COOKIE}={other}; a=1; {COOKIE}={one}; {COOKIE}={other}"),
        format!("{COOKIE}={one}; {COOKIE}={one}; {COOKIE}={other}"),
    ]
}

#[tokio::test]
async fn of_several_cookies_of_the_name_the_only_one_that_verifies_is_used() {
    let scene = Scene::set().await;
    let other_key = Sessions::<User>::builder().key(&key('x')).open().await.unwrap();
    let alien = token(&logged_in(&serve_users(other_key).await, "eve").await);
    for other in [scene.token.as_str(), "", "x", &"A".repeat(120), &alien] {
        for cookie in orders(&scene.token, other) {
            for path in ["/me", "/copy", "/behind"] {
                let reply = send_with(&scene.server, Method::GET, path, &cookie).await;
                assert_eq!(reply.status, 200, "{path} {cookie:?}");
            }
            assert_eq!(send_with(&scene.server, Method::POST, "/visit", &cookie).await.status, 200, "{cookie:?}");
        }
        for (one, other) in [(scene.token.as_str(), other), (other, scene.token.as_str())] {
            let lines = format!("{COOKIE}={one}\r\nCookie: {COOKIE}={other}");
            let reply = raw::get_with_cookie(scene.server.address(), "/me", lines.as_bytes()).await;
            assert_eq!(reply.status, 200, "{lines:?}");
        }
        let bytes = [format!("{COOKIE}={}; {COOKIE}=", scene.token).as_bytes(), b"\xff"].concat();
        assert_eq!(raw::get_with_cookie(scene.server.address(), "/me", &bytes).await.status, 200);
    }
    let none = orders("x", &alien);
    for cookie in none {
        scene.refuses(&cookie).await;
    }
    scene.goes_on().await;
}

#[tokio::test]
async fn of_cookies_of_two_live_sessions_none_is_used_and_of_one_that_has_ended_the_other_is() {
    let scene = Scene::set().await;
    let planted = logged_in(&scene.server, "eve").await;
    let other = token(&planted);
    for cookie in orders(&scene.token, &other) {
        for (method, path) in [(Method::GET, "/me"), (Method::GET, "/behind"), (Method::POST, "/visit")] {
            let reply = send_with(&scene.server, method, path, &cookie).await;
            assert_problem(&reply, 401, "missing");
            assert!(reply.set_cookies().is_empty(), "neither is taken away: the other one would be believed then");
        }
        assert_eq!(send_with(&scene.server, Method::GET, "/copy", &cookie).await.text(), "anonymous");
    }
    // What an earlier release left behind, and whose session ended: it locks nobody out.
    planted.post("/logout").await;
    for cookie in orders(&scene.token, &other).into_iter().chain(orders(&other, &scene.token)) {
        let reply = send_with(&scene.server, Method::GET, "/me", &cookie).await;
        assert_eq!(reply.json::<User>().name, "ann", "{cookie:?}");
    }
    scene.ledger.set_down(true);
    let reply = send_with(&scene.server, Method::GET, "/me", &orders(&scene.token, &other)[0]).await;
    assert_problem(&reply, 503, "unavailable");
    scene.ledger.set_down(false);
    scene.goes_on().await;
}

#[tokio::test]
async fn two_tokens_of_one_session_are_no_two_sessions() {
    let (old, both) = (key('o'), format!("{},{}", key('n'), key('o')));
    let memory = Arc::new(Memory::default());
    let open = async |keys: &str| {
        let builder = Sessions::<User>::builder().key(keys).shared_backend(Arc::clone(&memory));
        serve_users(builder.open().await.unwrap()).await
    };
    let (before, after) = (open(&old).await, open(&both).await);
    let client = logged_in(&before, "ann").await;
    let first = token(&client);
    client.at(&after.url()).get("/me").await;
    let second = token(&client);
    assert_ne!(first, second, "under the new key the client gets another token");
    for cookie in orders(&first, &second) {
        assert_eq!(send_with(&after, Method::GET, "/me", &cookie).await.status, 200, "{cookie:?}");
    }
}

#[tokio::test]
async fn no_more_than_a_few_cookies_of_the_name_are_looked_at() {
    let scene = Scene::set().await;
    let many: String = (0..400).map(|number| format!("{COOKIE}=x{number}; ")).collect();
    scene.refuses(&format!("{COOKIE}={}; {many}", scene.token)).await;
    scene.goes_on().await;
}

#[tokio::test]
async fn several_cookies_of_the_name_are_told_in_the_log_once_in_a_while() {
    let events = Events::listen();
    let scene = Scene::set().await;
    let cookie = format!("{COOKIE}={}; {COOKIE}=left-over", scene.token);
    for _ in 0..5 {
        assert_eq!(send_with(&scene.server, Method::GET, "/me", &cookie).await.status, 200);
    }
    let told = events.named("session.duplicate_cookies");
    assert_eq!((told.len(), told[0].level), (1, Level::WARN));
    let fields = ["cookie", "count", "verified"].map(|field| told[0].field(field).to_owned());
    assert_eq!(fields, [COOKIE, "2", "1"]);
    scene.clock.advance(Duration::from_secs(60));
    send_with(&scene.server, Method::GET, "/me", &cookie).await;
    assert_eq!(events.named("session.duplicate_cookies").len(), 2);
    assert!(!events.text().contains("left-over"));
}
