//! What people expect of an account: their devices and the end of any of them, another password that logs the
//! others out, their password asked again before something that can't be undone, and "remember me". No JavaScript.
//!
//! Run it: `cargo run --features account --bin account`, open <http://localhost:3000> in two browsers and create an account.
//!
//! Two processes on one Redis:
//! ```sh
//! export SESSION_STORE=redis://127.0.0.1:6379 SESSION_KEYS=$(cargo run --bin keygen) ACCOUNTS=target/accounts.json
//! PORT=3000 cargo run --features account,redis --bin account &
//! PORT=3001 cargo run --features account,redis --bin account
//! ```
//! `SESSION_STORE=file:target/account` needs nothing installed, nor does `sqlite:target/account.sqlite` with
//! `--features sqlite`. Accounts are kept in the file that `ACCOUNTS` names, or in memory.

mod accounts;
mod device;
#[path = "../shared/page.rs"]
mod page;
mod pages;
#[path = "../shared/serve.rs"]
mod serve;
#[path = "../shared/store.rs"]
mod store;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use maud::Markup;
use serde::{Deserialize, Serialize};
use session_runtime::{Error, PublicId, Session, SessionData, SessionSlot, Sessions, session};

use crate::accounts::Accounts;

/// A person who is logged in on one device.
#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(idle = "14d", lifetime = "30d", cookie(http_on_localhost))]
struct Person {
    #[session(owner)]
    name: String,
    /// What the next page says.
    #[session(flash)]
    notice: Option<String>,
}

/// A login that is not to be remembered ends with the browser, and after this time.
const WORKDAY: Duration = Duration::from_secs(12 * 3600);

#[derive(Clone)]
struct App {
    people: Sessions<Person>,
    accounts: Arc<Accounts>,
}

impl FromRef<App> for Sessions<Person> {
    fn from_ref(app: &App) -> Self {
        app.people.clone()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    let app = App { people: store::open().await?, accounts: Arc::new(Accounts::open()) };
    let routes = Router::new()
        .route("/", get(home))
        .route("/login", post(login))
        .route("/register", post(register))
        .route("/logout", post(logout))
        .route("/devices", get(devices))
        .route("/devices/end", post(end_device))
        .route("/devices/end-others", post(end_other_devices))
        .route("/devices/end-all", post(end_all_devices))
        .route("/password", post(change_password))
        .route("/confirm", get(ask_again).post(confirm))
        .route("/delete", post(delete));
    serve::serve(routes.with_state(app)).await
}

#[session(optional)]
async fn home(person: Option<&Person>) -> Markup {
    match person {
        Some(person) => pages::account(&person.name, person.notice.as_deref(), None),
        None => pages::welcome(None),
    }
}

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
    /// A checkbox that isn't ticked is not sent.
    remember: Option<String>,
}

#[session(optional)]
async fn login(
    slot: SessionSlot<Person>,
    State(app): State<App>,
    headers: HeaderMap,
    Form(form): Form<Login>,
) -> Result<Response, Error> {
    match app.accounts.verify(&form.name, &form.password).await {
        Ok(()) => begin(&slot, &headers, &form).await,
        Err(refusal) => Ok(refused(pages::welcome(Some(&refusal)))),
    }
}

#[session(optional)]
async fn register(
    slot: SessionSlot<Person>,
    State(app): State<App>,
    headers: HeaderMap,
    Form(form): Form<Login>,
) -> Result<Response, Error> {
    match app.accounts.create(&form.name, &form.password).await {
        Ok(()) => begin(&slot, &headers, &form).await,
        Err(refusal) => Ok(refused(pages::welcome(Some(&refusal)))),
    }
}

async fn begin(slot: &SessionSlot<Person>, headers: &HeaderMap, form: &Login) -> Result<Response, Error> {
    let person = Person { name: form.name.trim().into(), notice: None };
    let start = slot.start(person).label(device::name(headers));
    match form.remember {
        Some(_) => start.persistent(true).await?,
        None => start.lifetime(WORKDAY).await?,
    }
    Ok(Redirect::to("/").into_response())
}

/// Whoever presses the button a second time, or in a second tab, is sent to the start as well.
#[session(optional)]
async fn logout(slot: SessionSlot<Person>) -> Result<Redirect, Error> {
    slot.end().await?;
    Ok(Redirect::to("/"))
}

#[session(protected, missing = redirect("/"))]
async fn devices(session: Session<Person>, State(app): State<App>) -> Result<Markup, Error> {
    let devices = app.people.of(&session.name).list().await?;
    Ok(pages::devices(&devices, session.public_id()))
}

#[derive(Deserialize)]
struct Device {
    device: PublicId,
}

#[session(protected, missing = redirect("/"))]
async fn end_device(person: &Person, State(app): State<App>, Form(form): Form<Device>) -> Result<Redirect, Error> {
    // Only a device of this very person can be ended by its handle.
    app.people.of(&person.name).end(form.device).await?;
    Ok(Redirect::to("/devices"))
}

#[session(protected, missing = redirect("/"))]
async fn end_other_devices(session: Session<Person>, State(app): State<App>) -> Result<Redirect, Error> {
    app.people.of(&session.name).end_others(session.public_id()).await?;
    Ok(Redirect::to("/devices"))
}

#[session(protected, missing = redirect("/"))]
async fn end_all_devices(session: Session<Person>, State(app): State<App>) -> Result<Redirect, Error> {
    app.people.of(&session.name).end_all().await?;
    session.end().await?;
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
struct Passwords {
    current: String,
    new: String,
}

/// Whoever may have learned the old password is logged out, and this device gets a new id.
#[session(protected, missing = redirect("/"))]
async fn change_password(
    mut session: Session<Person>,
    State(app): State<App>,
    Form(form): Form<Passwords>,
) -> Result<Response, Error> {
    if let Err(refusal) = app.accounts.change(&session.name, &form.current, &form.new).await {
        return Ok(refused(pages::account(&session.name, None, Some(&refusal))));
    }
    app.people.of(&session.name).end_others(session.public_id()).await?;
    session.mark_reauthenticated().await?;
    let notice = "Your password is changed, and all your other devices are logged out.";
    session.update(|person| person.notice = Some(notice.into())).await?;
    Ok(Redirect::to("/").into_response())
}

#[session(protected(Person), missing = redirect("/"))]
async fn ask_again() -> Markup {
    pages::ask_again(None)
}

#[derive(Deserialize)]
struct Password {
    password: String,
}

#[session(protected, missing = redirect("/"))]
async fn confirm(
    mut session: Session<Person>,
    State(app): State<App>,
    Form(form): Form<Password>,
) -> Result<Response, Error> {
    if let Err(refusal) = app.accounts.verify(&session.name, &form.password).await {
        return Ok(refused(pages::ask_again(Some(&refusal))));
    }
    session.mark_reauthenticated().await?;
    session.update(|person| person.notice = Some("Thank you. You may go on.".into())).await?;
    Ok(Redirect::to("/").into_response())
}

/// Ten minutes are usual; with one, whoever tries this need not wait long.
#[session(protected, fresh = "1m", missing = redirect("/confirm"))]
async fn delete(session: Session<Person>, State(app): State<App>) -> Result<Redirect, Error> {
    app.accounts.remove(&session.name);
    app.people.of(&session.name).end_all().await?;
    session.end().await?;
    Ok(Redirect::to("/"))
}

fn refused(page: Markup) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}
