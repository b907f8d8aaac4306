//! Handlers as people write them: generic, with patterns, with other attributes, with everything axum has.

use std::{collections::HashMap, fmt::Display};

use axum::{
    Extension, Form, Json, Router,
    body::Bytes,
    extract::{FromRequestParts, Path, Query, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, Version},
    response::IntoResponse,
    routing::{get, post},
};
use serde::Deserialize;
use session_runtime::{Error, Session, SessionSlot, Sessions, session};
use session_tests::{Served, serve};

use crate::support::{Store, User, assert_problem, logged_in, routes};

trait Greeting: Send + Sync + 'static {
    const WORD: &'static str;
}

struct English;
struct French;

impl Greeting for English {
    const WORD: &'static str = "Hello";
}

impl Greeting for French {
    const WORD: &'static str = "Bonjour";
}

#[session(protected)]
async fn greet<G: Greeting, const MARKS: usize>(user: &User) -> String {
    format!("{}, {}{}", G::WORD, user.name, "!".repeat(MARKS))
}

#[session(protected, guard = |user| user.visits < 100, wait = "5s")]
async fn extracted<E>(user: &mut User, extra: E) -> String
where
    E: FromRequestParts<Sessions<User>> + Display + Send,
{
    user.visits += 1;
    format!("{} {extra}", user.visits)
}

#[session(protected)]
async fn opaque(user: &User, headers: HeaderMap) -> impl IntoResponse + use<> {
    let headers = headers.len();
    (StatusCode::ACCEPTED, [("x-visits", user.visits.to_string())], format!("{headers}"))
}

#[session(protected)]
async fn taken_apart(
    User { name, visits }: &mut User,
    Path((first, _)): Path<(u32, u32)>,
    Query(mut query): Query<HashMap<String, String>>,
) -> String {
    *visits += first;
    query.entry("q".into()).or_insert_with(|| "none".into());
    format!("{name} {visits} {}", query["q"])
}

/// Says who is there.
///
/// And how often.
#[session(protected)]
#[allow(non_snake_case, reason = "the name is the point")]
#[cfg(not(any()))]
#[inline]
#[must_use]
async fn Documented(_: Method, user: &User) -> String {
    let Unusual = &user.name;
    format!("{Unusual} {}", user.visits)
}

#[session(protected)]
#[cfg(any())]
async fn left_out(user: &NoSuchType) {}

#[session(protected)]
async fn r#match<'a>(r#type: &'a User) -> String {
    let name: &'a str = &r#type.name;
    name.to_owned()
}

#[session(optional)]
async fn question_mark(slot: SessionSlot<User>, body: Bytes) -> Result<impl IntoResponse, (StatusCode, String)> {
    let name = str::from_utf8(&body).map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    slot.start(User { name: name.into(), visits: 7 })
        .await
        .map_err(|error| (StatusCode::CONFLICT, error.to_string()))?;
    Ok(slot.get().map(|user| user.name.clone()).unwrap_or_default())
}

#[session(protected)]
async fn early_return(user: &mut User, State(_): State<Sessions<User>>, body: String) -> Result<Json<u32>, Error> {
    if body == "stop" {
        return Ok(Json(0));
    }
    user.visits += 1;
    Ok(Json(user.visits))
}

#[derive(Clone, Deserialize)]
struct Given {
    word: String,
}

#[session(protected)]
#[allow(clippy::too_many_arguments, clippy::just_underscores_and_digits, reason = "the most that axum takes")]
async fn sixteen(
    _1: Method,
    _2: Uri,
    _3: Version,
    _4: HeaderMap,
    Extension(given): Extension<Given>,
    _6: Method,
    user: &mut User,
    _8: Uri,
    _9: State<Sessions<User>>,
    _10: Method,
    _11: Method,
    _12: Method,
    _13: Method,
    _14: Method,
    _15: Method,
    Form(form): Form<Given>,
) -> String {
    user.visits += 16;
    format!("{}{}", given.word, form.word)
}

#[session(protected(User), guard = |user| user.name == "ann")]
#[allow(clippy::too_many_arguments, clippy::just_underscores_and_digits, reason = "the most that axum takes")]
async fn sixteen_and_a_guard(
    first: Uri,
    _2: Method,
    _3: Method,
    _4: Method,
    _5: Method,
    _6: Method,
    _7: Method,
    _8: Method,
    _9: Method,
    _10: Method,
    _11: Method,
    _12: Method,
    _13: Method,
    _14: Method,
    _15: Method,
    whole: Request,
) -> String {
    format!("{first} {}", whole.method())
}

#[session(protected)]
async fn nothing(_user: Session<User>) {}

async fn server() -> Served {
    #[session(protected)]
    async fn local(user: &User) -> String {
        user.name.clone()
    }

    let given = Extension(Given { word: "abra".into() });
    let more = Router::new()
        .route("/english", get(greet::<English, 1>))
        .route("/french", get(greet::<French, 3>))
        .route("/extracted", get(extracted::<Method>))
        .route("/opaque", get(opaque))
        .route("/apart/{first}/{second}", post(taken_apart))
        .route("/documented", get(Documented))
        .route("/match", get(r#match))
        .route("/question", post(question_mark))
        .route("/early", post(early_return))
        .route("/sixteen", post(sixteen).layer(given))
        .route("/sixteen-and-a-guard", post(sixteen_and_a_guard))
        .route("/nothing", get(nothing))
        .route("/local", get(local));
    serve(routes().merge(more).with_state(Store::memory().sessions().await)).await
}

#[tokio::test]
async fn a_generic_handler_is_named_with_its_types_and_constants() {
    let server = server().await;
    let ann = logged_in(&server, "ann").await;
    assert_eq!(ann.get("/english").await.text(), "Hello, ann!");
    assert_eq!(ann.get("/french").await.text(), "Bonjour, ann!!!");
    assert_eq!(ann.get("/extracted").await.text(), "1 GET");
    assert_problem(&server.client().get("/french").await, 401, "missing");
}

#[tokio::test]
async fn a_handler_may_answer_anything_that_is_a_response() {
    let server = server().await;
    let ann = logged_in(&server, "ann").await;
    let reply = ann.get("/opaque").await;
    assert_eq!((reply.status.as_u16(), reply.header("x-visits")), (202, Some("0")));
    let reply = ann.get("/nothing").await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, ""));
}

#[tokio::test]
async fn parameters_may_be_patterns() {
    let server = server().await;
    let ann = logged_in(&server, "ann").await;
    assert_eq!(ann.post("/apart/5/6").await.text(), "ann 5 none");
    assert_eq!(ann.post("/apart/5/6?q=tea").await.text(), "ann 10 tea");
    assert_eq!(ann.get("/me").await.json::<User>().visits, 10);
}

#[tokio::test]
async fn other_attributes_raw_names_lifetimes_and_inner_items_keep_working() {
    let server = server().await;
    let ann = logged_in(&server, "ann").await;
    assert_eq!(ann.get("/documented").await.text(), "ann 0");
    assert_eq!(ann.get("/match").await.text(), "ann");
    assert_eq!(ann.get("/local").await.text(), "ann");
}

#[tokio::test]
async fn question_marks_and_early_returns_work_as_without_the_attribute() {
    let server = server().await;
    let client = server.client();
    let invalid = client.send(Method::POST, "/question", |request| request.body(vec![0xff])).await;
    assert_eq!((invalid.status.as_u16(), invalid.set_cookies()), (422, vec![]));
    let valid = client.send(Method::POST, "/question", |request| request.body("ann")).await;
    assert_eq!((valid.status.as_u16(), valid.text()), (200, "ann"));
    assert_eq!(client.send(Method::POST, "/early", |request| request.body("stop")).await.text(), "0");
    assert_eq!(client.send(Method::POST, "/early", |request| request.body("go")).await.text(), "8");
}

#[tokio::test]
async fn a_handler_takes_as_many_parameters_as_axum_gives() {
    let server = server().await;
    let (ann, bob) = (logged_in(&server, "ann").await, logged_in(&server, "bob").await);
    assert_eq!(ann.post_form("/sixteen", &[("word", "cadabra")]).await.text(), "abracadabra");
    assert_eq!(ann.get("/me").await.json::<User>().visits, 16);
    assert_eq!(ann.post("/sixteen-and-a-guard").await.text(), "/sixteen-and-a-guard POST");
    assert_problem(&bob.post("/sixteen-and-a-guard").await, 403, "forbidden");
}

#[tokio::test]
async fn an_extractor_that_fails_leaves_the_session_alone() {
    let server = server().await;
    let ann = logged_in(&server, "ann").await;
    assert_eq!(ann.post("/apart/five/6").await.status, 400);
    assert_eq!(ann.post_form("/sixteen", &[("wrong", "field")]).await.status, 422);
    assert_eq!(ann.post("/visit").await.text(), "1", "nothing is written, and nobody holds the session");
}
