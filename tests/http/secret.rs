//! `#[session(secret)]`: what shows nowhere but in the store.

use axum::{Json, Router, routing::post};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use session_runtime::{Error, Invalid, SessionData, SessionSlot, session};
use session_tests::serve;

use crate::support::{Store, on_every_backend};

const SECRET: &str = "hunter2-4711";

#[derive(Serialize, Deserialize, SessionData)]
#[serde(rename_all = "camelCase")]
#[session(validate = check)]
struct Vault {
    user_name: String,
    #[session(secret)]
    #[serde(rename = "apiToken", default)]
    api_token: String,
    #[session(secret)]
    #[serde(flatten)]
    keys: Keys,
    #[serde(rename(serialize = "roles", deserialize = "roles"))]
    granted: Vec<String>,
    #[serde(skip)]
    cached: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    nick_name: Option<String>,
    #[serde(serialize_with = "loudly")]
    motto: String,
    #[serde(flatten)]
    address: Address,
}

#[derive(Clone, Serialize, Deserialize)]
struct Keys {
    private_key: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Address {
    city: String,
}

fn loudly<S: Serializer>(motto: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&motto.to_uppercase())
}

fn check(vault: &Vault) -> Result<(), Invalid> {
    match vault.motto.as_str() {
        "bad" => Err(Invalid::field("api_token", format!("{} is too short", vault.api_token)).and("motto", "is bad")),
        _ => Ok(()),
    }
}

fn vault() -> Vault {
    Vault {
        user_name: "ann".into(),
        api_token: SECRET.into(),
        keys: Keys { private_key: SECRET.into() },
        granted: vec!["admin".into()],
        cached: 7,
        nick_name: None,
        motto: "quiet".into(),
        address: Address { city: "Rome".into() },
    }
}

#[derive(Serialize, Deserialize, SessionData)]
struct Pair(String, #[session(secret)] String, u32);

#[test]
fn the_generated_debug_redacts_every_secret_and_shows_the_rest() {
    let vault = vault();
    assert_eq!((vault.cached, vault.keys.private_key.as_str()), (7, SECRET));
    let shown = format!("{vault:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    for part in [
        "Vault { user_name: \"ann\"",
        "api_token: [redacted]",
        "keys: [redacted]",
        "granted: [\"admin\"]",
        "city: \"Rome\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(format!("{:?}", Pair("a".into(), SECRET.into(), 1)), "Pair(\"a\", [redacted], 1)");
}

#[test]
fn public_json_has_every_field_but_the_secret_ones_as_serde_names_them() {
    let public = vault().to_public().unwrap();
    let expected = json!({ "userName": "ann", "roles": ["admin"], "motto": "QUIET", "city": "Rome" });
    assert_eq!(public, expected);
    let named = Vault { nick_name: Some("A".into()), ..vault() };
    assert_eq!(named.to_public().unwrap()["nickName"], "A");
    assert_eq!(Pair("a".into(), SECRET.into(), 1).to_public().unwrap(), json!(["a", null, 1]));
}

#[test]
fn public_json_is_what_serde_writes_less_the_secrets() {
    let mut whole = serde_json::to_value(vault()).unwrap();
    assert_eq!(whole["apiToken"], SECRET, "the store has them");
    let fields = whole.as_object_mut().unwrap();
    fields.remove("apiToken");
    fields.remove("private_key");
    assert_eq!(vault().to_public().unwrap(), whole);
}

#[derive(Serialize, Deserialize, SessionData)]
struct Open {
    name: String,
}

#[test]
fn a_type_without_secrets_is_public_as_a_whole() {
    assert_eq!(Open { name: "ann".into() }.to_public().unwrap(), json!({ "name": "ann" }));
}

#[session(optional)]
async fn start(slot: SessionSlot<Vault>, motto: String) -> Result<Json<Value>, Error> {
    slot.start(Vault { motto, ..vault() }).await?;
    let vault = slot.get().expect("it was started");
    Ok(Json(vault.to_public()?))
}

async fn an_invalid_secret_is_named_and_not_repeated(store: Store) {
    let server = serve(Router::new().route("/", post(start)).with_state(store.sessions::<Vault>().await)).await;
    let reply = server.client().send(axum::http::Method::POST, "/", |request| request.body("bad")).await;
    assert_eq!(reply.status, 422);
    assert!(!reply.text().contains(SECRET), "{}", reply.text());
    let errors = &reply.json::<Value>()["errors"];
    assert_eq!(
        *errors,
        json!([{ "field": "api_token", "detail": "is not valid" }, { "field": "motto", "detail": "is bad" }])
    );
    let reply = server.client().send(axum::http::Method::POST, "/", |request| request.body("good")).await;
    assert_eq!(reply.json::<Value>()["userName"], "ann");
    assert!(!reply.text().contains(SECRET), "{}", reply.text());
}

on_every_backend!(an_invalid_secret_is_named_and_not_repeated);
