//! What is never printed: tokens, keys, ids and data.

use std::fmt::Debug;

use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{header, request::Parts},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{
    Error, FromSetting as _, Missing, Peek, Session, SessionData, SessionSlot, Sessions,
    admin::Admin,
    backend::{
        self, List as _, MySqlConfig, MySqlUrl, Pem, PostgresConfig, PostgresUrl, RedisConfig, RedisMaster, RedisNodes,
        RedisSentinels, RedisUrl,
    },
    session, testing,
};
use session_tests::{App, Redis, app::Program, serve, wait};
use tower_layer::Layer as _;

use crate::interop;
use crate::support::{Ledger, Store, head_with, key, send_with};

/// A word that stands in a session's data alone.
const SECRET: &str = "xyzzy-plugh-4711";

fn traced(program: Program, redis: &Redis, keys: &str) -> Program {
    program.env("REDIS_URL", redis.url()).env("SESSION_KEYS", keys).env("RUST_LOG", "trace")
}

/// Fails if any window of a secret that is long enough to be of use stands in the text.
fn assert_hides(text: &str, secret: &str, what: &str) {
    for window in secret.as_bytes().windows(16.min(secret.len())) {
        let window = str::from_utf8(window).expect("a secret of ASCII");
        if let Some(at) = text.find(window) {
            let around: String = text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
            panic!("{what} shows: {around}<here>");
        }
    }
}

#[tokio::test]
async fn a_log_at_trace_level_holds_no_token_no_key_no_store_key_and_no_data() {
    let mut redis = Redis::start().await;
    let (old, new) = (unlike('o'), unlike('n'));
    let before = traced(App::example("fleet"), &redis, &old).start().await;
    let during = traced(App::example("fleet"), &redis, &format!("{new},{old}")).start().await;
    let client = before.client();
    let mut tokens = Vec::new();
    let mut note = |client: &session_tests::Client| tokens.extend(client.cookie("user"));

    client.post_form("/login", &[("name", SECRET)]).await;
    note(&client);
    assert_eq!(client.post("/visit").await.text(), "1");
    assert_eq!(client.get("/me").await.status, 200);
    let elsewhere = client.at(&during.url());
    assert!(elsewhere.get("/").await.text().contains(SECRET));
    note(&client);
    let record: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut redis.connect().await).await.unwrap();

    // What is refused is as secret as what is not: it may be another's.
    let altered = format!("{}AAAA{}", &client.cookie("user").unwrap()[..60], "B".repeat(56));
    for forged in [altered.clone(), format!("{altered}; user={altered}"), altered.clone() + "CC"] {
        let client = before.client();
        let cookie = format!("user={forged}");
        let reply = client.send(axum::http::Method::GET, "/me", |request| request.header(header::COOKIE, cookie)).await;
        assert_eq!(reply.status, 401);
    }
    // Damaged data, a backend that is down, a busy and an ended session.
    let value: Vec<u8> = redis::cmd("GET").arg(&record[0]).query_async(&mut redis.connect().await).await.unwrap();
    let damaged = &value[..value.len() - 4];
    redis::cmd("SET").arg(&record[0]).arg(damaged).exec_async(&mut redis.connect().await).await.unwrap();
    assert_eq!(elsewhere.get("/me").await.status, 401);
    redis::cmd("SET").arg(&record[0]).arg(&value).exec_async(&mut redis.connect().await).await.unwrap();
    redis.kill();
    assert_eq!(elsewhere.get("/me").await.status, 503);
    redis.restart().await;
    wait::until(wait::ANSWER, "the store is back", async || {
        elsewhere.post_form("/login", &[("name", SECRET)]).await.status == 303
    })
    .await;
    note(&client);
    assert_eq!(elsewhere.post("/logout").await.status, 303);

    let ids = interop::ids(&format!("{new},{old}"), &tokens).await;
    assert_eq!(ids.len(), 3);
    for fleet in [&before, &during] {
        let log = fleet.log();
        for id in &ids {
            interop::assert_holds_no_part(log.as_bytes(), id, "the log");
        }
        assert!(log.contains("session_runtime"), "the log is on: {log}");
        assert_hides(&log, SECRET, "the data");
        for (secret, what) in [(&old, "a key"), (&new, "a key"), (&altered, "a refused token")] {
            assert_hides(&log, secret, what);
        }
        assert_eq!(tokens.len(), 3);
        for token in &tokens {
            // All tokens of one time begin alike.
            assert_hides(&log, &token[16..], "a token");
        }
        let key = record[0].split(['{', '}']).nth(1).expect("a record's key");
        assert_hides(&log, key, "the key of a record");
    }
    assert!(before.log().contains("a session started") && during.log().contains("a session ended"), "events are there");
}

/// A key whose every part is its own.
fn unlike(letter: char) -> String {
    let text: String = ('a'..='u').flat_map(|other| [letter, other]).collect();
    format!("{text}A=")
}

#[tokio::test]
async fn a_log_of_a_redis_that_is_down_holds_no_password() {
    let url = format!("redis://user:{SECRET}@127.0.0.1:1/0");
    let program = App::example("fleet").env("REDIS_URL", url).env("SESSION_KEYS", key('k')).env("RUST_LOG", "trace");
    let fleet = program.start().await;
    let reply = fleet.client().post_form("/login", &[("name", "ann")]).await;
    assert_eq!(reply.status, 503);
    assert_hides(reply.text(), SECRET, "the answer");
    assert!(fleet.log().contains("did not answer"), "{}", fleet.log());
    assert_hides(&fleet.log(), SECRET, "the log");
}

#[derive(Clone, Debug, Serialize, Deserialize, SessionData)]
struct Vault {
    #[session(owner)]
    word: String,
}

#[session(optional)]
async fn start(slot: SessionSlot<Vault>) -> Result<String, Error> {
    let starting = slot.start(Vault { word: SECRET.into() });
    let mut shown = format!("{starting:?}");
    starting.await?;
    shown += &format!("{slot:?} {:?}", slot.get());
    Ok(shown)
}

#[session(protected)]
async fn show(mut session: Session<Vault>) -> Result<String, Error> {
    session.rotate_id().await?;
    Ok(format!("{session:?} {session:#?} {:?} {:?}", session.token(), session.ended()))
}

/// Both ways to print.
fn shown(value: &impl Debug) -> String {
    format!("{value:?} {value:#?}")
}

/// A check that was given the secret.
async fn knows(_: &Vault, _: &Parts, secret: &&'static str) -> bool {
    *secret == SECRET
}

/// What the tests of an application print: a session that was started, a client that has it, and what both were told.
async fn in_tests(sessions: &Sessions<Vault>, snapshot: &Vault) -> Vec<String> {
    let events = testing::Events::listen();
    let started = sessions.start(snapshot.clone()).await.unwrap();
    let router = Router::new().route("/", post(start)).route("/show", get(show)).with_state(sessions.clone());
    let client = testing::Client::new(router);
    client.log_in(&started);
    let responses = [client.post("/").await, client.get("/show").await];
    assert!(responses.iter().all(|response| response.status() == 200));
    assert_eq!(responses[0].set_cookies().len(), 1, "there is a token to hide");
    let texts = [shown(&started), shown(&client), shown(&events), shown(&events.all()), shown(&responses)];
    // Whose tokens differ from those that the test looks for.
    for text in &texts {
        assert_hides(text, &started.token().as_str()[16..], "a token");
        assert_hides(text, &client.cookie("__Host-vault").unwrap()[16..], "a token");
    }
    texts.into()
}

#[tokio::test]
async fn nothing_that_can_be_printed_prints_a_secret() {
    let keys = format!("{},{}", unlike('o'), unlike('n'));
    let store = Store::memory();
    let sessions = store.builder::<Vault>().key(&keys).open().await.unwrap();
    let server =
        serve(Router::new().route("/", post(start)).route("/show", get(show)).with_state(sessions.clone())).await;
    let client = server.client();
    let mut texts = vec![client.post("/").await.text().to_owned(), client.get("/show").await.text().to_owned()];
    let token = client.cookie("__Host-vault").unwrap();

    let snapshot = sessions.find(&head_with("__Host-vault", &token)).await.unwrap().expect("a live session");
    texts.push(shown(&snapshot));
    texts.push(shown(&snapshot.public_id()));
    texts.push(shown(&sessions));
    let own = sessions.of(SECRET);
    let listed = own.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    texts.extend([shown(&own), shown(&listed)]);
    texts.push(shown(&sessions.protect()));
    texts.push(shown(&Sessions::<Vault>::builder().key(&keys)));
    texts.push(shown(&Sessions::<Vault>::builder().key(&format!("{SECRET},{SECRET}"))));
    texts.push(shown(&Sessions::<Vault>::builder().key(SECRET).open().await.unwrap_err()));
    let mut config = RedisConfig::default();
    let url = format!("redis://:{SECRET}@127.0.0.1:1/");
    config.url = Some(RedisUrl::from_setting(&url).unwrap());
    config.client_key = Some(Pem::from_setting(&format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n")).unwrap());
    texts.push(shown(config.client_key.as_ref().unwrap()));
    config.sentinel = Some(RedisSentinels::from_setting(&format!("redis://:{SECRET}@127.0.0.1:1")).unwrap());
    config.master = Some(RedisMaster::from_setting(&format!("redis://:{SECRET}@main")).unwrap());
    config.cluster = Some(RedisNodes::from_setting(&format!("redis://:{SECRET}@127.0.0.1:1")).unwrap());
    texts.push(shown(config.cluster.as_ref().unwrap()));
    texts.push(shown(config.sentinel.as_ref().unwrap()));
    texts.push(shown(config.master.as_ref().unwrap()));
    texts.push(shown(&config));
    texts.push(shown(&backend::Redis::new(&url, "test:").unwrap()));
    texts.push(shown(&backend::Redis::new(&format!("redis://:{SECRET}@:x/"), "test:").map(|_| ()).unwrap_err()));
    let Store::Memory(memory) = &store else { unreachable!() };
    texts.push(shown(memory));
    texts.push(shown(&memory.list(None, 10).await.unwrap()));
    texts.push(shown(&backend::ListCursor::from_bytes(SECRET)));
    let mut all = sessions.all();
    let stored = all.next().await.expect("a stored session").unwrap();
    texts.extend([shown(&all), shown(&stored)]);
    texts.push(shown(&sessions.protect().layer(())));
    let head = &mut head_with("__Host-vault", &token);
    let peek = <Peek<Vault> as FromRequestParts<_>>::from_request_parts(head, &sessions).await;
    texts.push(shown(&peek.expect("a live session")));
    texts.extend(in_tests(&sessions, &snapshot).await);
    let missing = Missing::handler_with_state(async |State(_): State<&'static str>| (), SECRET);
    let builder = Sessions::<Vault>::builder().missing(missing.clone()).verify_with(SECRET, knows);
    texts.extend([shown(&missing), shown(&builder)]);
    let layer = sessions.protect().missing(missing).guard_with(SECRET, knows);
    texts.extend([shown(&layer), shown(&layer.layer(()))]);
    texts.push(shown(&Admin::new_with(&sessions, SECRET, knows).sessions("Vaults", &sessions)));
    texts.extend([shown(&sessions.vary()), shown(&sessions.vary().layer(()))]);
    let head = &mut head_with("__Host-vault", &token);
    head.headers.insert("cookie", "__Host-vault=x".parse().unwrap());
    let refused = <Vault as FromRequestParts<_>>::from_request_parts(head, &sessions).await.map(drop);
    texts.push(shown(&refused.expect_err("a forged cookie is not believed")));
    let mut postgres = PostgresConfig::default();
    postgres.url = PostgresUrl::from_setting(&format!("postgres://user:{SECRET}@127.0.0.1:1/app")).ok();
    let mut mysql = MySqlConfig::default();
    mysql.url = MySqlUrl::from_setting(&format!("mysql://user:{SECRET}@127.0.0.1:1/app")).ok();
    assert!(postgres.url.is_some() && mysql.url.is_some());
    texts.extend([shown(&postgres), shown(&postgres.url), shown(&mysql), shown(&mysql.url)]);

    let ledger = Ledger::default();
    let sessions = Sessions::<Vault>::builder().backend(ledger.clone()).key(&keys).open().await.unwrap();
    let server = serve(Router::new().route("/", post(start)).with_state(sessions.clone())).await;
    let client_of_ledger = server.client();
    client_of_ledger.post("/").await;
    texts.push(shown(&ledger.record().await));
    ledger.set_down(true);
    let reply = send_with(&server, axum::http::Method::POST, "/", "").await;
    texts.push(reply.text().to_owned());
    let token = client_of_ledger.cookie("__Host-vault").unwrap();
    let error = sessions.find(&head_with("__Host-vault", &token)).await.map(|found| found.is_some()).unwrap_err();
    texts.push(shown(&error));
    texts.push(error.to_string());

    for text in &texts {
        assert_hides(text, SECRET, "the data");
        assert_hides(text, &token[16..], "a token");
        for key in keys.split(',') {
            assert_hides(text, key, "a key");
        }
    }
}
