//! What is not done: no silent creation, no redundant cookie, no write without a change.

use axum::{
    Router,
    response::{AppendHeaders, IntoResponse},
    routing::{get, post},
};
use session_runtime::{Error, SessionSlot, Sessions, session};
use session_tests::{Client, serve};

use crate::support::{
    COOKIE, Ledger, Store, User, head_with, key, logged_in, on_every_backend, routes, serve_users, token,
    varies_by_cookie,
};

async fn thousands_of_requests_without_a_cookie_make_no_record_and_no_cookie(store: Store) {
    let server = serve_users(store.sessions().await).await;
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let anonymous = server.client();
            tokio::spawn(async move {
                for _ in 0..1000 {
                    let reply = anonymous.get("/").await;
                    assert_eq!((reply.text(), reply.set_cookies()), ("anonymous", vec![]));
                }
                for path in ["/visit", "/logout", "/rotate", "/rename", "/nowhere"] {
                    assert!(anonymous.post(path).await.set_cookies().is_empty());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.records().await, 0);
}

async fn a_cookie_comes_with_login_and_not_again(store: Store) {
    let server = serve_users(store.sessions().await).await;
    let client = logged_in(&server, "ann").await;
    let given = token(&client);
    for _ in 0..3 {
        for reply in [
            client.get("/").await,
            client.get("/me").await,
            client.post("/visit").await,
            client.post("/look").await,
            client.post_form("/rename", &[("name", "Ann")]).await,
        ] {
            assert_eq!((reply.status.as_u16(), reply.set_cookies()), (200, vec![]));
            assert_eq!(reply.header("cache-control"), None, "without a cookie a cache may be as it likes");
        }
    }
    let parallel: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.post("/visit").await })
        })
        .collect();
    for reply in parallel {
        assert!(reply.await.unwrap().set_cookies().is_empty());
    }
    assert_eq!(token(&client), given);
}

async fn an_exclusive_borrow_that_changes_nothing_writes_nothing(store: Store) {
    let sessions: Sessions<User> = store.sessions().await;
    let server = serve_users(sessions.clone()).await;
    let client = logged_in(&server, "ann").await;
    let version = async |client: &Client| {
        let head = head_with(COOKIE, &token(client));
        sessions.find(&head).await.unwrap().expect("a live session").version()
    };
    assert_eq!(version(&client).await, 1);
    for _ in 0..5 {
        assert_eq!(client.post("/look").await.text(), "ann");
    }
    assert_eq!(version(&client).await, 1);
    client.post("/visit").await;
    client.post("/look").await;
    client.get("/me").await;
    assert_eq!(version(&client).await, 2, "a change is one write, and reading is none");
}

on_every_backend!(
    thousands_of_requests_without_a_cookie_make_no_record_and_no_cookie,
    a_cookie_comes_with_login_and_not_again,
    an_exclusive_borrow_that_changes_nothing_writes_nothing,
);

#[tokio::test]
async fn a_backend_is_asked_to_write_when_there_is_something_to_write() {
    let ledger = Ledger::default();
    let sessions = Sessions::builder().backend(ledger.clone()).key(&key('k')).open().await.unwrap();
    let server = serve_users(sessions).await;
    let client = logged_in(&server, "ann").await;
    assert_eq!(ledger.written(), 1);
    for _ in 0..10 {
        client.get("/me").await;
        client.post("/look").await;
    }
    assert_eq!(ledger.written(), 1);
    client.post("/visit").await;
    assert_eq!(ledger.written(), 2);
    client.post("/logout").await;
    assert_eq!(ledger.written(), 3);
}

#[tokio::test]
async fn anonymous_requests_cost_the_backend_nothing() {
    let ledger = Ledger::default();
    let sessions = Sessions::builder().backend(ledger.clone()).key(&key('k')).open().await.unwrap();
    let server = serve_users(sessions).await;
    let anonymous = server.client();
    for path in ["/", "/me", "/nowhere"] {
        anonymous.get(path).await;
    }
    for path in ["/visit", "/look", "/logout", "/rotate"] {
        anonymous.post(path).await;
    }
    assert_eq!(ledger.asked(), 0);
}

#[session(optional)]
async fn with_own_headers(slot: SessionSlot<User>) -> Result<impl IntoResponse, Error> {
    slot.start(User { name: "ann".into(), visits: 0 }).await?;
    let own = [("set-cookie", "theme=dark"), ("set-cookie", "lang=de"), ("cache-control", "public, max-age=600")];
    Ok((AppendHeaders(own), AppendHeaders([("vary", "accept-language")])))
}

#[session(optional)]
async fn cacheable(_user: Option<&User>) -> impl IntoResponse + use<> {
    [("cache-control", "private, max-age=600"), ("vary", "Accept, Cookie")]
}

#[tokio::test]
async fn a_handlers_own_headers_stay_beside_the_sessions() {
    let more = Router::new().route("/own", post(with_own_headers)).route("/cacheable", get(cacheable));
    let server = serve(routes().merge(more).with_state(Store::memory().sessions().await)).await;
    let reply = server.client().post("/own").await;
    let cookies = reply.set_cookies();
    assert!(cookies.contains(&"theme=dark") && cookies.contains(&"lang=de"), "{cookies:?}");
    assert_eq!(cookies.iter().filter(|cookie| cookie.starts_with("__Host-user=")).count(), 1);
    assert_eq!(reply.headers.get_all("cache-control").iter().collect::<Vec<_>>(), ["no-store"]);
    assert!(varies_by_cookie(&reply));
    let vary: Vec<_> = reply.headers.get_all("vary").iter().map(|line| line.to_str().unwrap()).collect();
    assert_eq!(vary, ["accept-language, Cookie"]);

    let reply = server.client().get("/cacheable").await;
    assert_eq!(reply.headers.get_all("vary").iter().collect::<Vec<_>>(), ["Accept, Cookie"], "it is said already");
    assert_eq!(reply.header("cache-control"), Some("private, max-age=600"));
}
