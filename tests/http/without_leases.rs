//! Backends without leases: what they can do, and where they are refused.

use std::sync::Arc;

use axum::{
    Json, Router,
    http::Method,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    Error, OpenError, Session, SessionData, SessionSlot, Sessions,
    backend::{
        Acquired, Backend, BackendError, Capabilities, Lease, Leases, Memory, OpenBackend, Record, RecordKey, Scope,
        Touch, Written,
    },
    session,
};
use session_tests::serve;

use crate::support::{User, key, send_with};

/// The least that a backend can be: no leases.
#[derive(Default)]
struct Least(Memory);

impl Backend for Least {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        Backend::create(&self.0, key, record, touch).await
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        Backend::load(&self.0, key, touch).await
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        Backend::peek(&self.0, key).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        Backend::update(&self.0, key, expected, record, touch).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        Backend::delete(&self.0, key).await
    }
}

impl OpenBackend for Least {
    type Config = ();

    async fn open(_config: (), _scope: &Scope) -> Result<Self, OpenError> {
        Ok(Self::default())
    }
}

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(backend = Least, key = env("HTTP_TESTS_UNSET"))]
struct Plain {
    visits: u32,
}

#[session(optional)]
async fn begin(slot: SessionSlot<Plain>) -> Result<(), Error> {
    slot.start(Plain { visits: 0 }).await
}

#[session(protected)]
async fn read(plain: &Plain) -> Json<u32> {
    Json(plain.visits)
}

#[session(protected)]
async fn visit(mut session: Session<Plain>) -> Result<(), Error> {
    session.update(|plain| plain.visits += 1).await
}

#[session(protected)]
async fn rotate(mut session: Session<Plain>) -> Result<(), Error> {
    session.rotate_id().await
}

#[session(protected)]
async fn end(session: Session<Plain>) -> Result<(), Error> {
    session.end().await
}

#[tokio::test]
async fn a_backend_without_leases_reads_updates_rotates_and_ends() {
    let sessions = Sessions::<Plain>::builder().key(&key('k')).open().await.unwrap();
    let router = Router::new()
        .route("/", get(read).post(begin))
        .route("/visit", post(visit))
        .route("/rotate", post(rotate))
        .route("/end", post(end));
    let server = serve(router.with_state(sessions)).await;
    let client = server.client();
    assert_eq!(client.post("/").await.status, 200);
    let requests: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.post("/visit").await.status })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(client.get("/").await.json::<u32>(), 8, "no update is lost");
    let token = || client.cookie("__Host-plain").expect("it has a session");
    let status = async |token: &str| {
        send_with(&server, Method::GET, "/", &format!("__Host-plain={token}")).await.status.as_u16()
    };
    let old = token();
    assert_eq!(client.post("/rotate").await.status, 200);
    let kept = token();
    assert_eq!((status(&old).await, status(&kept).await), (401, 200));
    assert_eq!(client.post("/end").await.status, 200);
    assert_eq!(status(&kept).await, 401);
}

#[tokio::test]
async fn a_builder_refuses_one_for_a_type_that_handlers_may_borrow_exclusively() {
    let error = Sessions::<User>::builder().backend(Least::default()).key(&key('k')).open().await.unwrap_err();
    let text = error.to_string();
    for word in ["`backend`", "has no leases", "`&mut`", "`Leases`"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let error = Sessions::<User>::builder().backend(Least::default()).key("hunter2").open().await.unwrap_err();
    assert!(error.to_string().contains("`key`") && error.to_string().contains("no leases"), "all at once: {error}");
}

#[tokio::test]
async fn a_type_whose_own_backend_has_no_leases_takes_another_without() {
    let builder = Sessions::<Plain>::builder().shared_backend(Arc::new(Least::default()));
    assert!(builder.key(&key('k')).open().await.is_ok());
    assert!(Sessions::<Plain>::builder().backend(Memory::default()).key(&key('k')).open().await.is_ok());
}

/// Has leases, and doesn't say so.
#[derive(Default)]
struct Silent(Least);

impl Backend for Silent {
    async fn create(&self, key: &RecordKey, record: Record, touch: Touch) -> Result<bool, BackendError> {
        self.0.create(key, record, touch).await
    }

    async fn load(&self, key: &RecordKey, touch: Touch) -> Result<Option<Record>, BackendError> {
        self.0.load(key, touch).await
    }

    async fn peek(&self, key: &RecordKey) -> Result<Option<Record>, BackendError> {
        self.0.peek(key).await
    }

    async fn update(
        &self,
        key: &RecordKey,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        self.0.update(key, expected, record, touch).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, BackendError> {
        self.0.delete(key).await
    }

    fn capabilities(self: &Arc<Self>) -> Capabilities {
        Capabilities::none()
    }
}

impl Leases for Silent {
    async fn acquire(&self, key: &RecordKey, lease: Lease, touch: Touch) -> Result<Acquired, BackendError> {
        self.0.0.acquire(key, lease, touch).await
    }

    async fn extend(&self, key: &RecordKey, lease: Lease) -> Result<bool, BackendError> {
        self.0.0.extend(key, lease).await
    }

    async fn save(
        &self,
        key: &RecordKey,
        lease: Lease,
        expected: u64,
        record: Record,
        touch: Touch,
    ) -> Result<Written, BackendError> {
        self.0.0.save(key, lease, expected, record, touch).await
    }

    async fn release(&self, key: &RecordKey, lease: Lease) -> Result<(), BackendError> {
        self.0.0.release(key, lease).await
    }
}

impl OpenBackend for Silent {
    type Config = ();

    async fn open(_config: (), _scope: &Scope) -> Result<Self, OpenError> {
        Ok(Self::default())
    }
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = Silent, key = env("HTTP_TESTS_UNSET"))]
struct Quiet;

#[tokio::test]
async fn a_backend_that_keeps_its_leases_to_itself_is_refused_with_what_to_write() {
    let error = Sessions::<Quiet>::builder().key(&key('k')).open().await.unwrap_err().to_string();
    assert!(error.contains("Capabilities::none().leases(self)"), "{error}");
}
