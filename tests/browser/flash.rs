//! A flash in Chromium: beside a page the browser loads its icon, and scripts poll.

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
#[session(cookie(http_on_localhost = true))]
struct Visitor {
    #[session(flash)]
    notice: Option<String>,
}

const FORM: &str = "<!doctype html><title>Start</title><link rel=icon href=/icon>\
    <form method=post action=/save><button>Save</button></form>";

async fn form() -> Html<&'static str> {
    Html(FORM)
}

#[session(optional)]
async fn save(slot: SessionSlot<Visitor>) -> Result<Redirect, Error> {
    slot.start(Visitor { notice: Some("Saved.".into()) }).await?;
    Ok(Redirect::to("/waiting"))
}

/// A page that does not borrow, and whose icon, picture and script do.
async fn waiting() -> Html<&'static str> {
    Html(
        "<!doctype html><title>Waiting</title><link rel=icon href=/icon><img src=/picture><script src=/script></script>",
    )
}

#[session(protected)]
async fn page(visitor: &Visitor) -> Html<String> {
    let notice = visitor.notice.as_deref().unwrap_or("Nothing new.");
    Html(format!("<!doctype html><title>Page</title><link rel=icon href=/icon><p>{notice}</p>"))
}

#[session(protected)]
async fn news(visitor: &Visitor) -> String {
    format!("polled: {:?}", visitor.notice)
}

#[session(optional)]
async fn fallback(visitor: Option<&Visitor>) -> String {
    visitor.and_then(|visitor| visitor.notice.clone()).unwrap_or_default()
}

#[tokio::test]
async fn neither_an_icon_nor_a_picture_nor_a_script_takes_what_is_for_the_next_page() {
    let router = Router::new()
        .route("/", get(form))
        .route("/save", post(save))
        .route("/waiting", get(waiting))
        .route("/page", get(page))
        .route("/news", get(news))
        .fallback(fallback);
    let server = serve(router.with_state(Visitor::sessions().await.unwrap())).await;
    let url = format!("http://localhost:{}", server.address().port());
    let browser = Browser::start().await;
    browser.open(&url).await;
    browser.click("button").await;
    shows(&browser, "title", "Waiting").await;
    for _ in 0..3 {
        let polled: String = browser.evaluate("fetch('/news').then(answer => answer.text())").await;
        assert_eq!(polled, "polled: None");
    }
    let picture = "new Promise(done => { const image = new Image(); image.onload = image.onerror = () => done(true); \
                   image.src = '/other-picture'; })";
    assert!(browser.evaluate::<bool>(picture).await);
    browser.open(&format!("{url}/page")).await;
    shows(&browser, "p", "Saved.").await;
    browser.refresh().await.unwrap();
    shows(&browser, "p", "Nothing new.").await;
}
