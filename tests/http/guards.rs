//! Guards: who has a session and yet may not enter.

use axum::{
    Form, Json, Router,
    http::StatusCode,
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use serde::Deserialize;
use session_runtime::{Error, Session, session};
use session_tests::{Served, serve};

use crate::support::{Store, User, assert_problem, logged_in, routes, varies_by_cookie};

fn is_root(user: &User) -> bool {
    user.name == "root"
}

mod rules {
    use super::{Redirect, User};

    pub(super) fn has_visited(user: &User) -> Result<(), Redirect> {
        if user.visits > 0 { Ok(()) } else { Err(Redirect::to("/welcome")) }
    }
}

#[session(protected, guard = |user| user.name == "root")]
async fn by_closure(user: &User) -> String {
    user.name.clone()
}

#[session(protected, guard = is_root)]
async fn by_path(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

#[session(protected, guard = rules::has_visited)]
async fn by_result(session: Session<User>) -> String {
    session.name.clone()
}

#[session(protected(User), guard = |user: &User| if is_root(user) {
    Ok(())
} else {
    Err((StatusCode::NOT_FOUND, Json(user.visits)))
})]
async fn without_parameter() -> &'static str {
    "the back room"
}

#[derive(Deserialize)]
struct Spell {
    word: String,
}

#[session(protected(User))]
async fn protected_without_parameter(Form(spell): Form<Spell>) -> impl IntoResponse {
    spell.word
}

#[session(protected, guard = |user| user.visits < 2)]
async fn twice(user: &mut User) -> Result<String, Error> {
    user.visits += 1;
    Ok(user.visits.to_string())
}

async fn server() -> Served {
    let more = Router::new()
        .route("/closure", get(by_closure))
        .route("/path", post(by_path))
        .route("/result", get(by_result))
        .route("/back-room", get(without_parameter))
        .route("/spell", post(protected_without_parameter))
        .route("/twice", post(twice));
    serve(routes().merge(more).with_state(Store::memory().sessions().await)).await
}

#[tokio::test]
async fn a_guard_lets_some_in_and_answers_403_to_the_others() {
    let server = server().await;
    let (root, ann) = (logged_in(&server, "root").await, logged_in(&server, "ann").await);
    assert_eq!(root.get("/closure").await.text(), "root");
    assert_problem(&ann.get("/closure").await, 403, "forbidden");
    assert_eq!(root.post("/path").await.text(), "1");
    assert_problem(&ann.post("/path").await, 403, "forbidden");
}

#[tokio::test]
async fn a_anonymous_client_is_told_to_log_in_before_any_guard_is_asked() {
    let server = server().await;
    let anonymous = server.client();
    for path in ["/closure", "/result", "/back-room"] {
        assert_problem(&anonymous.get(path).await, 401, "missing");
    }
    assert_problem(&anonymous.post("/path").await, 401, "missing");
    assert_problem(&anonymous.post_form("/spell", &[("word", "abracadabra")]).await, 401, "missing");
}

#[tokio::test]
async fn a_guards_own_answer_is_the_answer() {
    let server = server().await;
    let (root, ann) = (logged_in(&server, "root").await, logged_in(&server, "ann").await);
    let reply = ann.get("/result").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/welcome")));
    assert!(varies_by_cookie(&reply), "another visitor gets another answer");
    ann.post("/visit").await;
    assert_eq!(ann.get("/result").await.text(), "ann");

    let reply = ann.get("/back-room").await;
    assert_eq!((reply.status.as_u16(), reply.text()), (404, "1"));
    assert!(varies_by_cookie(&reply));
    assert_eq!(root.get("/back-room").await.text(), "the back room");
}

#[tokio::test]
async fn a_type_can_be_protected_without_being_taken() {
    let server = server().await;
    let reply = logged_in(&server, "ann").await.post_form("/spell", &[("word", "abracadabra")]).await;
    assert_eq!(reply.text(), "abracadabra");
    assert!(varies_by_cookie(&reply) && reply.set_cookies().is_empty());
}

#[tokio::test]
async fn a_guard_of_an_exclusive_borrow_sees_the_newest_data() {
    let server = server().await;
    let ann = logged_in(&server, "ann").await;
    let requests: Vec<_> = (0..10)
        .map(|_| {
            let ann = ann.clone();
            tokio::spawn(async move { ann.post("/twice").await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for request in requests {
        statuses.push(request.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 403, 403, 403, 403, 403, 403, 403, 403]);
    assert_eq!(ann.get("/me").await.json::<User>().visits, 2);
}

#[tokio::test]
async fn who_a_guard_turned_away_keeps_the_session_and_holds_no_lock() {
    let server = server().await;
    let ann = logged_in(&server, "ann").await;
    let reply = ann.post("/path").await;
    assert_problem(&reply, 403, "forbidden");
    assert!(reply.set_cookies().is_empty());
    assert_eq!(ann.post("/visit").await.text(), "1", "nobody waits for the one who was turned away");
}
