//! `sessions.all()`, `count()` and `end_where(..)`: all live sessions of a type, in a store that holds other types, too.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use session_runtime::{
    AllError, Clock as _, Error, SessionData, SessionSlot, Sessions,
    backend::{self, File, List, ListPage, Memory, PublicId, Record, RecordKey, Sqlite, Touch, Written},
    session,
    testing::ManualClock,
};
use session_tests::{Client, MariaDb, Postgres, Redis, Served, serve};

use crate::support::key;

/// More than two pages.
const PEOPLE: usize = 230;

#[derive(Debug, Serialize, Deserialize, SessionData)]
#[session(idle = "1h")]
struct Person {
    #[session(owner)]
    name: String,
    guest: bool,
}

/// What it is stored as would do for a [`Person`] as well.
#[derive(Serialize, Deserialize, SessionData)]
struct Robot {
    #[session(owner)]
    name: String,
    guest: bool,
}

#[session(optional)]
async fn login(slot: SessionSlot<Person>, Path(number): Path<usize>) -> Result<(), Error> {
    let person = Person { name: format!("p{}", number / 2), guest: number.is_multiple_of(2) };
    slot.start(person).label(format!("device {number}")).await
}

#[session(protected)]
async fn me(_person: &Person) {}

#[session(optional)]
async fn robot(slot: SessionSlot<Robot>) -> Result<(), Error> {
    slot.start(Robot { name: "r".into(), guest: true }).await
}

struct Site<B> {
    backend: Arc<B>,
    clock: ManualClock,
    people: Sessions<Person>,
    robots: Sessions<Robot>,
    server: Served,
}

async fn site<B: List>(backend: B) -> Site<B> {
    let (backend, clock) = (Arc::new(backend), ManualClock::new());
    let people = Sessions::<Person>::builder().key(&key('k')).clock(clock.clone());
    let people = people.deadline(Duration::from_secs(20)).shared_backend(Arc::clone(&backend)).open().await.unwrap();
    let robots = Sessions::<Robot>::builder().key(&key('k')).clock(clock.clone());
    let robots = robots.deadline(Duration::from_secs(20)).shared_backend(Arc::clone(&backend)).open().await.unwrap();
    let router = Router::new().route("/login/{number}", post(login)).route("/", get(me)).with_state(people.clone());
    let router = router.merge(Router::new().route("/robot", post(robot)).with_state(robots.clone()));
    Site { backend, clock, people, robots, server: serve(router).await }
}

impl<B: List> Site<B> {
    async fn log_in(&self, number: usize) -> Client {
        let client = self.server.client();
        assert_eq!(client.post(&format!("/login/{number}")).await.status, 200);
        client
    }

    /// The record of the session that was listed last, to be damaged.
    async fn record(&self, session: PublicId) -> (RecordKey, Record) {
        let mut after = None;
        loop {
            let ListPage { records, next } = self.backend.list(after.as_ref(), 1000).await.unwrap();
            if let Some(found) = records.into_iter().find(|listed| listed.key.public_id() == session) {
                return (found.key, found.record.unwrap());
            }
            after = Some(next.expect("it is stored"));
        }
    }

    async fn put(&self, key: &RecordKey, before: &Record, body: Vec<u8>) {
        let record = Record { version: before.version + 1, body: body.into(), ..before.clone() };
        let touch = Touch { now: self.clock.now(), idle: Duration::from_secs(3600), expires: record.expires };
        assert_eq!(self.backend.update(key, before.version, record, touch).await.unwrap(), Written::Done);
    }

    async fn status(&self, client: &Client) -> u16 {
        client.get("/").await.status.as_u16()
    }
}

/// What the list shows, then what can't be read.
async fn listed(people: &Sessions<Person>) -> (Vec<(PublicId, String)>, Vec<(PublicId, &'static str)>) {
    let (mut found, mut unreadable, mut all) = (Vec::new(), Vec::new(), people.all());
    while let Some(item) = all.next().await {
        match item {
            Ok(person) => found.push((person.public_id(), person.label().unwrap().to_owned())),
            Err(AllError::Unreadable { session, reason, .. }) => unreadable.push((session, reason)),
            Err(error) => panic!("{error}"),
        }
    }
    (found, unreadable)
}

async fn all_sessions_of_a_type_are_listed_counted_and_ended_and_no_others(backend: impl List) {
    let site = site(backend).await;
    assert_eq!((site.people.count().await.unwrap(), listed(&site.people).await.0.len()), (0, 0));
    assert_eq!(site.server.client().post("/robot").await.status, 200);
    let started = SystemTime::from(site.clock.now());
    let mut clients = Vec::new();
    for number in 0..PEOPLE {
        clients.push(site.log_in(number).await);
    }
    site.clock.advance(Duration::from_secs(60));

    assert_eq!((site.people.count().await.unwrap(), site.robots.count().await.unwrap()), (PEOPLE, 1));
    let (found, unreadable) = listed(&site.people).await;
    let labels: BTreeSet<&str> = found.iter().map(|(_, label)| label.as_str()).collect();
    let ids: Vec<String> = found.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!((ids.iter().collect::<BTreeSet<_>>().len(), labels.len(), unreadable.len()), (PEOPLE, PEOPLE, 0));
    let admins = site.people.all().filter_map(async |person| (!person.unwrap().guest).then_some(())).count().await;
    assert_eq!(admins, PEOPLE / 2, "it is a stream, too");
    let first = site.people.all().next().await.unwrap().unwrap();
    assert_eq!((first.created_at(), first.last_seen_at(), first.authenticated_at()), (started, started, started));
    assert!(first.expires_at() > started && first.name.starts_with('p'), "{first:?}");

    let ended = site.people.end_where(|person| person.guest).await.unwrap();
    assert_eq!((ended, site.people.count().await.unwrap()), (PEOPLE / 2, PEOPLE / 2));
    assert_eq!((site.status(&clients[0]).await, site.status(&clients[1]).await), (401, 200));
    let of_one = site.people.of("p0").list().await.unwrap();
    assert_eq!(of_one.iter().map(|listing| listing.label()).collect::<Vec<_>>(), [Some("device 1")]);
    assert_eq!(site.robots.count().await.unwrap(), 1, "another type's session is not ended, whatever is in it");
    assert_eq!(site.people.end_where(|_| true).await.unwrap(), PEOPLE / 2);
    assert_eq!((site.people.count().await.unwrap(), site.robots.count().await.unwrap()), (0, 1));
}

async fn what_cannot_be_read_is_an_item_and_is_not_ended(backend: impl List) {
    let site = site(backend).await;
    let mut sessions = Vec::new();
    for number in 0..4 {
        let before: BTreeSet<String> = listed(&site.people).await.0.iter().map(|(id, _)| id.to_string()).collect();
        site.log_in(number).await;
        let (now, _) = listed(&site.people).await;
        sessions.push(now.into_iter().find(|(id, _)| !before.contains(&id.to_string())).unwrap().0);
    }
    let tag = 50;
    for (session, damage) in sessions.iter().zip(["format", "type", "data"]) {
        let (key, record) = site.record(*session).await;
        let mut body = record.body.to_vec();
        match damage {
            "format" => body[0] = 9,
            // As a release wrote it that noted neither the type nor the write.
            "type" => {
                body[49] &= !(16 | 64);
                body.drain(tag..tag + 16);
            }
            _ => body.truncate(body.len() - 1),
        }
        site.put(&key, &record, body).await;
    }
    let (found, unreadable) = listed(&site.people).await;
    assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [sessions[3]]);
    let told: BTreeSet<(String, &str)> = unreadable.iter().map(|(id, reason)| (id.to_string(), *reason)).collect();
    let expected = sessions.iter().map(ToString::to_string).zip(["format", "type", "data"]).collect();
    assert_eq!(told, expected, "each once, and it says which and why");
    assert_eq!(site.people.end_where(|_| true).await.unwrap(), 1);
    assert_eq!(listed(&site.people).await.1.len(), 3, "they are left as they are");
}

async fn looking_at_all_sessions_is_no_use_of_them_and_what_has_expired_is_left_out(backend: impl List) {
    let site = site(backend).await;
    let client = site.log_in(0).await;
    for _ in 0..4 {
        site.clock.advance(Duration::from_secs(20 * 60));
        listed(&site.people).await;
    }
    assert_eq!((site.people.count().await.unwrap(), listed(&site.people).await.0.len()), (0, 0));
    assert_eq!(site.status(&client).await, 401);
}

/// Each scenario on each store.
macro_rules! on_each_store {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            use super::*;

            #[tokio::test]
            async fn in_memory() {
                super::$scenario(Memory::default()).await;
            }

            #[tokio::test]
            async fn on_redis() {
                let server = Redis::start().await;
                super::$scenario(backend::Redis::new(&server.url(), "a[b]*:").unwrap()).await;
            }

            #[tokio::test]
            async fn on_files() {
                let folder = tempfile::tempdir().unwrap();
                super::$scenario(File::new(folder.path()).unwrap()).await;
            }

            #[tokio::test]
            async fn on_sqlite() {
                let folder = tempfile::tempdir().unwrap();
                super::$scenario(Sqlite::new(folder.path().join("sessions.db"), "sessions").await.unwrap()).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                let server = Postgres::start().await;
                super::$scenario(backend::Postgres::new(&server.url(), "sessions").unwrap()).await;
            }

            #[tokio::test]
            async fn on_mariadb() {
                let server = MariaDb::start().await;
                super::$scenario(backend::MySql::new(&server.url(), "sessions").unwrap()).await;
            }
        }
    )+};
}

on_each_store!(
    all_sessions_of_a_type_are_listed_counted_and_ended_and_no_others,
    what_cannot_be_read_is_an_item_and_is_not_ended,
    looking_at_all_sessions_is_no_use_of_them_and_what_has_expired_is_left_out,
);

#[tokio::test]
async fn a_backend_that_cannot_list_says_so_and_one_that_is_down_ends_the_stream() {
    let silent = crate::support::Ledger::default();
    let sessions = Sessions::<Person>::builder().key(&key('k')).backend(silent).open().await.unwrap();
    let error = sessions.count().await.unwrap_err();
    assert!(error.to_string().contains("can't list") || format!("{error:?}").contains("can't list"), "{error:?}");

    let server = Redis::start().await;
    let redis = backend::Redis::new(&server.url(), "test:").unwrap();
    let sessions = Sessions::<Person>::builder().key(&key('k')).backend(redis).open().await.unwrap();
    drop(server);
    let mut all = sessions.all();
    assert!(matches!(all.next().await, Some(Err(AllError::Store(Error::Unavailable(_))))));
    assert!(all.next().await.is_none());
    assert!(sessions.end_where(|_| true).await.is_err());
}
