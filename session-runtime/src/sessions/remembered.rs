//! What a process remembers of tokens that it has verified.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::core::Login;
use super::snapshot::TokenEntry;
use super::{SessionData, Sessions};
use crate::backend::{Cookie, Memory};
use crate::telemetry::Refusal;

#[derive(Serialize, Deserialize, session_derive::SessionData)]
#[session(name = "remembered-text")]
struct Text(String);

#[derive(Serialize, Deserialize, session_derive::SessionData)]
#[session(backend = cookie, key = env("REMEMBERED_TEXT_KEY"), name = "remembered-carried")]
struct Carried(String);

const ROOM: usize = 256 << 10;

async fn texts() -> Sessions<Text> {
    Sessions::builder().backend(Memory::default()).token_cache_bytes(ROOM).open().await.unwrap()
}

/// The tokens of so many new sessions whose data has so many bytes.
async fn started<T: SessionData>(sessions: &Sessions<T>, count: usize, data: impl Fn() -> T) -> Vec<String> {
    let mut tokens = Vec::new();
    for _ in 0..count {
        tokens.push(sessions.core().create(Box::new(data()), Login::default(), None).await.unwrap().1);
    }
    tokens
}

fn remembered<T: SessionData>(sessions: &Sessions<T>, token: &str) -> Option<Arc<TokenEntry>> {
    let cache = &sessions.core().0.token_cache;
    cache.get(cache.digest(token))
}

#[tokio::test]
async fn what_is_remembered_of_sessions_is_bounded_in_bytes_however_large_their_data_is() {
    for length in [10, 1000, 10_000] {
        let sessions = texts().await;
        let tokens = started(&sessions, 1000, || Text("x".repeat(length))).await;
        let entries: Vec<_> = tokens.iter().filter_map(|token| remembered(&sessions, token)).collect();
        assert!(!entries.is_empty() && entries.len() < ROOM / (384 + length), "{length}: {}", entries.len());
        let size = sessions.core().0.token_cache.size();
        assert_eq!(size, entries.iter().map(|entry| u64::from(entry.size())).sum::<u64>(), "as each was told");
        assert!(size <= ROOM as u64, "{size}");
    }
}

#[tokio::test]
async fn with_no_room_and_with_more_than_there_is_sessions_are_found() {
    for bytes in [0, 1, 383, 384, usize::MAX] {
        let builder = Sessions::<Text>::builder().backend(Memory::default()).token_cache_bytes(bytes);
        let sessions = builder.open().await.unwrap();
        let tokens = started(&sessions, 20, || Text("hello".to_owned())).await;
        for token in tokens.iter().chain(&tokens) {
            let (core, now) = (sessions.core(), sessions.core().now());
            let entry = core.identify(token, now).ok().unwrap();
            assert!(core.load(&entry, now).await.unwrap().is_some(), "{bytes}");
        }
        assert!(sessions.core().0.token_cache.size() <= bytes as u64, "{bytes}");
        let remembered = tokens.iter().filter(|token| remembered(&sessions, token).is_some()).count();
        assert_eq!(remembered, if bytes == usize::MAX { 20 } else { 0 }, "{bytes}");
    }
}

#[tokio::test]
async fn a_session_that_was_forgotten_is_verified_and_read_again() {
    let sessions = texts().await;
    let tokens = started(&sessions, 1000, || Text("hello".to_owned())).await;
    let forgotten = tokens.iter().filter(|token| remembered(&sessions, token).is_none()).count();
    assert!(forgotten > 500, "{forgotten}");
    for token in &tokens {
        let (core, now) = (sessions.core(), sessions.core().now());
        let entry = core.identify(token, now).ok().unwrap();
        assert!(core.load(&entry, now).await.unwrap().is_some());
        assert!(sessions.core().0.token_cache.size() <= ROOM as u64);
    }
}

#[tokio::test]
async fn a_forged_token_is_refused_while_the_genuine_one_is_remembered() {
    let sessions = texts().await;
    let token = started(&sessions, 1, || Text("hello".to_owned())).await.remove(0);
    assert!(remembered(&sessions, &token).is_some() && sessions.core().identify(&token, sessions.core().now()).is_ok());
    for bit in 0..token.len() * 8 {
        let mut forged = token.clone().into_bytes();
        forged[bit / 8] ^= 1 << (bit % 8);
        let Ok(forged) = String::from_utf8(forged) else { continue };
        assert!(matches!(sessions.core().identify(&forged, sessions.core().now()), Err(Refusal::Token)), "{bit}");
        assert!(remembered(&sessions, &forged).is_none(), "{bit}");
    }
}

#[tokio::test]
async fn a_carried_session_counts_with_its_record() {
    let sessions = Sessions::<Carried>::builder().ephemeral_key().open().await.unwrap();
    let tokens = started(&sessions, 2, || Carried("x".repeat(1000))).await;
    for token in tokens {
        assert!(remembered(&sessions, &token).unwrap().size() > 3000);
    }
}

#[tokio::test]
async fn a_carried_session_that_another_process_wrote_counts_with_its_record_before_it_is_read() {
    let open =
        || Sessions::<Carried>::builder().backend(Cookie).key("ZnV6enpmdXp6emZ1enp6ZnV6enpmdXp6emZ1enp6ZnU=").open();
    let (one, other) = (open().await.unwrap(), open().await.unwrap());
    let token = started(&one, 1, || Carried("x".repeat(1000))).await.remove(0);
    let entry = other.core().identify(&token, other.core().now()).ok().unwrap();
    assert!((1384..2000).contains(&entry.size()), "{}", entry.size());
    other.core().load(&entry, other.core().now()).await.unwrap().unwrap();
    assert!(entry.size() > 3000, "{}", entry.size());
}
