//! The quickstart's main job in each engine: Blink, WebKit and Gecko, at both names of this machine.

use session_tests::{App, Browser, Firefox, WebKit, wait};

/// What a page shows at the moment; empty while it gives way to another.
trait Shows {
    async fn shown(&self, css: &str) -> String;
}

impl Shows for Browser {
    async fn shown(&self, css: &str) -> String {
        self.evaluate(&format!("document.querySelector({css:?})?.innerText ?? ''")).await
    }
}

impl Shows for WebKit {
    async fn shown(&self, css: &str) -> String {
        self.text(css).await
    }
}

impl Shows for Firefox {
    async fn shown(&self, css: &str) -> String {
        self.text(css).await
    }
}

/// Defines the scenario for one engine: all have `open`, `fill` and `click`.
macro_rules! logs_in_counts_and_logs_out {
    ($($name:ident: $engine:ty;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let app = App::example("quickstart").start().await;
            let browser = <$engine>::start().await;
            for host in ["localhost", "127.0.0.1"] {
                browser.open(&format!("http://{host}:{}/", app.address().port())).await;
                browser.fill("input[name=name]", "Ada").await;
                browser.click("form[action='/login'] button").await;
                shows(host, "Hello, Ada!", async || browser.shown("h1").await).await;
                browser.click("#visit button").await;
                shows(host, "1", async || browser.shown("#visits").await).await;
                browser.click("form[action='/logout'] button").await;
                shows(host, "Hello, stranger!", async || browser.shown("h1").await).await;
            }
        }
    )+};
}

logs_in_counts_and_logs_out! {
    a_person_logs_in_counts_and_logs_out_in_chromium: Browser;
    a_person_logs_in_counts_and_logs_out_in_webkit: WebKit;
    a_person_logs_in_counts_and_logs_out_in_firefox: Firefox;
}

async fn shows(host: &str, text: &str, shown: impl AsyncFn() -> String) {
    wait::until(wait::ANSWER, &format!("{host} shows {text:?}"), async || shown().await == text).await;
}
