//! The browser that the tests drive is real, and none is left behind.

use std::{fs, time::Duration};

use axum::{
    Router,
    http::HeaderMap,
    response::{AppendHeaders, Html, IntoResponse},
    routing::get,
};
use session_tests::{Browser, serve, wait};

const PAGE: &str = "<!doctype html><title>A page</title><p id=greeting>Hello, guest</p>\
    <input name=name><button onclick=\"document.querySelector('#greeting').textContent = \
    'Hello, ' + document.querySelector('input').value\">Greet</button>";

async fn page() -> impl IntoResponse {
    let cookies = [("set-cookie", "__Host-hidden=1; Path=/; Secure; HttpOnly"), ("set-cookie", "shown=1; Path=/")];
    (AppendHeaders(cookies), Html(PAGE))
}

async fn cookies(headers: HeaderMap) -> String {
    headers.get("cookie").map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).unwrap_or_default()
}

#[tokio::test]
async fn a_page_is_loaded_filled_in_and_clicked_and_its_script_sees_no_http_only_cookie() {
    let server = serve(Router::new().route("/", get(page)).route("/cookies", get(cookies))).await;
    let browser = Browser::start().await;
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("http://{host}:{}", server.address().port());
        browser.open(&url).await;
        assert_eq!(browser.evaluate::<String>("document.title").await, "A page");
        browser.fill("input", "Ada").await;
        browser.click("button").await;
        assert_eq!(browser.text("#greeting").await, "Hello, Ada");

        assert_eq!(browser.evaluate::<String>("document.cookie").await, "shown=1");
        let sent: String = browser.evaluate("fetch('/cookies').then(answer => answer.text())").await;
        let mut sent: Vec<_> = sent.split("; ").collect();
        sent.sort_unstable();
        assert_eq!(sent, ["__Host-hidden=1", "shown=1"]);
    }
}

#[tokio::test]
async fn a_browser_ends_with_its_value() {
    let server = serve(Router::new().route("/", get(page))).await;
    let browser = Browser::start().await;
    browser.open(&server.url()).await;
    let profile = browser.profile().display().to_string();
    assert!(processes_with(&profile) > 0, "a browser runs on the profile");
    drop(browser);
    let gone = async || processes_with(&profile) == 0;
    wait::until(Duration::from_secs(10), "the browser's processes are gone", gone).await;
}

#[tokio::test]
async fn faults_of_accessibility_and_colours_of_the_dark_are_seen_and_scripts_can_be_turned_off() {
    const FAULTY: &str = "<!doctype html><title>x</title><style>@media (prefers-color-scheme: dark) { p { color: #777; \
        background: #888 } }</style><img src='data:,'><p>faint</p><script>document.title = 'y'</script>";
    let server = serve(Router::new().route("/", get(async || Html(FAULTY)))).await;
    let browser = Browser::start().await;
    browser.color_scheme("light").await;
    browser.open(&server.url()).await;
    let found = async || browser.accessibility_violations().await.join("\n");
    let light = found().await;
    assert!(light.contains("image-alt") && !light.contains("color-contrast"), "{light}");
    browser.color_scheme("dark").await;
    let dark = found().await;
    assert!(dark.contains("image-alt") && dark.contains("color-contrast"), "{dark}");
    assert_eq!(browser.evaluate::<String>("document.title").await, "y");
    browser.run_scripts(false).await;
    browser.open(&server.url()).await;
    assert_eq!(browser.evaluate::<String>("document.title").await, "x");
}

/// How many processes have `text` in their command line.
fn processes_with(text: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("a list of processes").flatten();
    let commands = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    commands.filter(|command| String::from_utf8_lossy(command).contains(text)).count()
}
