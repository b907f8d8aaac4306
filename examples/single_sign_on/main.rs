//! Single sign-on with OpenID Connect: state, nonce and PKCE live in a session of their own, from the click on "Log in" to
//! the provider's answer, which comes by GET or by POST.
//!
//! Run it with the provider of `examples/identity_provider.rs`, which takes any name:
//! ```sh
//! cargo run --features single_sign_on --bin identity_provider &
//! cargo run --features single_sign_on --bin single_sign_on
//! ```
//! Open <http://localhost:3000>. With a provider of yours: `ISSUER=https://accounts.example CLIENT_ID=.. CLIENT_SECRET=..`,
//! and `PUBLIC_URL=https://app.example` if people see the application elsewhere; register `PUBLIC_URL/callback` there.

#[path = "../shared/page.rs"]
mod page;
mod provider;
#[path = "../shared/serve.rs"]
mod serve;
#[path = "../shared/store.rs"]
mod store;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, FromRef, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use openidconnect::{AuthorizationCode, CsrfToken, Nonce, PkceCodeVerifier};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, ReturnTo, Session, SessionData, SessionSlot, Sessions, session};

use crate::page::page;
use crate::provider::{AnswerBy, Provider};

/// A sign-on that is under way. Its cookie has to come with a POST from the provider's page, hence `None`.
#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(same_site = None), idle = "10m", lifetime = "10m", missing = begin_again)]
struct SignOn {
    state: CsrfToken,
    nonce: Nonce,
    #[session(secret)]
    pkce_verifier: PkceCodeVerifier,
    return_to: ReturnTo,
}

/// A person who is logged in.
#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(http_on_localhost))]
struct User {
    #[session(owner)]
    subject: String,
    name: String,
}

#[derive(Clone, FromRef)]
struct App {
    sign_ons: Sessions<SignOn>,
    users: Sessions<User>,
    provider: Arc<Provider>,
}

#[session(optional)]
async fn home(user: Option<&User>) -> Markup {
    let content = match user {
        Some(user) => html! {
            h1 { "Hello, " (user.name) "!" }
            form action="/logout" method="post" { button { "Log out" } }
        },
        None => html! {
            h1 { "Welcome" }
            form action="/login" { button { "Log in" } }
            form action="/login" { input type="hidden" name="by" value="post"; button.quiet { "Log in, answer by POST" } }
        },
    };
    page("Single sign-on", &content)
}

#[session(protected, missing = redirect("/login", next = "return_to"))]
async fn orders(user: &User) -> Markup {
    page("Orders", &html! { h1 { "Orders of " (user.name) } })
}

#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    by: AnswerBy,
    #[serde(default)]
    return_to: ReturnTo,
}

/// Begins: what proves the answer is stored under this browser's cookie, and the browser leaves for the provider.
#[session(optional)]
async fn login(
    slot: SessionSlot<SignOn>,
    State(provider): State<Arc<Provider>>,
    Query(login): Query<Login>,
) -> Result<Redirect, Error> {
    let departure = provider.depart(login.by);
    slot.start(SignOn {
        state: departure.state,
        nonce: departure.nonce,
        pkce_verifier: departure.pkce_verifier,
        return_to: login.return_to,
    })
    .await?;
    Ok(Redirect::to(&departure.url))
}

/// What the provider answers: a code, or why there is none.
#[derive(Deserialize)]
struct Answer {
    state: String,
    code: Option<String>,
    error: Option<String>,
}

#[session(protected(SignOn), optional(User))]
async fn callback(
    sign_on: Session<SignOn>,
    user: SessionSlot<User>,
    State(provider): State<Arc<Provider>>,
    Query(answer): Query<Answer>,
) -> Result<Redirect, Refusal> {
    finish(sign_on, user, &provider, answer).await
}

/// The provider's page posts the answer, which is a request of another site: `state` proves that it belongs here.
#[session(protected(SignOn), optional(User), csrf = off)]
async fn callback_by_post(
    sign_on: Session<SignOn>,
    user: SessionSlot<User>,
    State(provider): State<Arc<Provider>>,
    Form(answer): Form<Answer>,
) -> Result<Redirect, Refusal> {
    finish(sign_on, user, &provider, answer).await
}

async fn finish(
    sign_on: Session<SignOn>,
    user: SessionSlot<User>,
    provider: &Provider,
    answer: Answer,
) -> Result<Redirect, Refusal> {
    if answer.state != *sign_on.state.secret() {
        return Err(Refusal::AnotherSignOn);
    }
    let (nonce, return_to) = (sign_on.nonce.clone(), sign_on.return_to.clone());
    let pkce_verifier = PkceCodeVerifier::new(sign_on.pkce_verifier.secret().clone());
    // Whatever comes of it, this answer is used up.
    sign_on.end().await?;
    let code = answer.code.filter(|_| answer.error.is_none()).ok_or(Refusal::NotAllowed)?;
    let person = provider.identify(AuthorizationCode::new(code), pkce_verifier, &nonce).await.map_err(|error| {
        tracing::warn!(error, "the provider's answer can't be used");
        Refusal::NotAllowed
    })?;
    user.start(User { subject: person.subject, name: person.name }).await?;
    Ok(return_to.redirect_or("/"))
}

#[session(optional)]
async fn logout(slot: SessionSlot<User>) -> Result<Redirect, Error> {
    slot.end().await?;
    Ok(Redirect::to("/"))
}

/// Why nobody is logged in.
enum Refusal {
    AnotherSignOn,
    NotAllowed,
    Session(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let why = match self {
            Self::AnotherSignOn => "This answer belongs to another sign-on, perhaps of another tab.",
            Self::NotAllowed => "The provider did not confirm who you are.",
            Self::Session(error) => return error.into_response(),
        };
        refused(why)
    }
}

/// What a request to the callback gets without a sign-on under way: a page, and no redirect that could go on for ever.
async fn begin_again() -> Response {
    refused("This sign-on took more than ten minutes, or began in another browser.")
}

fn refused(why: &str) -> Response {
    let content = html! {
        h1 { "Not logged in" }
        p.problem role="alert" { (why) }
        form action="/login" { button { "Log in" } }
    };
    (StatusCode::BAD_REQUEST, page("Not logged in", &content)).into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    let port = serve::port(3000)?;
    let (sign_ons, users) = tokio::try_join!(store::open(), store::open())?;
    let provider = Arc::new(Provider::discover(port).await?);
    let router = Router::new()
        .route("/", get(home))
        .route("/orders", get(orders))
        .route("/login", get(login))
        .route("/callback", get(callback).post(callback_by_post))
        .route("/logout", post(logout))
        .with_state(App { sign_ons, users, provider });
    serve::serve_on(router, port).await
}
