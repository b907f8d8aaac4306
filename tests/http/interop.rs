//! Tokens between us and another language, by the page that says how.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::http::Method;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use redis::cmd;
use serde::Deserialize;
use serde_json::{Value, json};
use session_tests::{App, Client, Redis, python, tools::PYTHON_CRYPTOGRAPHY};

use crate::support::{COOKIE, assert_problem, key};

const PAGE: &str = include_str!("../../docs/tokens.md");

/// The examples declare `User`, with the cookie that follows from its name.
const PURPOSE: &str = "examples/User/__Host-user";
const LIFETIME: u64 = 12 * 3600;

/// Runs the program of the page, then `more`, which has what is given as `given` and answers with a dictionary.
async fn answer<T: serde::de::DeserializeOwned>(more: &str, given: &Value) -> T {
    let (_, program) = PAGE.split_once("```python\n").expect("the page has a program");
    let (program, rest) = program.split_once("```").expect("which ends");
    assert!(!rest.contains("```"), "it is one program");
    let script =
        format!("{program}\nimport json, sys\ngiven = json.load(sys.stdin)\n{more}\nprint(json.dumps(answer))\n");
    python(&PYTHON_CRYPTOGRAPHY, &script, given).await
}

/// The application on Redis, whose records can be looked at.
async fn fleet(keys: &str) -> (Redis, App) {
    let redis = Redis::start().await;
    let app = App::example("fleet").env("REDIS_URL", redis.url()).env("SESSION_KEYS", keys).start().await;
    (redis, app)
}

async fn log_in(app: &App) -> (Client, String) {
    let client = app.client();
    assert_eq!(client.post_form("/login", &[("name", "Ada")]).await.status, 303);
    let token = client.cookie(COOKIE).expect("a cookie");
    (client, token)
}

/// A client that brings this token.
async fn me(app: &App, token: &str) -> session_tests::Reply {
    app.client().send(Method::GET, "/me", |request| request.header("cookie", format!("{COOKIE}={token}"))).await
}

#[derive(Deserialize)]
struct Read {
    id: String,
    expires: u64,
    record: String,
    made: String,
}

#[tokio::test]
async fn python_reads_our_tokens_finds_their_records_and_makes_tokens_that_we_read() {
    let ring = format!("{},{}", key('n'), key('o'));
    let (redis, app) = fleet(&ring).await;
    let (client, token) = log_in(&app).await;
    let read: Read = answer(
        "ring = keys(given['ring'], given['purpose'])\n\
         session_id, expires = read(given['token'], ring, given['lifetime'])\n\
         answer = {'id': session_id.hex(), 'expires': expires, 'record': record(session_id, given['purpose']),\n\
         \x20         'made': make(session_id, expires, ring)}",
        &json!({ "ring": ring, "purpose": PURPOSE, "token": token, "lifetime": LIFETIME }),
    )
    .await;

    assert_eq!(read.id.len(), 48);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let end = Duration::from_secs(read.expires);
    assert!(end > now && end <= now + Duration::from_secs(LIFETIME), "{} is the session's last moment", read.expires);

    let names: Vec<String> = cmd("KEYS").arg("*").query_async(&mut redis.connect().await).await.unwrap();
    assert_eq!(names, [format!("examples:User:{{{}}}", read.record)]);

    assert_ne!(read.made, token, "it is a token of Python's own");
    let reply = me(&app, &read.made).await;
    assert_eq!((reply.status.as_u16(), &reply.json::<Value>()["name"]), (200, &json!("Ada")));
    assert!(reply.set_cookies().is_empty(), "it is as good as ours");
    client.post("/logout").await;
    assert_problem(&me(&app, &read.made).await, 401, "missing");
}

#[tokio::test]
async fn python_and_we_refuse_the_same_tokens() {
    let (ring, other) = (key('k'), key('o'));
    let (_redis, app) = fleet(&ring).await;
    let (_, token) = log_in(&app).await;
    let made: BTreeMap<String, String> = answer(
        "ring = keys(given['ring'], given['purpose'])\n\
         fernet = ring._fernets[0]\n\
         session_id, expires = read(given['token'], ring, given['lifetime'])\n\
         now = int(time.time())\n\
         plaintext = b'\\x01' + session_id + expires.to_bytes(5, 'big')\n\
         at = lambda secs, plaintext=plaintext: fernet.encrypt_at_time(plaintext, now + secs).decode()\n\
         purpose = lambda purpose: make(session_id, expires, keys(given['ring'], purpose))\n\
         answer = {\n\
         \x20   'another key': make(session_id, expires, keys(given['other'], given['purpose'])),\n\
         \x20   'another application': purpose('example/User/__Host-user'),\n\
         \x20   'another type': purpose('examples/Cart/__Host-user'),\n\
         \x20   'another cookie': purpose('examples/User/__Host-account'),\n\
         \x20   'the ring\\'s own key': Fernet(given['ring']).encrypt(plaintext).decode(),\n\
         \x20   'older than the lifetime': at(-given['lifetime'] - 5),\n\
         \x20   'from the future': at(120),\n\
         \x20   'the session is over': make(session_id, now - 1, ring),\n\
         \x20   'another format': at(0, b'\\x02' + plaintext[1:]),\n\
         \x20   'something behind it': at(0, plaintext + b'\\x00'),\n\
         \x20   'something missing': at(0, plaintext[:-1]),\n\
         \x20   'nothing in it': at(0, b''),\n\
         }\n\
         for why, token in answer.items():\n\
         \x20   try: read(token, ring, given['lifetime'])\n\
         \x20   except ValueError: continue\n\
         \x20   raise SystemExit(why)",
        &json!({ "ring": ring, "other": other, "purpose": PURPOSE, "token": token, "lifetime": LIFETIME }),
    )
    .await;
    assert_eq!(made.len(), 12);
    for (why, forged) in made {
        let reply = me(&app, &forged).await;
        assert_eq!(reply.status, 401, "{why}");
    }
    assert_eq!(me(&app, &token).await.status, 200);
}

/// The ids in the quickstart's tokens, in order.
pub(crate) async fn ids(ring: &str, tokens: &[String]) -> Vec<Vec<u8>> {
    let read: Vec<String> = answer(
        "ring = keys(given['ring'], given['purpose'])\n\
         answer = [read(token, ring, given['lifetime'])[0].hex() for token in given['tokens']]",
        &json!({ "ring": ring, "purpose": PURPOSE, "tokens": tokens, "lifetime": LIFETIME }),
    )
    .await;
    let bytes =
        |hex: &String| (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    read.iter().map(bytes).collect()
}

/// The bytes as somebody would print them who doesn't think.
fn printed(bytes: &[u8]) -> [String; 6] {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (upper, apart) =
        (hex.to_uppercase(), bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"));
    let list = format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
    [hex, upper, apart, list, URL_SAFE.encode(bytes), STANDARD.encode(bytes)]
}

/// How much of an id is too much: 48 of its 192 bits.
const SHORT: usize = 6;

/// Fails if even a short part of the id stands in the text, raw or in any way of printing.
pub(crate) fn assert_holds_no_part(text: &[u8], id: &[u8], what: &str) {
    assert_eq!(id.len(), 24);
    for (at, part) in id.windows(SHORT).enumerate() {
        assert!(position(text, part).is_none(), "{what} holds bytes {at} and following of an id");
        for printed in printed(part) {
            assert!(position(text, printed.as_bytes()).is_none(), "{what} holds a part of an id as {printed}");
        }
    }
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[test]
fn a_part_of_an_id_is_found_however_it_is_printed() {
    let id: Vec<u8> = (0..24).map(|at| at * 7 + 3).collect();
    for half in [&id[..12], &id[12..], &id[..8], &id[9..16]] {
        for printed in printed(half) {
            let log = format!("a session started session={printed}.. more");
            let found = std::panic::catch_unwind(|| assert_holds_no_part(log.as_bytes(), &id, "the log"));
            assert!(found.is_err(), "{log}");
        }
    }
    assert_holds_no_part(b"a session started session=Zm9vYmFyYmF6", &id, "the log");
}

#[tokio::test]
async fn a_dump_of_a_store_and_a_log_hold_no_part_of_an_id() {
    let (ring, redis) = (key('k'), Redis::start().await);
    let app = App::example("fleet").env("REDIS_URL", redis.url()).env("SESSION_KEYS", &ring).env("RUST_LOG", "trace");
    let app = app.start().await;
    let (client, token) = log_in(&app).await;
    client.post("/visit").await;
    let ids = ids(&ring, std::slice::from_ref(&token)).await;

    let mut connection = redis.connect().await;
    let names: Vec<String> = cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    let mut dump = names.join("\n").into_bytes();
    for name in &names {
        dump.extend(cmd("GET").arg(name).query_async::<Vec<u8>>(&mut connection).await.unwrap());
    }
    client.post("/logout").await;
    let log = app.log();
    assert!(
        log.contains("a session started") && log.contains("a session ended"),
        "there is something to look at: {log}"
    );
    assert!(dump.windows(3).any(|window| window == b"Ada"), "the record is there: {}", dump.escape_ascii());
    let log = log.into_bytes();
    for (text, what) in [(&dump, "the store"), (&log, "the log")] {
        assert_holds_no_part(text, &ids[0], what);
        assert!(position(text, token.as_bytes()).is_none(), "{what} holds the token");
    }
}
