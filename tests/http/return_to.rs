//! `missing = redirect("/login", next = "next")`: back to where they came from, and nowhere else.

use axum::{
    Form, Router,
    extract::Query,
    http::Method,
    response::{Html, Redirect},
    routing::{any, get},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Missing, ReturnTo, Session, SessionData, SessionSlot, session};
use session_tests::{Served, raw::Connection, serve};

use crate::support::{Store, varies_by_cookie};

#[derive(Serialize, Deserialize, SessionData)]
#[session(missing = redirect("/login", next = "next"))]
struct Buyer;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    next: ReturnTo,
}

async fn login_page(Query(asked): Query<Asked>) -> Html<String> {
    Html(format!("<form method=post><input type=hidden name=next value=\"{}\">", asked.next))
}

#[session(optional)]
async fn login(slot: SessionSlot<Buyer>, Form(form): Form<Asked>) -> Result<Redirect, Error> {
    slot.start(Buyer).await?;
    Ok(form.next.redirect_or("/home"))
}

#[session(protected)]
async fn shared(_buyer: &Buyer) {}

#[session(protected)]
async fn exclusive(_buyer: &mut Buyer) {}

#[session(protected)]
async fn owned(_buyer: Session<Buyer>) {}

#[session(protected(Buyer))]
async fn guarded() {}

async fn snapshot(_buyer: Buyer) {}

#[session(protected, missing = redirect("/sign?why=orders#top", next = "to"))]
async fn its_own(_buyer: &Buyer) {}

#[session(protected, missing = redirect("/sign", next = "to"))]
async fn its_own_exclusively(_buyer: &mut Buyer) {}

const PATHS: [&str; 7] = ["/shared", "/exclusive", "/owned", "/guarded", "/snapshot", "/layer/shared", "/shop/shared"];

async fn server() -> Served {
    let sessions = Store::memory().sessions::<Buyer>().await;
    let inner = || Router::new().route("/shared", any(shared));
    let behind = Router::new().route("/shared", any(async || ())).route_layer(sessions.protect());
    let asked = sessions.protect().missing(Missing::redirect_with_next("/sign", "to").unwrap());
    let router = Router::new()
        .route("/login", get(login_page).post(login))
        .route("/shared", any(shared))
        .route("/exclusive", any(exclusive))
        .route("/owned", any(owned))
        .route("/guarded", any(guarded))
        .route("/snapshot", any(snapshot))
        .route("/its-own", any(its_own))
        .route("/its-own-exclusively", any(its_own_exclusively))
        .nest("/layer", behind)
        .nest("/shop", inner())
        .nest("/asked", Router::new().route("/shared", any(async || ())).route_layer(asked))
        .fallback(shared);
    serve(router.with_state(sessions)).await
}

#[tokio::test]
async fn an_anonymous_person_is_sent_to_the_login_page_and_back() {
    let server = server().await;
    for path in PATHS {
        let client = server.client();
        let reply = client.get(&format!("{path}?page=2&q=a%20b%26c")).await;
        let location = format!("/login?next={}%3Fpage%3D2%26q%3Da%2520b%2526c", path.replace('/', "%2F"));
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some(location.as_str())), "{path}");
        assert!(varies_by_cookie(&reply), "{path}");

        let page = client.get(&location).await.text().to_owned();
        let next = page.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert_eq!(next, format!("{path}?page=2&q=a%20b%26c"));
        let reply = client.post_form("/login", &[("next", next)]).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some(next)), "{path}");
        assert_eq!(client.get(next).await.status, 200, "{path}");
    }
}

/// A session that ends while the request waits for its turn is found out late, when the request is long read.
#[tokio::test]
async fn who_has_an_ended_session_is_sent_back_too() {
    let server = server().await;
    let client = server.client();
    client.post_form("/login", &[]).await;
    let cookie = format!("__Host-buyer={}", client.cookie("__Host-buyer").unwrap());
    let former = async |path: &str| crate::support::send_with(&server, Method::GET, path, &cookie).await;
    assert_eq!(former("/exclusive?a").await.status, 200);
    client.post_form("/login", &[]).await;
    for path in ["/shared", "/exclusive", "/owned"] {
        let location = format!("/login?next=%2F{}%3Fa", &path[1..]);
        assert_eq!(former(&format!("{path}?a")).await.header("location"), Some(location.as_str()));
    }
    let reply = former("/its-own-exclusively?a").await;
    assert_eq!(reply.header("location"), Some("/sign?to=%2Fits-own-exclusively%3Fa"));
}

#[tokio::test]
async fn what_cannot_be_done_again_by_going_there_is_not_remembered() {
    let server = server().await;
    for path in PATHS {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let reply = server.client().send(method, path, |request| request).await;
            assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/login")), "{path}");
        }
        let reply = server.client().send(Method::HEAD, path, |request| request).await;
        assert!(reply.header("location").is_some_and(|location| location.starts_with("/login?next=")), "{path}");
    }
    let long = format!("/shared?{}", "a".repeat(2048));
    assert_eq!(server.client().get(&long).await.header("location"), Some("/login"));
}

#[tokio::test]
async fn a_handler_and_a_layer_have_their_own_address_and_parameter() {
    let server = server().await;
    let location = async |path: &str| server.client().get(path).await.header("location").map(str::to_owned);
    assert_eq!(location("/its-own?x").await.as_deref(), Some("/sign?why=orders&to=%2Fits-own%3Fx#top"));
    assert_eq!(location("/asked/shared").await.as_deref(), Some("/sign?to=%2Fasked%2Fshared"));
}

#[tokio::test]
async fn a_forged_link_leads_nowhere_else() {
    let server = server().await;
    for forged in [
        "https://evil.example",
        "//evil.example",
        "///evil.example/x",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n//evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "evil.example",
        "/\"><script>alert(1)</script>",
    ] {
        let client = server.client();
        let encoded: String = forged.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let asked = client.get(&format!("/login?next={encoded}")).await;
        assert!(asked.text().ends_with("value=\"\">"), "{forged:?}: {}", asked.text());
        let reply = client.post_form("/login", &[("next", forged)]).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/home")), "{forged:?}");
        assert_eq!(reply.set_cookies().len(), 1);
    }
    // What is not there at all is as good.
    assert_eq!(server.client().post_form("/login", &[]).await.header("location"), Some("/home"));
}

#[tokio::test]
async fn a_request_line_with_another_host_in_it_is_not_remembered() {
    let server = server().await;
    for target in ["//evil.example/x", "///evil.example", "http://evil.example//evil.example/", "/\\evil.example"] {
        let mut connection = Connection::open(server.address()).await;
        connection.send(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")).await;
        let reply = connection.reply().await;
        let location = reply.header("location");
        assert!(reply.status == 400 || location == Some("/login"), "{target}: {} {location:?}", reply.status);
    }
    let mut connection = Connection::open(server.address()).await;
    connection.send("GET http://evil.example/orders HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n").await;
    assert_eq!(connection.reply().await.header("location"), Some("/login?next=%2Forders"), "a path, whatever the host");
}
