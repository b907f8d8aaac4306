//! What Redis is asked where sessions have owners.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    http::Method,
    routing::post,
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, backend::Redis, session};
use session_tests::{Client, Redis as Server, Served, serve};

use crate::proxy::Proxy;

const KEY: &str = "kXUQ1cWZ7mHqLsTzRn3vB8yEoAdFgJiKpMxNwCbVtYU=";

#[derive(Serialize, Deserialize, SessionData)]
#[session(max_per_owner = 3)]
struct User {
    #[session(owner)]
    id: u64,
    visits: u32,
}

#[session(optional)]
async fn login(slot: SessionSlot<User>, Path(id): Path<u64>) -> Result<(), Error> {
    slot.start(User { id, visits: 0 }).await
}

#[session(protected)]
async fn logout(session: Session<User>) -> Result<(), Error> {
    session.end().await
}

#[session(protected)]
async fn visit(user: &mut User) {
    user.visits += 1;
}

#[session(protected)]
async fn look(_user: &User) {}

type Users = State<Sessions<User>>;

async fn list(State(users): Users, Path(id): Path<u64>) -> Result<String, Error> {
    Ok(users.of(&id).list().await?.len().to_string())
}

async fn end_first(State(users): Users, Path(id): Path<u64>) -> Result<String, Error> {
    let owned = users.of(&id);
    let first = owned.list().await?[0].public_id();
    Ok(owned.end(first).await?.to_string())
}

async fn end_all(State(users): Users, Path(id): Path<u64>) -> Result<String, Error> {
    Ok(users.of(&id).end_all().await?.to_string())
}

struct World {
    redis: Server,
    proxy: Proxy,
    served: Served,
}

impl World {
    async fn start() -> Self {
        let redis = Server::start().await;
        let proxy = Proxy::to(redis.port()).await;
        let backend = Redis::new(&proxy.url(), "app:").unwrap();
        let users = Sessions::<User>::builder().shared_backend(Arc::new(backend)).key(KEY).open().await.unwrap();
        let router = Router::new()
            .route("/login/{id}", post(login))
            .route("/logout", post(logout))
            .route("/visit", post(visit))
            .route("/look", post(look))
            .route("/list/{id}", post(list))
            .route("/end_first/{id}", post(end_first))
            .route("/end_all/{id}", post(end_all));
        let world = Self { redis, proxy, served: serve(router.with_state(users)).await };
        // Every script is taught.
        let client = world.served.client();
        for path in ["/login/1", "/visit", "/login/1", "/list/1", "/end_all/1"] {
            assert_eq!(client.post(path).await.status, 200, "{path}");
        }
        world
    }

    /// What one request costs: the commands that were sent, and the round trips.
    async fn cost(&self, client: &Client, path: &str) -> (Vec<String>, usize) {
        let recording = self.redis.record().await;
        let trips = self.proxy.trips();
        let reply = client.send(Method::POST, path, |request| request).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let trips = self.proxy.trips() - trips;
        let sent = recording.finish().await;
        let name = |line: &String| match line.split('"').nth(1).unwrap() {
            "EVALSHA" | "EVAL" => "script".to_owned(),
            name => name.to_owned(),
        };
        let own = ["HELLO", "CLIENT", "INFO"];
        (sent.iter().map(name).filter(|name| !own.contains(&name.as_str())).collect(), trips)
    }
}

/// The commands, in order, and in how many round trips.
fn expected(commands: &str, trips: usize) -> (Vec<String>, usize) {
    (commands.split_whitespace().map(ToOwned::to_owned).collect(), trips)
}

#[tokio::test]
async fn a_login_costs_two_commands_more_and_one_too_many_a_look_at_each_and_an_end() {
    let world = World::start().await;
    let clients: Vec<Client> = (0..5).map(|_| world.served.client()).collect();
    // The record; then the list: read, and begun or written.
    assert_eq!(world.cost(&clients[0], "/login/7").await, expected("SET GET SET", 3), "the owner's first");
    assert_eq!(world.cost(&clients[1], "/login/7").await, expected("SET GET script", 3));
    assert_eq!(world.cost(&clients[2], "/login/7").await, expected("SET GET script", 3));
    // The list is full: each of the three is looked at, in one trip, and the oldest is ended.
    assert_eq!(world.cost(&clients[3], "/login/7").await, expected("SET GET GET GET GET script script", 5));
    // The list still has the one that was ended.
    assert_eq!(world.cost(&clients[4], "/login/7").await, expected("SET GET GET GET GET GET script script", 5));
}

#[tokio::test]
async fn a_logout_costs_two_commands_more_and_other_requests_none() {
    let world = World::start().await;
    let client = world.served.client();
    world.cost(&client, "/login/7").await;
    assert_eq!(world.cost(&client, "/look").await, expected("GETEX", 1));
    assert_eq!(world.cost(&client, "/visit").await, expected("SET GETEX script", 2));
    assert_eq!(world.cost(&client, "/logout").await, expected("GETEX script GET script", 4));
}

#[tokio::test]
async fn listing_reads_the_list_and_each_session_in_two_round_trips() {
    let world = World::start().await;
    let clients: Vec<Client> = (0..3).map(|_| world.served.client()).collect();
    assert_eq!(world.cost(&clients[0], "/list/7").await, expected("GET", 1), "nobody's");
    for client in &clients {
        world.cost(client, "/login/7").await;
    }
    assert_eq!(world.cost(&clients[0], "/list/7").await, expected("GET GET GET GET", 2));
    // That list, then: the list's read, the end of one, and it is struck from the list.
    let (sent, trips) = world.cost(&clients[0], "/end_first/7").await;
    assert_eq!((sent, trips), expected("GET GET GET GET GET script GET script", 6));
    // The list, the end of each in one trip, and the list is written.
    assert_eq!(world.cost(&clients[0], "/end_all/7").await, expected("GET script script script", 3));
}

/// Whatever is asked is asked of one key at a time, or of a record and its lease in one slot: so it is on a cluster.
#[tokio::test]
async fn no_command_touches_two_slots() {
    let world = World::start().await;
    let recording = world.redis.record().await;
    let clients: Vec<Client> = (0..5).map(|_| world.served.client()).collect();
    for client in &clients {
        assert_eq!(client.post("/login/7").await.status, 200);
    }
    for path in ["/visit", "/list/7", "/end_first/7", "/logout", "/end_all/7"] {
        _ = clients[4].post(path).await;
    }
    let sent = recording.finish().await;
    assert!(sent.iter().filter(|line| line.contains("\"app:{")).count() > 20, "{sent:?}");
    for line in &sent {
        // Only keys begin so: what a record or a list is stored as is bytes, and any of them may be a brace or a quote.
        let keys = line.split("\"app:{").skip(1);
        let tags: Vec<&str> = keys.filter_map(|key| key.split_once('}').map(|(tag, _)| tag)).collect();
        assert!(tags.windows(2).all(|pair| pair[0] == pair[1]), "{line}");
    }
}
