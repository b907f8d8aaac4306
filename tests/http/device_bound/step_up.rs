//! `#[session(protected, device = "1m")]`: a proof that recent, or the browser is sent back for one.

use axum::http::Method;

use super::{Bound, DEVICE, MINUTE, PATH, SECOND, bound, site};
use crate::support::{Store, assert_problem, on_every_backend};

async fn an_older_proof_is_asked_for_again_by_a_307_that_takes_the_cookie_away(store: Store) {
    let Bound { site, session, challenge } = bound(&store).await;
    let pay = async || site.client.send(Method::POST, "/pay?a=1", |request| request.body("5")).await;
    assert_eq!(pay().await.text(), "ann pays 5");
    site.clock.advance(2 * MINUTE);
    let asked = pay().await;
    assert_eq!((asked.status.as_u16(), asked.header("location")), (307, Some("/pay?a=1")));
    assert_eq!(asked.header("cache-control"), Some("no-store"));
    let [removal] = asked.set_cookies()[..] else { panic!("one cookie: {:?}", asked.set_cookies()) };
    assert!(removal.starts_with(&format!("{DEVICE}=;")) && removal.contains("Max-Age=0"), "{removal}");
    assert_eq!(site.client.cookie(DEVICE), None);
    // What a browser does then: it proves its key and repeats the request.
    site.device.refresh(&site.client, PATH, &session, &challenge).await;
    assert_eq!(pay().await.text(), "ann pays 5");
    assert_eq!(site.client.get("/me").await.status, 200);
}

async fn without_the_cookie_there_is_no_loop(store: Store) {
    let Bound { site, .. } = bound(&store).await;
    // Within the grace as well: nothing has proved the device just now.
    assert_problem(&site.stolen(Method::POST, "/pay").await, 401, "device-unproven");
    site.clock.advance(MINUTE + SECOND);
    let asked = site.client.get("/nested/secret").await;
    assert_eq!((asked.status.as_u16(), asked.header("location")), (307, Some("/nested/secret")));
    assert_problem(&site.client.get("/nested/secret").await, 401, "device-unproven");
}

async fn a_session_without_a_device_is_refused(store: Store) {
    let site = site(&store).await;
    assert_problem(&site.client.post("/pay").await, 403, "device-unbound");
    assert_problem(&site.client.get("/nested/secret").await, 403, "device-unbound");
    assert_eq!(site.client.get("/me").await.status, 200);
}

on_every_backend![
    an_older_proof_is_asked_for_again_by_a_307_that_takes_the_cookie_away,
    without_the_cookie_there_is_no_loop,
    a_session_without_a_device_is_refused,
];
