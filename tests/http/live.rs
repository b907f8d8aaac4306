//! Connections that outlive their request and end with their session, by a clock that the test turns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    response::{
        Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures_util::{Stream, StreamExt, stream};
use session_runtime::{
    Builder, Error, Session, Sessions, UntilEnded,
    backend::{Backend, BackendError, Capabilities, Memory, Record, RecordKey, Touch, Written},
    session,
    testing::ManualClock,
};
use session_tests::{Client, Served, Socket, serve, wait};

use crate::support::{COOKIE, Store, User, key, logged_in, on_every_backend, routes};

const MINUTE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(30 * 60);
/// Far more than it takes, and far less than until a store that tells of ends is looked at all the same.
const SOON: Duration = Duration::from_secs(15);
/// Long enough to look several times.
const A_WHILE: Duration = Duration::from_millis(1500);

/// Closes the socket when this is done, and says why; `touch` notes a use of the session.
async fn attend(mut socket: WebSocket, session: Session<User>, mut ended: UntilEnded) {
    loop {
        tokio::select! {
            ended = &mut ended => {
                let close = CloseFrame { code: 1008, reason: format!("{ended:?}").into() };
                _ = socket.send(Message::Close(Some(close))).await;
                return;
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(_))) => {
                    let answer = match session.touch().await {
                        Ok(()) => format!("touched {}", session.name),
                        Err(error) => format!("{error:?}"),
                    };
                    _ = socket.send(Message::text(answer)).await;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

#[session(protected)]
async fn live(session: Session<User>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |socket| {
        let ended = session.ended();
        attend(socket, session, ended).await;
    })
}

#[session(protected)]
async fn kept(session: Session<User>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |socket| {
        let ended = session.ended().keep_alive();
        attend(socket, session, ended).await;
    })
}

/// A stream that says hello and then nothing more.
#[session(protected)]
async fn events(session: Session<User>) -> Sse<impl Stream<Item = Result<Event, Error>>> {
    let hello = stream::once(async { Ok(Event::default().data("hello")) });
    let events = hello.chain(stream::pending()).take_until(session.ended());
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_millis(50)))
}

async fn served(builder: Builder<User>, clock: &ManualClock) -> Served {
    let sessions = builder.clock(clock.clone()).idle(IDLE).lifetime(IDLE * 4).open().await.unwrap();
    serve(
        routes::<Sessions<User>>()
            .route("/live", get(live))
            .route("/kept", get(kept))
            .route("/events", get(events))
            .with_state(sessions),
    )
    .await
}

fn cookie(client: &Client) -> String {
    format!("{COOKIE}={}", client.cookie(COOKIE).expect("there is a session"))
}

async fn open(server: &Served, path: &str, client: &Client) -> Socket {
    Socket::open(server.address(), path, &cookie(client)).await.expect("the session is alive")
}

fn closed(reason: &str) -> (u16, String) {
    (1008, reason.into())
}

async fn a_socket_closes_by_itself_when_its_session_is_ended(store: Store) {
    let clock = ManualClock::new();
    // Two instances, as two processes would be.
    let (here, there) = (served(store.builder(), &clock).await, served(store.builder(), &clock).await);
    let client = logged_in(&here, "Ada").await;
    let mut sockets = [
        open(&here, "/live", &client).await,
        open(&there, "/live", &client).await,
        open(&there, "/kept", &client).await,
    ];
    let other = logged_in(&here, "Grace").await;
    let mut hers = open(&there, "/live", &other).await;
    for socket in &mut sockets {
        socket.say("touch").await;
        assert_eq!(socket.hear().await, "touched Ada");
    }
    assert_eq!(client.post("/logout").await.status, 303);
    for socket in &mut sockets {
        assert_eq!(socket.closed(SOON).await, closed("Closed"));
    }
    assert!(hers.stays_open(A_WHILE).await, "it is somebody else's");
}

async fn a_login_in_its_place_ends_a_session_and_its_socket(store: Store) {
    let server = served(store.builder(), &ManualClock::new()).await;
    let client = logged_in(&server, "Ada").await;
    let mut socket = open(&server, "/live", &client).await;
    assert_eq!(client.post_form("/login", &[("name", "Grace")]).await.status, 303);
    assert_eq!(socket.closed(SOON).await, closed("Closed"));
}

async fn a_rotation_and_a_change_are_no_end(store: Store) {
    let server = served(store.builder(), &ManualClock::new()).await;
    let client = logged_in(&server, "Ada").await;
    let mut socket = open(&server, "/live", &client).await;
    assert_eq!(client.post("/visit").await.status, 200);
    assert_eq!(client.post("/rotate").await.status, 200);
    assert!(socket.stays_open(A_WHILE).await);
    socket.say("touch").await;
    assert_eq!(socket.hear().await, "touched Ada", "the session is in use under its new id");
    assert_eq!(client.post("/logout").await.status, 303, "with the new token");
    assert_eq!(socket.closed(SOON).await, closed("Closed"));
}

async fn a_session_that_nobody_uses_expires_and_its_socket_closes(store: Store) {
    let clock = ManualClock::new();
    let server = served(store.builder(), &clock).await;
    let client = logged_in(&server, "Ada").await;
    let mut socket = open(&server, "/live", &client).await;
    clock.advance(IDLE - MINUTE);
    assert!(socket.stays_open(A_WHILE).await, "its idle timeout is not over");
    // Another request is a use.
    assert_eq!(client.get("/me").await.status, 200);
    clock.advance(IDLE - MINUTE);
    assert!(socket.stays_open(A_WHILE).await, "it was used meanwhile");
    // Stores may let a session live for a minute more than its idle timeout.
    clock.advance(MINUTE * 2);
    assert_eq!(socket.closed(SOON).await, closed("Expired"));
    assert_eq!(client.get("/me").await.status, 401);
}

async fn a_message_can_be_a_use_and_the_lifetime_ends_all_the_same(store: Store) {
    let clock = ManualClock::new();
    let server = served(store.builder(), &clock).await;
    let client = logged_in(&server, "Ada").await;
    let mut socket = open(&server, "/live", &client).await;
    for _ in 0..7 {
        clock.advance(IDLE / 2);
        socket.say("touch").await;
        assert_eq!(socket.hear().await, "touched Ada");
    }
    clock.advance(IDLE / 2);
    assert_eq!(socket.closed(SOON).await, closed("Expired"));
    assert_eq!(client.get("/me").await.status, 401);
}

async fn a_session_that_has_ended_cannot_be_touched_nor_brought_back(store: Store) {
    let server = served(store.builder(), &ManualClock::new()).await;
    let client = logged_in(&server, "Ada").await;
    let mut socket = open(&server, "/live", &client).await;
    let token = cookie(&client);
    assert_eq!(client.post("/logout").await.status, 303);
    assert_eq!(socket.closed(SOON).await, closed("Closed"));
    assert_eq!(Socket::open(server.address(), "/live", &token).await.unwrap_err(), 401);
    assert_eq!(store.records().await, 0);
}

async fn a_stream_ends_with_its_session(store: Store) {
    let server = served(store.builder(), &ManualClock::new()).await;
    let client = logged_in(&server, "Ada").await;
    let reading = tokio::spawn({
        let client = client.clone();
        async move { client.get("/events").await }
    });
    tokio::time::sleep(A_WHILE).await;
    assert!(!reading.is_finished(), "the session is alive");
    assert_eq!(client.post("/logout").await.status, 303);
    let answer = wait::within(SOON, "the stream ends", reading).await.unwrap();
    assert!(answer.text().starts_with("data: hello"), "{}", answer.text());
}

on_every_backend! {
    a_socket_closes_by_itself_when_its_session_is_ended,
    a_login_in_its_place_ends_a_session_and_its_socket,
    a_rotation_and_a_change_are_no_end,
    a_session_that_nobody_uses_expires_and_its_socket_closes,
    a_message_can_be_a_use_and_the_lifetime_ends_all_the_same,
    a_session_that_has_ended_cannot_be_touched_nor_brought_back,
    a_stream_ends_with_its_session,
}

/// A memory that tells nothing by itself, counts what it is asked, and can be down.
#[derive(Default)]
struct Silent {
    memory: Arc<Memory>,
    peeks: AtomicU64,
    loads: AtomicU64,
    down: AtomicBool,
}

impl Silent {
    fn ask(&self) -> Result<&Memory, BackendError> {
        if self.down.load(Ordering::Relaxed) { Err(BackendError::new("it is down")) } else { Ok(&self.memory) }
    }

    async fn peeked(&self, times: u64) {
        let goal = self.peeks.load(Ordering::Relaxed) + times;
        let peeks = async || self.peeks.load(Ordering::Relaxed);
        wait::progress(wait::ANSWER, "the store is looked at", goal, peeks).await;
    }
}

impl Backend for Silent {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        self.ask()?.create(key, record, touch).await
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        let found = self.ask()?.load(key, touch).await;
        self.loads.fetch_add(1, Ordering::Relaxed);
        found
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        self.peeks.fetch_add(1, Ordering::Relaxed);
        self.ask()?.peek(key).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        self.ask()?.update(key, expected, record, touch).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        self.ask()?.delete(key).await
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none().leases(&self.memory)
    }
}

async fn on_silent(clock: &ManualClock) -> (Served, Arc<Silent>) {
    let store = Arc::new(Silent::default());
    let builder = Sessions::<User>::builder().shared_backend(Arc::clone(&store)).key(&key('k'));
    (served(builder, clock).await, store)
}

#[tokio::test]
async fn a_store_that_tells_nothing_is_looked_at_until_the_socket_closes_and_no_longer() {
    let (server, store) = on_silent(&ManualClock::new()).await;
    let client = logged_in(&server, "Ada").await;
    let mut socket = open(&server, "/live", &client).await;
    store.peeked(3).await;
    assert_eq!(client.post("/logout").await.status, 303);
    assert_eq!(socket.closed(SOON).await, closed("Closed"));

    let client = logged_in(&server, "Grace").await;
    let socket = open(&server, "/live", &client).await;
    store.peeked(2).await;
    drop(socket);
    // The server sees that the client has gone, and then nothing looks any more.
    wait::until(wait::ANSWER, "nobody looks any more", async || {
        let before = store.peeks.load(Ordering::Relaxed);
        tokio::time::sleep(A_WHILE).await;
        store.peeks.load(Ordering::Relaxed) == before
    })
    .await;
}

#[tokio::test]
async fn a_socket_that_keeps_its_session_alive_outlives_the_idle_timeout_and_not_the_lifetime() {
    let clock = ManualClock::new();
    let (server, store) = on_silent(&clock).await;
    let client = logged_in(&server, "Ada").await;
    let mut socket = open(&server, "/kept", &client).await;
    for _ in 0..7 {
        let goal = store.loads.load(Ordering::Relaxed) + 1;
        clock.advance(IDLE / 2);
        let loads = async || store.loads.load(Ordering::Relaxed);
        wait::progress(wait::ANSWER, "the session is kept in use", goal, loads).await;
    }
    socket.say("touch").await;
    assert_eq!(socket.hear().await, "touched Ada");
    clock.advance(IDLE / 2);
    assert_eq!(socket.closed(SOON).await, closed("Expired"));
}

#[tokio::test]
async fn a_session_is_used_by_no_socket_that_was_not_told_to_keep_it() {
    let clock = ManualClock::new();
    let (server, store) = on_silent(&clock).await;
    let client = logged_in(&server, "Ada").await;
    let mut socket = open(&server, "/live", &client).await;
    let loads = store.loads.load(Ordering::Relaxed);
    for _ in 0..3 {
        clock.advance(IDLE / 4);
        store.peeked(2).await;
    }
    assert_eq!(store.loads.load(Ordering::Relaxed), loads, "looking is no use");
    clock.advance(IDLE / 4);
    assert_eq!(socket.closed(SOON).await, closed("Expired"));
}

#[tokio::test]
async fn a_store_that_is_down_has_ended_nothing_and_an_end_is_seen_when_it_is_up_again() {
    let (server, store) = on_silent(&ManualClock::new()).await;
    let client = logged_in(&server, "Ada").await;
    let mut socket = open(&server, "/kept", &client).await;
    store.down.store(true, Ordering::Relaxed);
    store.peeked(3).await;
    socket.say("touch").await;
    assert!(socket.hear().await.starts_with("Unavailable"), "the store is down, and the socket is open");
    assert_eq!(client.post("/logout").await.status, 503);
    store.down.store(false, Ordering::Relaxed);
    socket.say("touch").await;
    assert_eq!(socket.hear().await, "touched Ada", "the session lives on");
    assert_eq!(client.post("/logout").await.status, 303);
    assert_eq!(socket.closed(SOON).await, closed("Closed"));
}

/// What waits for a session's end borrows nothing, so it may move wherever it is to be awaited.
#[tokio::test]
async fn a_session_and_the_wait_for_its_end_are_free_to_move() {
    fn free<T: Send + Unpin + 'static>() {}
    fn sent<T: Send + Sync + 'static>() {}
    free::<UntilEnded>();
    sent::<Session<User>>();
}
