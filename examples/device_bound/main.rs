//! A session that is bound to the device it began on: a stolen cookie does not open it.
//!
//! Run it: `cargo run --features device-bound --bin device_bound`. It prints the command of a Chromium that trusts the
//! certificate made for this run and keeps keys in software, as Chromium on Linux has none in hardware. `PORT=8443` listens
//! elsewhere. In that browser log in, then open "steal my cookie" and try the line that it prints in a shell.

mod pages;
mod tls;

#[path = "../shared/serve.rs"]
#[allow(dead_code, reason = "this one is served over TLS")]
mod serve;

use std::error::Error;

use axum::Router;
use axum::extract::Form;
use axum::http::HeaderMap;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use session_runtime::{Session, SessionData, SessionSlot, session};

/// The name of the session's cookie. The device's one is `__Host-user-device`.
const COOKIE: &str = "__Host-user";

/// The browser proves its key every ten minutes.
#[derive(Serialize, Deserialize, SessionData)]
#[session(device_bound(every = "10m"), missing = redirect("/"))]
struct User {
    name: String,
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

#[session(optional)]
async fn login(slot: SessionSlot<User>, Form(login): Form<Login>) -> Result<Redirect, session_runtime::Error> {
    slot.start(User { name: login.name }).await?;
    Ok(Redirect::to("/"))
}

#[session(optional)]
async fn logout(slot: SessionSlot<User>) -> Result<Redirect, session_runtime::Error> {
    slot.end().await?;
    Ok(Redirect::to("/"))
}

/// Who this is, and whether the device is bound.
#[session(optional)]
async fn home(user: Option<Session<User>>) -> Html<String> {
    match user {
        Some(user) => pages::home(&user.name, user.device()),
        None => pages::login(),
    }
}

/// What a thief would do with a copy of the session's cookie.
#[session(protected)]
async fn steal(_user: &User, headers: HeaderMap) -> Html<String> {
    let cookies = headers.get_all("cookie").iter().filter_map(|line| line.to_str().ok());
    let stolen = cookies.flat_map(|line| line.split("; ")).find(|pair| pair.starts_with(&format!("{COOKIE}=")));
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    pages::stolen(host, stolen.unwrap_or_default())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    serve::log();
    let users = User::sessions().await?;
    let app = Router::new()
        .route("/", get(home))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/steal", get(steal))
        .merge(users.device_routes())
        .with_state(users);
    tls::serve(app).await
}
