#!/usr/bin/env bash
# tower-sessions in SQLite: a session that is to end at a time written with an offset west of UTC is gone at once
#
# Versions: tower-sessions-sqlx-store 0.15.0 with tower-sessions-core 0.14.0, sqlx 0.8.6 and its bundled SQLite (crates.io).
# Guess: `Expiry::AtDateTime(end)` names an instant, so one that is an hour ahead ends the session in an hour, whatever offset
#   the `OffsetDateTime` is written with.
# Seen: the store binds the time as it is, sqlx writes it as RFC 3339 text with its offset, and `load` compares that text with
#   the present time in UTC. `2026-11-29T10:51:36-05:00` sorts before `2026-11-29T14:51:36Z`. `save` answers Ok, and the next
#   request has no session. With the offset 0 it has. The same instant in both.
# Why it matters: who reckons the end of a session from local time, "until midnight in New York", logs people out as they log
#   in, and only where the store is SQLite. `end.to_offset(UtcOffset::UTC)` avoids it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "offsets"
version = "0.1.0"
edition = "2021"

[profile.dev]
debug = 0

[dependencies]
sqlx = { version = "=0.8.6", features = ["runtime-tokio", "sqlite"] }
time = "0.3"
tokio = { version = "1", features = ["macros", "rt"] }
tower-sessions-core = "=0.14.0"
tower-sessions-sqlx-store = { version = "=0.15.0", features = ["sqlite"] }
TOML
cat > src/main.rs <<'RS'
use std::{error::Error, sync::Arc};

use sqlx::sqlite::SqlitePoolOptions;
use time::{Duration, OffsetDateTime, UtcOffset};
use tower_sessions_core::{Expiry, Session};
use tower_sessions_sqlx_store::SqliteStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    let store = Arc::new(SqliteStore::new(pool));
    store.migrate().await?;
    let end = OffsetDateTime::now_utc() + Duration::hours(1);
    for hours in [0, -5] {
        let written = end.to_offset(UtcOffset::from_hms(hours, 0, 0)?);
        assert_eq!(written, end);
        let session = Session::new(None, store.clone(), Some(Expiry::AtDateTime(written)));
        session.insert("name", "Ann").await?;
        session.save().await?;
        let next_request = Session::new(session.id(), store.clone(), None);
        let name: Option<String> = next_request.get("name").await?;
        println!("ends in an hour, offset {hours}: {name:?}");
    }
    Ok(())
}
RS
expected='ends in an hour, offset 0: Some("Ann")
ends in an hour, offset -5: None'
seen=$(cargo run --quiet)
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { printf 'changed; expected:\n%s\n' "$expected" >&2; exit 1; }
