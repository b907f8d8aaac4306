//! The quickstart's main job in each engine: Blink, WebKit and Gecko, at both names of this machine.

use session_tests::{App, Engine, in_every_engine};

use crate::page::shows;

in_every_engine! { a_person_logs_in_counts_and_logs_out }

async fn a_person_logs_in_counts_and_logs_out<E: Engine>() {
    let app = App::example("quickstart").start().await;
    let browser = E::start().await;
    for host in ["localhost", "127.0.0.1"] {
        browser.open(&format!("http://{host}:{}/", app.address().port())).await;
        browser.fill("input[name=name]", "Ada").await;
        browser.click("form[action='/login'] button").await;
        shows(&browser, "h1", "Hello, Ada!").await;
        browser.click("#visit button").await;
        shows(&browser, "#visits", "1").await;
        browser.click("form[action='/logout'] button").await;
        shows(&browser, "h1", "Hello, guest!").await;
    }
}
