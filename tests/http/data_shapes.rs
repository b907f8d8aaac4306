//! Data whose type changes from one release to the next: each row of the guide's table.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    http::Method,
    routing::{get, post},
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, backend::Memory, session};
use session_tests::{Client, Served, serve};

use crate::support::{Events, assert_problem, key};

/// A release of one application: the same name and key, and another type.
macro_rules! releases {
    ($($module:ident($($option:tt)*) { $($fields:tt)* })+) => {$(
        mod $module {
            use super::*;

            #[derive(Clone, Serialize, Deserialize, SessionData)]
            #[session(name = "shaped" $($option)*)]
            $($fields)*

            #[session(optional)]
            async fn start(slot: SessionSlot<Account>, Json(account): Json<Account>) -> Result<(), Error> {
                slot.start(account).await
            }

            #[session(protected)]
            async fn show(account: &Account) -> Json<Account> {
                Json(account.clone())
            }

            #[session(protected)]
            async fn rename(mut session: Session<Account>) -> Result<(), Error> {
                session.update(Rename::rename).await
            }

            pub(super) fn server(memory: Arc<Memory>) -> BoxFuture<'static, Served> {
                Box::pin(async move {
                    let sessions = Sessions::<Account>::builder().key(&key('k')).shared_backend(memory).open().await;
                    let router = Router::new().route("/", get(show)).route("/start", post(start));
                    serve(router.route("/rename", post(rename)).with_state(sessions.expect("the sessions open"))).await
                })
            }
        }
    )+};
}

/// What a release changes itself, if it does.
trait Rename {
    fn rename(&mut self) {}
}

releases! {
    named() {
        pub(super) struct Account { pub(super) name: String }
        impl Rename for Account { fn rename(&mut self) { self.name = "lee".into(); } }
    }
    with_option() {
        pub(super) struct Account { name: String, theme: Option<String> }
        impl Rename for Account {}
    }
    with_default() {
        pub(super) struct Account { name: String, #[serde(default)] visits: u32 }
        impl Rename for Account {}
    }
    with_neither() {
        pub(super) struct Account { name: String, visits: u32 }
        impl Rename for Account {}
    }
    strict() {
        #[serde(deny_unknown_fields)]
        pub(super) struct Account { name: String }
        impl Rename for Account {}
    }
    renamed() {
        pub(super) struct Account { full_name: String }
        impl Rename for Account {}
    }
    with_alias() {
        pub(super) struct Account { #[serde(alias = "name")] full_name: String }
        impl Rename for Account {}
    }
    stored_as_before() {
        pub(super) struct Account { #[serde(rename = "name")] full_name: String }
        impl Rename for Account {}
    }
    counted() {
        pub(super) struct Account { visits: u8 }
        impl Rename for Account {}
    }
    counted_further() {
        pub(super) struct Account { visits: u32 }
        impl Rename for Account {}
    }
    counted_in_words() {
        pub(super) struct Account { visits: String }
        impl Rename for Account {}
    }
    with_one_role() {
        pub(super) struct Account { role: Role }
        #[derive(Clone, Serialize, Deserialize)]
        enum Role { Guest }
        impl Rename for Account {}
    }
    with_two_roles() {
        pub(super) struct Account { role: Role }
        #[derive(Clone, Serialize, Deserialize)]
        enum Role { Guest, Admin }
        impl Rename for Account {}
    }
    versioned(, version = 2, from = named::Account) {
        pub(super) struct Account { names: Vec<String> }
        impl From<named::Account> for Account {
            fn from(old: named::Account) -> Self { Self { names: vec![old.name] } }
        }
        impl Rename for Account {}
    }
    themed() {
        pub(super) struct Account { name: String, theme: String }
        impl Rename for Account {}
    }
    open() {
        pub(super) struct Account { name: String, #[serde(flatten)] extra: HashMap<String, Value> }
        impl Rename for Account { fn rename(&mut self) { self.name = "lee".into(); } }
    }
}

/// What a release makes of a session of another one.
#[derive(Debug)]
enum Seen {
    Data(&'static str),
    /// No session, with an event that gives this reason and this detail.
    Nothing(&'static str, &'static str),
}

use Seen::{Data, Nothing};

type Release = fn(Arc<Memory>) -> BoxFuture<'static, Served>;

/// A row of the table: the change, the two releases, what each stores, and what the other makes of that.
type Row = (&'static str, [Release; 2], (&'static str, Seen), (&'static str, Seen));

const ANN: &str = r#"{"name":"ann"}"#;

fn rows() -> Vec<Row> {
    vec![
        (
            "a field added as `Option<_>`",
            [named::server, with_option::server],
            (ANN, Data(r#"{"name":"ann","theme":null}"#)),
            (r#"{"name":"ann","theme":"dark"}"#, Data(ANN)),
        ),
        (
            "a field added with `#[serde(default)]`",
            [named::server, with_default::server],
            (ANN, Data(r#"{"name":"ann","visits":0}"#)),
            (r#"{"name":"ann","visits":7}"#, Data(ANN)),
        ),
        (
            "a field added without either",
            [named::server, with_neither::server],
            (ANN, Nothing("data", "missing field `visits`")),
            (r#"{"name":"ann","visits":7}"#, Data(ANN)),
        ),
        (
            "a field removed",
            [with_neither::server, named::server],
            (r#"{"name":"ann","visits":7}"#, Data(ANN)),
            (ANN, Nothing("data", "missing field `visits`")),
        ),
        (
            "a field removed that had `#[serde(default)]` in the release before",
            [with_default::server, named::server],
            (r#"{"name":"ann","visits":7}"#, Data(ANN)),
            (ANN, Data(r#"{"name":"ann","visits":0}"#)),
        ),
        (
            "a field removed from a type with `#[serde(deny_unknown_fields)]`",
            [with_neither::server, strict::server],
            (r#"{"name":"ann","visits":7}"#, Nothing("data", "unknown field, expected one of `name`")),
            (ANN, Nothing("data", "missing field `visits`")),
        ),
        (
            "a field renamed",
            [named::server, renamed::server],
            (ANN, Nothing("data", "missing field `full_name`")),
            (r#"{"full_name":"ann"}"#, Nothing("data", "missing field `name`")),
        ),
        (
            "a field renamed, with `#[serde(alias = \"name\")]`",
            [named::server, with_alias::server],
            (ANN, Data(r#"{"full_name":"ann"}"#)),
            (r#"{"full_name":"ann"}"#, Nothing("data", "missing field `name`")),
        ),
        (
            "a field renamed in the code alone, with `#[serde(rename = \"name\")]`",
            [named::server, stored_as_before::server],
            (ANN, Data(ANN)),
            (ANN, Data(ANN)),
        ),
        (
            "a field of another type",
            [counted_further::server, counted_in_words::server],
            (r#"{"visits":7}"#, Nothing("data", "visits: expected a string, found: integer")),
            (r#"{"visits":"seven"}"#, Nothing("data", "visits: expected u32, found: string")),
        ),
        (
            "a number of a wider type",
            [counted::server, counted_further::server],
            (r#"{"visits":7}"#, Data(r#"{"visits":7}"#)),
            (r#"{"visits":300}"#, Nothing("data", "visits: expected u8, found: another integer")),
        ),
        (
            "a variant added to an enum",
            [with_one_role::server, with_two_roles::server],
            (r#"{"role":"Guest"}"#, Data(r#"{"role":"Guest"}"#)),
            (r#"{"role":"Admin"}"#, Nothing("data", "role: unknown variant, expected one of `Guest`")),
        ),
        (
            "`version = 2, from = UserV1`",
            [named::server, versioned::server],
            (ANN, Data(r#"{"names":["ann"]}"#)),
            (r#"{"names":["ann"]}"#, Nothing("version", "2")),
        ),
        (
            "fields replaced by `#[serde(flatten)] extra: HashMap<String, Value>`",
            [themed::server, open::server],
            (r#"{"name":"ann","theme":"dark"}"#, Data(r#"{"name":"ann","theme":"dark"}"#)),
            (r#"{"name":"ann","theme":"dark"}"#, Data(r#"{"name":"ann","theme":"dark"}"#)),
        ),
    ]
}

async fn start(server: &Served, data: &'static str) -> Client {
    let client = server.client();
    let typed = ("content-type", "application/json");
    let reply = client.send(Method::POST, "/start", |request| request.header(typed.0, typed.1).body(data)).await;
    assert_eq!(reply.status, 200);
    client
}

/// A release starts a session, the other one sees this of it, and leaves it as it is.
async fn assert_seen([one, other]: [&Served; 2], written: &'static str, seen: &Seen, change: &str) {
    let events = Events::listen();
    let client = start(one, written).await;
    let reply = client.at(&other.url()).get("/").await;
    match seen {
        Data(data) => {
            assert_eq!((reply.status.as_u16(), reply.text()), (200, *data), "{change}");
            assert!(events.named("session.unreadable").is_empty(), "{change}");
        }
        Nothing(reason, detail) => {
            assert_problem(&reply, 401, "missing");
            let told = events.named("session.unreadable");
            assert_eq!(told.len(), 1, "{change}");
            assert_eq!((told[0].field("reason"), told[0].field("detail")), (*reason, *detail), "{change}");
            assert!(!events.text().contains("ann"), "{change}");
        }
    }
    assert_eq!(client.get("/").await.text(), written, "{change}: it was left as it is");
}

#[tokio::test]
async fn each_change_of_the_guides_table_does_what_the_table_says() {
    for (change, [before, after], forth, back) in rows() {
        let memory: Arc<Memory> = Arc::default();
        let (before, after) = (before(Arc::clone(&memory)).await, after(memory).await);
        assert_seen([&before, &after], forth.0, &forth.1, change).await;
        assert_seen([&after, &before], back.0, &back.1, change).await;
    }
}

#[test]
fn the_guides_table_has_each_change_and_says_whether_it_is_read() {
    let page = include_str!("../../session-runtime/docs/data.md");
    let lines = page.lines().skip_while(|line| !line.starts_with("| change |")).skip(2);
    let table: Vec<Vec<&str>> = lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let rows = rows();
    let changes: Vec<&str> = rows.iter().map(|row| row.0).collect();
    assert_eq!(table.iter().map(|cells| cells[0]).collect::<Vec<_>>(), changes);
    for (cells, (change, _, forth, back)) in table.iter().zip(&rows) {
        for (cell, seen) in [(cells[1], &forth.1), (cells[2], &back.1)] {
            let is_read = matches!(seen, Data(_));
            assert_eq!(cell.starts_with("read"), is_read, "{change}: {cell}");
            assert_eq!(cell.starts_with("not read"), !is_read, "{change}: {cell}");
        }
    }
}

#[tokio::test]
async fn a_field_that_a_release_does_not_know_is_lost_with_its_next_write_unless_it_keeps_what_is_left() {
    let grown = r#"{"name":"ann","theme":"dark"}"#;
    for (rolled_back, kept) in [
        (named::server as Release, r#"{"name":"lee","theme":null}"#),
        (open::server, r#"{"name":"lee","theme":"dark"}"#),
    ] {
        let memory: Arc<Memory> = Arc::default();
        let (new, old) = (with_option::server(Arc::clone(&memory)).await, rolled_back(memory).await);
        let client = start(&new, grown).await;
        assert_eq!(client.at(&old.url()).get("/").await.status, 200);
        assert_eq!(client.get("/").await.text(), grown, "reading loses nothing");
        assert_eq!(client.at(&old.url()).post("/rename").await.status, 200);
        assert_eq!(client.get("/").await.text(), kept);
    }
}
