//! Back to where they came from, in Chromium: what a browser makes of an address is its own matter.

use axum::{
    Form, Router,
    extract::{OriginalUri, Query},
    response::{Html, Redirect},
    routing::get,
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, ReturnTo, SessionData, SessionSlot, session};
use session_tests::{Browser, serve};

use crate::page::shows;

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = redirect("/login", next = "next"), cookie(http_on_localhost = true))]
struct Visitor;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    next: ReturnTo,
}

async fn login_page(Query(asked): Query<Asked>) -> Html<String> {
    let next = asked.next.to_string().replace('&', "&amp;");
    Html(format!(
        "<!doctype html><title>Log in</title><form method=post action=/login>\
         <input type=hidden name=next value=\"{next}\"><button>Log in</button></form>"
    ))
}

#[session(optional)]
async fn login(slot: SessionSlot<Visitor>, Form(form): Form<Asked>) -> Result<Redirect, Error> {
    slot.start(Visitor).await?;
    Ok(form.next.redirect_or("/"))
}

#[session(protected)]
async fn page(_visitor: &Visitor, OriginalUri(uri): OriginalUri) -> Html<String> {
    Html(format!("<!doctype html><title>Page</title><p>{}</p>", uri.to_string().replace('&', "&amp;")))
}

async fn site() -> (session_tests::Served, String) {
    let router = Router::new().route("/login", get(login_page).post(login)).fallback(page);
    let server = serve(router.with_state(Visitor::sessions().await.unwrap())).await;
    let url = format!("http://localhost:{}", server.address().port());
    (server, url)
}

#[tokio::test]
async fn who_logs_in_is_back_at_the_page_they_asked_for() {
    let (_server, url) = site().await;
    for path in ["/orders?page=2&q=a%20b", "/caf\u{e9}?q=\u{fc}", "/a/../b?x={y}|^'"] {
        let browser = Browser::start().await;
        browser.open(&format!("{url}{path}")).await;
        shows(&browser, "title", "Log in").await;
        browser.click("button").await;
        shows(&browser, "title", "Page").await;
        let asked: String = browser.evaluate(&format!("new URL({path:?}, {url:?}).href")).await;
        assert_eq!(browser.evaluate::<String>("location.href").await, asked);
    }
}

#[tokio::test]
async fn a_forged_link_to_the_login_page_does_not_leave_the_site() {
    let (_server, url) = site().await;
    let browser = Browser::start().await;
    for forged in [
        "//evil.test/",
        "/\\evil.test/",
        "/\t/evil.test/",
        "/\n/evil.test/",
        "\\\\evil.test",
        "http://evil.test/",
        "/.//evil.test",
        "/..//evil.test",
    ] {
        browser.open(&format!("{url}/login")).await;
        let link = format!("location.href = '/login?next=' + encodeURIComponent({forged:?})");
        browser.evaluate::<String>(&format!("({link})")).await;
        let what = format!("{forged:?} is asked for");
        session_tests::wait::until(session_tests::wait::ANSWER, &what, async || {
            browser.evaluate::<bool>("location.search != '' && document.querySelector('button') != null").await
        })
        .await;
        browser.click("button").await;
        shows(&browser, "title", "Page").await;
        assert_eq!(browser.evaluate::<String>("location.origin").await, url, "{forged:?}");
    }
}
