//! The example's description against the example: each operation, as each kind of caller, over real sockets.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::{Extension, Router, http::Method, routing::get};
use serde_json::{Value, json};
use session_runtime::{SessionData, Sessions, backend, session, testing::ManualClock};
use session_tests::{Client, Redis, Reply, Served, serve, wait};
use tokio::sync::Notify;

use crate::api::{self, Cart, Device, Shop, User};

/// Somebody who calls an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Anonymous,
    /// With a cart, and not logged in.
    Visitor,
    LoggedIn,
    Administrator,
    /// An administrator whose login is long ago.
    Stale,
    /// An administrator's browser, on another site's page.
    CrossSite,
    /// An administrator, while another request has the sessions.
    Busy,
}

const CALLERS: [Caller; 7] = [
    Caller::Anonymous,
    Caller::Visitor,
    Caller::LoggedIn,
    Caller::Administrator,
    Caller::Stale,
    Caller::CrossSite,
    Caller::Busy,
];

/// What a request that holds the sessions waits for.
#[derive(Default)]
struct Held {
    entered: Notify,
    release: Notify,
}

#[session(protected(User), or_default(Cart))]
async fn hold(_user: &mut User, _cart: &mut Cart, Extension(held): Extension<Arc<Held>>) {
    held.entered.notify_one();
    held.release.notified().await;
}

struct Example {
    redis: Redis,
    server: Served,
    clock: ManualClock,
    held: Arc<Held>,
    description: Value,
}

impl Example {
    async fn start() -> Self {
        let (redis, clock, held) = (Redis::start().await, ManualClock::new(), Arc::<Held>::default());
        let shop = Shop {
            users: sessions(&redis, &clock).await,
            carts: sessions(&redis, &clock).await,
            devices: sessions::<Device>(&redis, &clock).await,
        };
        let (router, description) = api::api(shop.clone()).expect("each scheme has a name of its own");
        let more = Router::new().route("/hold", get(hold)).layer(Extension(Arc::clone(&held))).with_state(shop);
        let server = serve(router.merge(more)).await;
        let description = serde_json::to_value(&description).expect("a document");
        Self { redis, server, clock, held, description }
    }

    /// A client that is what this caller is, and its bearer token.
    async fn client(&self, caller: Caller) -> (Client, Option<String>) {
        let client = self.server.client();
        if caller == Caller::Anonymous {
            return (client, None);
        }
        let item = json!({ "name": "tea" });
        assert_eq!(client.send(Method::POST, "/cart", |request| request.json(&item)).await.status, 200);
        if caller == Caller::Visitor {
            return (client, None);
        }
        let login = json!({ "name": if caller == Caller::LoggedIn { "ann" } else { "root" } });
        assert_eq!(client.send(Method::POST, "/login", |request| request.json(&login)).await.status, 200);
        let registered = client.post("/device").await;
        let token = registered.header("session-token").expect("a token").to_owned();
        if caller == Caller::Stale {
            self.clock.advance(Duration::from_secs(11 * 60));
        }
        (client, Some(token))
    }
}

async fn sessions<T: SessionData>(redis: &Redis, clock: &ManualClock) -> Sessions<T> {
    let store = backend::Redis::new(&redis.url(), "truth:").expect("a URL");
    let builder = Sessions::builder().backend(store).key(&format!("{}A=", "k".repeat(42))).clock(clock.clone());
    let builder = builder.wait(Duration::from_millis(50)).deadline(Duration::from_secs(2));
    builder.open().await.expect("the sessions open")
}

/// An operation with what is described of it.
struct Operation<'a> {
    path: &'a str,
    method: Method,
    value: &'a Value,
}

impl Operation<'_> {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The described answers: each status with each content type, or without one.
    fn described(&self) -> BTreeSet<Answer> {
        let responses = self.value["responses"].as_object().expect("responses");
        let answers = responses.iter().flat_map(|(status, response)| {
            let status: u16 = status.parse().expect("a status");
            match response["content"].as_object() {
                None => vec![(status, None)],
                Some(content) => content.keys().map(|kind| (status, Some(kind.clone()))).collect(),
            }
        });
        answers.collect()
    }

    /// The names of the headers that are described of a status.
    fn headers(&self, status: u16) -> BTreeSet<String> {
        let headers = self.value["responses"][status.to_string()]["headers"].as_object();
        headers.into_iter().flat_map(|headers| headers.keys().cloned()).collect()
    }

    /// Sends it, and checks what comes back as far as one answer shows it.
    async fn send(&self, client: &Client, token: Option<&str>, cross_site: bool, accept: &str) -> Answer {
        let json = self.value["requestBody"]["content"]["application/json"].is_object();
        let reply = client
            .send(self.method.clone(), self.path, |mut request| {
                request = request.header("accept", accept);
                if json {
                    request = request.json(&json!({ "name": "ann" }));
                }
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                if cross_site { request.header("sec-fetch-site", "cross-site") } else { request }
            })
            .await;
        self.check(&reply);
        let kind = reply.header("content-type").and_then(|kind| kind.split(';').next()).map(str::to_owned);
        (reply.status.as_u16(), kind)
    }

    fn check(&self, reply: &Reply) {
        let (name, status) = (self.name(), reply.status.as_u16());
        if reply.header("content-type") == Some("application/problem+json") {
            let problem: Value = reply.json();
            let (kind, response) = (problem["type"].as_str().expect("a type"), &self.value["responses"]);
            let said = response[status.to_string()]["description"].as_str().unwrap_or_default();
            assert!(said.contains(&format!("`{kind}`")), "{name}: {status} does not tell of {kind}: {said}");
        }
        let told = ["set-cookie", "session-token", "location", "retry-after", "www-authenticate"];
        for header in told.into_iter().filter(|header| reply.headers.contains_key(*header)) {
            assert!(self.headers(status).contains(header), "{name}: {status} has an undescribed {header}");
        }
    }
}

type Answer = (u16, Option<String>);

fn operations(description: &Value) -> Vec<Operation<'_>> {
    let paths = description["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("a path's operations");
        item.iter().map(move |(method, value)| {
            let method = method.to_uppercase().parse().expect("a method");
            Operation { path, method, value }
        })
    });
    all.collect()
}

#[tokio::test]
async fn every_answer_that_comes_is_described_and_every_one_described_can_be_had() {
    let mut example = Example::start().await;
    let description = example.description.clone();
    let operations = operations(&description);
    assert_eq!(operations.len(), 11, "all of the example's");
    let mut seen = BTreeMap::<String, BTreeSet<Answer>>::new();

    for operation in &operations {
        let answers = seen.entry(operation.name()).or_default();
        for caller in CALLERS {
            for accept in ["*/*", "text/html"] {
                let (client, token) = example.client(caller).await;
                let holding = (caller == Caller::Busy).then(|| {
                    let client = client.clone();
                    tokio::spawn(async move { client.get("/hold").await })
                });
                if holding.is_some() {
                    wait::within(wait::ANSWER, "the sessions are held", example.held.entered.notified()).await;
                }
                let cross_site = caller == Caller::CrossSite;
                answers.insert(operation.send(&client, token.as_deref(), cross_site, accept).await);
                if let Some(holding) = holding {
                    example.held.release.notify_one();
                    holding.await.expect("the other request is answered");
                }
            }
        }
    }

    let (client, token) = example.client(Caller::Administrator).await;
    example.redis.kill();
    for accept in ["*/*", "text/html"] {
        // All at once, as each waits until the deadline.
        let token = token.as_deref();
        let call =
            async |operation: &Operation<'_>| (operation.name(), operation.send(&client, token, false, accept).await);
        for (name, answer) in futures_util::future::join_all(operations.iter().map(call)).await {
            seen.entry(name).or_default().insert(answer);
        }
    }

    for operation in &operations {
        let (name, described) = (operation.name(), operation.described());
        let seen = &seen[&name];
        let undescribed: Vec<_> = seen.difference(&described).collect();
        assert!(undescribed.is_empty(), "{name} answers what is not described: {undescribed:?}");
        let never: Vec<_> = described.difference(seen).collect();
        assert!(never.is_empty(), "{name} never answers what is described: {never:?}");
    }
}

#[tokio::test]
async fn a_requirement_is_asked_exactly_where_it_is_described() {
    let example = Example::start().await;
    let schemes = &example.description["components"]["securitySchemes"];
    for operation in operations(&example.description) {
        let alternatives = operation.value["security"].as_array().expect("each operation of the example has some");
        for alternative in alternatives {
            let names: Vec<_> = alternative.as_object().expect("names").keys().collect();
            assert!(names.iter().all(|name| schemes[name.as_str()].is_object()), "{}: {names:?}", operation.name());
        }
        let open = alternatives.iter().any(|alternative| alternative == &json!({}));
        let (client, _) = example.client(Caller::Anonymous).await;
        let (status, _) = operation.send(&client, None, false, "*/*").await;
        assert_eq!(status != 401, open, "{}: {status}", operation.name());
    }
}
