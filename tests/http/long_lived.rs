//! Data that lives longer than code: rules, versions and seals of what is stored.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::FromRef,
    http::{HeaderMap, StatusCode, request::Parts},
    routing::{get, post},
};
use redis::cmd;
use serde::{Deserialize, Serialize};
use session_runtime::{
    Builder, Error, Invalid, Session, SessionData, SessionSlot, Sessions,
    backend::{self, Memory},
    session,
};
use session_tests::{Redis, Served, serve};

use crate::support::{assert_problem, key};

/// An application per version of the type: the same name, cookie and key, so the same sessions. They are types of several
/// modules in one process, so the name is stated.
macro_rules! application {
    ($module:ident, $($declaration:tt)*) => {
        mod $module {
            use super::*;

            $($declaration)*

            #[session(optional)]
            async fn login(slot: SessionSlot<Account>, Json(account): Json<Account>) -> Result<(), Error> {
                slot.start(account).await
            }

            #[session(protected)]
            async fn show(account: &Account) -> Json<Account> {
                Json(account.clone())
            }

            #[session(protected)]
            async fn look(account: &mut Account) -> Json<Account> {
                Json(account.clone())
            }

            #[session(protected)]
            async fn put(account: &mut Account, Json(new): Json<Account>) {
                *account = new;
            }

            #[session(protected)]
            async fn version(session: Session<Account>) -> Result<String, Error> {
                Ok(format!("{}", session.public_id()))
            }

            pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S>
            where
                Sessions<Account>: FromRef<S>,
            {
                Router::new()
                    .route("/login", post(login))
                    .route("/show", get(show))
                    .route("/look", post(look))
                    .route("/put", post(put))
                    .route("/id", get(version))
            }

            pub(super) async fn open(builder: Builder<Account>) -> Served {
                serve(router().with_state(builder.open().await.expect("the sessions open"))).await
            }
        }
    };
}

/// A version of the application on this memory.
macro_rules! on {
    ($module:ident, $memory:expr) => {
        $module::open(Sessions::builder().key(&key('k')).shared_backend(Arc::clone($memory))).await
    };
}

/// A version of the application on this Redis, with these keys.
macro_rules! on_redis {
    ($module:ident, $redis:expr, $keys:expr) => {
        $module::open(Sessions::builder().key($keys).backend(backend::Redis::new(&$redis.url(), "accounts:").unwrap()))
            .await
    };
}

application! { first,
    #[derive(Clone, Serialize, Deserialize, SessionData)]
    #[session(name = "account")]
    pub(super) struct Account {
        pub(super) name: String,
    }
}

application! { second,
    #[derive(Clone, Serialize, Deserialize, SessionData)]
    #[session(name = "account", version = 2, from = first::Account)]
    pub(super) struct Account {
        pub(super) names: Vec<String>,
    }

    impl From<first::Account> for Account {
        fn from(old: first::Account) -> Self {
            Self { names: vec![old.name] }
        }
    }
}

application! { third,
    #[derive(Clone, Serialize, Deserialize, SessionData)]
    #[session(name = "account", version = 3, from = second::Account)]
    pub(super) struct Account {
        pub(super) names: Vec<String>,
        pub(super) locale: String,
    }

    impl From<second::Account> for Account {
        fn from(old: second::Account) -> Self {
            Self { names: old.names, locale: "en".into() }
        }
    }
}

application! { ruled,
    fn rules(account: &Account) -> Result<(), Invalid> {
        if account.name.is_empty() { Err(Invalid::field("name", "is empty")) } else { Ok(()) }
    }

    #[derive(Clone, Serialize, Deserialize, SessionData)]
    #[session(name = "account", validate = rules)]
    pub(super) struct Account {
        pub(super) name: String,
    }
}

application! { garded,
    #[derive(Clone, Serialize, Deserialize, garde::Validate, SessionData)]
    #[session(name = "account", validate)]
    pub(super) struct Account {
        #[garde(length(min = 1, max = 5))]
        pub(super) name: String,
    }
}

application! { verified,
    /// The account's own answer to "may this session be used by this request?".
    async fn verify(account: &Account, parts: &Parts) -> Result<(), (StatusCode, &'static str)> {
        tokio::task::yield_now().await;
        let disabled = parts.headers.get("x-disabled").is_some_and(|name| name == account.name.as_str());
        if disabled { Err((StatusCode::GONE, "this account was disabled")) } else { Ok(()) }
    }

    #[derive(Clone, Serialize, Deserialize, SessionData)]
    #[session(name = "account", verify = verify)]
    pub(super) struct Account {
        pub(super) name: String,
    }
}

application! { sealed,
    #[derive(Clone, Serialize, Deserialize, SessionData)]
    #[session(name = "account", encrypt)]
    pub(super) struct Account {
        pub(super) name: String,
    }
}

fn named(name: &str) -> serde_json::Value {
    serde_json::json!({ "name": name })
}

async fn post_json(client: &session_tests::Client, path: &str, body: &serde_json::Value) -> session_tests::Reply {
    client.send(axum::http::Method::POST, path, |request| request.json(body)).await
}

#[tokio::test]
async fn an_older_versions_session_is_migrated_when_it_is_read_and_written_by_a_write() {
    let memory: Arc<Memory> = Arc::default();
    let (old, new) = (on!(first, &memory), on!(second, &memory));
    let client = old.client();
    post_json(&client, "/login", &named("ann")).await;
    let at_new = client.at(&new.url());

    assert_eq!(at_new.get("/show").await.text(), r#"{"names":["ann"]}"#);
    assert_eq!(at_new.post("/look").await.text(), r#"{"names":["ann"]}"#);
    assert_eq!(client.get("/show").await.text(), r#"{"name":"ann"}"#, "reading alone has written nothing");

    assert_eq!(post_json(&at_new, "/put", &serde_json::json!({ "names": ["ann", "lee"] })).await.status, 200);
    assert_eq!(at_new.get("/show").await.text(), r#"{"names":["ann","lee"]}"#);
}

#[tokio::test]
async fn a_chain_of_versions_is_followed() {
    let memory: Arc<Memory> = Arc::default();
    let (old, newest) = (on!(first, &memory), on!(third, &memory));
    let client = old.client();
    post_json(&client, "/login", &named("ann")).await;
    assert_eq!(client.at(&newest.url()).get("/show").await.text(), r#"{"names":["ann"],"locale":"en"}"#);
}

#[tokio::test]
async fn a_newer_versions_session_is_none_to_old_code_and_survives_it() {
    let memory: Arc<Memory> = Arc::default();
    let (old, new) = (on!(first, &memory), on!(second, &memory));
    let client = new.client();
    post_json(&client, "/login", &serde_json::json!({ "names": ["ann"] })).await;
    let at_old = client.at(&old.url());
    assert_problem(&at_old.get("/show").await, 401, "missing");
    assert_problem(&at_old.post("/look").await, 401, "missing");
    assert_eq!(client.get("/show").await.text(), r#"{"names":["ann"]}"#, "a rollback loses nobody's session");
}

#[tokio::test]
async fn invalid_data_is_refused_with_its_fields_and_nothing_is_stored() {
    let memory: Arc<Memory> = Arc::default();
    for server in [on!(ruled, &memory), on!(garded, &memory)] {
        let client = server.client();
        let before = memory.len();
        let reply = post_json(&client, "/login", &named("")).await;
        assert_problem(&reply, 422, "invalid");
        assert_eq!(reply.json::<serde_json::Value>()["errors"][0]["field"], "name", "{}", reply.text());
        assert!(reply.set_cookies().is_empty());
        assert_eq!(memory.len(), before);

        post_json(&client, "/login", &named("ann")).await;
        assert_problem(&post_json(&client, "/put", &named("")).await, 422, "invalid");
        assert_eq!(client.get("/show").await.text(), r#"{"name":"ann"}"#);
        assert_eq!(post_json(&client, "/put", &named("lee")).await.status, 200, "the session was free at once");
    }
}

#[tokio::test]
async fn invalid_stored_data_is_no_session_and_is_left_alone() {
    let memory: Arc<Memory> = Arc::default();
    let (lax, strict) = (on!(first, &memory), on!(ruled, &memory));
    let client = lax.client();
    post_json(&client, "/login", &named("")).await;
    let at_strict = client.at(&strict.url());
    assert_problem(&at_strict.get("/show").await, 401, "missing");
    assert_problem(&at_strict.post("/look").await, 401, "missing");
    assert_eq!(client.get("/show").await.text(), r#"{"name":""}"#);
}

#[tokio::test]
async fn verify_is_asked_on_every_load_and_may_answer_for_itself() {
    let server = on!(verified, &Arc::<Memory>::default());
    let client = server.client();
    post_json(&client, "/login", &named("ann")).await;
    let with = |name: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-disabled", name.parse().unwrap());
        headers
    };
    for (method, path) in [("GET", "/show"), ("POST", "/look"), ("GET", "/id")] {
        let method: axum::http::Method = method.parse().unwrap();
        let refused = client.send(method.clone(), path, |request| request.headers(with("ann"))).await;
        assert_eq!((refused.status.as_u16(), refused.text()), (410, "this account was disabled"), "{path}");
        let allowed = client.send(method, path, |request| request.headers(with("lee"))).await;
        assert_eq!(allowed.status, 200, "{path}");
    }
}

async fn values(redis: &Redis) -> Vec<(String, Vec<u8>)> {
    let mut connection = redis.connect().await;
    let keys: Vec<String> = cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    let mut values = Vec::new();
    for key in keys {
        values.push((key.clone(), cmd("GET").arg(&key).query_async(&mut connection).await.unwrap()));
    }
    values
}

#[tokio::test]
async fn a_dump_of_sealed_sessions_holds_no_data_and_none_can_be_moved_or_edited() {
    let redis = Redis::start().await;
    let server = on_redis!(sealed, redis, &key('k'));
    let (ann, eve) = (server.client(), server.client());
    post_json(&ann, "/login", &named("annabella")).await;
    let anns = values(&redis).await.remove(0);
    post_json(&eve, "/login", &named("eveline")).await;
    let eves = values(&redis).await.into_iter().find(|(name, _)| *name != anns.0).unwrap();
    for (_, value) in [&anns, &eves] {
        let text = String::from_utf8_lossy(value);
        assert!(!text.contains("anna") && !text.contains("evel") && !text.contains("name"), "{text}");
    }
    assert_eq!(ann.get("/show").await.text(), r#"{"name":"annabella"}"#);

    let put = async |value: &[u8]| {
        let mut connection = redis.connect().await;
        cmd("SET").arg(&eves.0).arg(value).arg("KEEPTTL").exec_async(&mut connection).await.unwrap();
        eve.get("/show").await
    };
    assert_problem(&put(&anns.1).await, 401, "missing");
    let mut edited = eves.1.clone();
    *edited.last_mut().unwrap() ^= 1;
    assert_problem(&put(&edited).await, 401, "missing");
    // A plain record is not taken for a sealed one.
    let unsealed = on_redis!(first, redis, &key('k'));
    let plain = unsealed.client();
    post_json(&plain, "/login", &named("mallory")).await;
    assert_problem(&plain.at(&server.url()).get("/show").await, 401, "missing");
    assert_eq!(put(&eves.1).await.text(), r#"{"name":"eveline"}"#, "what was put back is as good as before");
}

#[tokio::test]
async fn sealed_sessions_follow_the_rotation_of_keys() {
    let redis = Redis::start().await;
    let (old, new) = (key('o'), key('n'));
    let before = on_redis!(sealed, redis, &old);
    let client = before.client();
    post_json(&client, "/login", &named("ann")).await;
    let during = on_redis!(sealed, redis, &format!("{new},{old}"));
    assert_eq!(post_json(&client.at(&during.url()), "/put", &named("lee")).await.status, 200);
    let after = on_redis!(sealed, redis, &new);
    assert_eq!(client.at(&after.url()).get("/show").await.text(), r#"{"name":"lee"}"#);
}
