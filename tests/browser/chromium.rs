//! What Chromium makes of our cookies.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{Router, response::Html, routing::get};
use session_tests::{Browser, Served, serve, wait};
use thirtyfour::SameSite;

use crate::shop::{BAD, LIFETIME, REMEMBERED, VISITOR, shop};

struct Visit {
    shop: Served,
    browser: Browser,
}

impl Visit {
    /// A browser on the shop's page, whose cookies are those of `localhost`.
    async fn begin() -> Self {
        let (shop, browser) = (shop().await, Browser::start().await);
        let visit = Self { shop, browser };
        visit.browser.open(&visit.url("/")).await;
        visit
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.shop.address().port())
    }

    /// What a script of the page's own gets.
    async fn post(&self, path: &str) -> String {
        let answer = format!("fetch('{path}', {{ method: 'POST' }}).then(answer => answer.text())");
        self.browser.evaluate(&answer).await
    }

    async fn get(&self, path: &str) -> String {
        self.browser.evaluate(&format!("fetch('{path}').then(answer => answer.text())")).await
    }

    /// The names of the cookies that the browser keeps for the shop.
    async fn kept(&self) -> Vec<String> {
        let cookies = self.browser.get_all_cookies().await.expect("the browser tells its cookies");
        let mut names: Vec<_> = cookies.into_iter().map(|cookie| cookie.name).collect();
        names.sort_unstable();
        names
    }

    async fn value(&self, name: &str) -> String {
        self.browser.get_named_cookie(name).await.expect("the browser has the cookie").value
    }
}

#[tokio::test]
async fn chromium_keeps_our_cookies_as_they_are_meant_and_a_logout_leaves_none() {
    let visit = Visit::begin().await;
    assert_eq!(visit.post("/start").await, "started");
    assert_eq!(visit.kept().await, [REMEMBERED, VISITOR]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (name, persistent) in [(VISITOR, false), (REMEMBERED, true)] {
        let cookie = visit.browser.get_named_cookie(name).await.unwrap();
        assert_eq!((cookie.path.as_deref(), cookie.secure), (Some("/"), Some(true)), "{cookie:?}");
        assert!(cookie.http_only == Some(true) && cookie.same_site == Some(SameSite::Lax), "{cookie:?}");
        let seconds_left = cookie.expiry.map(|expiry| u64::try_from(expiry).unwrap().abs_diff(now));
        match persistent {
            true => assert!(seconds_left.unwrap().abs_diff(LIFETIME) < 60, "{cookie:?}"),
            false => assert_eq!(seconds_left, None, "{cookie:?}"),
        }
    }
    assert_eq!(visit.post("/visit").await, "1");
    let before = visit.value(VISITOR).await;
    assert_eq!(visit.post("/rotate").await, "rotated");
    assert_eq!(visit.kept().await, [REMEMBERED, VISITOR], "the new cookie has taken the place of the old one");
    assert_ne!(visit.value(VISITOR).await, before);
    assert_eq!(visit.post("/visit").await, "2");
    assert_eq!(visit.post("/end").await, "ended");
    assert_eq!(visit.kept().await, [""; 0]);
}

#[tokio::test]
async fn a_script_neither_sees_nor_replaces_our_cookie() {
    let visit = Visit::begin().await;
    visit.post("/start").await;
    let before = visit.value(VISITOR).await;
    assert_eq!(visit.browser.evaluate::<String>("document.cookie").await, "");
    for cookie in ["=evil; path=/; secure", "=; path=/; secure; max-age=0", "=evil; path=/visit; secure"] {
        let assigned = format!("(document.cookie = '{VISITOR}{cookie}', document.cookie)");
        assert_eq!(visit.browser.evaluate::<String>(&assigned).await, "");
    }
    assert_eq!(visit.value(VISITOR).await, before);
    assert_eq!(visit.post("/visit").await, "1");
}

#[tokio::test]
async fn chromium_holds_the_rules_of_the_prefixes() {
    let visit = Visit::begin().await;
    visit.post("/start").await;
    assert_eq!(visit.get("/bad").await, "bad");
    visit.get("/anywhere").await;
    assert_eq!(visit.kept().await, [REMEMBERED, VISITOR, "anywhere"], "and none of {BAD:?}");
}

/// A page of another site (`127.0.0.1` is none of `localhost`'s), with ways to get at the shop.
async fn elsewhere(shop: &Served) -> Served {
    let cookies = format!("http://localhost:{}/cookies", shop.address().port());
    let page = format!(
        "<!doctype html><title>Elsewhere</title><a href=\"{cookies}\">A prize</a>\
         <form action=\"{cookies}\" method=post><button>Win</button></form>"
    );
    serve(Router::new().route("/", get(async move || Html(page)))).await
}

#[tokio::test]
async fn a_form_on_another_site_posts_without_our_cookie_and_a_link_comes_with_it() {
    let visit = Visit::begin().await;
    visit.post("/start").await;
    visit.get("/anywhere").await;
    let own = visit.get("/cookies").await;
    assert!(own.contains(VISITOR) && own.contains(REMEMBERED) && own.contains("anywhere"), "{own}");

    let elsewhere = elsewhere(&visit.shop).await;
    let sent_by = async |click: &str| {
        visit.browser.open(&elsewhere.url()).await;
        visit.browser.click(click).await;
        let arrived = async || visit.browser.evaluate::<String>("document.title").await == "Cookies";
        wait::until(wait::ANSWER, "the shop's page is there", arrived).await;
        visit.browser.text("pre").await
    };
    assert_eq!(sent_by("button").await, "anywhere=1");
    let linked = sent_by("a").await;
    assert!(linked.contains(VISITOR) && linked.contains(REMEMBERED), "{linked}");
}
