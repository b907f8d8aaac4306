//! The program on real stores, beside an application that keeps its sessions there.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_runtime::backend::{File, List, MySql, Postgres, Record, RecordKey, Redis, Sqlite, Touch, Written};
use session_runtime::inspect::Purpose;
use session_runtime::{Clock as _, Error, SessionData, SessionSlot, Sessions, SystemClock, session};
use session_tests::device::Offer;
use session_tests::{Device, MariaDb, Postgres as PostgresServer, Redis as RedisServer, serve};
use tokio::io::AsyncWriteExt as _;

const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=";
const OTHER_KEY: &str = "jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjA=";
const SECRET: &str = "hunter2-is-secret";

#[derive(Serialize, Deserialize, SessionData)]
struct Shopper {
    #[session(owner)]
    id: u64,
    #[session(secret)]
    password: String,
}

/// Another type in the same store, whose data would do for a [`Shopper`].
#[derive(Serialize, Deserialize, SessionData)]
struct Courier {
    id: u64,
    password: String,
}

/// What the program is run with.
struct Admin {
    variables: Vec<(&'static str, String)>,
    /// Arguments of every command.
    always: Vec<&'static str>,
    secrets: Vec<String>,
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Admin {
    fn at(store: impl Into<String>) -> Self {
        let secrets = vec![SECRET.into(), KEY.into(), OTHER_KEY.into()];
        Self { variables: vec![("SESSION_STORE", store.into())], always: Vec::new(), secrets }
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "").await
    }

    /// Runs it, and sees that none of the secrets is in what it prints.
    async fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_session-admin"));
        command.args(arguments).args(&self.always).env_remove("SESSION_STORE").env_remove("SESSION_KEYS");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("it runs");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A program that needs no input may have ended before it is written.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let Output { status, stdout, stderr } = child.wait_with_output().await.expect("it ends");
        let [out, err] = [stdout, stderr].map(|text| String::from_utf8(text).expect("text"));
        for secret in &self.secrets {
            assert!(!out.contains(secret) && !err.contains(secret), "{arguments:?} prints {secret:?}: {out}{err}");
        }
        Ran { code: status.code().expect("it ends by itself"), out, err }
    }
}

impl Ran {
    fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }

    fn objects(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("each line is an object")).collect()
    }

    fn sessions(&self) -> BTreeSet<String> {
        self.objects().iter().map(|object| object["session"].as_str().expect("a name").to_owned()).collect()
    }
}

/// An operator's work on any store: `open` gives another handle on it for the type of this name.
async fn an_operator_lists_shows_decodes_and_ends<B: List>(
    address: String,
    open: impl AsyncFn(&str) -> B,
    places: &[&'static str],
) {
    let shoppers = Sessions::<Shopper>::builder().key(KEY).backend(open("Shopper").await).open().await.unwrap();
    let couriers = Sessions::<Courier>::builder().key(KEY).backend(open("Courier").await).open().await.unwrap();
    let (mut tokens, mut names) = (Vec::new(), Vec::new());
    for number in 0..8_u64 {
        let shopper = Shopper { id: number / 2, password: SECRET.into() };
        let started = shoppers.start(shopper).label(format!("phone {number}\u{1b}[2J\u{9b}\u{202e}")).await.unwrap();
        tokens.push(started.token().as_str().to_owned());
        names.push(started.public_id().to_string());
    }
    let _courier = couriers.start(Courier { id: 1, password: SECRET.into() }).await.unwrap();
    let mut admin = Admin::at(address);
    admin.variables.push(("SESSION_KEYS", format!("{OTHER_KEY},{KEY}")));
    admin.always = [&["--type", "session-admin/admin.Shopper"], places].concat();
    admin.secrets.extend(tokens.clone());
    // A label must not steer the terminal.
    admin.secrets.extend(["\u{1b}", "\u{9b}", "\u{202e}"].map(Into::into));

    let listed = admin.run(&["list", "--json"]).await.ended_with(0);
    assert_eq!(listed.sessions(), names.iter().cloned().collect(), "all of the type, and no others");
    assert!(listed.objects().iter().all(|object| object["data"]["fields"]["password"] == "string"), "{}", listed.out);
    let table = admin.run(&["list"]).await.ended_with(0);
    assert!(
        names.iter().all(|name| table.out.contains(name)) && table.out.contains("phone 3\\u{1b}[2J"),
        "{}",
        table.out
    );
    assert!(table.err.contains("8 sessions, 0 that can't be read"), "{}", table.err);
    let of_one = admin.run(&["list", "--owner", "1", "--json"]).await.ended_with(0);
    assert_eq!(of_one.sessions(), names[2..4].iter().cloned().collect());
    let of_nobody = admin.run(&["list", "--owner", "77", "--json"]).await.ended_with(0);
    assert!(of_nobody.out.is_empty() && of_nobody.err.contains("there is no list"), "{}", of_nobody.err);
    let refused = admin.run(&["end", "--owner", "77", "--yes"]).await.ended_with(1);
    assert!(refused.err.contains("written otherwise"), "{}", refused.err);
    let mistaken = admin.run(&["list", "--cookie", "user"]).await.ended_with(0);
    assert!(mistaken.err.contains("other types") && mistaken.err.contains("(8)"), "{}", mistaken.err);
    let mistaken = admin.run(&["end", "--all", "--yes", "--cookie", "user"]).await.ended_with(1);
    assert!(mistaken.err.contains("--cookie"), "{}", mistaken.err);
    assert_eq!(shoppers.count().await.unwrap(), 8, "a mistaken cookie ends nothing, and that is no success");

    let shown = admin.run(&["show", &names[0]]).await.ended_with(0);
    assert!(shown.out.contains("id (number), password (string)") && shown.out.contains("started"), "{}", shown.out);
    admin.run(&["show", "AAAAAAAAAAAA"]).await.ended_with(1);
    admin.run(&["show", "no name"]).await.ended_with(2);

    let decoded = admin.run_with(&["decode", "--stored", "--json"], &format!("{}\n", tokens[0])).await.ended_with(0);
    let object = &decoded.objects()[0];
    assert_eq!((object["session"].as_str(), object["expired"].as_bool()), (Some(names[0].as_str()), Some(false)));
    assert_eq!(object["signed_by"], "an older key");
    assert_eq!(object["stored"], "there, and the token is in force");
    let forged: String = tokens[0].chars().rev().collect();
    admin.run_with(&["decode"], &forged).await.ended_with(1);

    assert!(admin.run(&["end", &names[0], &names[0]]).await.ended_with(0).out.contains("1 ended"));
    admin.run(&["end", &names[0]]).await.ended_with(1);
    assert_eq!(shoppers.of(&0_u64).list().await.unwrap().len(), 1);
    let decoded = admin.run_with(&["decode", "--stored"], &tokens[0]).await.ended_with(0);
    assert!(decoded.out.contains("absent"), "{}", decoded.out);

    let refused = admin.run(&["end", "--owner", "1"]).await.ended_with(4);
    assert!(refused.err.contains("--yes"), "{}", refused.err);
    assert_eq!(shoppers.of(&1_u64).list().await.unwrap().len(), 2, "nothing ends without a yes");
    assert!(admin.run(&["end", "--owner", "1", "--yes"]).await.ended_with(0).out.contains("2 ended"));
    assert_eq!(shoppers.of(&1_u64).list().await.unwrap().len(), 0);
    let key = Purpose::of_type("session-admin/admin.Shopper").owner_list("2");
    let (store, now) = (open("Shopper").await, SystemClock.now());
    let list = store.peek(&key).await.unwrap().expect("the list is there");
    // As one that was lost an hour ago, and is whole again in an hour.
    let whole_from = now.plus(Duration::from_secs(3600)).as_millis().to_be_bytes();
    let body = [&[list.body[0] + 1][..], &whole_from, &list.body[1..]].concat();
    let partial = Record { version: list.version + 1, body: body.into(), ..list.clone() };
    let touch = Touch { now, idle: Duration::MAX, expires: list.expires };
    assert_eq!(store.update(&key, list.version, partial, touch).await.unwrap(), Written::Done);
    let partly = admin.run(&["end", "--owner", "2", "--yes"]).await.ended_with(5);
    assert!(partly.out.contains("2 ended") && partly.err.contains("was lost"), "{}", partly.err);
    admin.run(&["end", "--all"]).await.ended_with(4);
    assert_eq!(shoppers.count().await.unwrap(), 3);
    assert!(admin.run(&["end", "--all", "--yes", "--json"]).await.ended_with(0).out.contains("\"ended\":3"));
    assert_eq!((shoppers.count().await.unwrap(), couriers.count().await.unwrap()), (0, 1), "and no other type's");

    let now = SystemClock.now();
    let expires = now.plus(Duration::from_secs(3600));
    let garbage = Record { version: 1, last_seen: now, expires, body: b"garbage".as_slice().into() };
    let touch = Touch { now, idle: Duration::from_secs(3600), expires };
    assert!(open("Shopper").await.create(&RecordKey::from_bytes([7; 32]), garbage, touch).await.unwrap());
    let unreadable = admin.run(&["list"]).await.ended_with(5);
    assert!(unreadable.out.contains("can't be read"), "{}", unreadable.out);
    admin.run(&["end", "--all", "--yes"]).await.ended_with(5);
    assert!(admin.run(&["check"]).await.ended_with(0).out.contains("sessions can live there"));
}

#[tokio::test]
async fn on_redis() {
    let server = RedisServer::start().await;
    let open = async |kind: &str| Redis::new(&server.url(), format!("session-admin:admin.{kind}:")).unwrap();
    an_operator_lists_shows_decodes_and_ends(server.url(), open, &[]).await;
}

#[tokio::test]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let open = async |_: &str| Sqlite::new(&path, "people").await.unwrap();
    let address = format!("sqlite:{}", path.display());
    an_operator_lists_shows_decodes_and_ends(address, open, &["--table", "people"]).await;
}

#[tokio::test]
async fn on_postgres() {
    let server = PostgresServer::start().await;
    let open = async |_: &str| Postgres::new(&server.url(), "sessions").unwrap();
    an_operator_lists_shows_decodes_and_ends(server.url(), open, &[]).await;
}

#[tokio::test]
async fn on_mariadb() {
    let server = MariaDb::start().await;
    let open = async |_: &str| MySql::new(&server.url(), "sessions").unwrap();
    an_operator_lists_shows_decodes_and_ends(server.url(), open, &[]).await;
}

#[tokio::test]
async fn on_files() {
    let folder = tempfile::tempdir().unwrap();
    let open = async |kind: &str| File::new(folder.path().join(format!("session-admin/admin.{kind}"))).unwrap();
    an_operator_lists_shows_decodes_and_ends(format!("file:{}", folder.path().display()), open, &[]).await;
}

/// A type whose sessions are bound to devices.
#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound)]
struct Member {
    id: u64,
}

#[session(optional)]
async fn log_in(slot: SessionSlot<Member>) -> Result<(), Error> {
    slot.start(Member { id: 1 }).await
}

#[tokio::test]
async fn a_session_says_whether_it_is_bound_to_a_device() {
    let folder = tempfile::tempdir().unwrap();
    let backend = File::new(folder.path().join("session-admin/admin.Member")).unwrap();
    let members = Sessions::<Member>::builder().key(KEY).backend(backend).open().await.unwrap();
    let router = axum::Router::new().route("/login", axum::routing::post(log_in)).merge(members.device_routes());
    let server = serve(router.with_state(members)).await;
    let (bound, unbound) = (server.client(), server.client());
    let offer = Offer::of(&bound.post("/login").await).expect("an offer");
    assert_eq!(Device::new(1).register(&bound, &offer).await.status, 200);
    unbound.post("/login").await;

    let mut admin = Admin::at(format!("file:{}", folder.path().display()));
    admin.always = vec!["--type", "session-admin/admin.Member"];
    let objects = admin.run(&["list", "--json"]).await.ended_with(0).objects();
    let (bound, unbound): (Vec<_>, Vec<_>) = objects.iter().partition(|session| session["device_bound"].is_string());
    assert_eq!((bound.len(), unbound.len()), (1, 1), "{objects:?}");
    assert_eq!(bound[0]["device_bound"], bound[0]["device_proven"]);
    let shown = admin.run(&["show", bound[0]["session"].as_str().unwrap()]).await.ended_with(0);
    assert!(shown.out.contains("device_bound"), "{}", shown.out);
}

fn acl(words: &[&str]) -> redis::Cmd {
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("shop").arg(words);
    command
}

#[tokio::test]
async fn check_names_the_rights_that_redis_refuses_and_says_if_it_is_down() {
    let mut server = RedisServer::start().await;
    let rights = "on >pass ~shop:User:* &shop:User:freed -@all +get +getex +set +del +exists +append +setrange +getrange \
                  +pttl +pexpire +eval +evalsha +publish +subscribe +ping";
    let rights: Vec<&str> = rights.split_whitespace().collect();
    acl(&rights).exec_async(&mut server.connect().await).await.unwrap();
    let mut admin = Admin::at(server.url().replace("redis://", "redis://shop:pass@"));
    admin.secrets.push("shop:pass@".into());
    let check = ["check", "--type", "shop/User"];
    let listing = admin.run(&check).await.ended_with(3);
    assert!(listing.err.contains("not be listed") && listing.err.contains("scan"), "{}", listing.err);
    acl(&["+scan"]).exec_async(&mut server.connect().await).await.unwrap();
    admin.run(&check).await.ended_with(0);
    let elsewhere = admin.run(&["check", "--prefix", "other:"]).await.ended_with(3);
    assert!(elsewhere.err.contains("~other:*"), "{}", elsewhere.err);
    acl(&["-getex", "-evalsha"]).exec_async(&mut server.connect().await).await.unwrap();
    let refused = admin.run(&check).await.ended_with(3);
    assert!(refused.err.contains("+getex +evalsha"), "{}", refused.err);
    server.kill();
    admin.run(&check).await.ended_with(3);
    admin.run(&["list", "--type", "shop/User"]).await.ended_with(3);
}

#[tokio::test]
async fn check_names_what_postgres_refuses_and_looking_makes_no_table() {
    let server = PostgresServer::start().await;
    let admin = Admin::at(server.url());
    admin.run(&["list"]).await.ended_with(0);
    let mut connection = server.connect().await;
    let tables = async |connection: &mut sqlx::PgConnection| -> i64 {
        let count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
        sqlx::query_scalar(count).fetch_one(connection).await.unwrap()
    };
    assert_eq!(tables(&mut connection).await, 0, "looking makes nothing");
    admin.run(&["check"]).await.ended_with(0);
    assert_eq!(tables(&mut connection).await, 2, "check does what a start does");
    for sql in ["CREATE ROLE reader LOGIN", "GRANT SELECT ON sessions, sessions_meta TO reader"] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    let reader = Admin::at(server.url().replace("tester", "reader"));
    let refused = reader.run(&["check"]).await.ended_with(3);
    assert!(refused.err.contains("permission denied for table sessions"), "{}", refused.err);
}

#[tokio::test]
async fn keys_are_made_and_rotated_in_a_file_for_one_person_and_are_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let file = path.to_str().unwrap();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap().trim().to_owned();
    let mut admin = Admin::at("");
    assert_eq!(admin.run(&["keygen"]).await.ended_with(0).out.trim().len(), 44);
    admin.run(&["keygen", "--out", file]).await.ended_with(0);
    let first = read(&path);
    admin.secrets.push(first.clone());
    admin.run(&["keygen", "--out", file]).await.ended_with(2);
    assert_eq!(read(&path), first, "a key that is there is not overwritten");

    admin.run(&["rotate", "--keys-file", file]).await.ended_with(0);
    let both = read(&path);
    let (newest, older) = both.split_once(',').expect("two keys");
    assert!(older == first && newest.len() == 44 && newest != first);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    admin.secrets.push(newest.to_owned());
    let rotated = admin.run(&["rotate", "--keys-file", file, "--keep", "1", "--json"]).await.ended_with(0);
    assert_eq!(rotated.objects(), [json!({ "new": 1, "kept": 1, "dropped": 1 })]);
    assert!(read(&path).ends_with(newest) && !read(&path).contains(&first));

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("keys", &link).unwrap();
    let before = read(&path);
    admin.run(&["rotate", "--keys-file", link.to_str().unwrap()]).await.ended_with(0);
    assert!(link.is_symlink() && read(&path).ends_with(&before) && read(&path) != before);
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640,
        "who reads it goes on reading it"
    );
    admin.secrets.push(read(&path)[..44].to_owned());

    std::fs::write(&path, "not a key, and private").unwrap();
    admin.secrets.push("private".into());
    let refused = admin.run(&["rotate", "--keys-file", file]).await.ended_with(2);
    assert!(refused.err.contains("malformed"), "{}", refused.err);
    assert_eq!(read(&path), "not a key, and private");
}

#[tokio::test]
async fn bad_input_is_told_with_what_to_write() {
    for (store, arguments, says) in [
        ("", &["list"][..], "set SESSION_STORE"),
        ("http://localhost", &["list"], "redis://host:6379"),
        ("redis://localhost", &["list"], "--type"),
        ("sqlite:/nowhere/shop.db", &["list"], "there is no file"),
        ("file:/nowhere", &["list", "--type", "shop/User"], "there is no folder"),
        ("redis://localhost", &["end", "--type", "shop/User"], "required"),
        ("redis://localhost", &["end", "--all", "--prefix", "x:"], "--type"),
        ("redis://localhost", &["decode", "--type", "shop/User"], "SESSION_KEYS"),
        ("", &["list", "--store", "postgres://me:pass@host/shop"], "SESSION_STORE"),
    ] {
        let mut admin = Admin::at(store);
        admin.secrets.push("me:pass".into());
        let refused = admin.run(arguments).await.ended_with(2);
        assert!(refused.err.contains(says), "{arguments:?}: {}", refused.err);
    }
}

#[tokio::test]
async fn help_has_the_exit_codes_and_each_command_has_examples() {
    let admin = Admin::at("");
    let help = admin.run(&["--help"]).await.ended_with(0).out;
    assert!(help.contains("Exit codes:") && help.contains("SESSION_STORE"), "{help}");
    for command in ["list", "show", "end", "decode", "keygen", "rotate", "check"] {
        let help = admin.run(&[command, "--help"]).await.ended_with(0).out;
        assert!(help.contains("Examples:") && help.contains(&format!("session-admin {command}")), "{help}");
    }
}
