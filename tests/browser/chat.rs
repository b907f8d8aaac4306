//! The chat: two people in two browsers, and two tabs of one of them.

use session_tests::{Browser, Engine, wait};

use crate::page::{Place, Site, in_every_place, shows};

in_every_place! { a_tab_says_goodbye_by_itself_when_its_person_logs_out_in_another }

async fn enter<E: Engine>(browser: &E, url: &str, name: &str) {
    browser.open(url).await;
    browser.fill("input[name=name]", name).await;
    browser.click("form[action='/login'] button").await;
    shows(browser, "h1", &format!("Hello, {name}!")).await;
    shows(browser, "#status", "Connected").await;
}

async fn say<E: Engine>(browser: &E, text: &str) {
    browser.fill("#text", text).await;
    browser.click("#say button").await;
}

async fn last_line<E: Engine>(browser: &E, line: &str) {
    shows(browser, "#lines li:last-child", line).await;
}

async fn a_tab_says_goodbye_by_itself_when_its_person_logs_out_in_another<E: Engine>(place: Place) {
    let site = Site::start("chat", place).await;
    let [first, last] = site.urls();
    let (adas, graces) = (E::start().await, E::start().await);
    enter(&adas, &first, "Ada").await;
    enter(&graces, &first, "Grace").await;
    say(&adas, "Hello, <b>you</b>").await;
    last_line(&graces, "Ada: Hello, <b>you</b>").await;
    say(&graces, "Hello, Ada").await;
    last_line(&adas, "Grace: Hello, Ada").await;

    adas.in_another_tab(&last, async |tab| {
        shows(tab, "h1", "Hello, Ada!").await;
        tab.click("form[action='/logout'] button").await;
        shows(tab, "h1", "A small chat").await;
    })
    .await;
    shows(&adas, "#status", "Goodbye: you have been logged out").await;
    let hidden = adas.script("document.querySelector('#say').hidden").await;
    assert_eq!(hidden.as_deref(), Some("true"), "there is nothing to say any more");
    say(&graces, "Where is she?").await;
    last_line(&graces, "Grace: Where is she?").await;
    last_line(&graces, "Grace: Where is she?").await;
    shows(&graces, "#status", "Connected").await;
}

#[tokio::test]
async fn a_person_without_a_name_is_told_so_and_the_page_without_a_session_opens_no_socket() {
    let site = Site::start("chat", Place::Memory).await;
    let [url, _] = site.urls();
    let browser = Browser::start().await;
    browser.open(&url).await;
    browser.fill("input[name=name]", "   ").await;
    browser.click("form[action='/login'] button").await;
    shows(&browser, "[role=alert]", "Please type a name of 1 to 40 characters.").await;
    let socket = format!(
        "new Promise(done => {{ const socket = new WebSocket('{}/room'); socket.onopen = () => done(true); \
         socket.onclose = () => done(false) }})",
        url.replace("http", "ws")
    );
    let opened = wait::within(wait::ANSWER, "the socket is refused", browser.evaluate::<bool>(&socket)).await;
    assert!(!opened);
}
