//! Sessions without `#[session]`: extractors of the data itself, a guarding layer, and look-ups in middleware.

use axum::{
    Json, Router,
    extract::{FromRef, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, Sessions, session};
use session_tests::{Served, serve};

use crate::support::{
    COOKIE, Store, User, assert_problem, head_with, logged_in, on_every_backend, routes, token, varies_by_cookie,
};

#[derive(Clone, Default, Serialize, Deserialize, SessionData)]
struct Cart {
    items: u32,
}

#[derive(Clone)]
struct App {
    users: Sessions<User>,
    carts: Sessions<Cart>,
}

impl FromRef<App> for Sessions<User> {
    fn from_ref(app: &App) -> Self {
        app.users.clone()
    }
}

impl FromRef<App> for Sessions<Cart> {
    fn from_ref(app: &App) -> Self {
        app.carts.clone()
    }
}

async fn copy(mut user: User) -> Json<User> {
    user.visits += 1000;
    Json(user)
}

async fn perhaps(user: Option<User>, cart: Option<Cart>) -> String {
    format!("{} {}", user.map_or("anonymous".into(), |user| user.name), cart.is_some())
}

#[session(or_default)]
async fn put(cart: &mut Cart) {
    cart.items += 1;
}

async fn plain() -> &'static str {
    "behind the layer"
}

#[session(protected)]
async fn borrowed(user: &mut User) -> String {
    user.visits += 10;
    user.visits.to_string()
}

/// Greets on the way out, whoever answers.
async fn greeter(State(users): State<Sessions<User>>, request: Request, next: Next) -> Result<Response, Error> {
    let (head, body) = request.into_parts();
    let found = users.find(&head).await?;
    let request = Request::from_parts(head, body);
    let name = found.map_or_else(|| "anonymous".into(), |user| format!("{} {}", user.name, user.version()));
    Ok(([("x-greeting", name)], next.run(request).await).into_response())
}

async fn server(store: &Store) -> Served {
    let app = App { users: store.sessions().await, carts: store.sessions().await };
    let behind = Router::new()
        .route("/behind", get(plain))
        .route("/behind/borrowed", post(borrowed))
        .route("/behind/both", get(plain).route_layer(app.carts.protect()))
        .route_layer(app.users.protect());
    let router = routes::<App>()
        .route("/copy", get(copy))
        .route("/perhaps", get(perhaps))
        .route("/put", post(put))
        .merge(behind)
        .fallback(async || "nobody's")
        .layer(middleware::from_fn_with_state(app.users.clone(), greeter));
    serve(router.with_state(app)).await
}

async fn a_plain_handler_takes_a_copy_that_changes_nothing(store: Store) {
    let server = server(&store).await;
    let ann = logged_in(&server, "ann").await;
    ann.post("/visit").await;
    for _ in 0..2 {
        assert_eq!(ann.get("/copy").await.json::<User>(), User { name: "ann".into(), visits: 1001 });
    }
    assert_eq!(ann.get("/me").await.json::<User>().visits, 1);
    assert_problem(&server.client().get("/copy").await, 401, "missing");
}

async fn a_layer_lets_only_sessions_through_and_what_is_behind_it_can_borrow(store: Store) {
    let server = server(&store).await;
    let (anonymous, ann) = (server.client(), logged_in(&server, "ann").await);
    assert_problem(&anonymous.get("/behind").await, 401, "missing");
    assert_problem(&anonymous.post("/behind/borrowed").await, 401, "missing");
    let reply = ann.get("/behind").await;
    assert_eq!(reply.text(), "behind the layer");
    assert!(varies_by_cookie(&reply) && reply.set_cookies().is_empty());
    assert_eq!(ann.post("/behind/borrowed").await.text(), "10");
    let kept = token(&ann);
    ann.post("/logout").await;
    ann.set_cookie(&format!("{COOKIE}={kept}; Path=/; Secure"));
    assert_problem(&ann.get("/behind").await, 401, "missing");
}

on_every_backend!(
    a_plain_handler_takes_a_copy_that_changes_nothing,
    a_layer_lets_only_sessions_through_and_what_is_behind_it_can_borrow,
);

#[tokio::test]
async fn an_optional_copy_admits_anonymous_requests() {
    let server = server(&Store::memory()).await;
    let (anonymous, ann) = (server.client(), logged_in(&server, "ann").await);
    assert_eq!(anonymous.get("/perhaps").await.text(), "anonymous false");
    assert_eq!(ann.get("/perhaps").await.text(), "ann false");
    ann.post("/put").await;
    assert_eq!(ann.get("/perhaps").await.text(), "ann true");
}

#[tokio::test]
async fn a_layer_leaves_other_routes_and_unknown_paths_alone() {
    let server = server(&Store::memory()).await;
    let anonymous = server.client();
    assert_eq!(anonymous.get("/").await.text(), "anonymous");
    assert_eq!(anonymous.get("/nowhere").await.text(), "nobody's");
    assert_eq!(anonymous.get("/behind/nowhere").await.text(), "nobody's");
}

#[tokio::test]
async fn layers_of_two_types_ask_for_both() {
    let server = server(&Store::memory()).await;
    let ann = logged_in(&server, "ann").await;
    let reply = ann.get("/behind/both").await;
    assert_problem(&reply, 401, "missing");
    assert!(reply.header("www-authenticate").unwrap().contains("__Host-cart"));
    ann.post("/put").await;
    assert_eq!(ann.get("/behind/both").await.text(), "behind the layer");
}

#[tokio::test]
async fn middleware_finds_the_session_and_its_version() {
    let server = server(&Store::memory()).await;
    let (anonymous, ann) = (server.client(), logged_in(&server, "ann").await);
    assert_eq!(anonymous.get("/").await.header("x-greeting"), Some("anonymous"));
    assert_eq!(ann.get("/nowhere").await.header("x-greeting"), Some("ann 1"));
    ann.post("/visit").await;
    assert_eq!(ann.get("/me").await.header("x-greeting"), Some("ann 2"));
}

#[tokio::test]
async fn what_is_found_outside_a_handler_knows_when_it_began_and_ends() {
    let store = Store::memory();
    let server = server(&store).await;
    let ann = logged_in(&server, "ann").await;
    let head = head_with(COOKIE, &token(&ann));
    let found = store.sessions::<User>().await.find(&head).await.unwrap().expect("a live session");
    let lifetime = found.expires_at().duration_since(found.created_at()).unwrap();
    assert_eq!((found.name.as_str(), lifetime.as_secs()), ("ann", 12 * 3600));
    assert_eq!(found.clone().public_id(), found.public_id());
}
