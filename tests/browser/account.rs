//! The account page: one person on two devices.

use std::time::Duration;

use session_tests::{Browser, Engine};

use crate::page::{Place, Site, in_every_place, shows};

in_every_place! {
    a_person_sees_both_devices_and_ends_the_other,
    another_password_logs_the_other_device_out,
    logging_out_everywhere_logs_out_everywhere,
}

const PASSWORD: &str = "correct horse";
const OTHER: &str = "battery staple";
// At localhost, where the example says that it is for development.
const COOKIE: &str = "person";

async fn type_credentials<E: Engine>(browser: &E, url: &str, password: &str) {
    browser.open(url).await;
    browser.fill("input[name=name]", "Ada").await;
    browser.fill("input[name=password]", password).await;
}

async fn log_in<E: Engine>(browser: &E, url: &str, password: &str) {
    type_credentials(browser, url, password).await;
    browser.click("form[action='/login'] button:not([formaction])").await;
}

/// One browser that has created the account in the first process, and one that has logged in at the last.
async fn two_devices<E: Engine>(site: &Site) -> [E; 2] {
    let [first, last] = site.urls();
    let (one, other) = (E::start().await, E::start().await);
    type_credentials(&one, &first, PASSWORD).await;
    one.click("button[formaction='/register']").await;
    greeted(&one).await;
    log_in(&other, &last, PASSWORD).await;
    greeted(&other).await;
    [one, other]
}

async fn greeted<E: Engine>(browser: &E) {
    shows(browser, "h1", "Hello, Ada!").await;
}

async fn reload<E: Engine>(browser: &E) {
    let url = browser.script("location.href").await.expect("a page is there");
    browser.open(&url).await;
}

/// The page that it shows, loaded again, is an anonymous client's.
async fn is_out<E: Engine>(browser: &E) {
    reload(browser).await;
    shows(browser, "h1", "Welcome").await;
}

async fn count<E: Engine>(browser: &E, css: &str) -> usize {
    let count = browser.script(&format!("document.querySelectorAll({css:?}).length")).await;
    count.expect("a page is there").parse().expect("a number")
}

async fn a_person_sees_both_devices_and_ends_the_other<E: Engine>(place: Place) {
    let site = Site::start("account", place).await;
    let [first, last] = site.urls();
    let [one, other] = two_devices::<E>(&site).await;
    for (browser, url) in [(&one, &first), (&other, &last)] {
        browser.open(&format!("{url}/devices")).await;
        shows(browser, "h1", "Your devices").await;
        assert_eq!(count(browser, "#devices li").await, 2);
        assert_eq!(count(browser, "#devices .badge").await, 1, "one of them is this one");
        assert_eq!(count(browser, "#devices form").await, 1, "the other one can be ended");
        shows(browser, "#devices li strong", &format!("{} on Linux", E::NAME)).await;
    }
    one.click("#devices form button").await;
    shows(&one, "#devices li:only-child .badge", "This device").await;
    other.open(&last).await;
    shows(&other, "h1", "Welcome").await;
    one.open(&first).await;
    greeted(&one).await;
}

async fn another_password_logs_the_other_device_out<E: Engine>(place: Place) {
    let site = Site::start("account", place).await;
    let [first, last] = site.urls();
    let [one, other] = two_devices::<E>(&site).await;
    let before = token(&one).await;
    one.fill("input[name=current]", "not the password").await;
    one.fill("input[name=new]", OTHER).await;
    one.click("#password button").await;
    shows(&one, "[role=alert]", "That is not your current password.").await;
    reload(&other).await;
    greeted(&other).await;

    one.fill("input[name=current]", PASSWORD).await;
    one.fill("input[name=new]", OTHER).await;
    one.click("#password button").await;
    shows(&one, "[role=status]", "Your password is changed, and all your other devices are logged out.").await;
    greeted(&one).await;
    assert_ne!(token(&one).await, before, "this device has another id");
    one.open(&first).await;
    assert_eq!(count(&one, "[role=status]").await, 0, "it is said once");
    is_out(&other).await;
    log_in(&other, &last, PASSWORD).await;
    shows(&other, "[role=alert]", "That is not the right name and password.").await;
    log_in(&other, &last, OTHER).await;
    greeted(&other).await;
}

async fn token<E: Engine>(browser: &E) -> String {
    browser.cookie(COOKIE).await.expect("there is a session")
}

async fn logging_out_everywhere_logs_out_everywhere<E: Engine>(place: Place) {
    let site = Site::start("account", place).await;
    let [_, last] = site.urls();
    let [one, other] = two_devices::<E>(&site).await;
    other.open(&format!("{last}/devices")).await;
    other.click("form[action='/devices/end-all'] button").await;
    shows(&other, "h1", "Welcome").await;
    assert!(other.cookie(COOKIE).await.is_none(), "the cookie is removed");
    is_out(&one).await;
}

#[tokio::test]
async fn all_other_devices_are_logged_out_by_one_button() {
    let site = Site::start("account", Place::Memory).await;
    let [url, _] = site.urls();
    let [one, other] = two_devices::<Browser>(&site).await;
    one.open(&format!("{url}/devices")).await;
    one.click("form[action='/devices/end-others'] button").await;
    shows(&one, "#devices li:only-child .badge", "This device").await;
    is_out(&other).await;
}

#[tokio::test]
async fn a_login_is_remembered_if_that_is_wanted_and_else_ends_with_the_browser() {
    let site = Site::start("account", Place::Memory).await;
    let [url, _] = site.urls();
    let [one, other] = two_devices::<Browser>(&site).await;
    let expiry = async |browser: &Browser| browser.get_named_cookie(COOKIE).await.unwrap().expiry;
    assert_eq!(expiry(&one).await, None, "until the browser ends");
    other.click("#logout button").await;
    shows(&other, "h1", "Welcome").await;
    type_credentials(&other, &url, PASSWORD).await;
    other.click("input[name=remember]").await;
    other.click("form[action='/login'] button:not([formaction])").await;
    greeted(&other).await;
    assert!(expiry(&other).await.is_some(), "for longer than that");
    // A new id is remembered as the old one was.
    other.fill("input[name=current]", PASSWORD).await;
    other.fill("input[name=new]", OTHER).await;
    other.click("#password button").await;
    shows(&other, "[role=status]", "Your password is changed, and all your other devices are logged out.").await;
    assert!(expiry(&other).await.is_some());
}

#[tokio::test]
async fn an_account_is_deleted_after_the_password_was_typed_a_moment_ago() {
    let site = Site::start("account", Place::Memory).await;
    let [url, _] = site.urls();
    let [one, other] = two_devices::<Browser>(&site).await;
    // As long as a login is fresh in this example.
    tokio::time::sleep(Duration::from_secs(61)).await;
    one.click("button.danger").await;
    shows(&one, "h1", "Is it you?").await;
    one.fill("input[name=password]", "not the password").await;
    one.click("form[action='/confirm'] button").await;
    shows(&one, "[role=alert]", "That is not the right name and password.").await;
    one.fill("input[name=password]", PASSWORD).await;
    one.click("form[action='/confirm'] button").await;
    shows(&one, "[role=status]", "Thank you. You may go on.").await;
    one.click("button.danger").await;
    shows(&one, "h1", "Welcome").await;
    is_out(&other).await;
    log_in(&other, &url, PASSWORD).await;
    shows(&other, "[role=alert]", "That is not the right name and password.").await;
}
