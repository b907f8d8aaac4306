//! An application whose sessions travel in their cookies, in two instances, and clients with cookie jars.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::Path,
    http::{Method, header::COOKIE},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    Error, Session, SessionData, SessionSlot, Sessions,
    backend::{Backend, Cookie},
    session,
    testing::ManualClock,
};
use session_tests::{Client, Reply, Served, serve};

pub(crate) const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=";
pub(crate) const NAME: &str = "__Host-note";
pub(crate) const IDLE: Duration = Duration::from_secs(600);
pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("BACKENDS_TESTS_UNSET"))]
pub(crate) struct Note {
    pub(crate) version: u64,
    pub(crate) text: String,
}

/// A session as it is read; times in milliseconds since 1970.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Seen {
    pub(crate) note: Note,
    pub(crate) created: u128,
    pub(crate) expires: u128,
}

#[session(optional)]
pub(crate) async fn start(slot: SessionSlot<Note>, text: String) -> Result<(), Error> {
    slot.start(Note { version: 1, text }).await
}

#[session(protected)]
pub(crate) async fn read(session: Session<Note>) -> Json<Seen> {
    let millis = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let (created, expires) = (millis(session.created_at()), millis(session.expires_at()));
    Json(Seen { note: session.clone(), created, expires })
}

#[session(protected)]
pub(crate) async fn change(mut session: Session<Note>, text: String) -> Result<(), Error> {
    session.update(|note| (note.version, note.text) = (note.version + 1, text.clone())).await
}

/// Its text tells the version, so that half of a record shows.
#[session(protected)]
pub(crate) async fn told(mut session: Session<Note>, Path(version): Path<u64>) -> Result<(), Error> {
    session.update(|note| *note = told_note(version)).await
}

pub(crate) fn told_note(version: u64) -> Note {
    Note { version, text: version.to_string().repeat(1 + 20 * (version % 3) as usize) }
}

#[session(protected)]
pub(crate) async fn rotate(mut session: Session<Note>) -> Result<(), Error> {
    session.rotate_id().await
}

#[session(protected)]
pub(crate) async fn end(session: Session<Note>) -> Result<(), Error> {
    session.end().await
}

/// Two instances of the application, as two processes have them, at a time of the test's choice.
pub(crate) struct Fleet {
    pub(crate) clock: ManualClock,
    pub(crate) servers: Vec<Served>,
}

impl Fleet {
    pub(crate) async fn new() -> Self {
        let clock = ManualClock::new();
        let mut servers = Vec::new();
        for _ in 0..2 {
            let builder = Sessions::<Note>::builder().key(KEY).clock(clock.clone()).idle(IDLE).lifetime(LIFETIME);
            let router = Router::new()
                .route("/start", post(start))
                .route("/read", get(read))
                .route("/change", post(change))
                .route("/told/{version}", post(told))
                .route("/rotate", post(rotate))
                .route("/end", post(end));
            servers.push(serve(router.with_state(builder.open().await.unwrap())).await);
        }
        Self { clock, servers }
    }

    /// A client with an empty jar.
    pub(crate) fn client(&self) -> Browser {
        Browser { sides: self.servers.iter().map(Served::url).collect(), client: self.servers[0].client() }
    }

    pub(crate) async fn started(&self, text: &str) -> Browser {
        let browser = self.client();
        assert_eq!(browser.post(0, "/start", text).await.status, 200);
        browser
    }
}

/// A client and its jar, before both instances.
#[derive(Clone)]
pub(crate) struct Browser {
    sides: Vec<String>,
    pub(crate) client: Client,
}

impl Browser {
    /// The same client in front of an instance.
    pub(crate) fn at(&self, side: usize) -> Client {
        self.client.at(&self.sides[side % self.sides.len()])
    }

    pub(crate) async fn post(&self, side: usize, path: &str, text: &str) -> Reply {
        self.at(side).send(Method::POST, path, |request| request.body(text.to_owned())).await
    }

    pub(crate) async fn reply(&self, side: usize) -> Reply {
        self.at(side).get("/read").await
    }

    pub(crate) async fn seen(&self, side: usize) -> Option<Seen> {
        seen(&self.reply(side).await)
    }

    pub(crate) async fn note(&self, side: usize) -> Option<Note> {
        self.seen(side).await.map(|seen| seen.note)
    }

    pub(crate) fn cookie(&self) -> Option<String> {
        self.client.cookie(NAME)
    }

    /// What an instance says to a cookie that somebody kept.
    pub(crate) async fn kept(&self, side: usize, cookie: &str) -> Option<Note> {
        let cookie = format!("{NAME}={cookie}");
        let reply = self.at(side).send(Method::GET, "/read", |request| request.header(COOKIE, cookie)).await;
        seen(&reply).map(|seen| seen.note)
    }

    /// A request that is dropped, sooner or later; whether it was answered.
    pub(crate) async fn dropped(&self, round: u64, path: &str, text: &str) -> bool {
        let patience = Duration::from_micros(150 * round);
        tokio::time::timeout(patience, self.post(round as usize, path, text)).await.is_ok()
    }
}

/// What is read, or `None` for an answer that says that there is no session.
pub(crate) fn seen(reply: &Reply) -> Option<Seen> {
    match reply.status.as_u16() {
        200 => Some(reply.json()),
        401 => None,
        status => panic!("{status}: {}", reply.text()),
    }
}

pub(crate) fn note(version: u64, text: &str) -> Note {
    Note { version, text: text.into() }
}

pub(crate) fn slack() -> Duration {
    Cookie.idle_slack(IDLE)
}
