//! Handlers that return `Err`: what they changed by `&mut` is discarded, unless they say otherwise.

use axum::{
    Form, Router,
    http::StatusCode,
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::{Client, Served, serve};

use crate::support::{COOKIE, Store, User, assert_problem, logged_in, on_every_backend, routes};

#[derive(Debug)]
struct TooMuch;

impl IntoResponse for TooMuch {
    fn into_response(self) -> axum::response::Response {
        (StatusCode::UNPROCESSABLE_ENTITY, "too much").into_response()
    }
}

type Answer<T> = Result<T, TooMuch>;

fn limit(visits: u32) -> Answer<String> {
    if visits < 100 { Ok(visits.to_string()) } else { Err(TooMuch) }
}

#[derive(Deserialize)]
struct Times {
    times: u32,
}

#[session(protected)]
async fn by_question_mark(user: &mut User, Form(form): Form<Times>) -> Result<String, TooMuch> {
    user.visits += form.times;
    let visits = limit(user.visits)?;
    Ok(visits)
}

#[session(protected)]
async fn by_alias(user: &mut User, Form(form): Form<Times>) -> Answer<String> {
    user.visits += form.times;
    limit(user.visits)
}

#[session(protected)]
async fn by_axums_result(user: &mut User, Form(form): Form<Times>) -> axum::response::Result<String> {
    user.visits += form.times;
    let visits = limit(user.visits)?;
    Ok(visits)
}

#[session(protected)]
async fn by_result_in_a_result(user: &mut User, Form(form): Form<Times>) -> Result<Answer<String>, StatusCode> {
    user.visits += form.times;
    Ok(limit(user.visits))
}

#[session(protected)]
async fn with_a_lifetime(user: &mut User, form: Form<Vec<(std::borrow::Cow<'_, str>, u32)>>) -> Answer<String> {
    user.visits += form.0.iter().map(|(_, times)| times).sum::<u32>();
    limit(user.visits)
}

#[session(protected)]
async fn with_a_redirect(user: &mut User, Form(form): Form<Times>) -> Result<String, Redirect> {
    user.visits += form.times;
    limit(user.visits).map_err(|_| Redirect::to("/slower"))
}

#[session(optional)]
async fn maybe(user: Option<&mut User>, Form(form): Form<Times>) -> Answer<String> {
    let Some(user) = user else { return Ok("anonymous".into()) };
    user.visits += form.times;
    limit(user.visits)
}

/// The paths of handlers that change the session first, and then find that it was too much.
const FAILING: [&str; 7] = ["/mark", "/alias", "/axum", "/nested", "/lifetime", "/redirect", "/maybe"];

#[session(protected, save = always)]
async fn saved_always(user: &mut User, Form(form): Form<Times>) -> Answer<String> {
    user.visits += form.times;
    limit(user.visits)
}

#[session(protected, save = always)]
async fn saved_by_a_500(user: &mut User) -> StatusCode {
    user.visits += 1;
    StatusCode::INTERNAL_SERVER_ERROR
}

/// Nothing is known of what is behind `impl IntoResponse`.
#[session(protected)]
async fn opaque(user: &mut User, Form(form): Form<Times>) -> impl IntoResponse + use<> {
    user.visits += form.times;
    limit(user.visits)
}

#[session(protected)]
async fn handled(user: &mut User, Form(form): Form<Times>) -> (StatusCode, String) {
    user.visits += form.times;
    (StatusCode::CONFLICT, user.visits.to_string())
}

#[session(optional)]
async fn started(slot: SessionSlot<User>) -> Result<(), TooMuch> {
    slot.start(User { name: "ann".into(), visits: 7 }).await.map_err(|_| TooMuch)?;
    Err(TooMuch)
}

#[session(protected)]
async fn rotated(mut session: Session<User>) -> Result<(), TooMuch> {
    session.update(|user| user.visits += 1).await.map_err(|_| TooMuch)?;
    session.rotate_id().await.map_err(|_| TooMuch)?;
    Err(TooMuch)
}

#[session(protected)]
async fn ended(session: Session<User>) -> Result<(), TooMuch> {
    session.end().await.map_err(|_| TooMuch)?;
    Err(TooMuch)
}

async fn server(store: &Store) -> Served {
    let more = Router::new()
        .route("/mark", post(by_question_mark))
        .route("/alias", post(by_alias))
        .route("/axum", post(by_axums_result))
        .route("/nested", post(by_result_in_a_result))
        .route("/lifetime", post(with_a_lifetime))
        .route("/redirect", post(with_a_redirect))
        .route("/maybe", post(maybe))
        .route("/always", post(saved_always))
        .route("/always-500", post(saved_by_a_500))
        .route("/opaque", post(opaque))
        .route("/handled", post(handled))
        .route("/started", post(started))
        .route("/rotated", post(rotated))
        .route("/ended", post(ended));
    serve(routes().merge(more).with_state(store.sessions().await)).await
}

async fn visits(client: &Client) -> u32 {
    client.get("/me").await.json::<User>().visits
}

async fn what_a_handler_changed_before_it_returned_an_error_is_discarded(store: Store) {
    let server = server(&store).await;
    let ann = logged_in(&server, "ann").await;
    for path in FAILING {
        let before = visits(&ann).await;
        assert_eq!(ann.post_form(path, &[("times", "1")]).await.status, 200, "{path}");
        assert_eq!(visits(&ann).await, before + 1, "{path} saves what it answers `Ok` about");
        let reply = ann.post_form(path, &[("times", "1000")]).await;
        assert!(reply.status == 422 || reply.status == 303, "{path}: {}", reply.status);
        assert!(reply.set_cookies().is_empty(), "{path}");
        assert_eq!(visits(&ann).await, before + 1, "{path}");
        assert_eq!(ann.post("/look").await.text(), "ann", "{path} holds the session no longer");
    }
}

async fn a_handler_may_save_what_it_changed_whatever_it_answers(store: Store) {
    let server = server(&store).await;
    let ann = logged_in(&server, "ann").await;
    assert_eq!(ann.post_form("/always", &[("times", "1000")]).await.status, 422);
    assert_eq!(visits(&ann).await, 1000);
    assert_eq!(ann.post("/always-500").await.status, 500);
    assert_eq!(visits(&ann).await, 1001);
}

on_every_backend!(
    what_a_handler_changed_before_it_returned_an_error_is_discarded,
    a_handler_may_save_what_it_changed_whatever_it_answers,
);

#[tokio::test]
async fn a_400_that_is_no_error_keeps_what_was_changed() {
    let server = server(&Store::memory()).await;
    let ann = logged_in(&server, "ann").await;
    assert_eq!(ann.post_form("/handled", &[("times", "2")]).await.status, 409);
    assert_eq!(visits(&ann).await, 2);
    assert_eq!(ann.post_form("/opaque", &[("times", "1000")]).await.status, 422);
    assert_eq!(visits(&ann).await, 1002, "the compiler shows no `Result` behind `impl IntoResponse`");
}

#[tokio::test]
async fn what_was_done_to_a_session_by_its_handle_stays_done_after_an_error() {
    let server = server(&Store::memory()).await;
    let ann = server.client();
    assert_eq!(ann.post("/started").await.status, 422);
    assert_eq!(visits(&ann).await, 7, "the session was started, and the client told");

    let before = ann.cookie(COOKIE);
    assert_eq!(ann.post("/rotated").await.status, 422);
    assert_ne!(ann.cookie(COOKIE), before, "the old id is dead, so the client gets the new one");
    assert_eq!(visits(&ann).await, 8);

    assert_eq!(ann.post("/ended").await.status, 422);
    assert_eq!(ann.cookie(COOKIE), None);
    assert_problem(&ann.get("/me").await, 401, "missing");
}

/// A cart that starts when something is put into it, with a message for the next page.
#[derive(Default, Serialize, Deserialize, SessionData)]
struct Cart {
    items: Vec<String>,
    #[session(flash)]
    notice: Option<String>,
    #[session(privilege)]
    staff: bool,
}

#[session(or_default)]
async fn put(cart: &mut Cart, item: String) -> Result<String, StatusCode> {
    cart.items.push(item.clone());
    cart.staff = item == "staff";
    if item == "nothing" || item == "staff" {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    cart.notice = Some(format!("{item} added"));
    Ok(cart.items.join(" "))
}

#[session(or_default)]
async fn page(cart: &Cart) -> String {
    format!("{} {:?}", cart.items.join(" "), cart.notice)
}

#[tokio::test]
async fn an_error_starts_no_session_takes_no_flash_and_rotates_no_id() {
    let sessions: Sessions<Cart> =
        Sessions::<Cart>::builder().ephemeral_key().open().await.expect("a cart in memory opens");
    let server = serve(Router::new().route("/", get(page).post(put)).with_state(sessions)).await;
    let client = server.client();
    let put = |item: &'static str| {
        let client = client.clone();
        async move { client.send(axum::http::Method::POST, "/", |request| request.body(item)).await }
    };
    let reply = put("nothing").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies()), (422, vec![]), "no session was started");
    assert_eq!(client.get("/").await.text(), " None");

    assert_eq!(put("apple").await.text(), "apple");
    let reply = put("staff").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies()), (422, vec![]), "no id was rotated");
    assert_eq!(client.get("/").await.text(), "apple Some(\"apple added\")", "the flash was left");
    assert_eq!(client.get("/").await.text(), "apple None");
}

/// Its closure changes, and then returns `Err`.
#[session(protected)]
async fn by_a_closure(mut user: Session<User>) -> Result<String, Error> {
    let answer = user.update(|user| {
        user.visits += 500;
        limit(user.visits)
    });
    Ok(format!("{:?}", answer.await?))
}

#[tokio::test]
async fn a_change_by_update_is_stored_although_its_closure_returns_an_error() {
    let router = routes().route("/closure", post(by_a_closure));
    let server = serve(router.with_state(Store::memory().sessions::<User>().await)).await;
    let ann = logged_in(&server, "ann").await;
    assert_eq!(ann.post("/closure").await.text(), "Err(TooMuch)");
    assert_eq!(visits(&ann).await, 500);
}

#[session(protected(User, Cart))]
async fn both(user: &mut User, cart: &mut Cart, item: String) -> Result<(), Error> {
    user.visits += 1;
    cart.items.push(item);
    Err(Error::Ended)
}

#[derive(Clone, axum::extract::FromRef)]
struct App {
    users: Sessions<User>,
    carts: Sessions<Cart>,
}

#[tokio::test]
async fn an_error_discards_the_changes_of_every_session_of_its_handler() {
    let carts = Sessions::<Cart>::builder().ephemeral_key().open().await.expect("a cart in memory opens");
    let state = App { users: Store::memory().sessions().await, carts };
    let router = routes().route("/both", post(both)).route("/cart", get(page).post(put));
    let server = serve(router.with_state(state)).await;
    let ann = logged_in(&server, "ann").await;
    ann.send(axum::http::Method::POST, "/cart", |request| request.body("apple")).await;
    let reply = ann.send(axum::http::Method::POST, "/both", |request| request.body("pear")).await;
    assert_eq!(reply.status, 409);
    assert_eq!(visits(&ann).await, 0);
    assert!(ann.get("/cart").await.text().starts_with("apple Some"));
}
