//! The example `single_sign_on` with a provider, both as processes: what a sign-on withstands.

use axum::http::{Method, StatusCode};
use session_tests::{App, Client, Redis, Reply};

const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=";
const SIGN_ON: &str = "__Host-sign-on";
const USER: &str = "user";

struct Site {
    provider: App,
    app: App,
}

impl Site {
    async fn start() -> Self {
        let provider = App::example("identity_provider").start().await;
        let app = App::example("single_sign_on").env("ISSUER", provider.url()).start().await;
        Self { provider, app }
    }

    /// A browser without cookies, at the address to which the provider sends people back.
    fn browser(&self) -> Client {
        Client::new(&at_localhost(&self.app))
    }
}

fn at_localhost(app: &App) -> String {
    format!("http://localhost:{}", app.address().port())
}

fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
    reply.header("location").expect("a redirect has a target").to_owned()
}

/// Types a name at the provider, which answers by a redirect to this address.
async fn confirm(browser: &Client, at: &str, name: &str) -> String {
    location(&browser.post_form(at, &[("name", name)]).await)
}

/// The same where it answers by a page that posts these.
async fn confirm_by_post(browser: &Client, at: &str, name: &str) -> [(&'static str, String); 2] {
    let page = browser.post_form(at, &[("name", name)]).await;
    ["code", "state"].map(|field| {
        let value = page.text().split_once(&format!("name=\"{field}\" value=\"")).expect("the field is there").1;
        (field, value.split('"').next().expect("its value").to_owned())
    })
}

/// As a browser posts what another site's page holds.
async fn post_from_another_site(browser: &Client, form: &[(&'static str, String)]) -> Reply {
    let send = |request: reqwest::RequestBuilder| {
        request.header("sec-fetch-site", "cross-site").header("origin", "http://127.0.0.1:4000").form(form)
    };
    browser.send(Method::POST, "/callback", send).await
}

async fn is_greeted(browser: &Client, name: &str) {
    let home = browser.get("/").await;
    assert!(home.text().contains(&format!("Hello, {name}!")), "{}", home.text());
}

async fn is_anonymous(browser: &Client) {
    assert!(browser.cookie(USER).is_none());
    assert!(browser.get("/").await.text().contains("Welcome"));
}

fn was_refused(reply: &Reply, why: &str) {
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.text());
    assert!(reply.text().contains(why), "{}", reply.text());
}

#[tokio::test]
async fn a_person_comes_back_by_get_to_where_they_wanted_to_go() {
    let site = Site::start().await;
    let ann = site.browser();
    let login = location(&ann.get("/orders").await);
    let leave = location(&ann.get(&login).await);
    assert!(leave.starts_with(&site.provider.url()), "{leave}");
    for proof in ["state=", "nonce=", "code_challenge=", "code_challenge_method=S256"] {
        assert!(leave.contains(proof), "{leave} has no {proof}");
    }
    assert!(ann.cookie(SIGN_ON).is_some());
    let back = confirm(&ann, &leave, "Ann").await;
    let landed = ann.get(&back).await;
    assert_eq!(location(&landed), "/orders");
    assert!(ann.cookie(SIGN_ON).is_none(), "the sign-on is over");
    assert!(ann.get("/orders").await.text().contains("Orders of Ann"));
    is_greeted(&ann, "Ann").await;

    let again = ann.get(&back).await;
    was_refused(&again, "began in another browser");
    is_greeted(&ann, "Ann").await;
}

#[tokio::test]
async fn a_person_comes_back_by_a_post_from_the_providers_page() {
    let site = Site::start().await;
    let ann = site.browser();
    let begun = ann.get("/login?by=post").await;
    let [cookie] = begun.set_cookies()[..] else { panic!("{:?}", begun.set_cookies()) };
    assert!(cookie.contains("SameSite=None") && cookie.contains("Secure"), "{cookie}");
    let form = confirm_by_post(&ann, &location(&begun), "Ann").await;
    assert_eq!(location(&post_from_another_site(&ann, &form).await), "/");
    is_greeted(&ann, "Ann").await;
    was_refused(&post_from_another_site(&ann, &form).await, "began in another browser");
}

#[tokio::test]
async fn an_answer_is_of_no_use_to_another_browser() {
    let site = Site::start().await;
    let (mallory, ann) = (site.browser(), site.browser());
    let leave = location(&mallory.get("/login").await);
    let back = confirm(&mallory, &leave, "Mallory").await;
    // Without a sign-on of her own, and with one: Ann is not logged in as somebody else.
    was_refused(&ann.get(&back).await, "began in another browser");
    is_anonymous(&ann).await;
    let leave = location(&ann.get("/login").await);
    was_refused(&ann.get(&back).await, "another sign-on");
    is_anonymous(&ann).await;
    // What she began goes on.
    let back = confirm(&ann, &leave, "Ann").await;
    assert_eq!(location(&ann.get(&back).await), "/");
    is_greeted(&ann, "Ann").await;
}

#[tokio::test]
async fn a_code_that_was_made_for_another_sign_on_is_refused() {
    let site = Site::start().await;
    let (mallory, ann) = (site.browser(), site.browser());
    let query = |address: &str, name: &str| {
        let start = address.split_once(&format!("{name}=")).expect("it is there").1;
        start.split('&').next().expect("its value").to_owned()
    };
    let leave = location(&mallory.get("/login").await);
    let code = query(&confirm(&mallory, &leave, "Mallory").await, "code");
    let state = query(&location(&ann.get("/login").await), "state");
    // The provider finds that the code belongs to another PKCE challenge.
    was_refused(&ann.get(&format!("/callback?code={code}&state={state}")).await, "did not confirm");
    is_anonymous(&ann).await;
}

#[tokio::test]
async fn a_refusal_at_the_provider_logs_nobody_in() {
    let site = Site::start().await;
    let ann = site.browser();
    let leave = location(&ann.get("/login").await);
    let back = location(&ann.post_form(&leave, &[("name", "Ann"), ("refuse", "true")]).await);
    was_refused(&ann.get(&back).await, "did not confirm");
    assert!(ann.cookie(SIGN_ON).is_none(), "the sign-on is over");
    is_anonymous(&ann).await;
}

#[tokio::test]
async fn the_way_back_leads_to_no_other_site() {
    let site = Site::start().await;
    for elsewhere in
        ["https://evil.example/", "//evil.example/", "/%5Cevil.example/", "evil.example", "javascript:alert(1)"]
    {
        let ann = site.browser();
        let login = ann.get(&format!("/login?return_to={elsewhere}")).await;
        let back = confirm(&ann, &location(&login), "Ann").await;
        assert_eq!(location(&ann.get(&back).await), "/", "{elsewhere}");
    }
}

#[tokio::test]
async fn a_sign_on_that_began_in_one_process_ends_in_another() {
    let (redis, provider) = (Redis::start().await, App::example("identity_provider").start().await);
    let program = || {
        let program = App::example("single_sign_on").env("ISSUER", provider.url());
        program.env("SESSION_STORE", redis.url()).env("SESSION_KEYS", KEY)
    };
    let first = program().start().await;
    let second = program().env("PUBLIC_URL", at_localhost(&first)).start().await;
    let ann = Client::new(&at_localhost(&second));
    let leave = location(&ann.get("/login").await);
    let back = confirm(&ann, &leave, "Ann").await;
    assert!(back.starts_with(&at_localhost(&first)), "{back}");
    assert_eq!(location(&ann.get(&back).await), "/");
    is_greeted(&ann, "Ann").await;
}
