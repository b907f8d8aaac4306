//! A Redis that is full: one that evicts, and one that refuses what needs memory.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use redis::{aio::MultiplexedConnection, cmd};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, backend::Redis, session};
use session_tests::{Client, Redis as Server, Reply, Served, serve, wait};
use tokio::time::Instant;

const KEY: &str = "kXUQ1cWZ7mHqLsTzRn3vB8yEoAdFgJiKpMxNwCbVtYU=";

/// A use is noted each second.
#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "16s")]
struct User {
    #[session(owner)]
    id: u64,
    writes: u32,
}

#[session(optional)]
async fn login(slot: SessionSlot<User>, Path(id): Path<u64>) -> Result<(), Error> {
    slot.start(User { id, writes: 0 }).await
}

#[session(protected)]
async fn logout(session: Session<User>) -> Result<(), Error> {
    session.end().await
}

#[session(protected)]
async fn look(_user: &User) {}

#[session(protected)]
async fn write(user: &mut User) {
    user.writes += 1;
}

/// What an open connection does.
#[session(protected)]
async fn hold(session: Session<User>) {
    tokio::spawn(session.ended().keep_alive());
}

#[session(protected)]
async fn end_others(session: Session<User>, State(users): State<Sessions<User>>) -> Result<String, Error> {
    Ok(users.of(&session.id).end_others(session.public_id()).await?.to_string())
}

async fn end_all(State(users): State<Sessions<User>>, Path(id): Path<u64>) -> Result<String, Error> {
    Ok(users.of(&id).end_all().await?.to_string())
}

async fn list(State(users): State<Sessions<User>>, Path(id): Path<u64>) -> Result<String, Error> {
    Ok(users.of(&id).list().await?.len().to_string())
}

struct World {
    redis: Server,
    served: Served,
}

impl World {
    async fn start(arguments: &[&str]) -> Self {
        Self::start_idle(arguments, Duration::from_secs(16)).await
    }

    async fn start_idle(arguments: &[&str], idle: Duration) -> Self {
        let redis = Server::start_with(arguments).await;
        let backend = Arc::new(Redis::new(&redis.url(), "app:").unwrap());
        let users = Sessions::<User>::builder().shared_backend(backend).key(KEY).idle(idle).open().await.unwrap();
        let router = Router::new()
            .route("/login/{id}", post(login))
            .route("/logout", post(logout))
            .route("/look", get(look))
            .route("/write", post(write))
            .route("/hold", post(hold))
            .route("/end_others", post(end_others))
            .route("/end_all/{id}", post(end_all))
            .route("/list/{id}", get(list));
        Self { redis, served: serve(router.with_state(users)).await }
    }

    async fn logged_in(&self) -> Client {
        let client = self.served.client();
        assert_eq!(client.post("/login/7").await.status, StatusCode::OK);
        client
    }

    /// The name of the owner's list: of all keys the one that is kept longest.
    async fn list(&self, connection: &mut MultiplexedConnection) -> String {
        let keys: Vec<String> = cmd("KEYS").arg("app:*").query_async(connection).await.unwrap();
        let mut longest = (0, String::new());
        for key in keys {
            let left: i64 = cmd("PTTL").arg(&key).query_async(connection).await.unwrap();
            longest = longest.max((left, key));
        }
        assert!(longest.0 > 60_000, "{longest:?}");
        longest.1
    }
}

/// What `INFO` tells under this name.
async fn told(connection: &mut MultiplexedConnection, name: &str) -> u64 {
    let info: String = cmd("INFO").query_async(connection).await.unwrap();
    let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("INFO has {name}")).trim().parse().unwrap()
}

/// Fills Redis with what is used once, until most of what is in it was evicted several times over. Two sessions of one
/// person are in use meanwhile.
async fn a_list_outlives_its_sessions(policy: &str) {
    let world = World::start(&["--maxmemory-policy", policy, "--maxmemory-samples", "64"]).await;
    let (one, other) = (world.logged_in().await, world.logged_in().await);
    let mut connection = world.redis.connect().await;
    let limit = told(&mut connection, "used_memory").await + 1_000_000;
    let _: () = cmd("CONFIG").arg("SET").arg("maxmemory").arg(limit).query_async(&mut connection).await.unwrap();
    let filler = vec![b'x'; 8000];
    let start = Instant::now();
    for number in 0.. {
        let mut set = cmd("SET");
        set.arg(format!("filler:{number}")).arg(&filler).arg("EX").arg(600);
        let _: () = set.query_async(&mut connection).await.unwrap();
        if number % 8 == 0 {
            for client in [&one, &other] {
                assert_eq!(client.get("/look").await.status, StatusCode::OK, "what is used is not evicted");
            }
            if told(&mut connection, "evicted_keys").await > 350 {
                break;
            }
        }
        // A round through the whole memory takes six seconds.
        tokio::time::sleep_until(start + Duration::from_millis(50) * (number + 1)).await;
    }
    assert_eq!(world.served.client().post("/end_all/7").await.text(), "2");
    for client in [&one, &other] {
        assert_eq!(client.get("/look").await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_list_outlives_its_sessions_under_allkeys_lru() {
    a_list_outlives_its_sessions("allkeys-lru").await;
}

#[tokio::test]
async fn a_list_outlives_its_sessions_under_volatile_lru() {
    a_list_outlives_its_sessions("volatile-lru").await;
}

#[tokio::test]
async fn a_session_that_its_list_lost_is_entered_again_when_it_is_used() {
    let world = World::start(&[]).await;
    let (one, other) = (world.logged_in().await, world.logged_in().await);
    let mut connection = world.redis.connect().await;
    for (read, path) in [(true, "/look"), (false, "/write")] {
        let list = world.list(&mut connection).await;
        let _: () = cmd("DEL").arg(list).query_async(&mut connection).await.unwrap();
        assert_eq!(one.get("/list/7").await.text(), "0");
        let listed = async || {
            for client in [&one, &other] {
                let reply = if read { client.get(path).await } else { client.post(path).await };
                assert_eq!(reply.status, StatusCode::OK);
            }
            one.get("/list/7").await.text() == "2"
        };
        wait::until(wait::ANSWER, "both are listed again", listed).await;
    }
    assert_not_listed(&one.post("/end_others").await);
    assert_eq!(other.get("/look").await.status, StatusCode::UNAUTHORIZED, "those that are listed have ended");
}

#[tokio::test]
async fn a_session_that_is_written_all_the_time_is_entered_again() {
    // Its uses lie closer together than those that are noted: each save is a use.
    let world = World::start_idle(&[], Duration::from_secs(32)).await;
    let one = world.logged_in().await;
    let mut connection = world.redis.connect().await;
    let list = world.list(&mut connection).await;
    let _: () = cmd("DEL").arg(list).query_async(&mut connection).await.unwrap();
    let listed = async || {
        assert_eq!(one.post("/write").await.status, StatusCode::OK);
        one.get("/list/7").await.text() == "1"
    };
    wait::until(wait::ANSWER, "it is listed again", listed).await;
}

#[tokio::test]
async fn a_session_that_an_open_connection_keeps_in_use_is_entered_again() {
    let world = World::start_idle(&[], Duration::from_secs(4)).await;
    let one = world.logged_in().await;
    assert_eq!(one.post("/hold").await.status, StatusCode::OK);
    let mut connection = world.redis.connect().await;
    let list = world.list(&mut connection).await;
    let _: () = cmd("DEL").arg(list).query_async(&mut connection).await.unwrap();
    let listed = async || one.get("/list/7").await.text() == "1";
    wait::until(wait::ANSWER, "it is listed again", listed).await;
}

fn assert_not_listed(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text());
    assert!(reply.text().contains("urn:problem-type:session:not-listed"), "{}", reply.text());
}

/// Used until the list has it again, beside others that are not used.
async fn relisted(client: &Client, count: &str) {
    let listed = async || {
        assert_eq!(client.get("/look").await.status, StatusCode::OK);
        client.get("/list/7").await.text() == count
    };
    wait::until(wait::ANSWER, "it is listed again", listed).await;
}

#[tokio::test]
async fn a_list_that_was_lost_is_not_taken_for_whole_until_each_session_that_lives_is_in_it() {
    let world = World::start_idle(&[], Duration::from_secs(6)).await;
    let (one, other) = (world.logged_in().await, world.logged_in().await);
    let mut connection = world.redis.connect().await;
    let list = world.list(&mut connection).await;
    let _: () = cmd("DEL").arg(list).query_async(&mut connection).await.unwrap();
    relisted(&one, "1").await;
    // The other one was not used, so nobody knows of it.
    assert_not_listed(&world.served.client().post("/end_all/7").await);
    assert_eq!(one.get("/look").await.status, StatusCode::UNAUTHORIZED, "what is listed has ended");
    relisted(&other, "1").await;
    // A login changes nothing about that.
    let third = world.logged_in().await;
    assert_not_listed(&other.post("/end_others").await);
    assert_eq!(third.get("/look").await.status, StatusCode::UNAUTHORIZED, "what is listed has ended");
    let whole = async || {
        let reply = other.post("/end_others").await;
        if reply.status == StatusCode::OK {
            return true;
        }
        assert_not_listed(&reply);
        assert_eq!(other.get("/look").await.status, StatusCode::OK);
        false
    };
    wait::until(wait::ANSWER, "the list is whole again", whole).await;
    assert_eq!(world.served.client().post("/end_all/7").await.text(), "1");
    assert_eq!(other.get("/look").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn ending_the_others_of_a_session_that_is_not_listed_is_an_error() {
    // A use is noted each minute: too late for this test to enter a session again.
    let world = World::start_idle(&[], Duration::from_secs(1800)).await;
    let (one, other) = (world.logged_in().await, world.logged_in().await);
    let mut connection = world.redis.connect().await;
    let list = world.list(&mut connection).await;
    let _: () = cmd("DEL").arg(list).query_async(&mut connection).await.unwrap();
    assert_not_listed(&one.post("/end_others").await);
    assert_eq!(other.get("/look").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_full_redis_serves_reads_keeps_used_sessions_alive_and_takes_logouts() {
    let world = World::start(&["--maxmemory-policy", "noeviction"]).await;
    let client = world.logged_in().await;
    let mut connection = world.redis.connect().await;
    let _: () = cmd("CONFIG").arg("SET").arg("maxmemory").arg(1).query_async(&mut connection).await.unwrap();
    assert_eq!(world.served.client().post("/login/8").await.status, StatusCode::SERVICE_UNAVAILABLE, "it is full");
    let start = Instant::now();
    // Beyond the idle timeout, so that only uses that were noted keep it alive.
    while start.elapsed() < Duration::from_secs(20) {
        assert_eq!(client.get("/look").await.status, StatusCode::OK, "after {:?}", start.elapsed());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(client.post("/logout").await.status, StatusCode::OK);
    assert_eq!(client.get("/look").await.status, StatusCode::UNAUTHORIZED);
}

/// What is refused after the deletion does not undo it, and the client is told that it is done.
#[tokio::test]
async fn a_logout_whose_end_cannot_be_published_is_done_and_told_as_done() {
    let redis = Server::start().await;
    let mut connection = redis.connect().await;
    let mut user = cmd("ACL");
    for word in "SETUSER mute on nopass ~* resetchannels +@all".split(' ') {
        user.arg(word);
    }
    user.exec_async(&mut connection).await.unwrap();
    let url = redis.url().replace("redis://", "redis://mute:any@");
    let users = Sessions::<User>::builder()
        .shared_backend(Arc::new(Redis::new(&url, "app:").unwrap()))
        .key(KEY)
        .open()
        .await
        .unwrap();
    let router = Router::new()
        .route("/login/{id}", post(login))
        .route("/logout", post(logout))
        .route("/look", get(look))
        .route("/end_all/{id}", post(end_all));
    let served = serve(router.with_state(users)).await;
    let client = served.client();
    assert_eq!(client.post("/login/7").await.status, StatusCode::OK);
    assert_eq!(served.client().post("/end_all/7").await.text(), "1");
    assert_eq!(client.get("/look").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(client.post("/login/7").await.status, StatusCode::OK);
    let reply = client.post("/logout").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(reply.set_cookies().len(), 1, "the cookie is removed");
    assert_eq!(client.get("/look").await.status, StatusCode::UNAUTHORIZED);
}
