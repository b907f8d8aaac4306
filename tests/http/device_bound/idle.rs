//! Who is refused does not use the session: its idle timeout goes on.

use axum::http::Method;
use session_tests::device::{challenge, send};

use super::{Bound, MINUTE, PATH, bound, site};
use crate::support::{Store, on_every_backend};

/// Each way to take a session that is a use of it.
const USES: [(Method, &str); 6] = [
    (Method::GET, "/me"),
    (Method::POST, "/visit"),
    (Method::GET, "/owned"),
    (Method::GET, "/extracted"),
    (Method::GET, "/guarded"),
    (Method::GET, "/greet"),
];

async fn a_stolen_cookie_does_not_keep_a_session_alive(store: Store) {
    for (method, path) in USES {
        let site = site(&store).await;
        // Both processes know the session as one that is not bound.
        assert_eq!(site.client.send(method.clone(), path, |request| request).await.status, 200);
        assert_eq!(site.elsewhere().send(method.clone(), path, |request| request).await.status, 200);
        let registered = site.device.register(&site.client, &site.offer).await;
        let session = registered.json::<serde_json::Value>()["session_identifier"].as_str().unwrap().to_owned();
        // The idle timeout is two hours, and stores note uses by the minute.
        for minutes in [1, 32, 60, 28, 1] {
            site.clock.advance(minutes * MINUTE);
            for reply in
                [site.stolen(method.clone(), path).await, site.stolen_at(&site.other, method.clone(), path).await]
            {
                assert!(reply.status == 401 || reply.text() == "anonymous", "{path}: {}", reply.text());
            }
        }
        let ended = send(&site.client, PATH, Some(&session), None).await;
        assert!(ended.text().contains("\"continue\":false"), "{path}: {}", ended.text());
    }
}

async fn every_request_of_a_browser_that_binds_nothing_is_a_use(store: Store) {
    for (method, path) in USES {
        let site = site(&store).await;
        for _ in 0..5 {
            site.clock.advance(50 * MINUTE);
            let reply = site.client.send(method.clone(), path, |request| request).await;
            assert!(reply.status == 200 && reply.text() != "anonymous", "{path}: {}", reply.text());
        }
    }
}

async fn every_request_with_a_proof_is_a_use(store: Store) {
    let Bound { site, session, challenge: mut next } = bound(&store).await;
    for _ in 0..16 {
        site.clock.advance(9 * MINUTE);
        let reply = site.device.refresh(&site.client, PATH, &session, &next).await;
        next = challenge(&reply.headers).expect("the next challenge");
        assert_eq!(site.client.get("/me").await.status, 200);
    }
}

on_every_backend![
    a_stolen_cookie_does_not_keep_a_session_alive,
    every_request_of_a_browser_that_binds_nothing_is_a_use,
    every_request_with_a_proof_is_a_use,
];
