//! Domains that each request's host chooses, in Chromium: what a cookie's `Domain` means is the browser's to say.

use axum::{
    Router,
    response::{Html, Redirect},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, SessionSlot, session};
use session_tests::{Browser, serve};

use crate::page::shows;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", secure = false, domain = ["shop-a.test", "shop-b.test"]))]
struct User {
    logins: u32,
}

#[session(optional)]
async fn home(user: Option<&User>) -> Html<String> {
    let who = user.map_or_else(|| "anonymous".to_owned(), |user| format!("login {}", user.logins));
    Html(format!(
        "<!doctype html><title>{who}</title><form method=post><button formaction=/login id=in>Log in</button>\
         <button formaction=/logout id=out>Log out</button></form>"
    ))
}

#[session(optional)]
async fn login(slot: SessionSlot<User>) -> Result<Redirect, Error> {
    let logins = slot.get().map_or(0, |user| user.logins) + 1;
    slot.start(User { logins }).await?;
    Ok(Redirect::to("/"))
}

#[session(optional)]
async fn logout(slot: SessionSlot<User>) -> Result<Redirect, Error> {
    slot.end().await?;
    Ok(Redirect::to("/"))
}

#[tokio::test]
async fn a_login_holds_on_the_hosts_of_its_domain_and_a_logout_ends_it_there_alone() {
    let router = Router::new().route("/", get(home)).route("/login", post(login)).route("/logout", post(logout));
    let server = serve(router.with_state(User::sessions().await.unwrap())).await;
    let port = server.address().port();
    let browser = Browser::start().await;
    let title = async |host: &str, title: &str| {
        browser.open(&format!("http://{host}:{port}/")).await;
        shows(&browser, "title", title).await;
    };

    title("www.shop-a.test", "anonymous").await;
    browser.click("#in").await;
    shows(&browser, "title", "login 1").await;
    title("shop-a.test", "login 1").await;
    title("other.shop-a.test", "login 1").await;
    title("shop-b.test", "anonymous").await;

    browser.click("#in").await;
    shows(&browser, "title", "login 1").await;
    title("shop-a.test", "login 1").await;
    browser.click("#in").await;
    shows(&browser, "title", "login 2").await;
    title("www.shop-b.test", "login 1").await;

    title("shop-a.test", "login 2").await;
    browser.click("#out").await;
    shows(&browser, "title", "anonymous").await;
    title("www.shop-a.test", "anonymous").await;
    title("shop-b.test", "login 1").await;

    browser.open(&format!("http://shop-c.test:{port}/")).await;
    shows(&browser, "title", "Host not served").await;
}
