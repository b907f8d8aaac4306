//! A small OpenID provider for the example `single_sign_on`. It believes whoever types a name, and forgets everybody when it
//! ends: for trying and testing, and nothing else.
//!
//! Run it: `cargo run --features single_sign_on --bin identity_provider`, at <http://127.0.0.1:4000> or the port in `PORT`.

#[path = "shared/page.rs"]
mod page;
#[path = "shared/serve.rs"]
mod serve;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header::AUTHORIZATION};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use maud::{Markup, PreEscaped, html};
use openidconnect::core::{
    CoreHmacKey, CoreIdToken, CoreIdTokenClaims, CoreIdTokenFields, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, Audience, AuthUrl, CsrfToken, EmptyAdditionalClaims, EmptyAdditionalProviderMetadata,
    EmptyExtraTokenFields, EndUserName, IssuerUrl, JsonWebKeySetUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    ResponseTypes, StandardClaims, SubjectIdentifier, TokenUrl,
};
use serde::Deserialize;

use crate::page::page;

/// The only application that it knows.
const CLIENT: &str = "example";
const SECRET: &str = "example-secret";
/// `example:example-secret`
const BASIC: &str = "Basic ZXhhbXBsZTpleGFtcGxlLXNlY3JldA==";

struct Provider {
    issuer: String,
    /// What was confirmed, by the code that stands for it.
    codes: Mutex<HashMap<String, (Asked, String)>>,
}

/// What the application asks for.
#[derive(Clone, Deserialize)]
struct Asked {
    client_id: String,
    redirect_uri: String,
    state: String,
    nonce: String,
    code_challenge: String,
    #[serde(default)]
    response_mode: String,
}

async fn description(State(provider): State<Arc<Provider>>) -> Result<Json<CoreProviderMetadata>, Problem> {
    let at = |path: &str| format!("{}{path}", provider.issuer);
    let metadata = CoreProviderMetadata::new(
        IssuerUrl::new(provider.issuer.clone())?,
        AuthUrl::new(at("/authorize"))?,
        JsonWebKeySetUrl::new(at("/keys"))?,
        vec![ResponseTypes::new(vec![CoreResponseType::Code])],
        vec![CoreSubjectIdentifierType::Public],
        vec![CoreJwsSigningAlgorithm::HmacSha256],
        EmptyAdditionalProviderMetadata {},
    );
    Ok(Json(metadata.set_token_endpoint(Some(TokenUrl::new(at("/token"))?))))
}

/// It signs with the client's secret, and has no keys to publish.
async fn keys() -> Json<CoreJsonWebKeySet> {
    Json(CoreJsonWebKeySet::new(Vec::new()))
}

async fn ask_for_the_name(Query(asked): Query<Asked>, uri: Uri) -> Response {
    if asked.client_id != CLIENT {
        return (StatusCode::BAD_REQUEST, "This application is not registered here.").into_response();
    }
    let content = html! {
        h1 { "The provider" }
        p { "Who are you?" }
        form action=(uri) method="post" {
            label { "Name" input name="name" autofocus; }
            button { "Continue" }
            button.quiet name="refuse" value="true" { "Refuse" }
        }
    };
    page("The provider", &content).into_response()
}

#[derive(Deserialize)]
struct Confirmation {
    name: String,
    #[serde(default)]
    refuse: bool,
}

async fn send_back(
    State(provider): State<Arc<Provider>>,
    Query(asked): Query<Asked>,
    Form(confirmation): Form<Confirmation>,
) -> Response {
    let (to, state) = (asked.redirect_uri.clone(), asked.state.clone());
    let by_post = asked.response_mode == "form_post";
    let (name, value) = if confirmation.refuse {
        ("error", "access_denied".to_owned())
    } else {
        let code = CsrfToken::new_random().into_secret();
        let mut codes = provider.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.insert(code.clone(), (asked, confirmation.name));
        ("code", code)
    };
    if by_post {
        return post_back(&to, [(name, &value), ("state", &state)]).into_response();
    }
    Redirect::to(&format!("{to}?{name}={value}&state={state}")).into_response()
}

/// A page that posts itself to the application.
fn post_back(to: &str, fields: [(&str, &str); 2]) -> Markup {
    let content = html! {
        form action=(to) method="post" {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button { "Continue" }
        }
        script { (PreEscaped("document.forms[0].submit()")) }
    };
    page("The provider", &content)
}

#[derive(Deserialize)]
struct Exchange {
    code: String,
    code_verifier: String,
    redirect_uri: String,
}

async fn exchange(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    Form(exchange): Form<Exchange>,
) -> Result<Response, Problem> {
    let refused = |why: &str| (StatusCode::BAD_REQUEST, Json(HashMap::from([("error", why)]))).into_response();
    if headers.get(AUTHORIZATION).is_none_or(|given| given != BASIC) {
        return Ok(refused("invalid_client"));
    }
    let code = provider.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(&exchange.code);
    let verifier = PkceCodeVerifier::new(exchange.code_verifier);
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    // A code is good for the application that asked for it.
    let asked = |(asked, _): &(Asked, String)| {
        asked.code_challenge == challenge.as_str() && asked.redirect_uri == exchange.redirect_uri
    };
    let Some((asked, name)) = code.filter(asked) else { return Ok(refused("invalid_grant")) };
    let id_token = id_token(&provider.issuer, &asked, name)?;
    let fields = CoreIdTokenFields::new(Some(id_token), EmptyExtraTokenFields {});
    let access = AccessToken::new(CsrfToken::new_random().into_secret());
    Ok(Json(CoreTokenResponse::new(access, CoreTokenType::Bearer, fields)).into_response())
}

fn id_token(issuer: &str, asked: &Asked, name: String) -> Result<CoreIdToken, Problem> {
    let now = SystemTime::now();
    let person = StandardClaims::new(SubjectIdentifier::new(format!("subject of {name}")));
    let claims = CoreIdTokenClaims::new(
        IssuerUrl::new(issuer.to_owned())?,
        vec![Audience::new(asked.client_id.clone())],
        (now + Duration::from_secs(300)).into(),
        now.into(),
        person.set_name(Some(EndUserName::new(name).into())),
        EmptyAdditionalClaims {},
    );
    let claims = claims.set_nonce(Some(Nonce::new(asked.nonce.clone())));
    Ok(CoreIdToken::new(claims, &CoreHmacKey::new(SECRET), CoreJwsSigningAlgorithm::HmacSha256, None, None)?)
}

/// What this provider itself can't do.
struct Problem(Box<dyn std::error::Error>);

impl<E: std::error::Error + 'static> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    let port = serve::port(4000)?;
    // Another site than `localhost`, so that browsers treat it as they treat a provider elsewhere.
    let provider = Arc::new(Provider { issuer: format!("http://127.0.0.1:{port}"), codes: Mutex::default() });
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(description))
        .route("/keys", get(keys))
        .route("/authorize", get(ask_for_the_name).post(send_back))
        .route("/token", post(exchange))
        .with_state(provider);
    serve::serve_on(router, port).await
}
