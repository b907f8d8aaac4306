//! Data with keys that its type does not name, in a flattened map.

use std::collections::HashMap;

use axum::{
    Json, Router,
    extract::Path,
    http::Method,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::{Client, serve};

use crate::support::{Store, key, on_every_backend};

/// An application with such keys: by `&mut` where the store can lend a session, and by `update` everywhere.
macro_rules! open_ended {
    ($module:ident($($option:tt)*) $($handler:item)*) => {
        mod $module {
            use super::*;

            #[derive(Clone, Serialize, Deserialize, SessionData)]
            #[session($($option)*)]
            pub(super) struct Visitor {
                user: u64,
                #[serde(flatten)]
                extra: HashMap<String, Value>,
            }

            #[session(optional)]
            async fn start(slot: SessionSlot<Visitor>) -> Result<(), Error> {
                slot.start(Visitor { user: 7, extra: HashMap::new() }).await
            }

            #[session(protected)]
            async fn get_key(visitor: &Visitor, Path(name): Path<String>) -> Json<Option<Value>> {
                Json(visitor.extra.get(&name).cloned())
            }

            #[session(protected)]
            async fn insert(
                mut session: Session<Visitor>,
                Path(name): Path<String>,
                Json(value): Json<Value>,
            ) -> Result<(), Error> {
                session.update(|visitor| drop(visitor.extra.insert(name.clone(), value.clone()))).await
            }

            #[session(protected)]
            async fn remove(mut session: Session<Visitor>, Path(name): Path<String>) -> Result<(), Error> {
                session.update(|visitor| drop(visitor.extra.remove(&name))).await
            }

            #[session(protected)]
            async fn all(visitor: &Visitor) -> Json<Visitor> {
                Json(visitor.clone())
            }

            $($handler)*

            pub(super) fn router() -> Router<Sessions<Visitor>> {
                let key = get(get_key).put(insert).delete(remove);
                Router::new().route("/start", post(start)).route("/", get(all)).route("/keys/{name}", key)
            }
        }
    };
}

open_ended! { lent()
    #[session(protected)]
    pub(super) async fn insert_exclusively(visitor: &mut Visitor, Path(name): Path<String>, Json(value): Json<Value>) {
        visitor.extra.insert(name, value);
    }
}
open_ended! { carried(backend = cookie, key = env("HTTP_TESTS_UNSET")) }

async fn put(client: &Client, path: &str, value: &Value) {
    let method = if path.starts_with("/keys") { Method::PUT } else { Method::POST };
    assert_eq!(client.send(method, path, |request| request.json(value)).await.status, 200);
}

/// Values of every kind go in under names that no type has, and come out as they were.
async fn assert_open_ended(client: &Client) {
    assert_eq!(client.post("/start").await.status, 200);
    let values = [
        ("theme", json!("dark")),
        ("count", json!(18_446_744_073_709_551_615_u64)),
        ("ratio", json!(0.1)),
        ("nothing", json!(null)),
        ("list", json!([1, "two", [3]])),
        ("a.b c/d", json!({ "user": 8, "nested": { "deep": true } })),
    ];
    for (name, value) in &values {
        put(client, &format!("/keys/{}", name.replace(' ', "%20").replace('/', "%2F")), value).await;
    }
    for (name, value) in &values {
        let path = format!("/keys/{}", name.replace(' ', "%20").replace('/', "%2F"));
        assert_eq!(client.get(&path).await.json::<Value>(), *value, "{name}");
    }
    let all: Value = client.get("/").await.json();
    assert_eq!((all["user"].as_u64(), &all["theme"]), (Some(7), &json!("dark")));
    assert_eq!(client.send(Method::DELETE, "/keys/theme", |request| request).await.status, 200);
    assert_eq!(client.get("/keys/theme").await.json::<Value>(), json!(null));
    assert_eq!(client.get("/keys/list").await.json::<Value>(), values[4].1);
}

async fn keys_that_are_not_known_beforehand_are_kept(store: Store) {
    let router = lent::router().route("/exclusive/{name}", post(lent::insert_exclusively));
    let server = serve(router.with_state(store.sessions().await)).await;
    let client = server.client();
    assert_open_ended(&client).await;
    put(&client, "/exclusive/theme", &json!("light")).await;
    assert_eq!(client.get("/keys/theme").await.json::<Value>(), json!("light"));
}

on_every_backend!(keys_that_are_not_known_beforehand_are_kept);

#[tokio::test]
async fn keys_that_are_not_known_beforehand_are_kept_in_a_session_that_its_token_carries() {
    let sessions = Sessions::<carried::Visitor>::builder().key(&key('k')).open().await.unwrap();
    let server = serve(carried::router().with_state(sessions)).await;
    assert_open_ended(&server.client()).await;
}
