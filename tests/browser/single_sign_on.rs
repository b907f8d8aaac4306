//! The example `single_sign_on`: a browser that leaves for the provider, which is another site, and comes back.
//!
//! Not in WebKit: it keeps no `Secure` cookies on plain http.

use session_tests::{App, Browser, Engine, Firefox};

use crate::page::shows;

async fn signs_on<E: Engine>(button: &str) {
    let provider = App::example("identity_provider").start().await;
    let app = App::example("single_sign_on").env("ISSUER", provider.url()).start().await;
    let browser = E::start().await;
    browser.open(&format!("http://localhost:{}", app.address().port())).await;
    shows(&browser, "h1", "Welcome").await;
    browser.click(button).await;
    shows(&browser, "h1", "The provider").await;
    browser.fill("input[name=name]", "Ada").await;
    browser.click("button:not([name])").await;
    shows(&browser, "h1", "Hello, Ada!").await;
    browser.click("form[action='/logout'] button").await;
    shows(&browser, "h1", "Welcome").await;
}

const BY_GET: &str = "form[action='/login']:not(:has(input)) button";
const BY_POST: &str = "form[action='/login']:has(input) button";

#[tokio::test]
async fn chromium_comes_back_by_get() {
    signs_on::<Browser>(BY_GET).await;
}

#[tokio::test]
async fn chromium_comes_back_by_post() {
    signs_on::<Browser>(BY_POST).await;
}

#[tokio::test]
async fn firefox_comes_back_by_get() {
    signs_on::<Firefox>(BY_GET).await;
}

#[tokio::test]
async fn firefox_comes_back_by_post() {
    signs_on::<Firefox>(BY_POST).await;
}
