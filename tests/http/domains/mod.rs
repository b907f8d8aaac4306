//! `cookie(domain = [..])` and `cookie(domain = path)`: an application of several domains, each with tokens of its own.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{Request, StatusCode, header, request::Parts},
    response::IntoResponse,
    routing::{get, post},
};
use reqwest::{Client, Response, cookie::Jar};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};
use session_tests::{Served, serve};

use crate::support::Events;

/// Routes with everything that makes, takes or removes a token.
macro_rules! routes {
    ($ty:ident) => {{
        #[session(optional)]
        async fn login(slot: SessionSlot<$ty>) -> Result<Json<Value>, Error> {
            slot.start($ty { visits: 0 }).await?;
            Ok(Json(json!({ "token": slot.token() })))
        }

        #[session(protected)]
        async fn me(user: &$ty) -> String {
            user.visits.to_string()
        }

        #[session(optional)]
        async fn home(user: Option<&$ty>) -> &'static str {
            user.map_or("anonymous", |_| "known")
        }

        #[session(protected)]
        async fn visit(user: &mut $ty) -> String {
            user.visits += 1;
            user.visits.to_string()
        }

        #[session(protected)]
        async fn rotate(mut session: Session<$ty>) -> Result<Json<Value>, Error> {
            session.rotate_id().await?;
            Ok(Json(json!({ "token": session.token() })))
        }

        #[session(protected)]
        async fn logout(session: Session<$ty>) -> Result<(), Error> {
            session.end().await
        }

        async fn copy(user: Option<$ty>) -> &'static str {
            user.map_or("anonymous", |_| "known")
        }

        async fn found(State(users): State<Sessions<$ty>>, parts: Parts) -> Result<&'static str, Error> {
            Ok(users.find(&parts).await?.map_or("anonymous", |_| "known"))
        }

        async fn callback(State(users): State<Sessions<$ty>>, parts: Parts) -> Result<impl IntoResponse, Error> {
            Ok((users.for_request(&parts)?.start($ty { visits: 7 }).await?, "welcome"))
        }

        async fn anywhere(State(users): State<Sessions<$ty>>) -> Result<impl IntoResponse, Error> {
            Ok((users.start($ty { visits: 7 }).await?, "welcome"))
        }

        |sessions: Sessions<$ty>| {
            let inside = Router::new().route("/inside", get(|| async { "inside" })).route_layer(sessions.protect());
            Router::new()
                .route("/login", post(login))
                .route("/me", get(me))
                .route("/home", get(home))
                .route("/visit", post(visit))
                .route("/rotate", post(rotate))
                .route("/logout", post(logout))
                .route("/copy", get(copy))
                .route("/found", get(found))
                .route("/callback", post(callback))
                .route("/anywhere", post(anywhere))
                .merge(inside)
                .with_state(sessions)
        }
    }};
}

mod by_function;
mod localhost;
mod tokens;

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    cookie(name = "user", secure = false, domain = ["shop-a.example", env("HTTP_TESTS_UNSET", default = "shop-b.example, eu.shop-b.example")]),
    transport = [cookie, bearer],
    clear_site_data,
)]
struct User {
    visits: u32,
}

/// A browser, as far as cookies and names of hosts go: all hosts are at this server.
struct Browser {
    http: Client,
    port: u16,
}

impl Browser {
    fn of(server: &Served) -> Self {
        let hosts = [
            "shop-a.example",
            "www.shop-a.example",
            "shop-b.example",
            "www.shop-b.example",
            "eu.shop-b.example",
            "a.shop.example",
            "b.shop.example",
            "www.a.shop.example",
            "elsewhere.example",
            "wrong.example",
            "scheme.example",
            "suffix.example",
        ];
        let http = Client::builder().cookie_provider(Arc::<Jar>::default()).no_proxy();
        let http = hosts.into_iter().fold(http, |http, host| http.resolve(host, server.address()));
        Self { http: http.build().unwrap(), port: server.address().port() }
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    async fn get(&self, host: &str, path: &str) -> (u16, String) {
        said(self.http.get(self.url(host, path)).send().await.unwrap()).await
    }

    async fn post(&self, host: &str, path: &str) -> Response {
        self.http.post(self.url(host, path)).send().await.unwrap()
    }

    /// By a token that is carried over by hand, as a script or a thief does it.
    async fn get_with(&self, host: &str, path: &str, name: &str, value: &str) -> (u16, String) {
        let http = Client::builder().no_proxy().resolve(host, ([127, 0, 0, 1], self.port).into()).build().unwrap();
        said(http.get(self.url(host, path)).header(name, value).send().await.unwrap()).await
    }
}

async fn said(response: Response) -> (u16, String) {
    (response.status().as_u16(), response.text().await.unwrap())
}

fn set_cookie(response: &Response) -> Vec<String> {
    response.headers().get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

async fn token(response: Response) -> String {
    assert_eq!(response.status(), 200);
    response.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned()
}

async fn shops() -> Served {
    serve(routes!(User)(User::sessions().await.unwrap())).await
}

#[tokio::test]
async fn each_domain_has_a_cookie_of_its_own_that_its_hosts_share() {
    let server = shops().await;
    let browser = Browser::of(&server);
    for (host, domain) in [
        ("www.shop-a.example", "shop-a.example"),
        ("shop-b.example", "shop-b.example"),
        ("eu.shop-b.example", "eu.shop-b.example"),
    ] {
        let login = browser.post(host, "/login").await;
        let cookies = set_cookie(&login);
        assert!(cookies.len() == 1 && cookies[0].ends_with(&format!("; Domain={domain}")), "{cookies:?}");
    }
    for host in ["shop-a.example", "www.shop-a.example", "www.shop-b.example", "eu.shop-b.example"] {
        assert_eq!(browser.get(host, "/me").await, (200, "0".into()), "{host}");
    }
    assert_eq!(browser.post("shop-a.example", "/visit").await.text().await.unwrap(), "1");
    assert_eq!(browser.get("www.shop-a.example", "/me").await.1, "1", "one session on both hosts");
    assert_eq!(browser.get("shop-b.example", "/me").await.1, "0", "and another one on the other domain");
}

#[tokio::test]
async fn a_logout_removes_the_cookie_of_its_domain_alone() {
    let server = shops().await;
    let browser = Browser::of(&server);
    for host in ["shop-a.example", "shop-b.example"] {
        browser.post(host, "/login").await;
    }
    let logout = browser.post("www.shop-a.example", "/logout").await;
    let cookies = set_cookie(&logout);
    assert!(cookies[0].contains("Max-Age=0") && cookies[0].contains("; Domain=shop-a.example"), "{cookies:?}");
    assert!(logout.headers().contains_key("clear-site-data"));
    assert_eq!(browser.get("shop-a.example", "/me").await.0, 401);
    assert_eq!(browser.get("shop-b.example", "/me").await.0, 200);
}

#[tokio::test]
async fn a_host_under_no_domain_is_refused_and_gets_no_cookie() {
    let events = Events::listen();
    let server = shops().await;
    let browser = Browser::of(&server);
    let token = token(browser.post("shop-a.example", "/login").await).await;
    for path in ["/me", "/home", "/copy", "/inside"] {
        let (status, body) =
            browser.get_with("elsewhere.example", path, "authorization", &format!("Bearer {token}")).await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{path}: {body}");
        assert!(body.contains("urn:problem-type:session:misdirected"), "{body}");
    }
    assert_eq!(browser.get("elsewhere.example", "/found").await, (200, "anonymous".into()));
    for path in ["/login", "/visit"] {
        let refused = browser.post("elsewhere.example", path).await;
        assert_eq!(refused.status(), StatusCode::MISDIRECTED_REQUEST);
        assert!(set_cookie(&refused).is_empty());
    }
    let refused = browser.post("elsewhere.example", "/callback").await;
    assert!(refused.status() == 500 && set_cookie(&refused).is_empty());
    let told = events.named("session.unknown_host");
    assert!(told.iter().any(|told| told.field("host") == "elsewhere.example"), "{told:?}");
}

#[tokio::test]
async fn hosts_that_only_look_like_one_of_the_domains_are_none() {
    let server = shops().await;
    let http = Client::builder().no_proxy().build().unwrap();
    for host in
        ["myshop-a.example", "shop-a.example.", "shop-a.example.evil.example", "example", "", "[::1]", "127.0.0.1"]
    {
        let request = http.get(format!("{}/home", server.url())).header(header::HOST, host);
        assert_eq!(request.send().await.unwrap().status(), 421, "{host:?}");
    }
    let shouted = http.get(format!("{}/home", server.url())).header(header::HOST, "WWW.Shop-A.Example:8443");
    assert_eq!(shouted.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn without_a_request_a_session_starts_on_a_domain_that_is_named() {
    let users = User::sessions().await.unwrap();
    let nowhere = users.start(User { visits: 0 }).await;
    assert!(matches!(nowhere, Err(Error::NoDomain)), "{nowhere:?}");
    for (domain, why) in [
        ("shop-c.example", "not in the list"),
        ("www.shop-a.example", "not in the list"),
        ("https://shop-a.example", "not a host name"),
    ] {
        assert!(users.for_domain(domain).unwrap_err().to_string().contains(why), "{domain}");
    }
    let started = users.for_domain("Shop-A.example").unwrap().start(User { visits: 3 }).await.unwrap();
    let server = serve(routes!(User)(users)).await;
    let browser = Browser::of(&server);
    let bearer = started.authorization().unwrap().to_str().unwrap().to_owned();
    assert_eq!(browser.get_with("shop-a.example", "/me", "authorization", &bearer).await, (200, "3".into()));
    assert_eq!(browser.get_with("shop-b.example", "/me", "authorization", &bearer).await.0, 401);
    let handed = (started, "welcome").into_response();
    assert!(handed.headers()[header::SET_COOKIE].to_str().unwrap().ends_with("; Domain=shop-a.example"));
}

#[tokio::test]
async fn a_handler_without_a_slot_starts_a_session_on_the_domain_of_its_request() {
    let server = shops().await;
    let browser = Browser::of(&server);
    assert_eq!(browser.post("www.shop-b.example", "/callback").await.status(), 200);
    assert_eq!(browser.get("shop-b.example", "/me").await, (200, "7".into()));
    let nowhere = browser.post("shop-a.example", "/anywhere").await;
    assert!(nowhere.status() == 500 && set_cookie(&nowhere).is_empty());
}

#[tokio::test]
async fn a_test_of_the_router_is_a_browser_on_each_of_the_domains() {
    let users = User::sessions().await.unwrap();
    let app = routes!(User)(users.clone());
    let a = session_runtime::testing::Client::new(app).at("https://www.shop-a.example");
    let b = a.at("https://shop-b.example:8443");
    a.log_in(&users.for_domain("shop-a.example").unwrap().start(User { visits: 5 }).await.unwrap());
    assert_eq!((a.get("/me").await.text(), b.get("/me").await.status().as_u16()), ("5", 401));
    assert_eq!(b.post("/login").await.status(), 200);
    assert_eq!((a.get("/me").await.text(), b.get("/me").await.text()), ("5", "0"));
    assert!(a.cookie("user").is_some() && a.cookie("user") != b.cookie("user"));
    a.post("/logout").await;
    assert_eq!((a.cookie("user"), a.get("/me").await.status().as_u16()), (None, 401));
    assert_eq!(b.get("/me").await.status(), 200);
}
