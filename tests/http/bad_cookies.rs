//! Cookies that no session gave, or that were tampered with on the way.

use std::time::Duration;

use axum::{Router, http::Method, routing::get};
use serde::{Deserialize, Serialize};
use session_runtime::{Clock, Error, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{
    Client, Served,
    raw::{self, Connection},
    serve,
};

use crate::support::{
    COOKIE, Ledger, Store, User, assert_problem, is_alive, key, logged_in, on_every_backend, routes, send_with,
    serve_users, token,
};

async fn copy(user: Option<User>) -> String {
    user.map_or_else(|| "anonymous".into(), |user| user.name)
}

async fn plain() {}

/// An application on a ledger, somebody logged in, and the token.
pub(crate) struct Scene {
    pub(crate) ledger: Ledger,
    pub(crate) clock: ManualClock,
    pub(crate) server: Served,
    client: Client,
    pub(crate) token: String,
}

impl Scene {
    pub(crate) async fn set() -> Self {
        let (ledger, clock) = (Ledger::default(), ManualClock::new());
        let builder = Sessions::builder().backend(ledger.clone()).key(&key('k')).clock(clock.clone());
        let sessions = builder.open().await.unwrap();
        let behind = Router::new().route("/behind", get(plain)).route_layer(sessions.protect());
        let router = routes().route("/copy", get(copy)).merge(behind);
        let server = serve(router.with_state(sessions)).await;
        let client = logged_in(&server, "ann").await;
        let token = token(&client);
        Self { ledger, clock, server, client, token }
    }

    /// A token from another instance under the same keys, by a clock that is ahead of ours or behind it.
    async fn foreign_token(&self, ahead: i64) -> String {
        let millis = self.clock.now().as_millis().checked_add_signed(ahead * 1000).unwrap();
        let clock = ManualClock::at(session_runtime::Timestamp::from_millis(millis));
        let twin = serve_users(Store::memory().builder().clock(clock).open().await.unwrap()).await;
        token(&logged_in(&twin, "twin").await)
    }

    /// This `Cookie` header names no session on any way in, sets no cookie, and the backend is not asked.
    pub(crate) async fn refuses(&self, cookie: &str) {
        let asked = self.ledger.asked();
        for (method, path) in [(Method::GET, "/me"), (Method::GET, "/behind"), (Method::POST, "/visit")] {
            let reply = send_with(&self.server, method, path, cookie).await;
            assert_problem(&reply, 401, "missing");
            assert!(reply.set_cookies().is_empty(), "{cookie:?}");
        }
        for path in ["/", "/copy"] {
            let reply = send_with(&self.server, Method::GET, path, cookie).await;
            assert_eq!((reply.text(), reply.set_cookies()), ("anonymous", vec![]), "{cookie:?}");
        }
        assert_eq!(self.ledger.asked(), asked, "the backend was asked about {cookie:?}");
    }

    /// The same for bytes that no client library sends; the server may also refuse the request as a whole.
    async fn refuses_bytes(&self, cookie: &[u8]) {
        let asked = self.ledger.asked();
        let reply = raw::get_with_cookie(self.server.address(), "/me", cookie).await;
        let status = reply.status.as_u16();
        assert!(status == 401 || status == 400 || status == 431, "{status} for {}", cookie.escape_ascii());
        assert!(reply.set_cookies().is_empty() && reply.header("x-evil").is_none());
        assert_eq!(self.ledger.asked(), asked, "the backend was asked about {}", cookie.escape_ascii());
    }

    /// Whoever has the true token is served, and the server has survived.
    pub(crate) async fn goes_on(&self) {
        assert_eq!(self.client.get("/me").await.json::<User>().name, "ann");
    }
}

#[tokio::test]
async fn one_altered_character_anywhere_in_a_token_makes_it_worthless() {
    let scene = Scene::set().await;
    let asked = scene.ledger.asked();
    for at in 0..scene.token.len() {
        let mut altered = scene.token.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(!is_alive(&scene.server, &altered).await, "character {at}");
    }
    assert_eq!(scene.ledger.asked(), asked);
    scene.goes_on().await;
}

#[tokio::test]
async fn a_token_cut_short_anywhere_is_worthless() {
    let scene = Scene::set().await;
    let asked = scene.ledger.asked();
    for end in 0..scene.token.len() {
        assert!(!is_alive(&scene.server, &scene.token[..end]).await, "{end} characters");
        assert!(!is_alive(&scene.server, &scene.token[end + 1..]).await, "without the first {}", end + 1);
    }
    assert_eq!(scene.ledger.asked(), asked);
    scene.goes_on().await;
}

#[tokio::test]
async fn what_is_no_token_is_no_session_and_no_question_to_the_backend() {
    let scene = Scene::set().await;
    let token = scene.token.as_str();
    let mut values = vec![
        format!("{token}A"),
        format!("{token}="),
        format!("{token}{token}"),
        format!("\"{token}\""),
        format!("{token}, {token}"),
        format!("%{:02x}{}", token.as_bytes()[0], &token[1..]),
        token.to_lowercase(),
        token.chars().rev().collect(),
        token.replace('=', "%3D"),
        "A".repeat(120),
        "A".repeat(4_097),
        "A".repeat(60_000),
        "=".repeat(120),
        "\"".repeat(120),
        "../".repeat(40),
    ];
    values.extend(
        [
            "",
            "\"\"",
            "null",
            "undefined",
            "0",
            "ann",
            "../../../../etc/passwd",
            "..%2f..%2fetc%2fpasswd",
            "C:\\boot.ini",
            "%00",
            "%0d%0aSet-Cookie:%20x=y",
            "*",
            "' OR '1'='1",
            "{}",
            "${jndi:ldap://x}",
            "test:{*}",
            "\\u0000",
            "=",
            "==",
        ]
        .map(String::from),
    );
    for value in values {
        scene.refuses(&format!("{COOKIE}={value}")).await;
    }
    scene.goes_on().await;
}

#[tokio::test]
async fn only_a_cookie_of_exactly_that_name_counts() {
    let scene = Scene::set().await;
    let token = &scene.token;
    for name in
        ["__host-user", "__HOST-USER", "__Host-user2", "__Host-use", "x__Host-user", "user", "__Host-user%20", "", "id"]
    {
        scene.refuses(&format!("{name}={token}")).await;
    }
    scene.refuses(COOKIE).await;
    scene.refuses(token).await;
    scene.refuses(&format!("a=\"; {COOKIE}x={token}; \"")).await;
    let among_others = format!("a=1; {COOKIE}2=x; ; =; b; {COOKIE}={token}; z=\"\"");
    assert_eq!(send_with(&scene.server, Method::GET, "/", &among_others).await.text(), "ann");
}

#[tokio::test]
async fn bytes_outside_ascii_and_controls_do_no_harm() {
    let scene = Scene::set().await;
    let (name, token) = (COOKIE.as_bytes(), scene.token.as_bytes());
    let half = token.len() / 2;
    let mut cookies: Vec<Vec<u8>> = Vec::new();
    for alien in [
        &b"\xff"[..],
        b"\xc3\xa9",
        b"\xe2\x80\x80",
        b"\xc2\xa0",
        b"\xf0\x9f\x8d\xaa",
        b"\x80",
        b"\0",
        b"\x7f",
        b"\x0b",
        b"\x1b",
    ] {
        cookies.push([name, b"=", alien].concat());
        cookies.push([name, b"=", token, alien].concat());
        cookies.push([name, b"=", alien, token].concat());
        cookies.push([name, b"=", &token[..half], alien, &token[half..]].concat());
        cookies.push([name, b"=", &token[..half], alien, &token[half + 1..]].concat());
        cookies.push([name, alien, b"=", token].concat());
        cookies.push([alien, name, b"=", token].concat());
    }
    cookies.push([name, b"=", &b"\xff".repeat(120)].concat());
    cookies.push([name, b"=", "é".repeat(60).as_bytes()].concat());
    for cookie in cookies {
        scene.refuses_bytes(&cookie).await;
    }
    let beside = [b"theme=\xc3\xa9; ", name, b"=", token, b"; x=\xff"].concat();
    assert_eq!(raw::get_with_cookie(scene.server.address(), "/", &beside).await.status, 200);
    scene.goes_on().await;
}

#[tokio::test]
async fn line_breaks_in_a_cookie_bring_nothing_into_the_answer() {
    let scene = Scene::set().await;
    for evil in
        ["\r\nX-Evil: 1", "\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: 1", "\r\n X-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1"]
    {
        scene.refuses_bytes(format!("{COOKIE}=x{evil}").as_bytes()).await;
        scene.refuses_bytes(format!("{COOKIE}={}{evil}", &scene.token[..100]).as_bytes()).await;
    }
    scene.goes_on().await;
}

#[tokio::test]
async fn a_token_travels_in_its_cookie_and_nowhere_else() {
    let scene = Scene::set().await;
    let (token, asked) = (&scene.token, scene.ledger.asked());
    for query in
        [format!("id={token}"), format!("{COOKIE}={token}"), format!("session={token}"), format!("token={token}")]
    {
        let reply = scene.server.client().get(&format!("/me?{query}")).await;
        assert_problem(&reply, 401, "missing");
    }
    for header in ["authorization", "x-session", "x-user", "set-cookie", "cookie2"] {
        for value in [token.clone(), format!("Bearer {token}"), format!("{COOKIE}={token}")] {
            let reply = scene.server.client().send(Method::GET, "/me", |request| request.header(header, value)).await;
            assert_problem(&reply, 401, "missing");
        }
    }
    let form = scene.server.client().post_form("/visit", &[(COOKIE, token), ("id", token)]).await;
    assert_problem(&form, 401, "missing");
    assert_eq!(scene.ledger.asked(), asked);
}

#[tokio::test]
async fn expired_and_future_dated_tokens_are_refused_without_a_question_to_the_backend() {
    let scene = Scene::set().await;
    let (hours, minute) = (3600, 60);
    for ahead in [-12 * hours, -12 * hours - 1, -1000 * hours, minute + 1, hours, 100_000 * hours] {
        scene.refuses(&format!("{COOKIE}={}", scene.foreign_token(ahead).await)).await;
    }
    // In time, so the backend is asked, and knows nothing of it.
    for ahead in [-11 * hours, 0, minute - 1] {
        let (asked, foreign) = (scene.ledger.asked(), scene.foreign_token(ahead).await);
        assert!(!is_alive(&scene.server, &foreign).await);
        assert_eq!(scene.ledger.asked(), asked + 1);
    }
    scene.clock.advance(Duration::from_secs(13 * 3600));
    scene.refuses(&format!("{COOKIE}={}", scene.token)).await;
}

async fn a_login_never_adopts_the_id_that_a_client_brings(store: Store) {
    let server = serve_users(store.sessions().await).await;
    let twin = serve_users(Store::memory().sessions().await).await;
    let unknown = token(&logged_in(&twin, "twin").await);
    let client = server.client();
    client.set_cookie(&format!("{COOKIE}={unknown}; Path=/; Secure"));
    assert_problem(&client.get("/me").await, 401, "missing");
    assert_problem(&client.post("/visit").await, 401, "missing");
    client.post_form("/login", &[("name", "ann")]).await;
    assert_eq!(client.get("/").await.text(), "ann");
    assert_ne!(token(&client), unknown);
    assert!(!is_alive(&server, &unknown).await, "who planted it has nothing");
    assert_eq!(store.records().await, 1);
}

on_every_backend!(a_login_never_adopts_the_id_that_a_client_brings);

#[derive(Serialize, Deserialize, SessionData)]
struct Cart;

mod elsewhere {
    use super::*;

    /// Another type of the same name, under another cookie.
    #[derive(Serialize, Deserialize, SessionData)]
    #[session(cookie(name = "__Host-account"))]
    pub(super) struct User;
}

#[session(optional)]
async fn start_cart(slot: SessionSlot<Cart>) -> Result<(), Error> {
    slot.start(Cart).await
}

#[session(optional)]
async fn start_account(slot: SessionSlot<elsewhere::User>) -> Result<(), Error> {
    slot.start(elsewhere::User).await
}

#[tokio::test]
async fn a_token_is_good_for_one_type_and_one_cookie() {
    let scene = Scene::set().await;
    let store = Store::memory();
    let carts = Router::new().route("/", get(start_cart)).with_state(store.sessions::<Cart>().await);
    let accounts = Router::new().route("/", get(start_account)).with_state(store.sessions::<elsewhere::User>().await);
    for (router, name) in [(carts, "__Host-cart"), (accounts, "__Host-account")] {
        let served = serve(router).await;
        let other = served.client();
        other.get("/").await;
        let swapped = other.cookie(name).expect("it has started");
        scene.refuses(&format!("{COOKIE}={swapped}")).await;
        scene.refuses(&format!("{name}={}", scene.token)).await;
    }
    scene.goes_on().await;
}

#[tokio::test]
async fn a_request_that_is_no_http_harms_nobody() {
    let scene = Scene::set().await;
    for bytes in [&b"\0\0\0\0\r\n\r\n"[..], b"GET /me HTTP/1.1\r\nCookie\r\n\r\n", b"GET /me HTTP/9.9\r\n\r\n"] {
        let mut connection = Connection::open(scene.server.address()).await;
        connection.send(bytes).await;
        assert_eq!(connection.reply().await.status, 400, "{}", bytes.escape_ascii());
    }
    scene.goes_on().await;
}
