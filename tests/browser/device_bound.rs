//! `device_bound` in Chromium, over TLS: what the browser does by itself, and what a thief gets.

use std::time::Duration;

use session_tests::{secure::Certificate, wait};

use crate::device_bound_site::{DEVICE, NAME, Site, Store};

#[tokio::test]
async fn a_login_by_post_binds_the_session_and_a_stolen_cookie_dies_with_the_grace() {
    let site = Site::bound("login.test").await;
    assert!(site.fetch("GET", "/device").await.starts_with("200 Bound"));
    let stolen = format!("{NAME}={}", site.cookie(NAME).await.unwrap());
    assert!(site.stolen(&stolen, "/me").await.ends_with(" 200"), "within the grace");
    site.clock.advance(Duration::from_secs(31));
    let refused = site.stolen(&stolen, "/me").await;
    assert!(refused.ends_with(" 401") && refused.contains("device-unproven"), "{refused}");
    site.browser.open(&site.url("/me")).await;
    assert_eq!(site.browser.text("#who").await, "ann", "and the browser lives on");
}

#[tokio::test]
async fn a_callback_from_another_host_binds_the_session() {
    let site = Site::at("callback.test", Certificate::flags).await;
    // Another site sends the browser to a login that starts the session: its `Lax` cookie is missing at the registration.
    site.browser.open(&format!("https://provider.test:{}/", site.port)).await;
    let navigation = format!("location.href = {:?}, 1", site.url("/login"));
    assert_eq!(site.browser.evaluate::<u32>(&navigation).await, 1);
    assert_eq!(site.browser.text("#who").await, "ann");
    site.is_bound().await;
    assert!(site.fetch("GET", "/device").await.starts_with("200 Bound"));
}

#[tokio::test]
async fn a_lost_cookie_costs_one_refresh_and_so_do_fifty_requests_at_once() {
    let site = Site::bound("lost.test").await;
    site.clock.advance(Duration::from_secs(31));
    site.lose_the_devices_cookie().await;
    site.browser.open(&site.url("/me")).await;
    assert_eq!(site.browser.text("#who").await, "ann");
    assert_eq!(site.log.all(), [("refresh", 204)], "its challenge had come with the registration");

    site.lose_the_devices_cookie().await;
    site.log.clear();
    let fifty = "Promise.all(Array.from({ length: 50 }, () => fetch('/me').then(a => a.status))).then(all => \
                 all.filter(s => s === 200).length)";
    assert_eq!(site.browser.evaluate::<u32>(fifty).await, 50);
    assert_eq!(site.log.all(), [("refresh", 204)]);
}

#[tokio::test]
async fn a_post_is_held_with_its_body_and_a_recent_proof_is_fetched_by_a_307() {
    let site = Site::bound("pay.test").await;
    site.clock.advance(Duration::from_secs(2 * 60));
    let pay = "fetch('/pay', { method: 'POST', body: '5' }).then(a => a.text())";
    assert_eq!(site.browser.evaluate::<String>(pay).await, "ann pays 5");
    assert_eq!(site.log.all(), [("refresh", 204)]);
    assert_eq!(site.browser.evaluate::<String>(pay).await, "ann pays 5");
    assert_eq!(site.log.all().len(), 1, "the proof is recent now");
}

#[tokio::test]
async fn a_link_from_another_site_arrives_proven() {
    let site = Site::bound("link.test").await;
    site.clock.advance(Duration::from_secs(31));
    site.lose_the_devices_cookie().await;
    site.browser.open(&format!("https://mail.test:{}/", site.port)).await;
    assert_eq!(site.browser.evaluate::<u32>(&format!("location.href = {:?}, 1", site.url("/me"))).await, 1);
    assert_eq!(site.browser.text("#who").await, "ann");
    assert_eq!(site.log.count("refresh", 204), 1);
}

#[tokio::test]
async fn the_binding_outlives_the_server_and_the_browser() {
    let mut site = Site::bound("restart.test").await;
    site.clock.advance(Duration::from_secs(31));
    site.restart_server().await;
    site.lose_the_devices_cookie().await;
    site.browser.open(&site.url("/me")).await;
    assert_eq!(site.browser.text("#who").await, "ann");
    assert_eq!(site.log.all(), [("refresh", 204)], "any process answers the challenge of another one");

    // A session's cookie ends with the browser; what a person has marked to be kept does not.
    let session = site.cookie(NAME).await.unwrap();
    let flags = site.certificate.flags();
    site.browser = site.browser.restart(&flags).await;
    site.log.clear();
    site.browser.open(&site.url("/")).await;
    let mut cookie = thirtyfour::Cookie::new(NAME, session);
    cookie.set_path("/");
    cookie.set_secure(true);
    site.browser.add_cookie(cookie).await.unwrap();
    if site.cookie(DEVICE).await.is_some() {
        site.lose_the_devices_cookie().await;
    }
    site.browser.open(&site.url("/me")).await;
    assert_eq!(site.browser.text("#who").await, "ann");
    let log = site.log.all();
    assert_eq!(log.last(), Some(&("refresh", 204)), "{log:?}");
    assert!(log.len() <= 2, "a challenge is asked for first, as none is kept: {log:?}");
}

#[tokio::test]
async fn a_rotation_keeps_the_binding_and_a_logout_ends_it() {
    let site = Site::bound("rotate.test").await;
    let before = site.cookie(NAME).await;
    assert!(site.fetch("POST", "/rotate").await.starts_with("200"));
    assert_ne!(site.cookie(NAME).await, before);
    site.clock.advance(Duration::from_secs(31));
    site.lose_the_devices_cookie().await;
    assert_eq!(site.fetch("POST", "/visit").await, "200 1");
    assert_eq!(site.log.all(), [("refresh", 204)]);

    site.log.clear();
    assert!(site.fetch("POST", "/logout").await.starts_with("200"));
    assert_eq!((site.cookie(NAME).await, site.cookie(DEVICE).await), (None, None));
    assert!(site.fetch("GET", "/me").await.starts_with("401"));
    assert_eq!(site.log.all(), [("refresh", 200)], "the browser asks once, and is told to forget it");
    assert!(site.fetch("GET", "/me").await.starts_with("401"));
    assert_eq!(site.log.all().len(), 1);
}

#[tokio::test]
async fn a_logout_that_clears_the_site_ends_the_binding_without_a_refresh() {
    let site = Site::at("leave.test", Certificate::flags).await;
    site.browser.open(&site.url("/enter")).await;
    let bound = async || site.cookie("__Host-guest-device").await.is_some();
    wait::until(wait::ANSWER, "the browser has the device's cookie", bound).await;
    assert_eq!(site.fetch("GET", "/guest").await, "200 gil");
    site.log.clear();
    assert!(site.fetch("POST", "/leave").await.starts_with("200"));
    assert_eq!((site.cookie("__Host-guest").await, site.cookie("__Host-guest-device").await), (None, None));
    for _ in 0..2 {
        assert!(site.fetch("GET", "/guest").await.starts_with("401"));
    }
    assert_eq!(site.log.all(), [], "the browser has forgotten it");
}

#[tokio::test]
async fn a_store_that_hangs_keeps_the_binding() {
    let mut site = Site::with(Store::Redis(session_tests::Redis::start().await), "down.test", Certificate::flags).await;
    site.log_in().await;
    site.is_bound().await;
    site.clock.advance(Duration::from_secs(31));
    site.lose_the_devices_cookie().await;
    if let Store::Redis(redis) = &mut site.store {
        redis.stop();
    }
    assert!(site.fetch("GET", "/me").await.starts_with("503"));
    assert_eq!(site.log.all(), [("refresh", 503)]);
    if let Store::Redis(redis) = &mut site.store {
        redis.resume();
    }
    let served = async || site.fetch("GET", "/me").await.starts_with("200");
    wait::until(wait::ANSWER, "the browser proves its key again", served).await;
    assert!(site.log.count("refresh", 204) >= 1, "{:?}", site.log.all());
}

#[tokio::test]
async fn without_the_feature_the_session_is_an_ordinary_one() {
    // The last argument of one name counts.
    let without = |certificate: &Certificate| {
        let mut flags = certificate.flags();
        flags[0] = "--disable-features=DeviceBoundSessions".into();
        flags
    };
    let site = Site::at("plain.test", without).await;
    site.log_in().await;
    site.clock.advance(Duration::from_secs(10 * 60));
    assert_eq!(site.fetch("POST", "/visit").await, "200 1");
    assert_eq!(site.fetch("GET", "/device").await, "200 Unbound");
    assert_eq!(site.log.all(), []);
    assert_eq!(site.cookie(DEVICE).await, None);
}
