#!/usr/bin/env bash
# A full tower-sessions-moka-store drops each new login and keeps the sessions that nobody uses any more
#
# Versions: tower-sessions-moka-store 0.15.0 with tower-sessions-core 0.14.0 and moka 0.12.16 (crates.io).
# Guess: `MokaStore::new(Some(100))` holds a hundred sessions, and the hundred-and-first makes room by evicting the one that
#   was used least recently.
# Seen: moka admits by how often a key was asked for (TinyLFU). The hundred sessions were used five times each and lie idle; of
#   twenty people who log in and open a page, all have their session at that moment, and none half a second later. `create`
#   and `save` answer Ok, and the old sessions are all there.
# Why it matters: a store whose limit is reached by sessions of this morning lets nobody in this afternoon: a login succeeds, the
#   next page is anonymous, and no error is told anywhere. The old sessions leave by their expiry alone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "logins"
version = "0.1.0"
edition = "2021"

[profile.dev]
debug = 0

[dependencies]
moka = { version = "=0.12.16", features = ["future"] }
time = "0.3"
tokio = { version = "1", features = ["macros", "rt", "time"] }
tower-sessions-core = "=0.14.0"
tower-sessions-moka-store = "=0.15.0"
TOML
cat > src/main.rs <<'RS'
use std::time::Duration;

use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::SessionStore;
use tower_sessions_moka_store::MokaStore;

async fn login(store: &MokaStore) -> Id {
    let expiry_date = time::OffsetDateTime::now_utc() + Duration::from_secs(3600);
    let mut record = Record { id: Id::default(), data: Default::default(), expiry_date };
    store.create(&mut record).await.unwrap();
    record.id
}

async fn found(store: &MokaStore, ids: &[Id]) -> usize {
    let mut found = 0;
    for id in ids {
        found += usize::from(store.load(id).await.unwrap().is_some());
    }
    found
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let store = MokaStore::new(Some(100));
    let mut morning = Vec::new();
    for _ in 0..100 {
        morning.push(login(&store).await);
    }
    for _ in 0..5 {
        assert_eq!(found(&store, &morning).await, 100);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (mut at_once, mut soon_after) = (0, 0);
    for _ in 0..20 {
        let id = login(&store).await;
        at_once += found(&store, &[id]).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        // Somebody else's request, by which the cache comes to its housekeeping.
        found(&store, &morning[..1]).await;
        soon_after += found(&store, &[id]).await;
    }
    println!("new logins found at once: {at_once} of 20; half a second later: {soon_after} of 20");
    println!("idle sessions found: {} of 100", found(&store, &morning).await);
}
RS
expected="new logins found at once: 20 of 20; half a second later: 0 of 20
idle sessions found: 100 of 100"
seen=$(cargo run --quiet)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }
