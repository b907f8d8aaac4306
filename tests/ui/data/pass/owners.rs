//! A type with an owner, found by what its field can be borrowed as.

use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, SessionSlot, Sessions, session};

#[derive(Serialize, Deserialize, SessionData)]
#[session(max_per_owner = env("MAX_SESSIONS", default = 5), on_excess = refuse)]
struct User {
    #[session(owner)]
    name: String,
}

#[derive(Serialize, Deserialize, SessionData)]
struct Member(#[session(owner)] (u64, Option<String>));

#[session(optional)]
async fn login(slot: SessionSlot<User>) -> Result<(), Error> {
    slot.start(User { name: "ann".into() }).label("Firefox").await
}

async fn end(users: Sessions<User>, members: Sessions<Member>) -> Result<usize, Error> {
    let ended = users.of("ann").end_all().await? + users.of(&String::from("bob")).end_all().await?;
    Ok(ended + members.of(&(7, None)).end_all().await?)
}

fn main() {
    let _ = (axum::routing::post::<_, _, Sessions<User>>(login), end);
}
