//! Several session types side by side in one application, and in one handler.

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRef, State},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, backend, session};
use session_tests::{Client, Served, serve, wait};
use tokio::net::TcpListener;

use crate::support::{COOKIE, Store, User, assert_problem, logged_in, on_every_backend, routes};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, SessionData)]
struct Cart {
    items: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, SessionData)]
#[session(cookie(name = "visited"), missing = redirect("/start"))]
enum Tour {
    First,
    Nth(u32),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, SessionData)]
struct Taste {
    dark: bool,
}

/// The state of an application, as `#[derive(FromRef)]` would make it.
#[derive(Clone)]
struct App {
    users: Sessions<User>,
    carts: Sessions<Cart>,
    tours: Sessions<Tour>,
    tastes: Sessions<Taste>,
    currency: &'static str,
}

macro_rules! parts {
    ($($field:ident: $part:ty),+) => {$(
        impl FromRef<App> for $part {
            fn from_ref(app: &App) -> Self {
                app.$field.clone()
            }
        }
    )+};
}
parts!(users: Sessions<User>, carts: Sessions<Cart>, tours: Sessions<Tour>, tastes: Sessions<Taste>);

impl FromRef<App> for &'static str {
    fn from_ref(app: &App) -> Self {
        app.currency
    }
}

#[session(or_default)]
async fn put(cart: &mut Cart, item: String) -> String {
    cart.items.push(item);
    cart.items.len().to_string()
}

#[session(optional)]
async fn set_out(slot: SessionSlot<Tour>) -> Result<(), Error> {
    slot.start(Tour::First).await
}

#[session(protected)]
async fn go_on(tour: &mut Tour) -> String {
    *tour = match tour {
        Tour::First => Tour::Nth(2),
        Tour::Nth(stop) => Tour::Nth(*stop + 1),
    };
    format!("{tour:?}")
}

#[session(protected(User), or_default(Cart))]
async fn buy(user: &mut User, State(currency): State<&'static str>, cart: &mut Cart) -> String {
    user.visits += 1;
    format!("{} pays 1 {currency} for {}", user.name, std::mem::take(&mut cart.items).join("+"))
}

#[session(protected(User, Tour))]
async fn both(user: &User, tour: &Tour) -> String {
    format!("{} {tour:?}", user.name)
}

#[session(protected(User), optional(Cart, Tour), or_default(Taste))]
async fn all_four(user: Session<User>, cart: Option<&Cart>, tour: SessionSlot<Tour>, taste: &mut Taste) -> String {
    taste.dark = !taste.dark;
    let items = cart.map_or(0, |cart| cart.items.len());
    format!("{} {items} {:?} {}", user.name, tour.get().as_deref(), taste.dark)
}

#[session(protected(User), or_default(Cart))]
async fn user_first(user: &mut User, cart: &mut Cart) {
    user.visits += 1;
    tokio::task::yield_now().await;
    cart.items.push(String::new());
}

#[session(protected(User), or_default(Cart))]
async fn cart_first(cart: &mut Cart, user: &mut User) {
    cart.items.push(String::new());
    tokio::task::yield_now().await;
    user.visits += 1;
}

async fn server(store: &Store) -> Served {
    let app = App {
        users: store.sessions().await,
        carts: store.sessions().await,
        tours: store.sessions().await,
        tastes: store.sessions().await,
        currency: "crown",
    };
    let more = Router::new()
        .route("/put", post(put))
        .route("/set-out", post(set_out))
        .route("/go-on", post(go_on))
        .route("/buy", post(buy))
        .route("/both", get(both))
        .route("/all", post(all_four))
        .route("/user-first", post(user_first))
        .route("/cart-first", post(cart_first));
    serve(routes::<App>().merge(more).with_state(app)).await
}

async fn put_in_cart(client: &Client, item: &'static str) -> String {
    client.send(axum::http::Method::POST, "/put", |request| request.body(item)).await.text().to_owned()
}

async fn each_type_has_its_own_cookie_and_its_own_session(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server, "ann").await;
    assert_eq!(put_in_cart(&client, "tea").await, "1");
    client.post("/set-out").await;
    let tokens = [COOKIE, "__Host-cart", "visited"].map(|name| client.cookie(name).expect(name));
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2] && tokens[0] != tokens[2]);
    assert_eq!(store.records().await, 3);

    client.post("/logout").await;
    assert_eq!(client.cookie(COOKIE), None);
    assert_eq!(put_in_cart(&client, "jam").await, "2", "the end of one session is not the end of the others");
    assert_eq!(client.post("/go-on").await.text(), "Nth(2)");
    assert_eq!(client.post("/go-on").await.text(), "Nth(3)");
}

async fn one_handler_changes_two_sessions(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server, "ann").await;
    put_in_cart(&client, "tea").await;
    put_in_cart(&client, "jam").await;
    assert_eq!(client.post("/buy").await.text(), "ann pays 1 crown for tea+jam");
    assert_eq!(client.post("/buy").await.text(), "ann pays 1 crown for ");
    assert_eq!(client.get("/me").await.json::<User>().visits, 2);
}

async fn exclusive_borrows_of_two_types_never_wait_for_each_other(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server, "ann").await;
    assert_eq!(put_in_cart(&client, "first").await, "1");
    let requests: Vec<_> = (0..20)
        .map(|i| {
            let client = client.clone();
            let path = if i % 2 == 0 { "/user-first" } else { "/cart-first" };
            tokio::spawn(async move { client.post(path).await.status })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(client.get("/me").await.json::<User>().visits, 20);
    assert_eq!(put_in_cart(&client, "last").await, "22");
}

on_every_backend!(
    each_type_has_its_own_cookie_and_its_own_session,
    one_handler_changes_two_sessions,
    exclusive_borrows_of_two_types_never_wait_for_each_other,
);

#[tokio::test]
async fn a_handler_of_two_types_needs_both_and_answers_as_the_missing_one_says() {
    let server = server(&Store::memory()).await;
    assert_problem(&server.client().get("/both").await, 401, "missing");
    let client = logged_in(&server, "ann").await;
    let reply = client.get("/both").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/start")));
    client.post("/set-out").await;
    assert_eq!(client.get("/both").await.text(), "ann First");
}

#[tokio::test]
async fn four_types_in_one_handler_each_in_a_form_of_its_own() {
    let server = server(&Store::memory()).await;
    let client = logged_in(&server, "ann").await;
    let reply = client.post("/all").await;
    assert_eq!(reply.text(), "ann 0 None true");
    assert_eq!(reply.set_cookies().len(), 1, "only the taste has started: {:?}", reply.set_cookies());
    assert!(reply.set_cookies()[0].starts_with("__Host-taste="));
    put_in_cart(&client, "tea").await;
    client.post("/set-out").await;
    assert_eq!(client.post("/all").await.text(), "ann 1 Some(First) false");
}

/// The commonest state of all: an application behind an `Arc`.
struct Shop {
    users: Sessions<User>,
    carts: Sessions<Cart>,
}

impl FromRef<Shop> for Sessions<User> {
    fn from_ref(shop: &Shop) -> Self {
        shop.users.clone()
    }
}

impl FromRef<Shop> for Sessions<Cart> {
    fn from_ref(shop: &Shop) -> Self {
        shop.carts.clone()
    }
}

#[tokio::test]
async fn a_state_behind_an_arc_holds_the_sessions_of_what_is_in_it() {
    let store = Store::memory();
    let shop = Arc::new(Shop { users: store.sessions().await, carts: store.sessions().await });
    let server = serve(routes::<Arc<Shop>>().route("/put", post(put)).with_state(shop)).await;
    let client = logged_in(&server, "ann").await;
    assert_eq!(put_in_cart(&client, "tea").await, "1");
    assert_eq!(put_in_cart(&client, "milk").await, "2");
}

/// A Redis that takes connections and never answers.
async fn silent_redis() -> (backend::Redis, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/", listener.local_addr().unwrap());
    (backend::Redis::new(&url, "test:").unwrap(), listener)
}

/// What opening a declared Redis does: of several types it can be done at once, so that a Redis that is down costs its
/// deadline once.
#[tokio::test]
async fn several_stores_are_asked_at_once_while_none_answers() {
    let both_are_asked = async || {
        let ((one, first), (other, second)) = (silent_redis().await, silent_redis().await);
        let checked = async { tokio::try_join!(one.check(), other.check()) };
        let asked = async { (first.accept().await.unwrap(), second.accept().await.unwrap()) };
        tokio::select! {
            _ = asked => true,
            _ = checked => false,
        }
    };
    // A machine that stands still for longer than a check takes proves nothing.
    wait::until(wait::ANSWER, "both stores are asked before one is given up", both_are_asked).await;
}
