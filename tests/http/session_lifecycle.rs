//! From login to logout, and what is left of a session afterwards.

use axum::{
    Router,
    http::StatusCode,
    routing::{get, post},
};
use session_runtime::{Error, Session, SessionSlot, session};
use session_tests::{Client, Served, serve};

use crate::support::{COOKIE, Store, User, assert_problem, is_alive, logged_in, on_every_backend, routes, token};

#[session(optional)]
async fn swap(slot: SessionSlot<User>) -> Result<String, Error> {
    slot.end().await?;
    assert!(slot.get().is_none(), "what has ended is no longer there");
    slot.start(User { name: "new".into(), visits: 0 }).await?;
    Ok(slot.get().map(|user| user.name.clone()).unwrap_or_default())
}

#[session(optional)]
async fn start_twice(slot: SessionSlot<User>) -> Result<(), Error> {
    slot.start(User { name: "first".into(), visits: 0 }).await?;
    slot.start(User { name: "second".into(), visits: 0 }).await
}

#[session(optional)]
async fn start_and_end(slot: SessionSlot<User>) -> Result<(), Error> {
    slot.start(User { name: "brief".into(), visits: 0 }).await?;
    slot.end().await
}

#[session(optional)]
async fn start_without_awaiting(slot: SessionSlot<User>) {
    drop(slot.start(User { name: "never".into(), visits: 0 }));
}

#[session(optional)]
async fn end_slot(slot: SessionSlot<User>) -> Result<(), Error> {
    slot.end().await
}

#[session(optional)]
async fn start_and_fail(slot: SessionSlot<User>) -> StatusCode {
    let started = slot.start(User { name: "ann".into(), visits: 0 }).await;
    if started.is_ok() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::IM_A_TEAPOT }
}

#[session(protected)]
async fn change_and_answer_500(user: &mut User) -> StatusCode {
    user.visits += 100;
    StatusCode::INTERNAL_SERVER_ERROR
}

#[session(protected)]
async fn change_and_answer_400(user: &mut User) -> StatusCode {
    user.visits += 1;
    StatusCode::BAD_REQUEST
}

#[session(protected)]
async fn update_thrice(mut session: Session<User>) -> Result<String, Error> {
    let mut seen = Vec::new();
    for _ in 0..3 {
        let before = session
            .update(|user| {
                user.visits += 1;
                user.visits - 1
            })
            .await?;
        seen.push(format!("{before}>{}", session.visits));
    }
    Ok(seen.join(" "))
}

#[session(protected)]
async fn rotate_twice_and_update(mut session: Session<User>) -> Result<(), Error> {
    session.rotate_id().await?;
    session.rotate_id().await?;
    session.update(|user| user.visits += 1).await
}

/// The session's name, which follows from the part of its id that rotations leave alone.
#[session(protected)]
async fn public_id(session: Session<User>) -> String {
    session.public_id().to_string()
}

async fn server(store: &Store) -> Served {
    let more = Router::new()
        .route("/public-id", get(public_id))
        .route("/swap", post(swap))
        .route("/twice", post(start_twice))
        .route("/brief", post(start_and_end))
        .route("/never", post(start_without_awaiting))
        .route("/end", post(end_slot))
        .route("/start-500", post(start_and_fail))
        .route("/change-500", post(change_and_answer_500))
        .route("/change-400", post(change_and_answer_400))
        .route("/update", post(update_thrice))
        .route("/rotate-twice", get(rotate_twice_and_update));
    serve(routes().merge(more).with_state(store.sessions().await)).await
}

async fn name(client: &Client) -> String {
    client.get("/").await.text().to_owned()
}

async fn every_login_gives_another_id_and_ends_the_session_before_it(store: Store) {
    let server = server(&store).await;
    let client = server.client();
    let mut tokens: Vec<String> = Vec::new();
    for login in ["ann", "ann", "bob"] {
        client.post_form("/login", &[("name", login)]).await;
        assert_eq!(name(&client).await, login);
        for former in &tokens {
            assert!(!is_alive(&server, former).await, "a login on top of a session ends it");
        }
        assert!(!tokens.contains(&token(&client)));
        tokens.push(token(&client));
    }
    assert_eq!(store.records().await, 1);
}

/// SM5: no part of an id outlives its session.
async fn a_login_keeps_no_part_of_the_former_id(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server, "ann").await;
    let mut seen = Vec::new();
    for path in ["/login", "/swap", "/twice", "/login"] {
        seen.push(client.get("/public-id").await.text().to_owned());
        client.post_form(path, &[("name", "ann")]).await;
    }
    client.post("/logout").await;
    client.post_form("/login", &[("name", "ann")]).await;
    seen.push(client.get("/public-id").await.text().to_owned());
    client.post("/rotate").await;
    assert_eq!(seen.last().unwrap(), client.get("/public-id").await.text(), "a rotation is no other session");
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all, "{seen:?}");
}

async fn logout_ends_the_session_on_both_sides(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server, "ann").await;
    let kept = token(&client);
    let reply = client.post("/logout").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (303, 1));
    assert_eq!(client.cookie(COOKIE), None, "the browser forgets");
    assert!(!is_alive(&server, &kept).await, "and a copy that was kept is worth nothing");
    client.set_cookie(&format!("{COOKIE}={kept}; Path=/; Secure"));
    for path in ["/visit", "/rotate", "/logout"] {
        assert_problem(&client.post(path).await, 401, "missing");
    }
    assert_eq!(store.records().await, 0, "nothing brings it back");
}

async fn logout_and_login_in_one_request_give_a_fresh_id(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server, "old").await;
    let old = token(&client);
    let reply = client.post("/swap").await;
    assert_eq!((reply.text(), reply.set_cookies().len()), ("new", 1));
    assert_ne!(token(&client), old);
    assert_eq!(name(&client).await, "new");
    assert!(!is_alive(&server, &old).await);
    assert_eq!(store.records().await, 1);
}

async fn a_rotated_session_keeps_its_data_under_a_new_token_and_the_old_one_is_dead(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server, "ann").await;
    client.post("/visit").await;
    let old = token(&client);
    assert_eq!(client.post("/rotate").await.text(), "ann");
    assert_ne!(token(&client), old);
    assert_eq!(client.get("/me").await.json::<User>(), User { name: "ann".into(), visits: 1 });
    assert_eq!(client.post("/visit").await.text(), "2");
    assert!(!is_alive(&server, &old).await);

    let thief = server.client();
    thief.set_cookie(&format!("{COOKIE}={old}; Path=/; Secure"));
    for path in ["/visit", "/rotate", "/logout"] {
        assert_problem(&thief.post(path).await, 401, "missing");
    }
    assert_eq!(client.post("/visit").await.text(), "3", "a dead token can't end or change the session");
}

async fn a_handle_that_was_rotated_is_still_the_session(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server, "ann").await;
    let reply = client.get("/rotate-twice").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1));
    assert_eq!(client.get("/me").await.json::<User>().visits, 1);
    client.post("/logout").await;
    assert_eq!(store.records().await, 0);
}

async fn an_update_returns_what_its_closure_returns_and_is_there_at_once(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server, "ann").await;
    assert_eq!(client.post("/update").await.text(), "0>1 1>2 2>3");
    assert_eq!(client.get("/me").await.json::<User>().visits, 3);
    assert_eq!(client.post_form("/rename", &[("name", "Ann")]).await.text(), "ann");
    assert_eq!(name(&client).await, "Ann");
}

async fn concurrent_updates_and_exclusive_borrows_lose_nothing(store: Store) {
    let (one, other) = (server(&store).await, server(&store).await);
    let client = logged_in(&one, "ann").await;
    let requests: Vec<_> = (0..24)
        .map(|i| {
            let client = if i % 2 == 0 { client.clone() } else { client.at(&other.url()) };
            let path = if i % 3 == 0 { "/update" } else { "/visit" };
            tokio::spawn(async move { client.post(path).await.status })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(client.get("/me").await.json::<User>().visits, 8 * 3 + 16);
}

async fn a_server_error_discards_what_was_changed_and_the_session_lives_on(store: Store) {
    let server = server(&store).await;
    let client = logged_in(&server, "ann").await;
    client.post("/visit").await;
    let reply = client.post("/change-500").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies()), (500, vec![]));
    assert_eq!(client.get("/me").await.json::<User>().visits, 1);
    assert_eq!(client.post("/visit").await.text(), "2", "and nobody holds it");
}

on_every_backend!(
    a_login_keeps_no_part_of_the_former_id,
    every_login_gives_another_id_and_ends_the_session_before_it,
    logout_ends_the_session_on_both_sides,
    logout_and_login_in_one_request_give_a_fresh_id,
    a_rotated_session_keeps_its_data_under_a_new_token_and_the_old_one_is_dead,
    a_handle_that_was_rotated_is_still_the_session,
    an_update_returns_what_its_closure_returns_and_is_there_at_once,
    concurrent_updates_and_exclusive_borrows_lose_nothing,
    a_server_error_discards_what_was_changed_and_the_session_lives_on,
);

#[tokio::test]
async fn an_answer_below_500_keeps_what_was_changed() {
    let server = server(&Store::memory()).await;
    let client = logged_in(&server, "ann").await;
    assert_eq!(client.post("/change-400").await.status, 400);
    assert_eq!(client.get("/me").await.json::<User>().visits, 1);
}

#[tokio::test]
async fn a_login_that_a_server_error_follows_is_not_lost() {
    let server = server(&Store::memory()).await;
    let client = server.client();
    assert_eq!(client.post("/start-500").await.status, 500);
    assert_eq!(name(&client).await, "ann", "the session that was started has its cookie");
}

#[tokio::test]
async fn of_two_sessions_started_in_one_request_the_second_stands() {
    let store = Store::memory();
    let server = server(&store).await;
    let client = server.client();
    let reply = client.post("/twice").await;
    assert_eq!(reply.set_cookies().len(), 1);
    assert_eq!(name(&client).await, "second");
    assert_eq!(store.records().await, 1);
}

#[tokio::test]
async fn a_session_that_ends_in_the_request_that_started_it_leaves_nothing() {
    let store = Store::memory();
    let server = server(&store).await;
    let client = server.client();
    client.post("/brief").await;
    assert_eq!((client.cookie(COOKIE), store.records().await), (None, 0));
}

#[tokio::test]
async fn a_start_that_is_not_awaited_starts_nothing() {
    let store = Store::memory();
    let server = server(&store).await;
    let reply = server.client().post("/never").await;
    assert_eq!((reply.set_cookies(), store.records().await), (vec![], 0));
}

#[tokio::test]
async fn a_slot_ends_the_session_that_is_there_and_nothing_where_there_is_none() {
    let store = Store::memory();
    let server = server(&store).await;
    let (anonymous, ann) = (server.client(), logged_in(&server, "ann").await);
    assert!(anonymous.post("/end").await.set_cookies().is_empty());
    let kept = token(&ann);
    assert_eq!(ann.post("/end").await.set_cookies().len(), 1);
    assert!(!is_alive(&server, &kept).await);
}
