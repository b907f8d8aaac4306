//! Tokens between us and another language, by the page that says how.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Router, http::Method, routing::post};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use redis::cmd;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_runtime::{
    Clock as _, Error, Session, SessionData, SessionSlot, Sessions, SystemClock, Timestamp,
    backend::{Backend as _, Memory, RecordKey},
    session,
    testing::ManualClock,
};
use session_tests::{App, Client, Redis, python, serve, tools::PYTHON_CRYPTOGRAPHY};

use crate::support::{assert_problem, key};

/// The example's at localhost, where it is for development.
const COOKIE: &str = "user";

const PAGE: &str = include_str!("../../session-runtime/docs/tokens.md");

/// The examples declare `User`, with the cookie that follows from its name.
const PURPOSE: &str = "examples/fleet.User/__Host-user";
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
    assert_eq!(names, [format!("examples:fleet.User:{{{}}}", read.record)]);

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
         \x20   'another application': purpose('example/fleet.User/__Host-user'),\n\
         \x20   'another program': purpose('examples/files.User/__Host-user'),\n\
         \x20   'another module': purpose('examples/fleet.admin.User/__Host-user'),\n\
         \x20   'another type': purpose('examples/fleet.Cart/__Host-user'),\n\
         \x20   'another cookie': purpose('examples/fleet.User/__Host-account'),\n\
         \x20   'the ring\\'s own key': Fernet(given['ring']).encrypt(plaintext).decode(),\n\
         \x20   'older than the lifetime': at(-given['lifetime'] - 5),\n\
         \x20   'from the future': at(120),\n\
         \x20   'the session is over': make(session_id, now - 1, ring),\n\
         \x20   'another format': at(0, b'\\x02' + plaintext[1:]),\n\
         \x20   'something behind it': at(0, plaintext + b'\\x00'),\n\
         \x20   'an idle timeout that is missing': at(0, b'\\x03' + plaintext[1:]),
         \x20   'an idle timeout that is cut short': at(0, b'\\x03' + plaintext[1:] + bytes(4)),
         \x20   'an idle timeout in another format': at(0, plaintext + bytes(5)),
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
    assert_eq!(made.len(), 17);
    for (why, forged) in made {
        let reply = me(&app, &forged).await;
        assert_eq!(reply.status, 401, "{why}");
    }
    assert_eq!(me(&app, &token).await.status, 200);
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_UNSET"), idle = "30m", lifetime = "2h")]
struct Postcard {
    text: String,
}

#[session(optional)]
async fn write_postcard(slot: SessionSlot<Postcard>) -> Result<(), Error> {
    slot.start(Postcard { text: "Grüße".into() })
        .label("Ada's téléphone")
        .persistent(true)
        .idle(Duration::from_secs(600))
        .await
}

#[tokio::test]
async fn python_reads_a_token_that_carries_its_session() {
    let ring = key('k');
    let sessions = Sessions::<Postcard>::builder().key(&ring).open().await.unwrap();
    let app = serve(Router::new().route("/write", post(write_postcard)).with_state(sessions)).await;
    let client = app.client();
    client.post("/write").await;
    let token = client.cookie("__Host-postcard").expect("a cookie");
    let (idle, lifetime) = (30 * 60, 2 * 3600);
    let mut carried: Value = answer(
        "ring = keys(given['ring'], given['purpose'])\n\
         answer = read_carried(given['token'], ring, given['lifetime'], given['idle'])\n\
         answer['id'] = answer['id'].hex()\n\
         for why, wrong in {\n\
         \x20   'it names no session': lambda: read(given['token'], ring, given['lifetime']),\n\
         \x20   'the idle timeout has passed': lambda: read_carried(given['token'], ring, given['lifetime'], 0),\n\
         \x20   'another format': lambda: body(b'\\x02' + bytes(60)),\n\
         }.items():\n\
         \x20   try: wrong()\n\
         \x20   except ValueError: continue\n\
         \x20   raise SystemExit(why)",
        &json!({ "ring": ring, "purpose": "session-tests/http.interop.Postcard/__Host-postcard", "token": token,
                 "lifetime": lifetime, "idle": idle }),
    )
    .await;

    assert_eq!(carried["id"].take().as_str().map(str::len), Some(48));
    let started = carried["started"].as_u64().expect("a time");
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    assert!(started <= now && now - started < 600_000, "{started} is a moment ago, in milliseconds");
    assert_eq!(
        carried,
        json!({ "id": null, "version": 1, "last_use": started, "end": started + lifetime * 1000,
                "started": started, "authenticated": started, "rotated": started, "rotations": 0,
                "data_version": 1, "persistent": true, "idle": 600_000, "label": "Ada's téléphone", "data": { "text": "Grüße" } })
    );
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(rotate_every = "1m")]
struct Diary {
    page: u32,
}

#[session(optional)]
async fn open_diary(slot: SessionSlot<Diary>) -> Result<(), Error> {
    slot.start(Diary { page: 1 }).await
}

#[session(protected)]
async fn rotate_diary(mut diary: Session<Diary>) -> Result<(), Error> {
    diary.rotate_id().await
}

#[session(protected)]
async fn turn_page(diary: &mut Diary) {
    diary.page += 1;
}

/// All that a body may have is in this one: a rotation for a reason and one on a schedule, after which the previous id
/// may still be used.
#[tokio::test]
async fn python_reads_the_body_of_a_stored_record() {
    let (ring, memory) = (key('k'), Arc::new(Memory::default()));
    // In the past, since Python goes by the system's clock and refuses what is from the future.
    let clock = ManualClock::at(Timestamp::from_secs(SystemClock.now().as_secs() - 600));
    let started = clock.now().as_millis();
    let sessions = Sessions::<Diary>::builder().shared_backend(Arc::clone(&memory)).key(&ring).clock(clock.clone());
    let router = Router::new()
        .route("/open", post(open_diary))
        .route("/rotate", post(rotate_diary))
        .route("/turn", post(turn_page));
    let app = serve(router.with_state(sessions.open().await.unwrap())).await;
    let client = app.client();
    client.post("/open").await;
    clock.advance(Duration::from_secs(30));
    assert_eq!(client.post("/rotate").await.status, 200);
    clock.advance(Duration::from_secs(90));
    assert_eq!(client.post("/turn").await.status, 200);

    let token = client.cookie("__Host-diary").expect("a cookie");
    let given = json!({ "ring": ring, "purpose": "session-tests/http.interop.Diary/__Host-diary", "token": token, "lifetime": 43_200 });
    let name: String = answer(
        "session_id, _ = read(given['token'], keys(given['ring'], given['purpose']), given['lifetime'])\n\
         answer = record(session_id, given['purpose'])",
        &given,
    )
    .await;
    let name = URL_SAFE_NO_PAD.decode(name).expect("a hash").try_into().expect("of 32 bytes");
    let record =
        memory.peek(&RecordKey::from_bytes(name)).await.unwrap().expect("the record has the name that Python says");
    let body: Value = answer("answer = body(bytes(given))", &json!(record.body.to_vec())).await;
    assert_eq!(
        body,
        json!({ "started": started, "authenticated": started, "rotated": started + 120_000, "rotations": 1,
                "data_version": 1, "persistent": null, "idle": null, "label": null, "data": { "page": 2 } })
    );
    assert_eq!(
        (record.body[49], record.body[82]),
        (4 | 16 | 64, 0),
        "the previous id may still be used, and the type and the write are noted"
    );
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
