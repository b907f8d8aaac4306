//! SQL servers that are killed, hung and restarted, and a SQLite file that somebody else is writing to.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use session_runtime::backend::{Acquired, Backend, Holder, Lease, Leases, Sweep, Written};
use session_tests::{MariaDb, Postgres, serve, wait};
use sqlx::Executor;
use tokio::time::{Instant, timeout};

use crate::{
    ledger::{Books, Terms, router},
    sql::{Database, HOUR, KEY, SqliteFile, lease, on_each, record, touch},
};

/// A server in a process of its own.
trait Server: Database {
    fn stop(&mut self);
    fn resume(&mut self);
    fn kill(&mut self);
    async fn restart(&mut self);
}

macro_rules! server {
    ($server:ty) => {
        impl Server for $server {
            fn stop(&mut self) {
                Self::stop(self);
            }

            fn resume(&mut self) {
                Self::resume(self);
            }

            fn kill(&mut self) {
                Self::kill(self);
            }

            async fn restart(&mut self) {
                Self::restart(self).await;
            }
        }
    };
}
server!(Postgres);
server!(MariaDb);

on_each! {
    postgres: session_tests::Postgres, mysql: session_tests::MariaDb => [
        a_server_that_was_killed_is_an_error_in_time_and_is_used_again_when_it_is_back
        a_server_that_hangs_is_an_error_in_time_and_is_used_again_when_it_goes_on
        a_server_that_is_down_at_the_start_is_used_when_it_comes_up
        connections_that_broke_while_they_were_idle_fail_nobody
        an_outage_is_a_503_and_the_session_is_there_afterwards
    ]
}

/// The runtime's usual deadline.
const DEADLINE: Duration = Duration::from_secs(1);

/// Every operation fails, none later than the deadline that the runtime keeps.
async fn all_fail<B: Leases + Sweep>(backend: &B) {
    let lease = lease(Holder::new());
    let began = Instant::now();
    let within = DEADLINE * 2;
    let answers = tokio::join!(
        timeout(DEADLINE, backend.create(&KEY, record(1, "x"), touch())),
        timeout(DEADLINE, backend.load(&KEY, touch())),
        timeout(DEADLINE, backend.update(&KEY, 1, record(2, "x"), touch())),
        timeout(DEADLINE, backend.delete(&KEY)),
        timeout(DEADLINE, backend.acquire(&KEY, lease, touch())),
        timeout(DEADLINE, backend.extend(&KEY, lease)),
        timeout(DEADLINE, backend.save(&KEY, lease, 1, record(2, "x"), touch())),
        timeout(DEADLINE, backend.release(&KEY, lease)),
        timeout(DEADLINE, backend.sweep(touch().now, 10)),
    );
    let failed = [
        answers.0.is_err_or_late(),
        answers.1.is_err_or_late(),
        answers.2.is_err_or_late(),
        answers.3.is_err_or_late(),
        answers.4.is_err_or_late(),
        answers.5.is_err_or_late(),
        answers.6.is_err_or_late(),
        answers.7.is_err_or_late(),
        answers.8.is_err_or_late(),
    ];
    assert_eq!(failed, [true; 9]);
    assert!(began.elapsed() < within, "{:?}", began.elapsed());
}

trait IsErrOrLate {
    fn is_err_or_late(&self) -> bool;
}

impl<T, E, L> IsErrOrLate for Result<Result<T, E>, L> {
    fn is_err_or_late(&self) -> bool {
        !matches!(self, Ok(Ok(_)))
    }
}

/// A session that is loaded, borrowed and saved.
async fn works<B: Leases>(backend: &B, version: u64) {
    let lease = lease(Holder::new());
    let loaded = backend.load(&KEY, touch()).await.unwrap().expect("the session is there");
    assert_eq!(loaded.version, version);
    let acquired = backend.acquire(&KEY, lease, touch()).await.unwrap();
    assert!(matches!(acquired, Acquired::Granted(record) if record.version == version));
    let saved = backend.save(&KEY, lease, version, record(version + 1, "x"), touch()).await.unwrap();
    assert_eq!(saved, Written::Done);
}

async fn a_server_that_was_killed_is_an_error_in_time_and_is_used_again_when_it_is_back<S: Server>() {
    let mut server = S::start().await;
    let backend = server.open().await;
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    works(&backend, 1).await;
    for version in 2..4 {
        server.kill();
        all_fail(&backend).await;
        server.restart().await;
        works(&backend, version).await;
    }
}

async fn a_server_that_hangs_is_an_error_in_time_and_is_used_again_when_it_goes_on<S: Server>() {
    let mut server = S::start().await;
    let backend = server.open().await;
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    // Only reads: a write that was sent before the hang may be carried out after it.
    for _ in 0..2 {
        server.stop();
        let began = Instant::now();
        let mut calls = tokio::task::JoinSet::new();
        let backend = Arc::new(server.open_apart().await);
        for _ in 0..50 {
            let backend = Arc::clone(&backend);
            calls.spawn(async move { timeout(DEADLINE, backend.load(&KEY, touch())).await.is_err_or_late() });
        }
        assert_eq!(calls.join_all().await, [true; 50]);
        assert!(began.elapsed() < DEADLINE * 4, "{:?}", began.elapsed());
        server.resume();
        let loaded = wait::within(DEADLINE, "the first call after the hang", backend.load(&KEY, touch())).await;
        assert_eq!(loaded.unwrap().unwrap().version, 1, "more calls than connections hung, and none is used up");
    }
    works(&backend, 1).await;
    server.stop();
    let call = timeout(DEADLINE, backend.load(&KEY, touch())).await;
    assert!(call.is_err_or_late());
    server.resume();
    works(&backend, 2).await;
}

async fn a_server_that_is_down_at_the_start_is_used_when_it_comes_up<S: Server>() {
    let mut server = S::start().await;
    server.kill();
    let began = Instant::now();
    let backend = server.open().await;
    assert!(began.elapsed() < DEADLINE * 2, "{:?}", began.elapsed());
    all_fail(&backend).await;
    server.restart().await;
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap(), "the first call makes the table");
    works(&backend, 1).await;
}

async fn connections_that_broke_while_they_were_idle_fail_nobody<S: Server>() {
    let mut server = S::start().await;
    let backend = Arc::new(server.open().await);
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    let calls = |count: usize| {
        let backend = Arc::clone(&backend);
        async move {
            let mut calls = tokio::task::JoinSet::new();
            for _ in 0..count {
                let backend = Arc::clone(&backend);
                calls.spawn(async move { backend.load(&KEY, touch()).await.is_ok() });
            }
            calls.join_all().await
        }
    };
    assert_eq!(calls(20).await, [true; 20]);
    server.restart().await;
    // A write is not tried twice, so its connection is asked for a sign of life if it was idle.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(backend.update(&KEY, 1, record(2, "y"), touch()).await.unwrap(), Written::Done);
    works(&*backend, 2).await;
    server.restart().await;
    assert_eq!(calls(20).await, [true; 20], "a read is tried again");
}

async fn an_outage_is_a_503_and_the_session_is_there_afterwards<S: Server>() {
    const KEYS: &str = "kXUQ1cWZ7mHqLsTzRn3vB8yEoAdFgJiKpMxNwCbVtYU=";
    let mut server = S::start().await;
    let terms = Terms { lease: HOUR, wait: Duration::from_secs(5), deadline: DEADLINE };
    let books = Books::open(Arc::new(server.open().await), KEYS, terms).await.unwrap();
    let served = serve(router(books)).await;
    let client = served.client();
    assert_eq!(client.post("/start").await.status, StatusCode::CREATED);
    assert_eq!(client.post("/append/1").await.status, StatusCode::OK);
    for hang in [false, true] {
        if hang {
            server.stop();
        } else {
            server.kill();
        }
        // What was sent to a server that hangs may be carried out when it goes on, so only reads are.
        let writes: &[&str] = if hang { &[] } else { &["/append/2", "/update/2", "/end"] };
        for path in writes {
            let began = Instant::now();
            let reply = client.post(path).await;
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", reply.text());
            assert!(reply.headers.contains_key("retry-after"));
            assert!(began.elapsed() < DEADLINE * 4, "{:?}", began.elapsed());
        }
        assert_eq!(client.get("/entries").await.status, StatusCode::SERVICE_UNAVAILABLE);
        if hang {
            server.resume();
        } else {
            server.restart().await;
        }
        let reply = client.get("/entries").await;
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, "[1]"));
    }
    assert_eq!(client.post("/append/3").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sqlite_file_that_another_process_writes_to_is_an_error_in_time_and_readers_go_on() {
    let file = SqliteFile::start().await;
    let backend = Arc::new(file.open().await);
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    let mut writer = file.connect().await;
    writer.execute("BEGIN IMMEDIATE").await.unwrap();
    let began = Instant::now();
    let error = timeout(DEADLINE, backend.update(&KEY, 1, record(2, "y"), touch())).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("locked"), "{error}");
    assert!(began.elapsed() > DEADLINE / 2, "it waited");
    assert_eq!(backend.load(&KEY, touch()).await.unwrap().unwrap().version, 1, "readers don't wait");
    let waiting = tokio::spawn({
        let backend = Arc::clone(&backend);
        async move { backend.update(&KEY, 1, record(2, "y"), touch()).await }
    });
    tokio::time::sleep(DEADLINE / 5).await;
    writer.execute("COMMIT").await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Written::Done, "who waited goes on");
}

/// A call that is dropped wherever it is leaves the record and the pool whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_dropped_half_way_leave_everything_whole() {
    dropped(SqliteFile::start().await).await;
    dropped(Postgres::start().await).await;
    dropped(MariaDb::start().await).await;
}

async fn dropped<D: Database>(database: D) {
    let backend = database.open().await;
    assert!(backend.create(&KEY, record(1, "x"), touch()).await.unwrap());
    for micros in (0..2000).step_by(40) {
        // Short: see below.
        let lease = Lease { ttl: Duration::from_secs(5), ..lease(Holder::new()) };
        let append = async {
            if let Acquired::Granted(before) = backend.acquire(&KEY, lease, touch()).await.unwrap() {
                let after = record(before.version + 1, &(before.version + 1).to_string());
                let _ = backend.save(&KEY, lease, before.version, after, touch()).await.unwrap();
            }
        };
        let _ = timeout(Duration::from_micros(micros), append).await;
        // As the runtime does for a borrow that was dropped.
        backend.release(&KEY, lease).await.unwrap();
    }
    // A call that was dropped on its way may reach the server after the release, and take the lease until it runs out.
    wait::until(Duration::from_secs(60), "the lease is free", async || {
        let lease = lease(Holder::new());
        let is_free = matches!(backend.acquire(&KEY, lease, touch()).await.unwrap(), Acquired::Granted(_));
        backend.release(&KEY, lease).await.unwrap();
        is_free
    })
    .await;
    let last = backend.load(&KEY, touch()).await.unwrap().unwrap();
    let body = if last.version == 1 { "x".into() } else { last.version.to_string() };
    assert_eq!(&last.body[..], body.as_bytes());
    works(&backend, last.version).await;
}
