//! Nothing stored is trusted: what can't be read is no session, and is left as it is.

use axum::{
    Json, Router,
    extract::Request,
    http::Method,
    routing::{get, post},
};
use redis::cmd;
use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, SessionSlot, Sessions, session};
use session_tests::{App, Redis, Served, serve, wait};

use crate::support::{COOKIE, Ledger, Store, User, assert_problem, key, logged_in, send_with, serve_users, token};

/// A store whose one record can be looked at and replaced behind the runtime's back.
enum Vault {
    Ledger(Ledger),
    Redis(Redis),
}

/// What Redis keeps before a record's body: its version, its last use and its end.
const HEADER: usize = 24;

impl Vault {
    async fn each() -> [Self; 2] {
        [Self::Ledger(Ledger::default()), Self::Redis(Redis::start().await)]
    }

    async fn sessions<T: SessionData>(&self) -> Sessions<T> {
        let builder = Sessions::<T>::builder().key(&key('k'));
        let builder = match self {
            Self::Ledger(ledger) => builder.backend(ledger.clone()),
            Self::Redis(redis) => {
                builder.backend(session_runtime::backend::Redis::new(&redis.url(), "test:").expect("a Redis URL"))
            }
        };
        builder.open().await.unwrap()
    }

    async fn body(&self) -> Vec<u8> {
        match self {
            Self::Ledger(ledger) => ledger.record().await.body.to_vec(),
            Self::Redis(redis) => value(redis).await.1[HEADER..].to_vec(),
        }
    }

    async fn replace_body(&self, body: &[u8]) {
        match self {
            Self::Ledger(ledger) => ledger.replace_body(body.to_vec()).await,
            Self::Redis(redis) => {
                let (_, before) = value(redis).await;
                set_value(redis, &[&before[..HEADER], body].concat()).await;
            }
        }
    }
}

/// The key and the bytes of the only record.
async fn value(redis: &Redis) -> (String, Vec<u8>) {
    let mut connection = redis.connect().await;
    let keys: Vec<String> = cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    let mut keys: Vec<_> = keys.into_iter().filter(|key| !key.ends_with(":lease")).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let key = keys.remove(0);
    let value = cmd("GET").arg(&key).query_async(&mut connection).await.unwrap();
    (key, value)
}

async fn set_value(redis: &Redis, value: &[u8]) {
    let (key, _) = self::value(redis).await;
    let set = cmd("SET").arg(key).arg(value).arg("KEEPTTL").exec_async(&mut redis.connect().await).await;
    set.expect("Redis answers");
}

async fn assert_no_session(server: &Served, cookie: &str, what: &str) {
    for (method, path) in
        [(Method::GET, "/me"), (Method::POST, "/visit"), (Method::POST, "/rotate"), (Method::POST, "/logout")]
    {
        let reply = send_with(server, method, path, cookie).await;
        assert_eq!(reply.status, 401, "{what}: {path} {}", reply.text());
        assert!(reply.set_cookies().is_empty(), "{what}: {path}");
    }
    assert_eq!(send_with(server, Method::GET, "/", cookie).await.text(), "anonymous", "{what}");
}

/// Where the data of a [`User`] begins.
fn json_in(bytes: &[u8]) -> usize {
    let start = br#"{"name":"#;
    bytes.windows(start.len()).position(|window| window == start).expect("the data is JSON")
}

/// Ways in which a body may be damaged, or written by another program.
fn damages(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let json = json_in(body);
    let (head, data) = body.split_at(json);
    let with = |at: usize, byte: u8| {
        let mut changed = body.to_vec();
        changed[at] = byte;
        changed
    };
    vec![
        ("nothing at all", Vec::new()),
        ("one byte", vec![1]),
        ("half of it", body[..body.len() / 2].to_vec()),
        ("the head alone", head.to_vec()),
        ("a head that is cut short", head[..head.len() - 1].to_vec()),
        ("data that is cut short", body[..body.len() - 1].to_vec()),
        ("something behind it", [body, b"}"].concat()),
        ("zeros", vec![0; body.len()]),
        ("bytes of all kinds", (0..=255).collect()),
        ("a newer format", with(0, 2)),
        ("a newer version of the data", with(48, 2)),
        ("another's proof", with(44, !body[44])),
        ("text", b"<html>not what you think</html>".to_vec()),
        ("no JSON", [head, b"name=ann"].concat()),
        ("data of another type", [head, br#"{"id":1}"#].concat()),
        ("data that is null", [head, b"null"].concat()),
        ("a field of another type", [head, br#"{"name":7,"visits":0}"#].concat()),
        ("a number out of range", [head, br#"{"name":"ann","visits":-1}"#].concat()),
        ("no UTF-8", [head, b"{\"name\":\"\xff\",\"visits\":0}"].concat()),
        ("deep nesting", [head, "[".repeat(100_000).as_bytes()].concat()),
        ("the data twice", [body, data].concat()),
    ]
}

#[tokio::test]
async fn what_cannot_be_read_is_no_session_and_is_left_as_it_is() {
    for vault in Vault::each().await {
        let server = serve_users(vault.sessions().await).await;
        let client = logged_in(&server, "ann").await;
        let cookie = format!("{COOKIE}={}", token(&client));
        let whole = vault.body().await;
        for (what, damaged) in damages(&whole) {
            vault.replace_body(&damaged).await;
            assert_no_session(&server, &cookie, what).await;
            assert!(vault.body().await == damaged, "{what}: was overwritten");
            // Another instance, which has never seen it whole.
            assert_no_session(&serve_users(vault.sessions().await).await, &cookie, what).await;
            assert!(vault.body().await == damaged, "{what}: was overwritten");
        }
        vault.replace_body(&whole).await;
        assert_eq!(client.get("/").await.text(), "ann", "and what is whole again is a session again");
        assert_eq!(client.post("/visit").await.text(), "1");
    }
}

#[tokio::test]
async fn a_record_of_the_last_version_is_no_session_since_none_can_follow_it() {
    let ledger = Ledger::default();
    let server = serve_users(Vault::Ledger(ledger.clone()).sessions().await).await;
    let client = logged_in(&server, "ann").await;
    let cookie = format!("{COOKIE}={}", token(&client));
    ledger.set_version(u64::MAX).await;
    assert_no_session(&server, &cookie, "the last version").await;
    assert_eq!(ledger.record().await.version, u64::MAX, "it is left alone");
    ledger.set_version(u64::MAX - 2).await;
    assert_eq!(client.post("/visit").await.text(), "1");
    assert_eq!(ledger.record().await.version, u64::MAX - 1);
}

#[tokio::test]
async fn a_login_over_an_unreadable_session_starts_another() {
    for vault in Vault::each().await {
        let server = serve_users(vault.sessions().await).await;
        let client = logged_in(&server, "ann").await;
        let old = token(&client);
        vault.replace_body(b"garbage").await;
        assert_eq!(client.post_form("/login", &[("name", "bob")]).await.status, 303);
        assert_eq!(client.get("/").await.text(), "bob");
        assert_ne!(token(&client), old);
    }
}

#[tokio::test]
async fn a_redis_value_too_short_for_a_record_is_no_session_and_is_left_as_it_is() {
    let vault = Vault::Redis(Redis::start().await);
    let Vault::Redis(redis) = &vault else { unreachable!() };
    let server = serve_users(vault.sessions().await).await;
    let client = logged_in(&server, "ann").await;
    let cookie = format!("{COOKIE}={}", token(&client));
    let (_, whole) = value(redis).await;
    for length in 0..=HEADER + 3 {
        set_value(redis, &whole[..length]).await;
        assert_no_session(&server, &cookie, &format!("{length} bytes")).await;
        assert_eq!(value(redis).await.1, whole[..length], "{length} bytes");
    }
    for alien in [&b"not a record but a text that somebody wrote into the wrong database"[..], &[0; 200], &[0xff; 200]]
    {
        set_value(redis, alien).await;
        assert_no_session(&server, &cookie, "alien").await;
        assert_eq!(value(redis).await.1, alien);
    }
    set_value(redis, &whole).await;
    assert_eq!(client.get("/").await.text(), "ann");
}

/// One application in two releases: the same names, another schema.
macro_rules! release {
    ($module:ident { $($fields:tt)* } $first:expr) => {
        mod $module {
            use super::*;

            #[derive(Clone, Serialize, Deserialize, SessionData)]
            #[session(name = "released-account")]
            pub(super) struct Account { $($fields)* }

            #[session(optional)]
            async fn start(slot: SessionSlot<Account>) -> Result<(), Error> {
                slot.start($first).await
            }

            #[session(protected)]
            async fn show(account: &Account) -> Json<Account> {
                Json(account.clone())
            }

            #[session(protected)]
            async fn take(account: &mut Account, _request: Request) -> Json<Account> {
                Json(account.clone())
            }

            pub(super) async fn server(vault: &Vault) -> Served {
                let router = Router::new().route("/", get(show).post(take)).route("/start", post(start));
                serve(router.with_state(vault.sessions::<Account>().await)).await
            }
        }
    };
}
release!(old { name: String } Account { name: "ann".into() });
release!(new { id: u64 } Account { id: 7 });
release!(grown { name: String, #[serde(default)] theme: Option<String> } Account { name: "bob".into(), theme: None });

#[tokio::test]
async fn a_session_of_another_schema_is_none_and_is_still_there_for_those_who_can_read_it() {
    for vault in Vault::each().await {
        let (old, new) = (old::server(&vault).await, new::server(&vault).await);
        let client = old.client();
        client.post("/start").await;
        let before = vault.body().await;
        for reply in [client.at(&new.url()).get("/").await, client.at(&new.url()).post("/").await] {
            assert_problem(&reply, 401, "missing");
        }
        assert_eq!(vault.body().await, before);
        assert_eq!(client.get("/").await.text(), r#"{"name":"ann"}"#);
        assert_eq!(client.post("/").await.text(), r#"{"name":"ann"}"#);
    }
}

#[tokio::test]
async fn fields_with_a_default_can_come_and_go() {
    for vault in Vault::each().await {
        let (old, grown) = (old::server(&vault).await, grown::server(&vault).await);
        let client = old.client();
        client.post("/start").await;
        assert_eq!(client.at(&grown.url()).get("/").await.text(), r#"{"name":"ann","theme":null}"#);
        client.at(&grown.url()).post("/").await;
        assert_eq!(client.get("/").await.text(), r#"{"name":"ann"}"#);
    }
}

#[tokio::test]
async fn an_unreadable_session_is_told_in_the_log_without_its_data() {
    let redis = Redis::start().await;
    let program = App::example("fleet").env("REDIS_URL", redis.url()).env("SESSION_KEYS", key('k'));
    let fleet = program.env("RUST_LOG", "session_runtime=warn").env("NO_COLOR", "1").start().await;
    let client = fleet.client();
    client.post_form("/login", &[("name", "ann")]).await;
    let (_, whole) = value(&redis).await;
    let head = &whole[..json_in(&whole)];
    let too_short = b"garbage-4711";
    for damaged in
        [&too_short[..], &[head, b"\"garbage-4711\""].concat(), &[&whole[..HEADER], b"garbage-4711"].concat()]
    {
        let events = fleet.log().matches("left alone").count();
        set_value(&redis, damaged).await;
        assert_eq!(client.get("/me").await.status, 401);
        wait::until(wait::ANSWER, "the log tells of it", async || fleet.log().matches("left alone").count() > events)
            .await;
    }
    let line = "WARN session_runtime: the stored session can't be used; left alone event=\"session.unreadable\"";
    assert!(fleet.log().contains(line), "{}", fleet.log());
    assert!(!fleet.log().contains("garbage-4711"), "{}", fleet.log());
}

#[tokio::test]
async fn a_record_in_another_type_of_value_is_never_overwritten() {
    let store = Store::redis().await;
    let Store::Redis(redis) = &store else { unreachable!() };
    let server = serve_users(store.sessions().await).await;
    let client = logged_in(&server, "ann").await;
    let (key, _) = value(redis).await;
    let mut connection = redis.connect().await;
    cmd("DEL").arg(&key).exec_async(&mut connection).await.unwrap();
    cmd("RPUSH").arg(&key).arg("a").arg("b").exec_async(&mut connection).await.unwrap();
    for reply in [client.get("/me").await, client.post("/visit").await] {
        assert!(reply.status == 401 || reply.status == 503, "{}", reply.text());
        assert!(reply.set_cookies().is_empty());
    }
    let list: Vec<String> = cmd("LRANGE").arg(&key).arg(0).arg(-1).query_async(&mut connection).await.unwrap();
    assert_eq!(list, ["a", "b"]);
    let _: User = logged_in(&server, "bob").await.get("/me").await.json();
}
