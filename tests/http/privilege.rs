//! `#[session(privilege)]`: what a session may do changes, and its id with it.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::Path,
    http::{Method, StatusCode},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Client, Served, serve};

use crate::support::{Store, assert_problem, on_every_backend, send_with};

const COOKIE: &str = "__Host-member";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SessionData)]
struct Member {
    name: String,
    #[session(privilege)]
    roles: Vec<String>,
    #[session(privilege)]
    tenant: Option<u32>,
    visits: u32,
}

#[session(optional)]
async fn login(slot: SessionSlot<Member>) -> Result<(), Error> {
    slot.start(Member { name: "ann".into(), roles: Vec::new(), tenant: None, visits: 0 }).await
}

#[session(protected)]
async fn me(member: &Member) -> Json<Member> {
    Json(member.clone())
}

#[session(protected)]
async fn visit(member: &mut Member) -> String {
    member.visits += 1;
    member.visits.to_string()
}

#[session(protected)]
async fn grant(member: &mut Member, Path(role): Path<String>) {
    member.roles.push(role);
}

#[session(protected)]
async fn grant_and_fail(member: &mut Member) -> StatusCode {
    member.roles.push("admin".into());
    StatusCode::INTERNAL_SERVER_ERROR
}

#[session(protected)]
async fn grant_and_take_back(member: &mut Member) {
    member.visits += 1;
    member.roles.push("admin".into());
    member.roles.pop();
}

#[session(protected)]
async fn enter_tenant(mut session: Session<Member>, Path(tenant): Path<u32>) -> Result<(), Error> {
    session.update(|member| member.tenant = Some(tenant)).await
}

#[session(protected)]
async fn count(mut session: Session<Member>) -> Result<(), Error> {
    session.update(|member| member.visits += 1).await
}

async fn served(sessions: Sessions<Member>) -> Served {
    let router = Router::new()
        .route("/login", post(login))
        .route("/me", get(me))
        .route("/visit", post(visit))
        .route("/grant/{role}", post(grant))
        .route("/grant-and-fail", post(grant_and_fail))
        .route("/grant-and-take-back", post(grant_and_take_back))
        .route("/tenant/{tenant}", post(enter_tenant))
        .route("/count", post(count));
    serve(router.with_state(sessions)).await
}

async fn logged_in(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(client.post("/login").await.status, 200);
    client
}

fn token(client: &Client) -> String {
    client.cookie(COOKIE).expect("the client has a session's cookie")
}

async fn replay(server: &Served, token: &str) -> session_tests::Reply {
    send_with(server, Method::GET, "/me", &format!("{COOKIE}={token}")).await
}

/// SM5, V7.2.4.
async fn a_privilege_change_gives_a_new_id_and_the_old_one_gets_401(store: Store) {
    let (here, there) = (served(store.sessions().await).await, served(store.sessions().await).await);
    for path in ["/grant/admin", "/tenant/7"] {
        let client = logged_in(&here).await;
        let old = token(&client);
        assert_eq!(client.at(&there.url()).get("/me").await.status, 200);
        let reply = client.post(path).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 1), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_ne!(token(&client), old, "{path}");
        // At once, without any grace, in every process.
        for server in [&here, &there] {
            assert_problem(&replay(server, &old).await, 401, "missing");
            assert_eq!(replay(server, &token(&client)).await.status, 200);
        }
    }
}

async fn a_change_of_anything_else_leaves_the_id_alone(store: Store) {
    let server = served(store.sessions().await).await;
    let client = logged_in(&server).await;
    let before = token(&client);
    for path in ["/visit", "/count", "/grant-and-take-back"] {
        let reply = client.post(path).await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 0), "{path}");
    }
    assert_eq!(token(&client), before);
    assert_eq!(client.get("/me").await.json::<Member>().visits, 3);
}

async fn the_change_and_the_new_id_are_stored_together_or_not_at_all(store: Store) {
    let server = served(store.sessions().await).await;
    let client = logged_in(&server).await;
    let before = token(&client);
    let reply = client.post("/grant-and-fail").await;
    assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (500, 0));
    let unchanged = replay(&server, &before).await;
    assert_eq!(unchanged.json::<Member>().roles, Vec::<String>::new());
    client.post("/grant/admin").await;
    let changed = client.get("/me").await.json::<Member>();
    assert_eq!((changed.roles, changed.name), (vec!["admin".to_owned()], "ann".to_owned()));
}

async fn privileges_granted_one_after_another_each_give_a_new_id(store: Store) {
    let server = served(store.sessions().await).await;
    let client = logged_in(&server).await;
    let mut tokens = vec![token(&client)];
    for role in ["a", "b", "c"] {
        assert_eq!(client.post(&format!("/grant/{role}")).await.status, 200);
        for old in &tokens {
            assert_eq!(replay(&server, old).await.status, 401);
        }
        tokens.push(token(&client));
    }
    assert_eq!(client.get("/me").await.json::<Member>().roles, ["a", "b", "c"]);
}

async fn a_new_id_by_privilege_does_not_lengthen_the_sessions_life(store: Store) {
    let clock = ManualClock::new();
    let server = served(store.builder().clock(clock.clone()).open().await.unwrap()).await;
    let client = logged_in(&server).await;
    for step in 0..36 {
        clock.advance(Duration::from_secs(20 * 60 - 1));
        assert_eq!(client.post(&format!("/grant/{step}")).await.status, 200);
    }
    clock.advance(Duration::from_secs(36));
    assert_eq!(client.post("/visit").await.status, 401, "12 hours after login");
}

on_every_backend!(
    a_change_of_anything_else_leaves_the_id_alone,
    a_new_id_by_privilege_does_not_lengthen_the_sessions_life,
    a_privilege_change_gives_a_new_id_and_the_old_one_gets_401,
    privileges_granted_one_after_another_each_give_a_new_id,
    the_change_and_the_new_id_are_stored_together_or_not_at_all,
);
