//! Sessions and people: two browsers of one person, and somebody who looks after all.

use std::collections::HashSet;

use axum::{
    Form, Json, Router,
    extract::{Path, State},
    http::{HeaderMap, header::USER_AGENT},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, PublicId, Session, SessionData, SessionSlot, Sessions, backend::Cookie, session};
use session_tests::{Client, Served, serve};

use crate::support::{Store, assert_problem, on_every_backend};

#[derive(Serialize, Deserialize, SessionData)]
struct Account {
    #[session(owner)]
    name: String,
    notes: Vec<String>,
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Device {
    id: PublicId,
    label: Option<String>,
    current: bool,
}

type Accounts = State<Sessions<Account>>;

#[session(optional)]
async fn login(slot: SessionSlot<Account>, headers: HeaderMap, Form(Login { name }): Form<Login>) -> Result<(), Error> {
    let start = slot.start(Account { name, notes: Vec::new() });
    match headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()) {
        Some(agent) => start.label(agent).await,
        None => start.await,
    }
}

#[session(protected)]
async fn devices(State(accounts): Accounts, session: Session<Account>) -> Result<Json<Vec<Device>>, Error> {
    let listed = accounts.of(&session.name).list().await?;
    let device = |listing: &session_runtime::Listing| Device {
        id: listing.public_id(),
        label: listing.label().map(ToOwned::to_owned),
        current: listing.is(session.public_id()),
    };
    Ok(Json(listed.iter().map(device).collect()))
}

#[session(protected)]
async fn end_device(State(accounts): Accounts, account: &Account, Path(id): Path<PublicId>) -> Result<String, Error> {
    Ok(accounts.of(&account.name).end(id).await?.to_string())
}

#[session(protected)]
async fn change_password(State(accounts): Accounts, mut session: Session<Account>) -> Result<String, Error> {
    session.rotate_id().await?;
    Ok(accounts.of(&session.name).end_others(session.public_id()).await?.to_string())
}

#[session(protected)]
async fn log_out_everywhere(State(accounts): Accounts, account: &Account) -> Result<String, Error> {
    Ok(accounts.of(&account.name).end_all().await?.to_string())
}

/// What an administrator's own pages would call.
async fn admin_end_all(State(accounts): Accounts, Path(name): Path<String>) -> Result<String, Error> {
    Ok(accounts.of(name.as_str()).end_all().await?.to_string())
}

async fn admin_end(State(accounts): Accounts, Path((name, id)): Path<(String, PublicId)>) -> Result<String, Error> {
    Ok(accounts.of(&name).end(id).await?.to_string())
}

#[session(protected)]
async fn note(account: &mut Account) -> String {
    account.notes.push("x".into());
    account.notes.len().to_string()
}

#[session(protected)]
async fn steal(account: &mut Account) {
    account.notes.push("stolen".into());
    account.name = "eve".into();
}

#[session(protected)]
async fn steal_by_update(mut session: Session<Account>) -> Result<(), Error> {
    session.update(|account| account.name = "eve".into()).await
}

#[session(protected)]
async fn name(account: &Account) -> String {
    format!("{} {}", account.name, account.notes.len())
}

async fn application(store: &Store) -> Served {
    let router = Router::new()
        .route("/login", post(login))
        .route("/devices", get(devices))
        .route("/devices/{id}/end", post(end_device))
        .route("/password", post(change_password))
        .route("/everywhere", post(log_out_everywhere))
        .route("/admin/{name}/end", post(admin_end_all))
        .route("/admin/{name}/{id}/end", post(admin_end))
        .route("/note", post(note))
        .route("/steal", post(steal))
        .route("/steal_by_update", post(steal_by_update))
        .route("/name", get(name));
    serve(router.with_state(store.sessions().await)).await
}

async fn logged_in(server: &Served, name: &str, agent: &str) -> Client {
    let client = server.client();
    let form = [("name", name)];
    let reply =
        client.send(axum::http::Method::POST, "/login", |request| request.form(&form).header(USER_AGENT, agent));
    assert_eq!(reply.await.status, 200);
    client
}

async fn listed(client: &Client) -> Vec<Device> {
    let reply = client.get("/devices").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn is_alive(client: &Client) -> bool {
    client.get("/name").await.status == 200
}

async fn posted(client: &Client, path: &str) -> String {
    let reply = client.post(path).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.text().to_owned()
}

async fn a_person_sees_both_browsers_and_ends_the_other(store: Store) {
    let (one, other) = (application(&store).await, application(&store).await);
    let laptop = logged_in(&one, "ann", "Firefox on Linux").await;
    let phone = logged_in(&other, "ann", "Safari on a phone").await;
    let anonymous = logged_in(&one, "bob", "Lynx").await;
    let devices = listed(&laptop).await;
    assert_eq!(devices.len(), 2, "{devices:?}");
    let current = devices.iter().find(|device| device.current).unwrap();
    assert_eq!(current.label.as_deref(), Some("Firefox on Linux"));
    let others = devices.iter().find(|device| !device.current).unwrap();
    assert_eq!(others.label.as_deref(), Some("Safari on a phone"));

    let path = format!("/devices/{}/end", others.id);
    assert_eq!(posted(&anonymous, &path).await, "false", "it is not his");
    assert!(is_alive(&phone).await);
    assert_eq!(posted(&laptop, &path).await, "true");
    assert_eq!(posted(&laptop, &path).await, "false");
    assert!(is_alive(&laptop).await && !is_alive(&phone).await && is_alive(&anonymous).await);
    assert_eq!(listed(&laptop).await.len(), 1);
    assert_eq!(laptop.post("/devices/nonsense/end").await.status, 400);
}

async fn a_changed_password_ends_the_other_sessions_and_keeps_this_one(store: Store) {
    let server = application(&store).await;
    let this = logged_in(&server, "ann", "this").await;
    let others = [logged_in(&server, "ann", "one").await, logged_in(&server, "ann", "other").await];
    let anonymous = logged_in(&server, "bob", "anonymous").await;
    let before = listed(&this).await;
    assert_eq!(posted(&this, "/password").await, "2");
    let [left] = &listed(&this).await[..] else { panic!("one is left") };
    assert!(left.current && before.iter().any(|device| device.id == left.id), "its handle stays when it is rotated");
    for other in &others {
        assert!(!is_alive(other).await);
    }
    assert!(is_alive(&anonymous).await);
}

async fn logging_out_everywhere_ends_this_session_too(store: Store) {
    let server = application(&store).await;
    let clients = [logged_in(&server, "ann", "one").await, logged_in(&server, "ann", "other").await];
    assert_eq!(posted(&clients[0], "/everywhere").await, "2");
    for client in &clients {
        assert!(!is_alive(client).await);
    }
}

async fn an_administrator_ends_one_session_of_a_person_or_all(store: Store) {
    let server = application(&store).await;
    let ann = [logged_in(&server, "ann", "one").await, logged_in(&server, "ann", "other").await];
    let bob = logged_in(&server, "bob", "bob's").await;
    let admin = server.client();
    let first = listed(&ann[0]).await.into_iter().find(|device| device.current).unwrap().id;
    assert_eq!(posted(&admin, &format!("/admin/bob/{first}/end")).await, "false");
    assert_eq!(posted(&admin, &format!("/admin/ann/{first}/end")).await, "true");
    assert!(!is_alive(&ann[0]).await && is_alive(&ann[1]).await);
    let again = logged_in(&server, "ann", "again").await;
    assert_eq!(posted(&admin, "/admin/ann/end").await, "2");
    assert!(!is_alive(&ann[1]).await && !is_alive(&again).await && is_alive(&bob).await);
    assert_eq!(posted(&admin, "/admin/nobody/end").await, "0");
}

/// What a list shows is of no use to who reads it over somebody's shoulder.
/// More than a store is asked for at once.
const MANY: usize = 40;

async fn of_a_person_with_many_sessions_every_one_is_listed_and_ended(store: Store) {
    let server = application(&store).await;
    let grace = logged_in(&server, "grace", "one").await;
    for path in ["/everywhere", "/password", "/admin/ada/end"] {
        let mut ada = Vec::new();
        for at in 0..MANY {
            ada.push(logged_in(&server, "ada", &at.to_string()).await);
        }
        assert_eq!(listed(&ada[0]).await.len(), MANY);
        let kept = usize::from(path == "/password");
        assert_eq!(posted(&ada[0], path).await, (MANY - kept).to_string(), "{path}");
        for (at, client) in ada.iter().enumerate() {
            assert_eq!(is_alive(client).await, at < kept, "{path}: number {at}");
        }
        if kept > 0 {
            assert_eq!(listed(&ada[0]).await.len(), kept);
            assert_eq!(posted(&ada[0], "/everywhere").await, "1");
        }
    }
    assert!(is_alive(&grace).await);
}

async fn a_list_shows_handles_and_nothing_that_a_session_could_be_used_by(store: Store) {
    let server = application(&store).await;
    let client = logged_in(&server, "ann", "Firefox").await;
    let token = client.cookie("__Host-account").unwrap();
    let page = client.get("/devices").await.text().to_owned();
    let [device] = &listed(&client).await[..] else { panic!("one device") };
    let handle = device.id.to_string();
    assert_eq!(handle.len(), 12);
    assert!(page.contains(&handle) && !token.contains(&handle));
    let windows: HashSet<&str> = (0..token.len() - 16).filter_map(|at| token.get(at..at + 16)).collect();
    assert!(windows.iter().all(|part| !page.contains(part)), "a part of the token shows");
    for cookie in [handle.clone(), format!("{handle}{handle}")] {
        let thief = server.client();
        thief.set_cookie(&format!("__Host-account={cookie}; Path=/; Secure"));
        assert!(!is_alive(&thief).await);
    }
}

async fn an_owner_is_not_changed_by_a_borrow_nor_by_an_update(store: Store) {
    let server = application(&store).await;
    let client = logged_in(&server, "ann", "ann's").await;
    for path in ["/steal", "/steal_by_update"] {
        assert_problem(&client.post(path).await, 500, "internal");
        assert_eq!(client.get("/name").await.text(), "ann 0", "nothing of it was stored");
    }
    // And the session is free for the next.
    assert_eq!(posted(&client, "/note").await, "1");
    assert_eq!(listed(&client).await.len(), 1);
}

on_every_backend!(
    of_a_person_with_many_sessions_every_one_is_listed_and_ended,
    a_person_sees_both_browsers_and_ends_the_other,
    a_changed_password_ends_the_other_sessions_and_keeps_this_one,
    logging_out_everywhere_ends_this_session_too,
    an_administrator_ends_one_session_of_a_person_or_all,
    a_list_shows_handles_and_nothing_that_a_session_could_be_used_by,
    an_owner_is_not_changed_by_a_borrow_nor_by_an_update,
);

#[tokio::test]
async fn sessions_with_an_owner_are_not_opened_where_none_are_kept() {
    let opened = Sessions::<Account>::builder().backend(Cookie).ephemeral_key().open().await;
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("listed and ended by their owner"), "{error}");
}
