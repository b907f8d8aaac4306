//! Forged tokens, once too many of them come from one client.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    http::Method,
    middleware::map_request,
};
use session_runtime::{Sessions, testing::ManualClock};
use session_tests::{Served, serve};
use tracing::Level;

use crate::support::{COOKIE, Events, User, logged_in, routes, send_with, token};

struct Scene {
    clock: ManualClock,
    server: Served,
}

/// A client's address, as a middleware behind a proxy puts it there.
const ADDRESS: &str = "x-address";

async fn with_address(mut request: Request) -> Request {
    if let Some(address) = request.headers().get(ADDRESS).and_then(|value| value.to_str().ok()) {
        let address: IpAddr = address.parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 4711)));
    }
    request
}

impl Scene {
    async fn set(tokens: u32) -> Self {
        let clock = ManualClock::new();
        let builder = Sessions::<User>::builder().ephemeral_key().clock(clock.clone());
        let sessions = builder.forged_tokens(tokens, Duration::from_secs(60)).open().await.unwrap();
        let server = serve(routes().layer(map_request(with_address)).with_state(sessions)).await;
        Self { clock, server }
    }

    /// So many requests with this token from this address.
    async fn send(&self, token: &str, times: usize, address: Option<&str>) {
        let client = self.server.client();
        for _ in 0..times {
            let reply = client.send(Method::GET, "/", |request| {
                let request = request.header("cookie", format!("{COOKIE}={token}"));
                address.into_iter().fold(request, |request, address| request.header(ADDRESS, address))
            });
            assert_eq!(reply.await.status, 200);
        }
    }
}

#[tokio::test]
async fn one_event_is_raised_when_a_client_has_sent_as_many_as_the_threshold_says() {
    let (scene, events) = (Scene::set(5).await, Events::listen());
    let told = || events.named("session.forged");
    scene.send("forged", 4, Some("192.0.2.1")).await;
    assert_eq!(told().len(), 0);
    scene.send("forged", 1, Some("192.0.2.1")).await;
    assert_eq!(told().len(), 1);
    scene.send("forged", 20, Some("192.0.2.1")).await;
    assert_eq!(told().len(), 1, "once in a window");
    let [told] = &told()[..] else { unreachable!() };
    assert_eq!(told.level, Level::WARN);
    assert_eq!((told.field("client"), told.field("tokens"), told.field("session_type")), ("192.0.2.1", "5", "User"));
    scene.clock.advance(Duration::from_secs(60));
    scene.send("forged", 5, Some("192.0.2.1")).await;
    assert_eq!(events.named("session.forged").len(), 2);
}

#[tokio::test]
async fn clients_are_counted_apart_and_those_that_are_not_known_together() {
    let (scene, events) = (Scene::set(3).await, Events::listen());
    for address in [Some("192.0.2.1"), Some("192.0.2.2"), Some("2001:db8::1"), None] {
        scene.send("forged", 2, address).await;
    }
    assert_eq!(events.named("session.forged").len(), 0);
    scene.send("forged", 1, Some("2001:db8::2")).await;
    scene.send("forged", 1, None).await;
    let clients: Vec<_> = events.named("session.forged").iter().map(|told| told.field("client").to_owned()).collect();
    assert_eq!(clients, ["2001:db8::2", "unknown"]);
}

#[tokio::test]
async fn what_honest_clients_send_is_not_taken_for_forged() {
    let (scene, events) = (Scene::set(1).await, Events::listen());
    let client = logged_in(&scene.server, "ann").await;
    let token = token(&client);
    assert_eq!(client.get("/me").await.status, 200);
    // From before a rotation, of an ended session, beside that of another session, and run out.
    client.post("/rotate").await;
    scene.send(&token, 2, None).await;
    client.post("/logout").await;
    scene.send(&token, 2, None).await;
    let [one, other] =
        [logged_in(&scene.server, "bob").await, logged_in(&scene.server, "cyd").await].map(|c| self::token(&c));
    send_with(&scene.server, Method::GET, "/", &format!("{COOKIE}={one}; {COOKIE}={other}")).await;
    scene.clock.advance(Duration::from_secs(13 * 3600));
    scene.send(&token, 2, None).await;
    assert_eq!(events.named("session.forged").len(), 0);
    let reasons: Vec<_> = events.named("session.refused").iter().map(|told| told.field("reason").to_owned()).collect();
    for reason in ["replaced", "ambiguous", "stale"] {
        assert!(reasons.iter().any(|told| told == reason), "{reason}: {reasons:?}");
    }
    scene.send("forged", 1, None).await;
    assert_eq!(events.named("session.forged").len(), 1);
}

#[tokio::test]
async fn a_threshold_of_zero_never_tells() {
    let (scene, events) = (Scene::set(0).await, Events::listen());
    scene.send("forged", 50, None).await;
    assert_eq!(events.named("session.forged").len(), 0);
}

#[tokio::test]
async fn the_address_of_the_connection_is_the_clients() {
    let sessions = Sessions::<User>::builder().ephemeral_key().forged_tokens(1, Duration::from_secs(60));
    let router: Router = routes().with_state(sessions.open().await.unwrap());
    let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let client = session_tests::Client::new(&format!("http://{}", listener.local_addr().unwrap()));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });
    let events = Events::listen();
    client.send(Method::GET, "/", |request| request.header("cookie", format!("{COOKIE}=forged"))).await;
    assert_eq!(events.named("session.forged")[0].field("client"), "127.0.0.1");
    serving.abort();
}
