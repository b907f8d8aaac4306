//! A token of a type whose cookie has the domain of its request.

use std::process::Stdio;

use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions};
use tokio::io::AsyncWriteExt as _;

const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=";
const COOKIE: &str = "__Secure-guest";

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Secure-guest", domain = ["shop-a.example", "shop-b.example"]))]
struct Guest {
    name: String,
}

/// What `session-admin decode` ends with, and what it prints.
async fn decode(token: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_session-admin"));
    command.args(["decode", "--type", "session-admin/domains.Guest", "--cookie", COOKIE]).args(arguments);
    command.env("SESSION_STORE", "redis://localhost").env("SESSION_KEYS", KEY);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("it runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    // What is refused at once ends before it reads.
    let _ = stdin.write_all(token.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.expect("it ends");
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("text"));
    (output.status.code(), out + &err)
}

#[tokio::test]
async fn a_token_is_decoded_at_its_own_domain_alone() {
    let guests = Sessions::<Guest>::builder().key(KEY).open().await.unwrap();
    let here = guests.for_domain("shop-a.example").unwrap();
    let started = here.start(Guest { name: "ann".into() }).await.unwrap();
    let (token, name) = (started.token(), started.public_id().to_string());
    let (code, said) = decode(token.as_str(), &["--domain", "shop-a.example"]).await;
    assert!(code == Some(0) && said.contains(&name), "{said}");
    for arguments in [&["--domain", "shop-b.example"][..], &[]] {
        let (code, said) = decode(token.as_str(), arguments).await;
        assert!(code == Some(1) && said.contains("--domain"), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn what_is_no_domain_is_told_before_a_token_is_read() {
    for domain in ["https://shop-a.example", "shop-a.example:443", ""] {
        let (code, said) = decode("a token", &["--domain", domain]).await;
        assert!(code == Some(2) && said.contains("--domain") && said.contains("without scheme"), "{domain:?}: {said}");
    }
}
