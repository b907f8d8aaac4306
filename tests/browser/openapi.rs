//! The documentation page of the example `openapi`: what a person calls from it goes with the cookie that they have.

use session_tests::{App, Browser, wait};

/// The page in a browser.
struct Page {
    browser: Browser,
    _app: App,
}

impl Page {
    async fn open() -> Self {
        let app = App::example("openapi").start().await;
        let browser = Browser::start().await;
        browser.open(&format!("http://localhost:{}/docs/", app.address().port())).await;
        Self { browser, _app: app }
    }

    /// Unfolds an operation and presses "Execute"; the status that the page shows then.
    async fn call(&self, tag: &str, operation: &str) -> String {
        let block = format!("#operations-{tag}-{operation}");
        self.click(&format!("{block} .opblock-summary-control")).await;
        // "Try it out", which is "Cancel" the second time.
        self.appears(&format!("{block} .try-out__btn")).await;
        let execute = format!("{block} button.execute");
        if !self.browser.evaluate::<bool>(&format!("document.querySelector({execute:?}) !== null")).await {
            self.click(&format!("{block} .try-out__btn")).await;
        }
        self.click(&execute).await;
        let status = format!("{block} .live-responses-table tbody .response-col_status");
        self.appears(&status).await;
        let shown = self.browser.text(&status).await;
        self.click(&format!("{block} button.btn-clear")).await;
        self.click(&format!("{block} .opblock-summary-control")).await;
        shown.split_whitespace().next().unwrap_or_default().to_owned()
    }

    async fn click(&self, css: &str) {
        self.appears(css).await;
        // By script, as the page moves while it unfolds.
        self.browser.evaluate::<()>(&format!("void document.querySelector({css:?}).click()")).await;
    }

    async fn appears(&self, css: &str) {
        let there = format!("document.querySelector({css:?}) !== null");
        wait::until(wait::ANSWER, css, async || self.browser.evaluate::<bool>(&there).await).await;
    }
}

#[tokio::test]
async fn a_person_logs_in_on_the_documentation_page_and_calls_what_is_protected_until_the_logout() {
    let page = Page::open().await;
    assert_eq!(page.call("account", "profile").await, "401");
    assert_eq!(page.call("account", "login").await, "200");
    assert_eq!(page.browser.evaluate::<String>("document.cookie").await, "", "the script sees no cookie");
    assert_eq!(page.call("account", "profile").await, "200");
    assert_eq!(page.call("account", "logout").await, "204");
    assert_eq!(page.call("account", "profile").await, "401");
}

#[tokio::test]
async fn the_documentation_page_loads_nothing_from_elsewhere_and_says_how_to_log_in() {
    let page = Page::open().await;
    page.appears("#operations-account-login").await;
    let hosts = "[...new Set(performance.getEntriesByType('resource').map(entry => new URL(entry.name).host))]";
    let hosts: Vec<String> = page.browser.evaluate(hosts).await;
    let own: String = page.browser.evaluate("location.host").await;
    assert_eq!(hosts, [own]);
    let text = page.browser.text(".information-container").await;
    assert!(text.contains("no page can set the Cookie header"), "{text}");
}
