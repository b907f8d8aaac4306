//! Chromium at an application behind a proxy that changes `Host`.
//!
//! What browsers send is what these tests are about: where Chromium says nothing of the site that a request comes from, the
//! application compares origins.

use axum::{
    Router,
    extract::ws::{Message, WebSocketUpgrade},
    http::{HeaderMap, header},
    response::{Html, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Builder, Error, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::{Browser, Proxy, Served, port::Port, serve};

use crate::page::shows;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "trader", secure = false))]
struct Trader {
    orders: u32,
}

const FORM: &str = "<h1>Trade</h1><form action=/order method=post><button>Order</button></form>";

async fn page() -> Html<&'static str> {
    Html(FORM)
}

/// A page that tells nobody where its requests come from.
async fn discreet() -> ([(&'static str, &'static str); 1], Html<&'static str>) {
    ([("referrer-policy", "no-referrer")], Html(FORM))
}

#[session(optional)]
async fn login(slot: SessionSlot<Trader>) -> Result<(), Error> {
    slot.start(Trader { orders: 0 }).await
}

/// Says what the browser said of the two sites.
#[session(protected)]
async fn order(trader: &mut Trader, headers: HeaderMap) -> String {
    trader.orders += 1;
    let said = |name: &str| headers.get(name).map_or("nothing", |value| value.to_str().unwrap()).to_owned();
    format!("{} {}", said("sec-fetch-site"), said("origin"))
}

#[session(protected)]
async fn quotes(_session: Session<Trader>, upgrade: WebSocketUpgrade, headers: HeaderMap) -> Response {
    let fetch_site = headers.get("sec-fetch-site").is_some();
    let origin = headers.get(header::ORIGIN).unwrap().to_str().unwrap().to_owned();
    upgrade.on_upgrade(async move |mut socket| {
        // A client that has left needs none.
        _ = socket.send(Message::text(format!("{fetch_site} {origin}"))).await;
    })
}

/// What a socket says first, or that it was not opened.
const SOCKET: &str = "new Promise(done => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/quotes');
    socket.onmessage = message => done(message.data);
    socket.onerror = () => done('refused');
})";

struct Scene {
    browser: Browser,
    origin: String,
    _proxy: Proxy,
    _served: Served,
}

impl Scene {
    /// A browser that has logged in through the proxy, on a page at this host.
    async fn set(host: &str, public: bool) -> Self {
        let port = Port::reserve();
        let origin = format!("http://{host}:{}", port.number());
        let builder: Builder<Trader> = Sessions::builder().ephemeral_key();
        let builder = if public { builder.public_origin(&origin) } else { builder };
        let router = Router::new()
            .route("/", get(page))
            .route("/discreet", get(discreet))
            .route("/login", post(login))
            .route("/order", post(order))
            .route("/quotes", get(quotes));
        let served = serve(router.with_state(builder.open().await.unwrap())).await;
        let (proxy, browser) = (Proxy::renaming(port, served.address()).await, Browser::start().await);
        browser.open(&origin).await;
        // A login as a program does it, whose cookie the browser gets.
        let login = proxy.client().post("/login").await;
        let cookie = login.set_cookies()[0].split(';').next().unwrap().to_owned();
        browser.evaluate::<String>(&format!("document.cookie = '{cookie}; path=/'")).await;
        Self { browser, origin, _proxy: proxy, _served: served }
    }

    async fn socket(&self) -> String {
        self.browser.evaluate(SOCKET).await
    }

    /// What the form on a page comes to: the text of the answer, or its status.
    async fn submit(&self, path: &str) -> String {
        self.browser.open(&format!("{}{path}", self.origin)).await;
        shows(&self.browser, "h1", "Trade").await;
        self.browser.click("button").await;
        session_tests::wait::until(session_tests::wait::ANSWER, "the answer is there", async || {
            self.browser.evaluate::<bool>("location.pathname == '/order' && document.readyState == 'complete'").await
        })
        .await;
        let status = "performance.getEntriesByType('navigation')[0].responseStatus";
        match self.browser.evaluate::<u16>(status).await {
            200 => self.browser.text("body").await,
            status => status.to_string(),
        }
    }
}

#[tokio::test]
async fn a_websocket_of_ones_own_page_opens_with_a_public_origin_and_without_one_it_does_not() {
    for public in [false, true] {
        let scene = Scene::set("localhost", public).await;
        let opened = format!("false {}", scene.origin);
        assert_eq!(scene.socket().await, if public { opened.as_str() } else { "refused" });
        let posted = format!("same-origin {}", scene.origin);
        assert_eq!(scene.submit("/").await, posted, "where Fetch Metadata is sent, nothing needs to be declared");
        assert_eq!(scene.submit("/discreet").await, "same-origin null");
    }
}

#[tokio::test]
async fn by_plain_http_at_a_name_a_form_of_ones_own_page_needs_a_public_origin() {
    for public in [false, true] {
        let scene = Scene::set("app.test", public).await;
        let (opened, posted) = (format!("false {}", scene.origin), format!("nothing {}", scene.origin));
        assert_eq!(scene.socket().await, if public { opened.as_str() } else { "refused" });
        assert_eq!(scene.submit("/").await, if public { posted.as_str() } else { "403" });
        assert_eq!(scene.submit("/discreet").await, "403", "`Origin: null` could be anybody's");
    }
}
