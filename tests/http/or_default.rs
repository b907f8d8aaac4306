//! `or_default`: a session that starts with the first write, for carts.

use axum::{
    Json, Router,
    http::{Method, StatusCode},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, session};
use session_tests::{Client, Reply, Served, serve};

use crate::support::{Store, on_every_backend, send_with, varies_by_cookie};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SessionData)]
struct Cart {
    items: Vec<String>,
    currency: String,
}

impl Default for Cart {
    fn default() -> Self {
        Self { items: Vec::new(), currency: "crown".into() }
    }
}

#[session(or_default)]
async fn show(cart: &Cart) -> Json<Cart> {
    Json(cart.clone())
}

#[session(or_default)]
async fn put(cart: &mut Cart, item: String) -> String {
    if !item.is_empty() {
        cart.items.push(item);
    }
    cart.items.len().to_string()
}

#[session(or_default)]
async fn put_and_fail(cart: &mut Cart) -> StatusCode {
    cart.items.push("lost".into());
    StatusCode::BAD_GATEWAY
}

#[session(protected)]
async fn leave(cart: Session<Cart>) -> Result<(), Error> {
    cart.end().await
}

async fn server(store: &Store) -> Served {
    let router = Router::new()
        .route("/", get(show))
        .route("/put", post(put))
        .route("/fail", post(put_and_fail))
        .route("/leave", post(leave));
    serve(router.with_state(store.sessions::<Cart>().await)).await
}

async fn put_in(client: &Client, item: &'static str) -> Reply {
    client.send(Method::POST, "/put", |request| request.body(item)).await
}

async fn nothing_is_created_until_the_first_write(store: Store) {
    let server = server(&store).await;
    let client = server.client();
    for _ in 0..3 {
        let reply = client.get("/").await;
        assert_eq!(reply.json::<Cart>(), Cart::default());
        assert!(reply.set_cookies().is_empty() && varies_by_cookie(&reply));
        let reply = put_in(&client, "").await;
        assert_eq!(reply.text(), "0");
        assert!(reply.set_cookies().is_empty() && varies_by_cookie(&reply));
    }
    assert_eq!(store.records().await, 0);

    let reply = put_in(&client, "tea").await;
    assert_eq!((reply.text(), reply.set_cookies().len()), ("1", 1));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(store.records().await, 1);
}

async fn what_the_first_write_wrote_is_there_for_the_next_request(store: Store) {
    let server = server(&store).await;
    let client = server.client();
    put_in(&client, "tea").await;
    let reply = put_in(&client, "jam").await;
    assert_eq!((reply.text(), reply.set_cookies()), ("2", vec![]));
    assert_eq!(client.get("/").await.json::<Cart>().items, ["tea", "jam"]);
    assert_eq!(store.records().await, 1);
}

async fn a_first_write_under_an_ended_sessions_token_gets_a_fresh_id(store: Store) {
    let server = server(&store).await;
    let client = server.client();
    put_in(&client, "tea").await;
    let ended = client.cookie("__Host-cart").unwrap();
    client.post("/leave").await;
    assert_eq!(store.records().await, 0);

    client.set_cookie(&format!("__Host-cart={ended}; Path=/; Secure"));
    assert_eq!(client.get("/").await.json::<Cart>(), Cart::default());
    assert_eq!(put_in(&client, "jam").await.text(), "1");
    assert_ne!(client.cookie("__Host-cart").unwrap(), ended);
    let replayed = send_with(&server, Method::GET, "/", &format!("__Host-cart={ended}")).await;
    assert_eq!(replayed.json::<Cart>(), Cart::default(), "the ended session stays ended");
}

on_every_backend!(
    nothing_is_created_until_the_first_write,
    what_the_first_write_wrote_is_there_for_the_next_request,
    a_first_write_under_an_ended_sessions_token_gets_a_fresh_id,
);

#[tokio::test]
async fn a_first_write_that_ends_in_a_server_error_starts_nothing() {
    let store = Store::memory();
    let server = server(&store).await;
    let reply = server.client().post("/fail").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies()), (502, vec![]));
    assert_eq!(store.records().await, 0);
}

/// A cart whose cookie stays at home when another site links to the shop.
#[derive(Debug, Default, Serialize, Deserialize, SessionData)]
#[session(cookie(same_site = "Strict"), trusted_origins = ["https://partner.example"])]
struct StrictCart {
    seen: u32,
}

#[session(or_default)]
async fn see(cart: &mut StrictCart) -> String {
    cart.seen += 1;
    cart.seen.to_string()
}

#[tokio::test]
async fn a_request_from_which_the_browser_keeps_the_cookie_back_replaces_no_session() {
    let store = Store::memory();
    let router = Router::new().route("/", get(see).post(see)).with_state(store.sessions::<StrictCart>().await);
    let server = serve(router).await;
    let client = server.client();
    assert_eq!(client.get("/").await.text(), "1");
    // What a browser sends when a link of another site is followed, or a form of a trusted one is sent: no cookie.
    let of_another_site = async |method| {
        let headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        let add = |request: reqwest::RequestBuilder| {
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            request.header("origin", "https://partner.example")
        };
        server.client().send(method, "/", add).await
    };
    let reply = of_another_site(Method::GET).await;
    assert_eq!((reply.status.as_u16(), reply.text(), reply.set_cookies()), (200, "1", vec![]));
    let reply = of_another_site(Method::POST).await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies()), (403, vec![]));
    assert_eq!(store.records().await, 1);
    assert_eq!(client.get("/").await.text(), "2", "the cart is as it was");
}
