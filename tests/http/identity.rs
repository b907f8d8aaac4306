//! What a session type is known as: no two types accept each other's sessions unless both say so.

use axum::{
    Router,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, SessionData, SessionSlot, Sessions, backend::Memory, session};
use session_tests::{Client, Served, serve};
use std::sync::Arc;

use crate::support::{Events, assert_problem, key};

/// Two areas of one application. Their types look the same, up to their modules.
macro_rules! area {
    ($module:ident, $($name:tt)*) => {
        mod $module {
            use super::*;

            #[derive(Serialize, Deserialize, SessionData)]
            $($name)*
            pub(super) struct Person {
                name: String,
            }

            #[session(optional)]
            async fn login(slot: SessionSlot<Person>) -> Result<(), Error> {
                slot.start(Person { name: "ann".into() }).await
            }

            #[session(protected)]
            async fn enter(person: &Person) -> String {
                person.name.clone()
            }

            pub(super) async fn server(memory: &Arc<Memory>) -> Served {
                let builder = Sessions::builder().key(&key('k')).shared_backend(Arc::clone(memory));
                let router = Router::new().route("/login", post(login)).route("/", get(enter));
                serve(router.with_state(builder.open().await.unwrap())).await
            }
        }
    };
}
area!(shop,);
area!(staff,);
area!(accounts, #[session(name = "identity-tests-person")]);
area!(billing, #[session(name = "identity-tests-person")]);

async fn logged_in(server: &Served) -> Client {
    let client = server.client();
    assert_eq!(client.post("/login").await.status, 200);
    assert_eq!(client.get("/").await.text(), "ann");
    client
}

#[tokio::test]
async fn a_customers_cookie_opens_nothing_of_the_staffs_though_the_types_look_the_same() {
    let events = Events::listen();
    let memory = Arc::default();
    let (shop, staff) = (shop::server(&memory).await, staff::server(&memory).await);
    let (customer, clerk) = (logged_in(&shop).await, logged_in(&staff).await);
    assert_problem(&customer.at(&staff.url()).get("/").await, 401, "missing");
    assert_problem(&clerk.at(&shop.url()).get("/").await, 401, "missing");
    assert_eq!(memory.len(), 2);
    // On one host they would take each other's cookie away, which the log says.
    let told = events.named("session.cookie_shared");
    let told = told.iter().find(|told| told.field("cookie") == "__Host-person").expect("an event");
    for field in ["first", "second"] {
        assert!(told.field(field).ends_with("::Person"), "{told:?}");
    }
}

#[tokio::test]
async fn types_that_state_one_name_share_their_sessions() {
    let memory = Arc::default();
    let (accounts, billing) = (accounts::server(&memory).await, billing::server(&memory).await);
    let client = logged_in(&accounts).await;
    assert_eq!(client.at(&billing.url()).get("/").await.text(), "ann");
    assert_eq!(memory.len(), 1);
}

async fn open<T: SessionData>() -> Result<(), String> {
    let opened = Sessions::<T>::builder().backend(Memory::default()).ephemeral_key().open().await;
    opened.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_second_type_of_one_identity_is_refused_with_both_types_and_the_remedy() {
    async fn first() -> Result<(), String> {
        #[derive(Serialize, Deserialize, SessionData)]
        struct Guest;
        open::<Guest>().await.and(open::<Guest>().await)
    }
    async fn second() -> Result<(), String> {
        #[derive(Serialize, Deserialize, SessionData)]
        struct Guest;
        open::<Guest>().await
    }
    async fn third() -> Result<(), String> {
        #[derive(Serialize, Deserialize, SessionData)]
        #[session(cookie(name = "__Host-guest-3"))]
        struct Guest;
        open::<Guest>().await
    }
    assert_eq!(first().await, Ok(()), "a type may be opened several times");
    let error = second().await.unwrap_err();
    for word in ["first::", "second::", "::Guest`", "name = ", "accept the other's sessions"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert_eq!(third().await, Ok(()), "another cookie is another purpose");
    assert_eq!(first().await, Ok(()));
}

#[tokio::test]
async fn a_name_stated_by_one_of_two_types_alone_is_not_shared() {
    #[derive(Serialize, Deserialize, SessionData)]
    #[session(name = "identity-tests-visitor", cookie(name = "__Host-visitor"))]
    struct Visitor;
    #[derive(Serialize, Deserialize, SessionData)]
    #[session(cookie(name = "__Host-visitor"))]
    struct Unnamed;
    assert_eq!((open::<Visitor>().await, open::<Unnamed>().await), (Ok(()), Ok(())));
}
