//! Requests that another site's page makes, with the session that the browser attaches to them.

use axum::{
    Router,
    extract::FromRef,
    http::{Method, header},
    response::IntoResponse,
    routing::{any, get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::{Reply, Served, raw::Connection, serve};

use crate::support::{COOKIE, Events, Gate, Ledger, User, assert_problem, key, logged_in, routes, token};

#[session(protected)]
async fn shared(_user: &User) {}

#[session(optional)]
async fn shared_or_none(_user: Option<&User>) {}

#[session(protected)]
async fn exclusive(user: &mut User) {
    user.visits += 1;
}

#[session(optional)]
async fn exclusive_or_none(_user: Option<&mut User>) {}

#[session(protected)]
async fn owned(_session: Session<User>) {}

#[session(optional)]
async fn slot(slot: SessionSlot<User>) -> Result<(), Error> {
    slot.start(User { name: "mallory".into(), visits: 0 }).await
}

#[session(protected(User))]
async fn guarded() {}

async fn snapshot(_user: User) {}

async fn snapshot_or_none(_user: Option<User>) {}

#[session(protected, csrf = off)]
async fn open(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

#[session(optional, csrf = off)]
async fn webhook(_user: Option<&User>) {}

const EVERY_WAY_IN: [&str; 10] = [
    "/shared",
    "/shared-or-none",
    "/exclusive",
    "/exclusive-or-none",
    "/owned",
    "/slot",
    "/guarded",
    "/snapshot",
    "/snapshot-or-none",
    "/behind",
];

struct Scene {
    ledger: Ledger,
    server: Served,
    token: String,
}

impl Scene {
    async fn set(trusted: &[&str]) -> Self {
        let ledger = Ledger::default();
        let builder = Sessions::builder().backend(ledger.clone()).key(&key('k'));
        let sessions = builder.trusted_origins(trusted.iter().copied()).open().await.unwrap();
        let behind = Router::new().route("/behind", any(async || ())).route_layer(sessions.protect());
        let router = routes()
            .route("/shared", any(shared))
            .route("/shared-or-none", any(shared_or_none))
            .route("/exclusive", any(exclusive))
            .route("/exclusive-or-none", any(exclusive_or_none))
            .route("/owned", any(owned))
            .route("/slot", any(slot))
            .route("/guarded", any(guarded))
            .route("/snapshot", any(snapshot))
            .route("/snapshot-or-none", any(snapshot_or_none))
            .route("/open", any(open))
            .route("/webhook", any(webhook))
            .merge(behind);
        let server = serve(router.with_state(sessions)).await;
        let token = token(&logged_in(&server, "ann").await);
        Self { ledger, server, token }
    }

    /// A request with ann's cookie and these headers.
    async fn send(&self, method: &Method, path: &str, headers: &[(&str, &str)]) -> Reply {
        let cookie = format!("{COOKIE}={}", self.token);
        let send = |request: reqwest::RequestBuilder| {
            let request = request.header(header::COOKIE, cookie);
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
        };
        self.server.client().send(method.clone(), path, send).await
    }

    /// It is refused with nothing asked of the store, and so nothing locked or written.
    async fn refuses(&self, method: &Method, path: &str, headers: &[(&str, &str)]) {
        let asked = self.ledger.asked();
        let reply = self.send(method, path, headers).await;
        assert_problem(&reply, 403, "cross-site");
        assert!(reply.set_cookies().is_empty(), "{method} {path} {headers:?}");
        assert_eq!(self.ledger.asked(), asked, "{method} {path} {headers:?}");
    }

    async fn admits(&self, method: &Method, path: &str, headers: &[(&str, &str)]) {
        let reply = self.send(method, path, headers).await;
        assert_eq!(reply.status, 200, "{method} {path} {headers:?}: {}", reply.text());
    }

    /// A request by hand: its line, and its headers.
    async fn by_hand(&self, line: &str, headers: &str) -> u16 {
        let mut connection = Connection::open(self.server.address()).await;
        let cookie = format!("Cookie: {COOKIE}={}\r\nConnection: close\r\nContent-Length: 0\r\n", self.token);
        connection.send(format!("{line} HTTP/1.1\r\n{cookie}{headers}\r\n")).await;
        connection.reply().await.status.as_u16()
    }
}

/// `QUERY` is safe by its definition, but no page is opened by it, and what handlers do with it is theirs.
const UNSAFE: [&str; 5] = ["POST", "PUT", "PATCH", "DELETE", "QUERY"];

#[tokio::test]
async fn unsafe_methods_of_another_site_are_refused_on_every_way_in_before_the_store_is_asked() {
    let scene = Scene::set(&[]).await;
    for path in EVERY_WAY_IN {
        for method in UNSAFE.map(|name| Method::from_bytes(name.as_bytes()).unwrap()) {
            for headers in [
                &[("sec-fetch-site", "cross-site")][..],
                &[("sec-fetch-site", "same-site"), ("origin", "https://sister.example")],
                &[("origin", "https://evil.example")],
                &[("origin", "null")],
            ] {
                scene.refuses(&method, path, headers).await;
            }
        }
    }
}

#[tokio::test]
async fn ones_own_pages_and_clients_that_are_no_browsers_are_admitted_on_every_way_in() {
    for path in EVERY_WAY_IN {
        for case in 0..4 {
            // A slot ends the session that is there, so each has a scene of its own.
            let scene = Scene::set(&[]).await;
            let own = scene.server.url();
            let headers: &[(&str, &str)] = match case {
                0 => &[],
                1 => &[("sec-fetch-site", "same-origin"), ("origin", &own)],
                2 => &[("sec-fetch-site", "none")],
                _ => &[("origin", &own)],
            };
            scene.admits(&Method::POST, path, headers).await;
        }
    }
}

#[tokio::test]
async fn safe_methods_are_admitted_whoever_asks() {
    let scene = Scene::set(&[]).await;
    let cross_site = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
        for path in EVERY_WAY_IN.into_iter().filter(|path| *path != "/slot") {
            scene.admits(&method, path, &cross_site).await;
        }
    }
}

#[tokio::test]
async fn a_websocket_is_opened_by_ones_own_pages_alone() {
    let scene = Scene::set(&[]).await;
    let own = scene.server.url();
    for path in EVERY_WAY_IN.into_iter().filter(|path| *path != "/slot") {
        let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket")];
        scene.refuses(&Method::GET, path, &[upgrade[0], upgrade[1], ("origin", "https://evil.example")]).await;
        scene.refuses(&Method::GET, path, &[upgrade[0], upgrade[1], ("sec-fetch-site", "cross-site")]).await;
        scene.admits(&Method::GET, path, &[upgrade[0], upgrade[1], ("origin", &own)]).await;
        scene.admits(&Method::GET, path, &upgrade).await;
    }
    scene.admits(&Method::GET, "/webhook", &[("upgrade", "websocket"), ("origin", "https://evil.example")]).await;
}

#[tokio::test]
async fn a_refusal_tells_its_reason_and_names_no_session() {
    let scene = Scene::set(&[]).await;
    let events = Events::listen();
    scene.refuses(&Method::POST, "/exclusive", &[("sec-fetch-site", "cross-site")]).await;
    let told = events.named("session.refused");
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].field("reason"), told[0].field("session_type")), ("cross_site", "User"));
    let host = scene.server.address().to_string();
    assert_eq!(
        (told[0].field("host"), told[0].field("origin"), told[0].field("fetch_site")),
        (&*host, "none", "cross-site")
    );
    scene.refuses(&Method::POST, "/exclusive", &[("origin", "https://evil.example")]).await;
    let told = events.named("session.refused");
    assert_eq!((told[1].field("origin"), told[1].field("fetch_site")), ("https://evil.example", "none"));
    for option in ["trusted_origins", "public_origin"] {
        assert!(told[1].field("message").contains(option), "what to write: {}", told[1].field("message"));
    }
    assert!(!events.text().contains(&scene.token[16..]));
}

#[tokio::test]
async fn a_handler_that_says_so_admits_other_sites() {
    let scene = Scene::set(&[]).await;
    let cross_site = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    assert_eq!(scene.send(&Method::POST, "/open", &cross_site).await.text(), "1");
    scene.admits(&Method::DELETE, "/webhook", &[("origin", "null")]).await;
    scene.refuses(&Method::POST, "/exclusive", &cross_site).await;
}

#[tokio::test]
async fn who_waits_for_the_session_is_not_waited_for_by_another_site() {
    let gate = Gate::new();
    let held = gate.clone();

    #[session(protected)]
    async fn hold(user: &mut User, axum::Extension(gate): axum::Extension<Gate>) {
        gate.pass().await;
        user.visits += 1;
    }

    let sessions: Sessions<User> = Sessions::builder().ephemeral_key().open().await.unwrap();
    let router = routes().route("/hold", post(hold)).layer(axum::Extension(held)).with_state(sessions);
    let server = serve(router).await;
    let client = logged_in(&server, "ann").await;
    let holding = tokio::spawn({
        let client = client.clone();
        async move { client.post("/hold").await.status }
    });
    gate.arrival().await;
    let refused = client.send(Method::POST, "/visit", |request| request.header("sec-fetch-site", "cross-site")).await;
    assert_problem(&refused, 403, "cross-site");
    gate.open();
    assert_eq!(holding.await.unwrap(), 200);
    assert_eq!(client.post("/visit").await.text(), "2", "nothing was changed by the refused one");
}

#[tokio::test]
async fn an_origin_is_compared_with_the_host_that_was_asked() {
    let scene = Scene::set(&[]).await;
    for (host, origin, admitted) in [
        ("shop.example", "https://shop.example", true),
        ("shop.example:443", "https://shop.example", true),
        ("shop.example", "https://shop.example:443", true),
        ("SHOP.example", "https://shop.EXAMPLE", true),
        ("localhost:3000", "http://localhost:3000", true),
        ("[::1]:3000", "http://[::1]:3000", true),
        ("shop.example", "https://evil.example", false),
        ("shop.example", "https://shop.example.evil.example", false),
        ("shop.example:8443", "https://shop.example", false),
        ("localhost:3000", "http://localhost:3001", false),
        // The cookie is `Secure`, so the site's own pages come by https.
        ("shop.example", "http://shop.example", false),
        ("shop.example", "null", false),
        ("shop.example", "", false),
        ("shop.example", "https://shop.example/", false),
    ] {
        let status = scene.by_hand("POST /exclusive", &format!("Host: {host}\r\nOrigin: {origin}\r\n")).await;
        assert_eq!(status, if admitted { 200 } else { 403 }, "{host} {origin}");
    }
}

#[tokio::test]
async fn the_host_in_the_request_line_counts_and_one_beside_it_has_to_agree() {
    let scene = Scene::set(&[]).await;
    let line = "POST http://shop.example/exclusive";
    for (headers, status) in [
        ("Host: shop.example\r\nOrigin: https://shop.example\r\n", 200),
        ("Host: evil.example\r\nOrigin: https://shop.example\r\n", 403),
        ("Host: evil.example\r\nOrigin: https://evil.example\r\n", 403),
    ] {
        assert_eq!(scene.by_hand(line, headers).await, status, "{headers}");
    }
}

#[tokio::test]
async fn of_headers_that_come_twice_nothing_is_believed() {
    let scene = Scene::set(&["https://shop.example"]).await;
    let own = "Host: shop.example\r\nOrigin: https://shop.example\r\n";
    for more in [
        "Origin: https://shop.example\r\n",
        "Origin: https://evil.example\r\n",
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n",
    ] {
        assert_eq!(scene.by_hand("POST /exclusive", &format!("{own}{more}")).await, 403, "{more}");
    }
    let two_hosts = "Host: shop.test\r\nHost: evil.example\r\nOrigin: https://shop.test\r\n";
    let status = scene.by_hand("POST /exclusive", two_hosts).await;
    assert!(status == 403 || status == 400, "{status}");
}

#[tokio::test]
async fn a_trusted_origin_is_admitted_as_it_is_written_and_no_other() {
    let scene = Scene::set(&["https://app.example:8443", "tauri://localhost"]).await;
    for origin in ["https://app.example:8443", "HTTPS://App.Example:8443", "tauri://localhost"] {
        for fetch_site in ["cross-site", "same-site"] {
            scene.admits(&Method::POST, "/exclusive", &[("origin", origin), ("sec-fetch-site", fetch_site)]).await;
        }
        scene.admits(&Method::POST, "/behind", &[("origin", origin)]).await;
    }
    for origin in
        ["https://app.example", "http://app.example:8443", "https://x.app.example:8443", "https://evil.example"]
    {
        scene.refuses(&Method::POST, "/exclusive", &[("origin", origin), ("sec-fetch-site", "cross-site")]).await;
        scene.refuses(&Method::POST, "/exclusive", &[("origin", origin)]).await;
    }
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    cookie(name = "partner"),
    trusted_origins = ["https://a.example", env("HTTP_TESTS_UNSET", default = "https://b.example, https://c.example")],
)]
struct Partner;

#[session(optional)]
async fn partner(slot: SessionSlot<Partner>) -> impl IntoResponse {
    slot.start(Partner).await
}

#[tokio::test]
async fn trusted_origins_are_declared_with_the_type_or_in_the_environment() {
    let server = serve(Router::new().route("/", post(partner)).with_state(Partner::sessions().await.unwrap())).await;
    for (origin, status) in
        [("https://a.example", 200), ("https://b.example", 200), ("https://c.example", 200), ("https://d.example", 403)]
    {
        let reply = server.client().send(Method::POST, "/", |request| request.header("origin", origin)).await;
        assert_eq!(reply.status, status, "{origin}");
    }
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(trusted_origins = env("HTTP_TESTS_UNSET", default = ""))]
struct Loner;

#[tokio::test]
async fn wrong_origins_are_told_when_the_sessions_are_opened() {
    assert!(Loner::sessions().await.is_ok());
    for wrong in ["app.example", "https://app.example/", "*", "null"] {
        let error = Sessions::<Loner>::builder().trusted_origins([wrong]).open().await.unwrap_err().to_string();
        assert!(error.contains("`trusted_origins`") && error.contains("is not an origin") || error.contains("no path"));
    }
}

#[derive(Default, Serialize, Deserialize, SessionData)]
struct Cart;

#[derive(Clone)]
struct Both {
    users: Sessions<User>,
    carts: Sessions<Cart>,
}

impl FromRef<Both> for Sessions<User> {
    fn from_ref(both: &Both) -> Self {
        both.users.clone()
    }
}

impl FromRef<Both> for Sessions<Cart> {
    fn from_ref(both: &Both) -> Self {
        both.carts.clone()
    }
}

#[session(optional(User), or_default(Cart))]
async fn both(_user: Option<&User>, _cart: &mut Cart) {}

#[session(optional(User, Cart), csrf = off)]
async fn both_open(_user: Option<&User>, _cart: Option<&mut Cart>) {}

#[tokio::test]
async fn a_handler_of_several_sessions_has_one_rule() {
    let users = Sessions::builder().ephemeral_key().open().await.unwrap();
    let state = Both { users, carts: Cart::sessions().await.unwrap() };
    let router = Router::new().route("/", post(both)).route("/open", post(both_open)).route("/get", get(both));
    let server = serve(router.with_state(state)).await;
    let send = async |method: Method, path: &str| {
        server.client().send(method, path, |request| request.header("origin", "https://evil.example")).await
    };
    assert_problem(&send(Method::POST, "/").await, 403, "cross-site");
    assert_eq!(send(Method::POST, "/open").await.status, 200);
    assert_eq!(send(Method::GET, "/get").await.status, 200);
}
