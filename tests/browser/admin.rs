//! The page for operators in a browser: without JavaScript, in light and dark, on a desk and on a phone.

use session_tests::{App, Browser, wait};

const DESK: (u32, u32) = (1200, 800);
const PHONE: (u32, u32) = (360, 720);

struct Shop {
    app: App,
    url: String,
}

impl Shop {
    async fn open() -> Self {
        let app = App::example("admin").start().await;
        let url = format!("http://localhost:{}", app.address().port());
        Self { app, url }
    }

    /// Somebody who is logged in by another client than the browser.
    async fn log_in(&self, name: &str) -> session_tests::Client {
        let client = self.app.client();
        assert_eq!(client.post_form("/login", &[("name", name)]).await.status, 303);
        client
    }

    /// Whether the home page greets a client by name.
    async fn greets(&self, client: &session_tests::Client) -> bool {
        client.get("/").await.text().contains("Hello, ")
    }

    /// A browser without JavaScript, in which an operator has logged in.
    async fn operator(&self) -> Browser {
        let browser = Browser::start().await;
        browser.run_scripts(false).await;
        browser.open(&self.url).await;
        browser.fill("input[name=name]", "Olga").await;
        browser.click("button[name=operator]").await;
        shows(&browser, "h1", "Hello, Olga!").await;
        browser.click("a[href='/admin/sessions']").await;
        shows(&browser, "h1", "Sessions").await;
        browser
    }
}

/// Waits until the page says this.
async fn shows(browser: &Browser, css: &str, text: &str) {
    let content = format!("document.querySelector({css:?})?.textContent ?? ''");
    let what = format!("{css} says {text:?}");
    wait::until(wait::ANSWER, &what, async || browser.evaluate::<String>(&content).await.trim() == text).await;
}

#[tokio::test]
async fn an_operator_ends_one_session_all_of_an_owner_and_all_others_without_javascript() {
    let shop = Shop::open().await;
    let [phone, desk, other, last] =
        [shop.log_in("Ada").await, shop.log_in("Ada").await, shop.log_in("Bob").await, shop.log_in("Cy").await];
    let browser = shop.operator().await;
    browser.click("section h2 a[href='/admin/sessions/people']").await;
    shows(&browser, "h1", "People").await;
    shows(&browser, "caption", "5 sessions on this page").await;
    shows(&browser, ".badge", "This is you").await;

    browser.fill("input[name=owner]", "Ada").await;
    browser.click(".find button").await;
    shows(&browser, "h1", "Sessions of Ada").await;
    shows(&browser, "caption", "2 sessions on this page").await;
    browser.click("table form button").await;
    shows(&browser, "[role=status]", "1 session ended.").await;
    shows(&browser, "caption", "1 session on this page").await;
    assert_ne!(shop.greets(&phone).await, shop.greets(&desk).await, "one of the two");
    browser.click("main > form button.danger").await;
    // The page before said "1 session ended.", too.
    let none_left = "document.querySelector('main')?.textContent.includes('This owner has no live sessions.') ?? false";
    wait::until(wait::ANSWER, "no session is left", async || browser.evaluate::<bool>(none_left).await).await;
    shows(&browser, "[role=status]", "1 session ended.").await;
    assert!(!shop.greets(&phone).await && !shop.greets(&desk).await && shop.greets(&other).await);

    browser.click("nav[aria-label=Breadcrumb] a[href='/admin/sessions/people']").await;
    shows(&browser, "h1", "People").await;
    browser.click("a.danger").await;
    shows(&browser, "h1", "End all sessions of People?").await;
    assert!(shop.greets(&other).await && shop.greets(&last).await);
    browser.click("button.danger").await;
    shows(&browser, "[role=status]", "2 sessions ended.").await;
    shows(&browser, "caption", "1 session on this page").await;
    assert!(!shop.greets(&other).await && !shop.greets(&last).await);
    browser.open(&shop.url).await;
    shows(&browser, "h1", "Hello, Olga!").await;
}

/// Whether the page is as wide as the window, and no wider.
const FITS: &str = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";

async fn is_accessible_in(scheme: &str) {
    let shop = Shop::open().await;
    shop.log_in("A person with a name that is rather long, and has <b>markup</b> in it").await;
    shop.log_in("Ada").await;
    let visitor = shop.app.client();
    visitor.post_form("/cart", &[("item", "tea")]).await;
    let browser = shop.operator().await;
    browser.color_scheme(scheme).await;
    // Those of axe, since the page has none.
    browser.run_scripts(true).await;
    shop.log_in("Bob").await;
    browser.open(&format!("{}/admin/sessions/people", shop.url)).await;
    browser.click("table form button").await;
    shows(&browser, "[role=status]", "1 session ended.").await;
    let told = browser.evaluate::<String>("location.pathname + location.search").await;
    let owner = browser.evaluate::<String>("document.querySelector('td a').pathname").await;
    for path in [
        "/admin/sessions",
        "/admin/sessions/people",
        &told,
        "/admin/sessions/people/end-all",
        "/admin/sessions/carts",
        "/admin/sessions/nothing",
        &owner,
    ] {
        for (width, height) in [DESK, PHONE] {
            browser.size(width, height).await;
            browser.open(&format!("{}{path}", shop.url)).await;
            let violations = browser.accessibility_violations().await;
            assert!(violations.is_empty(), "{path} at {width} in {scheme}: {violations:#?}");
            assert!(browser.evaluate::<bool>(FITS).await, "{path} is wider than {width}");
            let styled = "getComputedStyle(document.querySelector('main')).maxWidth";
            assert_eq!(browser.evaluate::<String>(styled).await, "1152px", "the style is not refused by the policy");
        }
    }
    let dark = browser.evaluate::<String>("getComputedStyle(document.body).backgroundColor").await;
    assert_eq!(dark == "rgb(20, 23, 26)", scheme == "dark", "{dark}");
}

#[tokio::test]
async fn axe_finds_nothing_wrong_with_the_pages_in_the_light() {
    is_accessible_in("light").await;
}

#[tokio::test]
async fn axe_finds_nothing_wrong_with_the_pages_in_the_dark() {
    is_accessible_in("dark").await;
}
