//! Guards that look at the device.

use axum::{
    Router,
    response::Redirect,
    routing::{get, post},
};
use session_runtime::{Device as Binding, Session, session};
use session_tests::{Client, serve};

use super::{Account, Bound, bound, site};
use crate::support::{Store, assert_problem, on_every_backend};

#[session(protected, guard = |account, device| account.name == "ann" && device != Binding::Unbound)]
async fn shared(account: &Account) -> String {
    account.name.clone()
}

#[session(protected, guard = |_, device| match device {
    Binding::Bound { .. } => Ok(()),
    Binding::Unbound => Err(Redirect::to("/bind")),
})]
async fn exclusive(account: &mut Account) -> String {
    account.visits += 1;
    account.visits.to_string()
}

#[session(protected, guard = |_, device| matches!(device, Binding::Bound { .. }))]
async fn owned(session: Session<Account>) -> String {
    session.name.clone()
}

#[session(protected(Account), guard = |account, device| account.visits == 0 && matches!(device, Binding::Unbound))]
async fn for_new_browsers() -> &'static str {
    "your browser can't be bound"
}

async fn guarded(sessions: &session_runtime::Sessions<Account>) -> session_tests::Served {
    let router = Router::new()
        .route("/shared", get(shared))
        .route("/exclusive", post(exclusive))
        .route("/owned", get(owned))
        .route("/new", get(for_new_browsers));
    serve(router.with_state(sessions.clone())).await
}

async fn a_guard_sees_whether_the_session_is_bound(store: Store) {
    let unbound = site(&store).await;
    let server = guarded(&unbound.sessions).await;
    let client: Client = unbound.client.at(&server.url());
    assert_problem(&client.get("/shared").await, 403, "forbidden");
    assert_problem(&client.get("/owned").await, 403, "forbidden");
    let sent = client.post("/exclusive").await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (303, Some("/bind")));
    assert_eq!(client.get("/new").await.text(), "your browser can't be bound");

    let Bound { site, .. } = bound(&store).await;
    let server = guarded(&site.sessions).await;
    let client = site.client.at(&server.url());
    assert_eq!(client.get("/shared").await.text(), "ann");
    assert_eq!(client.get("/owned").await.text(), "ann");
    assert_problem(&client.get("/new").await, 403, "forbidden");
    assert_eq!(client.post("/exclusive").await.text(), "1");
}

on_every_backend![a_guard_sees_whether_the_session_is_bound];
