//! A caching proxy between us and several people never takes one for another.

use axum::{
    Router,
    http::header::CACHE_CONTROL,
    response::{AppendHeaders, IntoResponse},
    routing::get,
};
use session_runtime::{Error, Session, SessionSlot, session};
use session_tests::{
    App, Client, Proxy, Reply,
    proxy::SetCookie::{Ignore, Respect},
    serve,
};

use crate::support::{COOKIE, Store, User, is_alive, routes, token};

/// Whether the answer was kept from an earlier one.
fn is_kept(reply: &Reply) -> bool {
    let status = reply.header("x-cache").expect("the proxy says where an answer comes from");
    assert!(["HIT", "MISS", "BYPASS"].contains(&status), "{status}");
    status == "HIT"
}

/// A page that is asked for twice, the second time from the cache.
async fn kept(client: &Client, path: &str) -> String {
    let first = client.get(path).await;
    let again = client.get(path).await;
    assert!(!is_kept(&first) && is_kept(&again), "{path} is kept for its owner: {:?}", again.headers);
    assert_eq!(first.body, again.body);
    again.text().to_owned()
}

#[tokio::test]
async fn a_caching_proxy_before_the_quickstart_serves_everybody_their_own_page() {
    let app = App::example("quickstart").start().await;
    for set_cookie in [Respect, Ignore] {
        let proxy = Proxy::before(app.address(), set_cookie).await;
        let (ada, grace, stranger) = (proxy.client(), proxy.client(), proxy.client());
        for (client, name) in [(&ada, "Ada"), (&grace, "Grace")] {
            let login = client.post_form("/login", &[("name", name)]).await;
            assert_eq!((login.status.as_u16(), login.set_cookies().len()), (303, 1));
        }
        assert_ne!(token(&ada), token(&grace));
        assert!(kept(&stranger, "/").await.contains("Hello, stranger!"));
        assert!(kept(&ada, "/").await.contains("Hello, Ada!"));
        assert!(kept(&grace, "/").await.contains("Hello, Grace!"));
        for (client, name) in [(&stranger, "stranger"), (&grace, "Grace"), (&ada, "Ada"), (&proxy.client(), "stranger")]
        {
            let page = client.get("/").await;
            assert!(page.text().contains(&format!("Hello, {name}!")), "{}", page.text());
            assert!(page.set_cookies().is_empty());
        }
        assert_eq!(stranger.get("/me").await.status, 401);
        assert_eq!(ada.get("/me").await.status, 200, "a stranger's refusal is a stranger's");
        assert_eq!(grace.get("/me").await.json::<User>().name, "Grace");
        assert_eq!(proxy.client().get("/me").await.status, 401);

        ada.post("/logout").await;
        assert!(ada.get("/").await.text().contains("Hello, stranger!"), "after a logout the page is a stranger's");
    }
}

/// What a handler says that wants its page in every cache.
const PUBLIC: AppendHeaders<[(axum::http::HeaderName, &str); 1]> =
    AppendHeaders([(CACHE_CONTROL, "public, max-age=600")]);

#[session(optional)]
async fn greeting(user: Option<&User>) -> impl IntoResponse {
    (PUBLIC, user.map_or_else(|| "stranger".into(), |user| user.name.clone()))
}

#[session(protected)]
async fn owned(session: Session<User>) -> impl IntoResponse {
    (PUBLIC, session.name.clone())
}

#[session(protected(User))]
async fn guarded() -> impl IntoResponse {
    (PUBLIC, "the back room")
}

/// Starts a session, and says all the same that everybody may have the answer.
#[session(optional)]
async fn enter(slot: SessionSlot<User>) -> Result<impl IntoResponse, Error> {
    let visits = slot.get().map_or(0, |user| user.visits + 1);
    slot.start(User { name: "somebody".into(), visits }).await?;
    Ok((PUBLIC, visits.to_string()))
}

#[session(protected)]
async fn rotate(mut session: Session<User>) -> Result<impl IntoResponse, Error> {
    session.rotate_id().await?;
    Ok((PUBLIC, "rotated"))
}

#[session(protected)]
async fn leave(session: Session<User>) -> Result<impl IntoResponse, Error> {
    session.end().await?;
    Ok((PUBLIC, "gone"))
}

fn public() -> Router<session_runtime::Sessions<User>> {
    routes()
        .route("/greeting", get(greeting))
        .route("/owned", get(owned))
        .route("/guarded", get(guarded))
        .route("/enter", get(enter))
        .route("/get-rotated", get(rotate))
        .route("/leave", get(leave))
}

#[tokio::test]
async fn a_page_that_its_handler_calls_public_is_kept_for_each_cookie_by_itself() {
    let server = serve(public().with_state(Store::memory().sessions().await)).await;
    for set_cookie in [Respect, Ignore] {
        let proxy = Proxy::before(server.address(), set_cookie).await;
        let (ada, grace, stranger) = (proxy.client(), proxy.client(), proxy.client());
        ada.post_form("/login", &[("name", "Ada")]).await;
        grace.post_form("/login", &[("name", "Grace")]).await;
        assert_eq!(kept(&ada, "/greeting").await, "Ada");
        assert_eq!(kept(&stranger, "/greeting").await, "stranger");
        assert_eq!(kept(&grace, "/greeting").await, "Grace");
        assert_eq!(kept(&grace, "/owned").await, "Grace");
        assert_eq!(kept(&ada, "/owned").await, "Ada");
        assert_eq!(stranger.get("/owned").await.status, 401);
        assert_eq!(kept(&ada, "/guarded").await, "the back room");
        assert_eq!(
            stranger.get("/guarded").await.status,
            401,
            "what was kept for one who may enter opens to nobody else"
        );
    }
}

#[tokio::test]
async fn an_answer_with_a_cookie_is_kept_by_no_cache_whatever_its_handler_says() {
    let server = serve(public().with_state(Store::memory().sessions().await)).await;
    for set_cookie in [Respect, Ignore] {
        let proxy = Proxy::before(server.address(), set_cookie).await;
        let mut tokens = Vec::new();
        for _ in 0..3 {
            let client = proxy.client();
            for path in ["/enter", "/enter", "/get-rotated", "/get-rotated"] {
                let reply = client.get(path).await;
                assert!(reply.status == 200 && !is_kept(&reply), "{path}: {:?}", reply.headers);
                assert_eq!((reply.set_cookies().len(), reply.header("cache-control")), (1, Some("no-store")), "{path}");
                tokens.push(token(&client));
            }
            let last = token(&client);
            assert!(is_alive(&server, &last).await);
            let reply = client.get("/leave").await;
            assert_eq!((is_kept(&reply), client.cookie(COOKIE)), (false, None));
            assert!(!is_alive(&server, &last).await);
        }
        let all = tokens.len();
        tokens.sort_unstable();
        tokens.dedup();
        assert_eq!(tokens.len(), all, "nobody got a cookie that another one had got");
    }
}
