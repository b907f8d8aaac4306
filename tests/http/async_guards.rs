//! Guards, `missing` and `verify` that ask a database.

use std::time::Duration;

use axum::{
    Extension, Router,
    extract::{FromRef, State},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use session_runtime::{Missing, Session, Sessions, session};
use session_tests::{Served, serve};
use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};

use crate::support::{
    Events, Gate, Store, User, assert_problem, logged_in, on_every_backend, routes, varies_by_cookie,
};

/// Who may do what, and who is still with us.
#[derive(Clone)]
struct Database(SqlitePool);

impl Database {
    async fn new() -> Self {
        // In memory each connection would have a database of its own.
        let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = pool.connect("sqlite::memory:").await.unwrap();
        for statement in [
            "CREATE TABLE permissions (name TEXT NOT NULL, path TEXT NOT NULL)",
            "CREATE TABLE locked (name TEXT NOT NULL)",
            "INSERT INTO permissions VALUES ('root', '/report'), ('root', '/change'), ('root', '/handle'), \
             ('root', '/only'), ('root', '/slow'), ('root', '/in-an-impl'), ('ann', '/report')",
        ] {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        Self(pool)
    }

    async fn has(&self, query: &'static str, of: [&str; 2]) -> Result<bool, sqlx::Error> {
        let mut query = sqlx::query_scalar::<_, i64>(query).bind(of[0]);
        if !of[1].is_empty() {
            query = query.bind(of[1]);
        }
        Ok(query.fetch_one(&self.0).await? > 0)
    }

    async fn run(&self, statement: &'static str) {
        sqlx::query(statement).execute(&self.0).await.unwrap();
    }
}

struct Broken;

impl IntoResponse for Broken {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer").into_response()
    }
}

#[derive(Clone, FromRef)]
struct App {
    users: Sessions<User>,
    database: Database,
}

const MAY: &str = "SELECT count(*) FROM permissions WHERE name = $1 AND path = $2";
const LOCKED: &str = "SELECT count(*) FROM locked WHERE name = $1";

/// Who may see a page.
async fn may_enter(user: &User, parts: &Parts, database: &Database) -> Result<(), Response> {
    if let Some(gate) = parts.extensions.get::<Gate>() {
        gate.pass().await;
    }
    match database.has(MAY, [&user.name, parts.uri.path()]).await {
        Ok(true) => Ok(()),
        Ok(false) => Err((StatusCode::FORBIDDEN, "no permission").into_response()),
        Err(_) => Err(Broken.into_response()),
    }
}

/// The same of the whole state, with the plain 403.
async fn may(user: &User, parts: &Parts, app: &App) -> bool {
    app.database.has(MAY, [&user.name, parts.uri.path()]).await.unwrap_or(false)
}

/// Without a state.
async fn is_root(user: &User, parts: &Parts) -> bool {
    tokio::task::yield_now().await;
    user.name == "root" && parts.method == Method::GET
}

/// The page for anonymous visitors, as the database has it.
async fn sorry(State(database): State<Database>) -> (StatusCode, String) {
    let known = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM permissions").fetch_one(&database.0).await.unwrap();
    (StatusCode::UNAUTHORIZED, format!("{known} permissions, and none of yours"))
}

async fn is_active(user: &User, _: &Parts, database: &Database) -> Result<bool, Broken> {
    database.has(LOCKED, [&user.name, ""]).await.map(|locked| !locked).map_err(|_| Broken)
}

async fn verify(user: &User, parts: &Parts, database: &Database) -> Result<(), Response> {
    match is_active(user, parts, database).await {
        Ok(true) => Ok(()),
        Ok(false) => Err((StatusCode::GONE, "locked").into_response()),
        Err(broken) => Err(broken.into_response()),
    }
}

async fn counts_as_none(user: &User, _: &Parts, database: &Database) -> bool {
    !database.has(LOCKED, [&user.name, ""]).await.unwrap_or(true)
}

#[session(protected, guard = async may_enter, missing = sorry, state = Database)]
async fn report(user: &User) -> String {
    user.name.clone()
}

#[session(protected, guard = async may, state = App)]
async fn change(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

#[session(protected, guard = async may_enter, state = Database)]
async fn handle(session: Session<User>) -> String {
    session.name.clone()
}

#[session(protected(User), guard = async may_enter, state = Database)]
async fn only() -> &'static str {
    "the back room"
}

#[session(protected, guard = async is_root)]
async fn without_state(user: &User) -> String {
    user.name.clone()
}

#[session(protected, guard = async may_enter, state = Database)]
async fn slow(user: &mut User) -> String {
    user.visits += 1;
    user.visits.to_string()
}

#[session(protected, missing = sorry, state = Database)]
async fn welcome(user: &mut User) -> String {
    user.name.clone()
}

struct Pages;

impl Pages {
    #[session(protected, guard = async may_enter, state = Database)]
    async fn page(user: &User) -> String {
        user.name.clone()
    }
}

async fn server(store: &Store, gate: Option<&Gate>, lease: Duration) -> (Served, Database) {
    let database = Database::new().await;
    let users = store.builder().lease(lease).open().await.unwrap();
    let mut slow = Router::new().route("/slow", post(slow).head(slow));
    if let Some(gate) = gate {
        slow = slow.layer(Extension(gate.clone()));
    }
    let router = routes()
        .merge(slow)
        .route("/report", get(report))
        .route("/change", post(change))
        .route("/handle", get(handle))
        .route("/only", get(only))
        .route("/without-state", get(without_state).post(without_state))
        .route("/welcome", get(welcome))
        .route("/in-an-impl", get(Pages::page));
    (serve(router.with_state(App { users, database: database.clone() })).await, database)
}

const LEASE: Duration = Duration::from_secs(10);

async fn a_guard_asks_a_database_about_the_person_and_the_request(store: Store) {
    let (server, database) = server(&store, None, LEASE).await;
    let (root, ann) = (logged_in(&server, "root").await, logged_in(&server, "ann").await);
    assert_eq!(ann.get("/report").await.text(), "ann");
    assert_eq!(root.get("/handle").await.text(), "root");
    assert_eq!(root.get("/only").await.text(), "the back room");
    assert_eq!(root.get("/in-an-impl").await.text(), "root");
    assert_eq!(root.post("/change").await.text(), "1");
    for path in ["/handle", "/only", "/in-an-impl"] {
        let reply = ann.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (403, "no permission"), "{path}");
        assert!(varies_by_cookie(&reply));
    }
    assert_problem(&ann.post("/change").await, 403, "forbidden");
    database.run("INSERT INTO permissions VALUES ('ann', '/change')").await;
    assert_eq!(ann.post("/change").await.text(), "1", "the database is asked each time, and nobody holds the session");
    database.run("DROP TABLE permissions").await;
    assert_eq!(ann.get("/report").await.status, 503);
    assert_problem(&ann.post("/change").await, 403, "forbidden");
    assert_eq!(ann.get("/me").await.json::<User>().visits, 1);
}

on_every_backend!(a_guard_asks_a_database_about_the_person_and_the_request);

#[tokio::test]
async fn an_async_guard_needs_no_state() {
    let (server, _) = server(&Store::memory(), None, LEASE).await;
    let (root, ann) = (logged_in(&server, "root").await, logged_in(&server, "ann").await);
    assert_eq!(root.get("/without-state").await.text(), "root");
    assert_problem(&root.post("/without-state").await, 403, "forbidden");
    assert_problem(&ann.get("/without-state").await, 403, "forbidden");
}

#[tokio::test]
async fn the_answer_to_an_anonymous_request_may_come_from_a_database() {
    let (server, database) = server(&Store::memory(), None, LEASE).await;
    for path in ["/report", "/welcome"] {
        let reply = server.client().get(path).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (401, "7 permissions, and none of yours"), "{path}");
        assert!(varies_by_cookie(&reply));
    }
    database.run("DELETE FROM permissions WHERE name = 'ann'").await;
    let ann = logged_in(&server, "ann").await;
    let ended = format!("{}={}", crate::support::COOKIE, ann.cookie(crate::support::COOKIE).unwrap());
    assert!(ann.post("/logout").await.status.is_redirection());
    for path in ["/report", "/welcome"] {
        let reply = crate::support::send_with(&server, Method::GET, path, &ended).await;
        assert_eq!(reply.text(), "6 permissions, and none of yours", "{path} of a session that has ended");
    }
}

/// Much longer than a lease.
const LONG: u32 = 4;
const SHORT_LEASE: Duration = Duration::from_millis(500);

async fn a_lease_is_kept_while_a_slow_guard_is_asked(store: Store) {
    let (events, gate) = (Events::listen(), Gate::new());
    let (server, _) = server(&store, Some(&gate), SHORT_LEASE).await;
    let root = logged_in(&server, "root").await;
    let send = |path: &'static str| {
        let root = root.clone();
        tokio::spawn(async move { root.post(path).await })
    };
    let slow = send("/slow");
    gate.arrival().await;
    let other = send("/visit");
    tokio::time::sleep(LONG * SHORT_LEASE).await;
    assert!(!other.is_finished(), "the session is held while its guard is asked");
    gate.open();
    let slow = slow.await.unwrap();
    assert_eq!((slow.status.as_u16(), slow.text()), (200, "1"));
    let other = other.await.unwrap();
    assert_eq!((other.status.as_u16(), other.text()), (200, "2"));
    assert!(events.named("session.lease_lost").is_empty());
}

async fn a_guard_that_refuses_or_is_left_alone_holds_the_session_no_longer(store: Store) {
    let gate = Gate::new();
    let (server, _) = server(&store, Some(&gate), LEASE).await;
    let ann = logged_in(&server, "ann").await;
    gate.open();
    let reply = ann.post("/slow").await;
    assert_eq!((reply.status.as_u16(), reply.text()), (403, "no permission"));
    gate.arrival().await;
    assert_eq!(ann.post("/visit").await.text(), "1", "nobody waits for the one who was refused");
    let left = tokio::spawn({
        let ann = ann.clone();
        async move { ann.post("/slow").await }
    });
    gate.arrival().await;
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    assert_eq!(ann.post("/visit").await.text(), "2", "nobody waits for the one who has left");
}

on_every_backend!(
    a_lease_is_kept_while_a_slow_guard_is_asked,
    a_guard_that_refuses_or_is_left_alone_holds_the_session_no_longer,
);

#[tokio::test]
async fn a_request_that_only_looks_is_guarded_as_any_other() {
    let (server, database) = server(&Store::memory(), None, LEASE).await;
    let ann = logged_in(&server, "ann").await;
    let head = |status: u16| {
        let ann = ann.clone();
        async move { assert_eq!(ann.send(Method::HEAD, "/slow", |request| request).await.status, status) }
    };
    head(403).await;
    database.run("INSERT INTO permissions VALUES ('ann', '/slow')").await;
    head(200).await;
}

#[tokio::test]
async fn verify_asks_a_database_on_every_load() {
    let database = Database::new().await;
    let router = async |builder: session_runtime::Builder<User>| {
        let users = builder.missing(Missing::handler_with_state(sorry, database.clone())).open().await.unwrap();
        let behind = Router::new().route("/behind", get(async || "behind")).route_layer(users.protect());
        serve(routes().merge(behind).with_state(users)).await
    };
    let answering = router(Store::memory().builder().verify_with(database.clone(), verify)).await;
    let silent = router(Store::memory().builder().verify_with(database.clone(), counts_as_none)).await;
    let (ann, bob) = (logged_in(&answering, "ann").await, logged_in(&silent, "ann").await);
    for client in [&ann, &bob] {
        assert_eq!(client.get("/me").await.status, 200);
        assert_eq!(client.post("/visit").await.text(), "1");
        assert_eq!(client.get("/behind").await.text(), "behind");
    }
    database.run("INSERT INTO locked VALUES ('ann')").await;
    for (client, status, text) in [(&ann, 410, "locked"), (&bob, 401, "7 permissions, and none of yours")] {
        for reply in [client.get("/me").await, client.post("/visit").await, client.get("/behind").await] {
            assert_eq!((reply.status.as_u16(), reply.text()), (status, text));
        }
    }
    assert_eq!(bob.get("/").await.text(), "anonymous");
    database.run("DELETE FROM locked").await;
    assert_eq!(ann.post("/visit").await.text(), "2");
    assert_eq!(bob.post("/visit").await.text(), "2");
}
