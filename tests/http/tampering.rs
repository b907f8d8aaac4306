//! Whatever is altered in what we gave away or stored, it is worth nothing.

use axum::{
    Form, Json, Router,
    http::Method,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, SessionSlot, Sessions, session};
use session_tests::{Client, serve};

use crate::support::{COOKIE, Ledger, User, assert_problem, head_with, key, logged_in, serve_users, token};

/// A session that its token carries.
#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_UNSET"))]
struct Note {
    text: String,
}

#[session(optional)]
async fn write(slot: SessionSlot<Note>, Form(note): Form<Note>) -> Result<(), Error> {
    slot.start(note).await
}

#[session(protected)]
async fn read(note: &Note) -> Json<Note> {
    Json(note.clone())
}

/// A session that its store can't read.
#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(encrypt)]
struct Diary {
    text: String,
}

#[session(optional)]
async fn open_diary(slot: SessionSlot<Diary>, Form(diary): Form<Diary>) -> Result<(), Error> {
    slot.start(diary).await
}

#[session(protected)]
async fn read_diary(diary: &Diary) -> Json<Diary> {
    Json(diary.clone())
}

/// The bytes with one bit flipped, for each of them.
fn flipped(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut altered = bytes.to_vec();
        altered[bit / 8] ^= 1 << (bit % 8);
        (bit, altered)
    })
}

/// The token with one character replaced by another one of base64's, for every place and character.
fn misspelled(token: &str) -> impl Iterator<Item = String> {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=";
    (0..token.len()).flat_map(move |at| {
        let others = letters.chars().filter(move |letter| !token[at..].starts_with(*letter));
        others.map(move |letter| format!("{}{letter}{}", &token[..at], &token[at + 1..]))
    })
}

/// Every bit of this token is flipped in a request of its own.
async fn assert_every_bit_counts(client: &Client, path: &str, cookie: &str, token: &str) {
    let bytes = URL_SAFE.decode(token).expect("a token is base64");
    let with = async |token: &str| {
        client.send(Method::GET, path, |request| request.header("cookie", format!("{cookie}={token}"))).await
    };
    for (bit, altered) in flipped(&bytes) {
        let reply = with(&URL_SAFE.encode(altered)).await;
        assert_eq!(reply.status, 401, "bit {bit} of {}", bytes.len() * 8);
        assert!(reply.set_cookies().is_empty());
    }
    assert_eq!(with(token).await.status, 200, "the token itself is good");
}

#[tokio::test]
async fn every_flipped_bit_of_a_token_is_a_401_and_no_question_to_the_backend() {
    let ledger = Ledger::default();
    let sessions = Sessions::<User>::builder().backend(ledger.clone()).key(&key('k')).open().await.unwrap();
    let server = serve_users(sessions).await;
    let ann = logged_in(&server, "ann").await;
    let asked = ledger.asked();
    assert_every_bit_counts(&server.client(), "/me", COOKIE, &token(&ann)).await;
    assert_eq!(ledger.asked(), asked + 1, "the backend was asked about the token itself alone");
}

#[tokio::test]
async fn every_flipped_bit_of_a_token_that_carries_its_session_is_a_401() {
    let sessions = Sessions::<Note>::builder().key(&key('k')).open().await.unwrap();
    let router = Router::new().route("/", get(read).post(write)).with_state(sessions);
    let server = serve(router).await;
    let client = server.client();
    client.post_form("/", &[("text", "a secret")]).await;
    let token = client.cookie("__Host-note").unwrap();
    assert_every_bit_counts(&server.client(), "/", "__Host-note", &token).await;
}

#[tokio::test]
async fn every_other_spelling_of_a_token_is_refused() {
    let sessions = Sessions::<User>::builder().key(&key('k')).open().await.unwrap();
    let server = serve_users(sessions.clone()).await;
    let token = token(&logged_in(&server, "ann").await);
    let found = async |token: &str| sessions.find(&head_with(COOKIE, token)).await.unwrap().is_some();
    for other in misspelled(&token) {
        assert!(!found(&other).await, "{other}");
    }
    assert!(found(&token).await);

    let sessions = Sessions::<Note>::builder().key(&key('k')).open().await.unwrap();
    let server = serve(Router::new().route("/", post(write)).with_state(sessions.clone())).await;
    let client = server.client();
    // Tokens with both kinds of padding.
    for text in ["a", "a text that is longer by one block"] {
        client.post_form("/", &[("text", text)]).await;
        let token = client.cookie("__Host-note").unwrap();
        let found = async |token: &str| sessions.find(&head_with("__Host-note", token)).await.unwrap().is_some();
        let bare = token.trim_end_matches('=');
        let paddings = (0..4).map(|padding| format!("{bare}{}", "=".repeat(padding)));
        for other in misspelled(&token).chain(paddings).filter(|other| *other != token) {
            assert!(!found(&other).await, "{other}");
        }
        assert!(found(&token).await);
    }
}

#[tokio::test]
async fn every_flipped_bit_of_a_sealed_record_is_a_401() {
    let ledger = Ledger::default();
    let sessions = Sessions::<Diary>::builder().backend(ledger.clone()).key(&key('k')).open().await.unwrap();
    let router = Router::new().route("/", get(read_diary).post(open_diary)).with_state(sessions);
    let server = serve(router).await;
    let client = server.client();
    client.post_form("/", &[("text", "a secret")]).await;
    let body = ledger.record().await.body.to_vec();
    assert!(!body.windows(6).any(|window| window == b"secret"));
    for (bit, altered) in flipped(&body) {
        ledger.replace_body(altered).await;
        let reply = client.get("/").await;
        assert_eq!(reply.status, 401, "bit {bit} of {}", body.len() * 8);
    }
    for end in 0..body.len() {
        ledger.replace_body(body[..end].to_vec()).await;
        assert_problem(&client.get("/").await, 401, "missing");
    }
    ledger.replace_body(body).await;
    assert_eq!(client.get("/").await.text(), r#"{"text":"a secret"}"#);
}
