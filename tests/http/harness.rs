//! The client and the server that the tests use do what they rely on.

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::COOKIE},
    response::{AppendHeaders, Redirect},
    routing::{get, post},
};
use session_tests::{Served, raw, serve};
use tokio::net::TcpStream;

async fn cookies(headers: HeaderMap) -> String {
    let lines = headers.get_all(COOKIE).iter().map(|line| line.as_bytes().escape_ascii().to_string());
    lines.collect::<Vec<_>>().join(" | ")
}

async fn server() -> Served {
    let set = [("set-cookie", "__Host-a=1; Path=/; Secure; HttpOnly"), ("set-cookie", "b=2; Path=/")];
    let remove = [("set-cookie", "b=; Path=/; Max-Age=0")];
    let router = Router::new()
        .route("/cookies", get(cookies))
        .route("/set", post(async move || (AppendHeaders(set), Redirect::to("/"))))
        .route("/remove", post(async move || AppendHeaders(remove)));
    serve(router).await
}

#[tokio::test]
async fn the_jar_keeps_secure_cookies_for_loopback_and_forgets_removed_ones() {
    let server = server().await;
    let client = server.client();
    let reply = client.post("/set").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "redirects are not followed");
    assert_eq!(reply.set_cookies(), ["__Host-a=1; Path=/; Secure; HttpOnly", "b=2; Path=/"]);
    assert_eq!(client.cookie("__Host-a").as_deref(), Some("1"));
    let sent = client.get("/cookies").await;
    assert!(sent.text() == "__Host-a=1; b=2" || sent.text() == "b=2; __Host-a=1", "{}", sent.text());

    client.post("/remove").await;
    assert_eq!(client.cookie("b"), None);
    assert_eq!(client.get("/cookies").await.text(), "__Host-a=1");
}

#[tokio::test]
async fn two_servers_share_one_jar_and_two_clients_do_not() {
    let (one, other) = (server().await, server().await);
    let client = one.client();
    client.set_cookie("__Host-a=1; Path=/; Secure");
    assert_eq!(client.at(&other.url()).get("/cookies").await.text(), "__Host-a=1");
    assert_eq!(one.client().get("/cookies").await.text(), "");
}

#[tokio::test]
async fn a_cookie_header_set_by_hand_replaces_the_jars() {
    let server = server().await;
    let client = server.client();
    client.set_cookie("a=1; Path=/");
    let cookie = HeaderValue::from_bytes(b"a=\xff\xfe").unwrap();
    let reply = client.send(Method::GET, "/cookies", |request| request.header(COOKIE, cookie)).await;
    assert_eq!(reply.text(), r"a=\xff\xfe");
}

#[tokio::test]
async fn raw_bytes_arrive_as_they_are() {
    let server = server().await;
    let reply = raw::get_with_cookie(server.address(), "/cookies", b"a=\xc3\xa9; b=\x80").await;
    assert_eq!((reply.status, reply.text()), (StatusCode::OK, r"a=\xc3\xa9; b=\x80"));
    assert_eq!(reply.header("connection"), Some("close"));

    let reply = raw::get_with_cookie(server.address(), "/cookies", b"a=\0").await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_served_router_ends_with_its_value() {
    let server = server().await;
    let (address, client) = (server.address(), server.client());
    assert_eq!(client.get("/cookies").await.status, StatusCode::OK);
    drop(server);
    session_tests::wait::until(session_tests::wait::ANSWER, "nothing listens", async || {
        TcpStream::connect(address).await.is_err()
    })
    .await;
}
