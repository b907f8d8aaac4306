//! What Redis is asked: the commands of each kind of request, and what is stored.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ::redis::{AsyncTypedCommands, aio::MultiplexedConnection, cmd};
use axum::http::{Method, StatusCode};
use session_runtime::{
    Clock, SystemClock,
    backend::{Acquired, Backend, Holder, Lease, Leases, Record, RecordKey, Redis, Touch},
    testing::conformance,
};
use session_tests::{Client, Redis as Server, Served, redis_server::Commands, serve, wait};

use crate::{
    ledger::{Books, Terms, router},
    proxy::Proxy,
    store::{Store, pair},
};

const KEY: &str = "kXUQ1cWZ7mHqLsTzRn3vB8yEoAdFgJiKpMxNwCbVtYU=";
const TERMS: Terms =
    Terms { lease: Duration::from_secs(600), wait: Duration::from_secs(60), deadline: Duration::from_secs(10) };

// It forgets by its own clock.
conformance! { redis_conforms: Backend + Leases + KeepLease + CompareAndSet + Watch + List => pair(store().await).real_time() }

/// Two connections to one server.
pub(crate) async fn store() -> (Store<Redis>, Server) {
    let server = Server::start().await;
    let [one, other] = [(), ()].map(|()| Arc::new(Redis::new(&server.url(), "app:").unwrap()));
    (Store { one, other }, server)
}

/// The ledger in this process, on Redis, with a session started and every script taught.
struct Ledger {
    redis: Server,
    proxy: Proxy,
    client: Client,
    _served: Served,
}

impl Ledger {
    async fn start() -> Self {
        let redis = Server::start().await;
        let proxy = Proxy::to(redis.port()).await;
        let backend = Arc::new(Redis::new(&proxy.url(), "app:").unwrap());
        let served = serve(router(Books::open(backend, KEY, TERMS).await.unwrap())).await;
        let client = served.client();
        for path in ["/start", "/append/0", "/look", "/update/0", "/rotate", "/fail/0", "/end", "/start"] {
            assert!(!client.post(path).await.status.is_client_error(), "{path}");
        }
        Self { redis, proxy, client, _served: served }
    }

    /// What one request costs: the commands that were sent, those that ran, and the round trips.
    async fn cost(&self, method: Method, path: &str) -> (Vec<String>, Commands, usize) {
        let before = self.redis.commands().await;
        let recording = self.redis.record().await;
        let trips = self.proxy.trips();
        let reply = self.client.send(method, path, |request| request).await;
        assert!(!reply.status.is_client_error(), "{path}: {}", reply.text());
        let trips = self.proxy.trips() - trips;
        let sent = recording.finish().await;
        // A script is sent by its hash or as a whole.
        let name = |line: &String| match line.split('"').nth(1).unwrap() {
            "EVALSHA" | "EVAL" => "script".to_owned(),
            name => name.to_owned(),
        };
        let names = sent.iter().map(name);
        let own = ["HELLO", "CLIENT", "INFO"];
        (
            names.filter(|name| !own.contains(&name.as_str())).collect(),
            self.redis.commands().await.since(&before),
            trips,
        )
    }
}

/// The name of the only thing stored.
async fn only_key(connection: &mut MultiplexedConnection) -> String {
    let keys = connection.keys("*").await.unwrap();
    let [key] = &keys[..] else { panic!("one record: {keys:?}") };
    key.clone()
}

#[tokio::test]
async fn a_shared_borrow_is_one_command_which_also_slides_the_idle_timeout() {
    let ledger = Ledger::start().await;
    let mut connection = ledger.redis.connect().await;
    let record = only_key(&mut connection).await;
    for path in ["/entries", "/greeting"] {
        assert!(connection.pexpire(&record, 5000).await.unwrap());
        let (sent, ran, trips) = ledger.cost(Method::GET, path).await;
        assert_eq!((sent, trips), (vec!["GETEX".to_owned()], 1), "{path}");
        assert_eq!((ran.of("getex"), ran.of("set"), ran.of("evalsha")), (1, 0, 0), "{ran:?}");
        let left: i64 = cmd("PTTL").arg(&record).query_async(&mut connection).await.unwrap();
        assert!(left > 29 * 60 * 1000, "{left} ms are left of the idle timeout");
    }
}

/// `SET … NX PX` and `GETEX` in one round trip lock and load; one script saves and unlocks.
#[tokio::test]
async fn an_exclusive_borrow_is_two_round_trips() {
    let ledger = Ledger::start().await;
    let (sent, ran, trips) = ledger.cost(Method::POST, "/append/1").await;
    assert_eq!((sent, trips), (["SET", "GETEX", "script"].map(str::to_owned).to_vec(), 2));
    assert_eq!(ran.of("set"), 2, "the lease and the record: {ran:?}");
    assert_eq!((ran.of("getex"), ran.of("publish")), (1, 0), "nobody waited, so nobody is told: {ran:?}");
}

#[tokio::test]
async fn an_exclusive_borrow_that_changes_nothing_writes_no_record() {
    let ledger = Ledger::start().await;
    let mut connection = ledger.redis.connect().await;
    let record = only_key(&mut connection).await;
    let before: Vec<u8> = cmd("GET").arg(&record).query_async(&mut connection).await.unwrap();
    for path in ["/look", "/fail/1"] {
        let (sent, ran, trips) = ledger.cost(Method::POST, path).await;
        assert_eq!((sent, trips), (["SET", "GETEX", "script"].map(str::to_owned).to_vec(), 2), "{path}");
        assert_eq!(ran.of("set"), 1, "the lease alone: {ran:?}");
    }
    let after: Vec<u8> = cmd("GET").arg(&record).query_async(&mut connection).await.unwrap();
    assert_eq!(before, after, "not even the version has changed");
}

#[tokio::test]
async fn starting_and_ending_are_one_command_each_and_a_anonymous_client_costs_none() {
    let ledger = Ledger::start().await;
    // The session that was here is ended as well.
    let (sent, _, trips) = ledger.cost(Method::POST, "/start").await;
    assert_eq!((sent, trips), (["GETEX", "SET", "script"].map(str::to_owned).to_vec(), 3));
    let (sent, ran, trips) = ledger.cost(Method::POST, "/end").await;
    assert_eq!((sent, trips), (["GETEX", "script"].map(str::to_owned).to_vec(), 2));
    assert_eq!(ran.of("publish"), 1, "those who watch it are told in the same step: {ran:?}");
    let (sent, _, trips) = ledger.cost(Method::GET, "/greeting").await;
    assert_eq!((sent, trips), (vec![], 0), "an anonymous client");
    let (sent, _, trips) = ledger.cost(Method::POST, "/start").await;
    assert_eq!((sent, trips), (vec!["SET".to_owned()], 1), "no session was here");
}

#[tokio::test]
async fn what_is_too_short_to_be_a_record_is_no_session_and_is_left_alone() {
    let ledger = Ledger::start().await;
    let mut connection = ledger.redis.connect().await;
    let record = only_key(&mut connection).await;
    for garbage in ["", "x", "twenty-three characters"] {
        connection.set(&record, garbage).await.unwrap();
        for (method, path) in [(Method::GET, "/entries"), (Method::POST, "/append/1"), (Method::POST, "/update/1")] {
            let reply = ledger.client.send(method, path, |request| request).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path} with {garbage:?}");
        }
        assert_eq!(connection.get(&record).await.unwrap().as_deref(), Some(garbage));
        assert_eq!(only_key(&mut connection).await, record, "no lease is left behind");
    }
}

#[tokio::test]
async fn another_type_of_value_under_a_sessions_name_is_a_503_and_is_left_alone() {
    let ledger = Ledger::start().await;
    let mut connection = ledger.redis.connect().await;
    let record = only_key(&mut connection).await;
    connection.del(&record).await.unwrap();
    connection.hset(&record, "field", "value").await.unwrap();
    for (method, path) in [(Method::GET, "/entries"), (Method::POST, "/append/1"), (Method::POST, "/update/1")] {
        let reply = ledger.client.send(method, path, |request| request).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    assert_eq!(connection.hget(&record, "field").await.unwrap().as_deref(), Some("value"));
    wait::until(wait::ANSWER, "no lease is left behind", async || {
        ledger.redis.connect().await.keys("*").await.unwrap().len() == 1
    })
    .await;
}

#[tokio::test]
async fn redis_forgets_a_session_by_itself_and_keeps_none_beyond_its_lifetime() {
    let server = Server::start().await;
    let redis = Redis::new(&server.url(), "app:").unwrap();
    let now = SystemClock.now();
    let millis = Duration::from_millis;
    let (idle, short) = (RecordKey::from_bytes([1; 32]), RecordKey::from_bytes([2; 32]));
    let record = |expires| Record { version: 1, last_seen: now, expires, body: b"x".to_vec().into() };
    let (long_life, short_life) = (now.plus(millis(600_000)), now.plus(millis(700)));
    let one = Touch { now, idle: millis(200), expires: long_life };
    let other = Touch { now, idle: millis(600_000), expires: short_life };
    assert!(redis.create(&idle, record(long_life), one).await.unwrap());
    assert!(redis.create(&short, record(short_life), other).await.unwrap());
    let mut connection = server.connect().await;
    for key in connection.keys("*").await.unwrap() {
        let left: i64 = cmd("PTTL").arg(&key).query_async(&mut connection).await.unwrap();
        assert!((0..=700).contains(&left), "{key} is kept for {left} ms");
    }
    let empty = async || server.connect().await.keys("*").await.unwrap().is_empty();
    wait::until(wait::ANSWER, "both are gone", empty).await;
}

/// Awaits `freed` while the paused clock stands, as it does as long as there is something else to do.
async fn woken(freed: impl Future<Output = ()>) {
    let end = Instant::now() + wait::ANSWER;
    let busy = async {
        while Instant::now() < end {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = freed => {}
        () = busy => panic!("the waiter is not woken"),
    }
}

/// Time stands still here, so that the clock can wake nobody.
#[tokio::test]
async fn a_waiter_on_another_connection_is_woken_by_a_message_alone() {
    let (store, _server) = store().await;
    let key = RecordKey::from_bytes([7; 32]);
    let now = SystemClock.now();
    let touch = Touch { now, idle: Duration::from_secs(600), expires: now.plus(Duration::from_secs(600)) };
    let record = |version| Record { version, last_seen: now, expires: touch.expires, body: b"x".to_vec().into() };
    assert!(store.one.create(&key, record(1), touch).await.unwrap());
    let lease = |holder| Lease { holder, ttl: Duration::from_secs(600), now };
    // Both are connected and subscribed from here on.
    let (mut holder, mut waiter) = (Holder::new(), Holder::new());
    assert!(matches!(store.one.acquire(&key, lease(holder), touch).await.unwrap(), Acquired::Granted(_)));
    let busy = async |store: &Redis, holder| match store.acquire(&key, lease(holder), touch).await.unwrap() {
        Acquired::Busy(freed) => freed,
        _ => panic!("the lease is held"),
    };
    drop(busy(&store.other, waiter).await);

    tokio::time::pause();
    let (mut here, mut there) = (Arc::clone(&store.one), Arc::clone(&store.other));
    for round in 0..6 {
        let freed = busy(&there, waiter).await;
        match round % 2 {
            0 => here.release(&key, lease(holder)).await.unwrap(),
            _ => {
                let version = here.load(&key, touch).await.unwrap().unwrap().version;
                _ = here.save(&key, lease(holder), version, record(version + 1), touch).await.unwrap();
            }
        }
        woken(freed).await;
        assert!(matches!(there.acquire(&key, lease(waiter), touch).await.unwrap(), Acquired::Granted(_)));
        std::mem::swap(&mut holder, &mut waiter);
        std::mem::swap(&mut here, &mut there);
    }
    let freed = busy(&there, waiter).await;
    assert!(here.delete(&key).await.unwrap());
    woken(freed).await;
}
