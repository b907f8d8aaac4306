//! What is wrong with an application's settings is told when it starts, with the remedy.

use std::{
    env,
    error::Error,
    process::{Output, Stdio},
    time::Duration,
};

use axum::{Extension, Router, routing::post};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, backend::Memory, session};
use session_tests::{App, app::describe, serve, wait};
use tokio::process::Command;

use crate::support::{Gate, User, key, logged_in, routes};

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    backend = redis(url = env("HTTP_TESTS_URL"), prefix = env("HTTP_TESTS_PREFIX", default = "http-tests:")),
    key = env("HTTP_TESTS_KEYS"),
    cookie(name = env("HTTP_TESTS_COOKIE", default = "__Host-settings"), secure = env("HTTP_TESTS_SECURE", default = "true")),
    idle = env("HTTP_TESTS_IDLE", default = "30m"),
    lifetime = env("HTTP_TESTS_LIFETIME", default = "12h"),
)]
struct Settings;

/// Cookies of several domains, in the same application.
#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(
    name = "__Secure-shops",
    domain = ["shop-a.example", env("HTTP_TESTS_DOMAINS", default = "shop-b.example")],
))]
struct Shops;

/// What makes a key on any machine.
const OPENSSL: &str = "openssl rand -base64 32 | tr '+/' '-_'";

/// Says to a test process that it is the application.
const APPLICATION: &str = "HTTP_TESTS_APPLICATION";

/// The application is this very test in a process of its own, since a process's environment is for all of its threads:
/// as from a `main`, the error that it returns is printed to standard error.
#[tokio::test]
async fn an_application_with_all_its_settings_starts() -> Result<(), Box<dyn Error>> {
    if env::var_os(APPLICATION).is_some() {
        Settings::sessions().await?;
        Shops::sessions().await?;
        return Ok(());
    }
    let ring = format!("{},{}", key('n'), key('o'));
    let settings =
        [("HTTP_TESTS_KEYS", ring.as_str()), ("HTTP_TESTS_URL", "redis://127.0.0.1:1/"), ("HTTP_TESTS_IDLE", "5m")];
    let output = start(&settings).await;
    assert!(output.status.success(), "{}", describe(&output));
    Ok(())
}

async fn start(settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().expect("the test's own path"));
    command.args(["startup::an_application_with_all_its_settings_starts", "--exact", "--nocapture"]);
    command.env(APPLICATION, "1").envs(settings.iter().copied());
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    wait::within(wait::START, "the application ends", output).await.expect("it can be run")
}

/// What the application says that refuses to start.
async fn refusal(settings: &[(&str, &str)]) -> String {
    let output = start(settings).await;
    assert!(!output.status.success(), "{settings:?}: {}", describe(&output));
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(!text.contains("panicked"), "{text}");
    text
}

/// The refusal of an application whose settings are in order but for these.
async fn refusal_but_for(settings: &[(&str, &str)]) -> String {
    let key = key('k');
    let mut all = vec![("HTTP_TESTS_KEYS", key.as_str()), ("HTTP_TESTS_URL", "redis://127.0.0.1:1/")];
    all.extend(settings);
    refusal(&all).await
}

fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

#[tokio::test]
async fn an_unset_key_is_named_with_the_command_that_makes_one() {
    for unset in [&[][..], &[("HTTP_TESTS_KEYS", "")]] {
        let settings = [&[("HTTP_TESTS_URL", "redis://127.0.0.1:1/")], unset].concat();
        assert_says(
            &refusal(&settings).await,
            &["HTTP_TESTS_KEYS", "is not set", OPENSSL, "session_runtime::generate_key()"],
        );
    }
}

#[tokio::test]
async fn a_malformed_key_is_named_and_never_repeated() {
    let (good, short) = (key('k'), key('s')[..43].to_owned() + "s");
    let ring = format!("{good},hunter2-and-more");
    for (keys, secret) in [
        ("hunter2", "hunter2"),
        ("correct horse battery staple", "horse"),
        (&short, &short[..20]),
        (&good[1..], &good[1..20]),
        (&ring, "hunter2"),
        (&ring, &good[..20]),
        (" , ", " , "),
    ] {
        let text = refusal_but_for(&[("HTTP_TESTS_KEYS", keys)]).await;
        assert_says(&text, &["HTTP_TESTS_KEYS", OPENSSL]);
        assert!(!text.contains(secret), "{text}");
    }
    let text = refusal_but_for(&[("HTTP_TESTS_KEYS", &ring)]).await;
    assert_says(&text, &["key 2 of 2"]);
}

#[tokio::test]
async fn an_unset_url_is_named_with_an_example() {
    let text = refusal(&[("HTTP_TESTS_KEYS", &key('k'))]).await;
    assert_says(&text, &["HTTP_TESTS_URL", "is not set", "redis://"]);
}

#[tokio::test]
async fn a_malformed_url_is_named_with_an_example_and_never_repeated() {
    for url in ["http://hunter2@host", "hunter2", "redis://:hunter2@host:port/x", "redis://:hunter2@host/notanumber"] {
        let text = refusal_but_for(&[("HTTP_TESTS_URL", url)]).await;
        assert!(!text.contains("hunter2"), "{text}");
        assert_says(&text, &["HTTP_TESTS_URL", "redis://"]);
    }
}

#[tokio::test]
async fn unreadable_and_contradicting_timeouts_are_named_with_examples() {
    for idle in ["soon", "30", "0s", "-5m"] {
        let text = refusal_but_for(&[("HTTP_TESTS_IDLE", idle)]).await;
        assert_says(&text, &["HTTP_TESTS_IDLE", "`idle`", &format!("{idle:?}"), "\"30m\""]);
    }
    let text = refusal_but_for(&[("HTTP_TESTS_LIFETIME", "401d")]).await;
    assert_says(&text, &["HTTP_TESTS_LIFETIME", "400 days"]);
    let text = refusal_but_for(&[("HTTP_TESTS_IDLE", "13h")]).await;
    assert_says(&text, &["HTTP_TESTS_IDLE", "longer than the lifetime"]);
}

#[tokio::test]
async fn cookie_options_from_the_environment_are_held_to_the_rules() {
    let text = refusal_but_for(&[("HTTP_TESTS_SECURE", "maybe")]).await;
    assert_says(&text, &["HTTP_TESTS_SECURE", "cookie(secure)", "`true` or `false`"]);
    let text = refusal_but_for(&[("HTTP_TESTS_SECURE", "false")]).await;
    assert_says(&text, &["HTTP_TESTS_SECURE", "__Host-"]);
    let text = refusal_but_for(&[("HTTP_TESTS_COOKIE", "my cookie")]).await;
    assert_says(&text, &["HTTP_TESTS_COOKIE", "cookie(name)"]);
}

#[tokio::test]
async fn domains_from_the_environment_are_held_to_the_rules() {
    for (domains, why) in [
        ("shop-b.example, https://shop-c.example", "\"https://shop-c.example\" is not a host name"),
        ("shop-b.example,SHOP-A.example", "\"shop-a.example\" is given twice"),
        ("shop-b.example:8443", "\"shop-b.example:8443\" is not a host name"),
    ] {
        let text = refusal_but_for(&[("HTTP_TESTS_DOMAINS", domains)]).await;
        assert_says(&text, &["HTTP_TESTS_DOMAINS", "cookie(domain)", why]);
    }
}

#[tokio::test]
async fn every_problem_is_told_at_once() {
    let text = refusal(&[
        ("HTTP_TESTS_KEYS", "hunter2"),
        ("HTTP_TESTS_URL", "redis://127.0.0.1:1/"),
        ("HTTP_TESTS_IDLE", "soon"),
        ("HTTP_TESTS_LIFETIME", "never"),
        ("HTTP_TESTS_SECURE", "maybe"),
    ])
    .await;
    assert_says(&text, &["HTTP_TESTS_KEYS", "HTTP_TESTS_IDLE", "HTTP_TESTS_LIFETIME", "HTTP_TESTS_SECURE"]);
}

#[tokio::test]
async fn the_backends_problems_are_told_with_the_others() {
    let text = refusal(&[("HTTP_TESTS_IDLE", "soon")]).await;
    assert_says(&text, &["HTTP_TESTS_KEYS", "HTTP_TESTS_IDLE", "HTTP_TESTS_URL"]);
}

#[tokio::test]
async fn what_a_main_prints_reads_well() {
    let output = App::example("fleet").env("REDIS_URL", "redis://127.0.0.1:1/").env("RUST_LOG", "off").run().await;
    assert!(!output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Error: the sessions can't be opened: the environment variable SESSION_KEYS (option `key`) is not set; \
         make one with `openssl rand -base64 32 | tr '+/' '-_'` or with `session_runtime::generate_key()`, and set the variable to it\n",
    );
    let output = App::example("fleet").env("RUST_LOG", "off").run().await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.starts_with("Error: the sessions can't be opened") && !text.contains("OpenError"), "{text}");
}

#[tokio::test]
async fn what_keygen_prints_is_a_key_and_another_one_each_time() {
    let mut keys = Vec::new();
    for _ in 0..2 {
        let output = App::example("keygen").run().await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!((text.lines().count(), text.trim().len()), (1, 44), "{text:?}");
        assert!(Sessions::<User>::builder().key(&text).open().await.is_ok());
        keys.push(text);
    }
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn what_the_remedy_for_a_missing_key_makes_is_a_key() {
    for _ in 0..20 {
        let output = Command::new("sh").args(["-c", OPENSSL]).output().await.expect("there is a shell");
        let made = String::from_utf8(output.stdout).unwrap();
        for key in [made, session_runtime::generate_key()] {
            assert!(
                Sessions::<User>::builder().key(&key).open().await.is_ok(),
                "{key:?} {output:?}",
                output = output.stderr
            );
        }
    }
}

#[tokio::test]
async fn an_application_whose_redis_is_down_starts_and_answers_503_until_it_is_up() {
    let server =
        App::example("fleet").env("REDIS_URL", "redis://127.0.0.1:1/").env("SESSION_KEYS", key('k')).start().await;
    let client = server.client();
    assert_eq!(client.get("/").await.status, 200, "anonymous requests are served");
    assert_eq!(client.post_form("/login", &[("name", "ann")]).await.status, 503);
}

#[tokio::test]
async fn a_redis_that_is_down_at_the_start_is_told_in_the_log() {
    let program = App::example("fleet").env("REDIS_URL", "redis://127.0.0.1:1/").env("SESSION_KEYS", key('k'));
    let server = program.env("RUST_LOG", "warn").start().await;
    assert!(server.log().contains("Redis can't be used yet"), "{}", server.log());
}

#[tokio::test]
async fn a_builder_refuses_what_an_environment_may_not_say_either() {
    let error = Sessions::<User>::builder().key("hunter2").open().await.unwrap_err().to_string();
    assert!(error.contains(OPENSSL) && !error.contains("hunter2"), "{error}");
    let day = Duration::from_secs(24 * 3600);
    let builder = Sessions::<User>::builder().idle(500 * day).lifetime(401 * day).key("hunter2");
    let error = builder.open().await.unwrap_err().to_string();
    assert!(error.contains("`key`") && error.contains("`idle`") && error.contains("`lifetime`"), "{error}");
}

#[tokio::test]
async fn a_builder_refuses_timeouts_of_zero_as_an_environment_is_refused() {
    let zero = Duration::ZERO;
    assert!(Sessions::<User>::builder().idle(zero).open().await.is_err(), "every session would be idle at once");
    assert!(Sessions::<User>::builder().idle(zero).lifetime(zero).open().await.is_err(), "no session would live");
}

#[session(protected)]
async fn hold(user: &mut User, gate: Extension<Gate>) {
    gate.pass().await;
    user.visits += 1;
}

#[tokio::test]
async fn the_longest_durations_are_taken_for_very_long_ones() {
    let forever = Duration::MAX;
    let builder = Sessions::<User>::builder().backend(Memory::default()).ephemeral_key();
    let builder = builder.deadline(forever).wait(forever).lease(forever).forged_tokens(1, forever);
    let gate = Gate::new();
    let router = routes().route("/hold", post(hold)).layer(Extension(gate.clone()));
    let server = serve(Router::new().merge(router).with_state(builder.open().await.unwrap())).await;
    let client = logged_in(&server, "ann").await;
    let (first, second) = (client.post("/hold"), async {
        gate.arrival().await;
        // It queues behind the first one, for as long as that takes.
        let (reply, ()) = tokio::join!(client.post("/visit"), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            gate.open();
        });
        reply
    });
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.status.as_u16(), second.text()), (200, "2"));
}
