//! The quickstart in Chromium, at the address that it prints.

use session_tests::{App, Browser};

use crate::page::shows;

async fn quickstart() -> (App, String) {
    let app = App::example("quickstart").start().await;
    let url = format!("http://localhost:{}", app.address().port());
    assert!(app.log().contains(&url), "the address is printed: {}", app.log());
    (app, url)
}

async fn log_in(browser: &Browser, name: &str) {
    browser.fill("input[name=name]", name).await;
    browser.click("form[action='/login'] button").await;
    shows(browser, "h1", &format!("Hello, {name}!")).await;
}

#[tokio::test]
async fn a_person_logs_in_counts_and_logs_out() {
    let (_app, url) = quickstart().await;
    let browser = Browser::start().await;
    browser.open(&url).await;
    assert_eq!(browser.text("h1").await, "Hello, guest!");
    log_in(&browser, "Ada").await;
    assert_eq!(browser.current_url().await.unwrap().path(), "/");

    for count in ["1", "2"] {
        browser.click("#visit button").await;
        shows(&browser, "#visits", count).await;
    }
    browser.open(&url).await;
    assert_eq!(browser.text("#visits").await, "2", "the count is the session's, not the page's");
    assert_eq!(browser.evaluate::<String>("document.cookie").await, "", "the script sees no cookie");

    browser.click("form[action='/logout'] button").await;
    shows(&browser, "h1", "Hello, guest!").await;
}

#[tokio::test]
async fn after_a_logout_neither_reload_nor_back_nor_another_tab_shows_the_person() {
    let (_app, url) = quickstart().await;
    let browser = Browser::start().await;
    browser.open(&url).await;
    log_in(&browser, "Ada").await;
    browser.click("form[action='/logout'] button").await;
    shows(&browser, "h1", "Hello, guest!").await;

    browser.refresh().await.unwrap();
    shows(&browser, "h1", "Hello, guest!").await;
    browser.back().await.unwrap();
    shows(&browser, "h1", "Hello, guest!").await;
    let tab = browser.new_tab().await.unwrap();
    browser.switch_to_window(tab).await.unwrap();
    browser.open(&url).await;
    assert_eq!(browser.text("h1").await, "Hello, guest!");
    assert_eq!(browser.evaluate::<u16>("fetch('/me').then(answer => answer.status)").await, 401);
    let counted = "fetch('/visit', { method: 'POST' }).then(answer => answer.status)";
    assert_eq!(browser.evaluate::<u16>(counted).await, 401);
}

#[tokio::test]
async fn a_login_without_a_name_says_what_to_do() {
    let (_app, url) = quickstart().await;
    let browser = Browser::start().await;
    browser.open(&url).await;
    for name in ["", "   "] {
        browser.fill("input[name=name]", name).await;
        browser.click("form[action='/login'] button").await;
        shows(&browser, "[role=alert]", "Please type a name.").await;
        assert_eq!(browser.text("h1").await, "Hello, guest!");
    }
    log_in(&browser, "Grace").await;
}

#[tokio::test]
async fn a_name_is_text_and_nothing_else() {
    let (_app, url) = quickstart().await;
    let browser = Browser::start().await;
    browser.open(&url).await;
    log_in(&browser, "<b onclick=x>Zoë & 李</b>").await;
    browser.refresh().await.unwrap();
    shows(&browser, "h1", "Hello, <b onclick=x>Zoë & 李</b>!").await;
    assert!(!browser.evaluate::<bool>("!!document.querySelector('h1 b')").await);
}

#[tokio::test]
async fn two_browsers_are_two_people() {
    let (_app, url) = quickstart().await;
    let (one, other) = (Browser::start().await, Browser::start().await);
    one.open(&url).await;
    log_in(&one, "Ada").await;
    other.open(&url).await;
    assert_eq!(other.text("h1").await, "Hello, guest!");
    log_in(&other, "Grace").await;
    one.click("#visit button").await;
    shows(&one, "#visits", "1").await;
    other.refresh().await.unwrap();
    assert_eq!(other.text("#visits").await, "0");
}

#[tokio::test]
async fn a_page_that_was_left_open_over_a_logout_elsewhere_greets_a_anonymous_client_at_the_next_click() {
    let (_app, url) = quickstart().await;
    let browser = Browser::start().await;
    browser.open(&url).await;
    log_in(&browser, "Ada").await;
    let logout = "fetch('/logout', { method: 'POST' }).then(answer => answer.ok)";
    assert!(browser.evaluate::<bool>(logout).await);
    assert_eq!(browser.text("h1").await, "Hello, Ada!", "the page doesn't know yet");
    browser.click("#visit button").await;
    shows(&browser, "h1", "Hello, guest!").await;
}

#[tokio::test]
async fn a_second_press_of_log_out_shows_the_start_and_no_error() {
    let (_app, url) = quickstart().await;
    let browser = Browser::start().await;
    browser.open(&url).await;
    log_in(&browser, "Ada").await;
    let first = browser.window().await.unwrap();
    let second = browser.new_tab().await.unwrap();
    browser.switch_to_window(second).await.unwrap();
    browser.open(&url).await;
    browser.click("form[action='/logout'] button").await;
    shows(&browser, "h1", "Hello, guest!").await;
    // The first tab still shows the person and the button.
    browser.switch_to_window(first).await.unwrap();
    assert_eq!(browser.text("h1").await, "Hello, Ada!");
    browser.click("form[action='/logout'] button").await;
    shows(&browser, "h1", "Hello, guest!").await;
    assert_eq!(browser.current_url().await.unwrap().path(), "/");
}

#[tokio::test]
async fn a_refusal_is_a_page_that_can_be_read() {
    let (_app, url) = quickstart().await;
    let browser = Browser::start().await;
    browser.open(&format!("{url}/me")).await;
    assert_eq!(browser.evaluate::<String>("document.contentType").await, "text/html");
    let title = browser.text("h1").await;
    assert!(!title.is_empty() && !title.contains('{'), "{title}");
    assert_eq!(browser.title().await.unwrap(), title);
    let program = "fetch('/me').then(answer => answer.headers.get('content-type'))";
    assert_eq!(browser.evaluate::<String>(program).await, "application/problem+json");
}
