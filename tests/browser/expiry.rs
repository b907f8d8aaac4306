//! "You will be logged out in two minutes": the page of the guide, in Chromium.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use std::time::Duration;

use axum::{
    Extension, Router,
    extract::{FromRef, State},
    response::Html,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Clock, Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Browser, serve, wait};

use crate::page::shows;

const GUIDE: &str = include_str!("../../session-runtime/docs/people.md");

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "10m", cookie(http_on_localhost = true), missing = redirect("/please", next = "next"))]
struct Reader;

#[session(optional)]
async fn login(slot: SessionSlot<Reader>) -> Result<Html<&'static str>, Error> {
    slot.start(Reader).await?;
    Ok(Html("<!doctype html><title>Welcome</title>"))
}

/// The guide's part in this language, behind its heading.
fn part(language: &str) -> &'static str {
    let (_, section) =
        GUIDE.split_once("## \"You will be logged out in two minutes\"").expect("the guide has the section");
    let (_, part) = section.split_once(&format!("```{language}\n")).expect("with such a part");
    part.split_once("```").expect("which ends").0
}

fn titled(title: &str) -> Html<String> {
    let (html, js) = (part("html"), part("js"));
    Html(format!("<!doctype html><title>{title}</title>{html}<script type=module>{js}</script>"))
}

/// The page that stays open.
#[session(protected, touch = off)]
async fn page(_reader: &Reader) -> Html<String> {
    titled("Reading")
}

/// All pages have the dialog, as from one template.
async fn please(State(Shown(shown)): State<Shown>) -> Html<String> {
    shown.fetch_add(1, Ordering::Relaxed);
    titled("Please log in")
}

/// How often the page to log in was shown.
#[derive(Clone, Default)]
struct Shown(Arc<AtomicU32>);

#[derive(Clone, FromRef)]
struct App {
    readers: Sessions<Reader>,
    shown: Shown,
}

/// As in the guide, by the clock of the test.
#[session(protected, touch = off, missing = status(401))]
async fn seconds_left(session: Session<Reader>, Extension(clock): Extension<ManualClock>) -> String {
    let left = session.idle_expires_at().duration_since(clock.now().into()).unwrap_or_default();
    left.as_secs().to_string()
}

#[session(protected)]
async fn keep(_reader: &Reader) {}

/// Lets the page ask, as it does when its tab is seen again.
async fn look_again(browser: &Browser) {
    browser.evaluate::<bool>("document.dispatchEvent(new Event('visibilitychange'))").await;
}

async fn waits_for_the_dialog(browser: &Browser, open: bool) {
    let what = format!("the dialog is {}", if open { "open" } else { "closed" });
    wait::until(wait::ANSWER, &what, async || {
        browser.evaluate::<bool>("document.querySelector('dialog').open").await == open
    })
    .await;
}

#[tokio::test]
async fn a_page_warns_before_the_idle_timeout_and_a_click_keeps_the_session() {
    let clock = ManualClock::new();
    let sessions = Sessions::<Reader>::builder().clock(clock.clone()).open().await.unwrap();
    let app = App { readers: sessions, shown: Shown::default() };
    let shown = app.shown.clone();
    let router = Router::new()
        .route("/please", get(please))
        .route("/login", get(login))
        .route("/", get(page))
        .route("/session/left", get(seconds_left))
        .route("/session/keep", post(keep))
        .layer(Extension(clock.clone()));
    let server = serve(router.with_state(app)).await;
    let url = format!("http://localhost:{}", server.address().port());
    let browser = Browser::start().await;
    browser.open(&format!("{url}/login")).await;
    browser.open(&url).await;
    shows(&browser, "dialog output", "600").await;
    waits_for_the_dialog(&browser, false).await;

    // Asking is no use: the time that is left goes down.
    for left in ["480", "360", "240"] {
        clock.advance(Duration::from_secs(120));
        look_again(&browser).await;
        shows(&browser, "dialog output", left).await;
    }
    waits_for_the_dialog(&browser, false).await;
    clock.advance(Duration::from_secs(130));
    look_again(&browser).await;
    waits_for_the_dialog(&browser, true).await;
    assert_eq!(browser.text("dialog p").await, "You will be logged out in 110 seconds.");

    browser.click("dialog button").await;
    waits_for_the_dialog(&browser, false).await;
    shows(&browser, "dialog output", "600").await;

    // Nobody clicks: the page finds out and leads to the login.
    clock.advance(Duration::from_secs(601));
    look_again(&browser).await;
    shows(&browser, "title", "Please log in").await;
    look_again(&browser).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!browser.evaluate::<bool>("document.querySelector('dialog').open").await, "nobody can stay logged in");
    assert_eq!(shown.0.load(Ordering::Relaxed), 1, "nor is there anything to load again");
}
