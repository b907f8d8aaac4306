//! Tokens that travel in headers, for clients that are no browsers.

use axum::{
    Json, Router,
    http::{Method, header},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Reply, Served, raw::Connection, serve};

use crate::support::{Ledger, Store, key};

/// Routes with everything that is done to a session of the type.
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

        async fn copy(user: Option<$ty>) -> String {
            user.map_or_else(|| "anonymous".into(), |user| user.visits.to_string())
        }

        Router::<Sessions<$ty>>::new()
            .route("/login", post(login))
            .route("/me", get(me))
            .route("/visit", post(visit))
            .route("/rotate", post(rotate))
            .route("/logout", post(logout))
            .route("/copy", get(copy))
    }};
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = header("X-Session"))]
struct ByHeader {
    visits: u32,
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = bearer)]
struct ByBearer {
    visits: u32,
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(transport = [bearer, header("x-session"), cookie], cookie(name = "__Host-api"))]
struct ByAny {
    visits: u32,
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(backend = cookie, key = env("HTTP_TESTS_UNSET"), transport = bearer)]
struct Carried {
    visits: u32,
}

async fn served<T: SessionData>(router: Router<Sessions<T>>) -> Served {
    serve(router.with_state(Store::memory().sessions::<T>().await)).await
}

async fn send(server: &Served, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let add = |request: reqwest::RequestBuilder| {
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    server.client().send(method, path, add).await
}

/// The headers of `Vary`, in alphabetical order and lower case.
fn vary(reply: &Reply) -> Vec<String> {
    let lines = reply.headers.get_all(header::VARY).iter().map(|line| line.to_str().unwrap().to_lowercase());
    let mut names: Vec<_> =
        lines.flat_map(|line| line.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()).collect();
    names.sort_unstable();
    names
}

/// A whole life by one header each way.
async fn a_life(server: &Served, there: impl Fn(&str) -> (&'static str, String), back: &str, depends_on: &str) {
    let call = async |method: Method, path: &str, token: &str| {
        let (name, value) = there(token);
        let reply = send(server, method, path, &[(name, &value)]).await;
        // A copy is for handlers without the attribute, which nobody helps with their answers.
        // A refusal depends on what the client accepts, too.
        let depends: Vec<_> = vary(&reply).into_iter().filter(|name| reply.status == 200 || name != "accept").collect();
        let told = path == "/copy" || depends == [depends_on];
        assert!(reply.set_cookies().is_empty() && told, "{:?}", reply.headers);
        reply
    };
    let handed_over = |reply: &Reply| {
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, Some("no-store")));
        assert_eq!(reply.headers.get_all(back).iter().count(), 1);
        let token = reply.header(back).unwrap().to_owned();
        assert_eq!(reply.json::<Value>()["token"], token, "code can have it, too");
        token
    };
    let first = handed_over(&send(server, Method::POST, "/login", &[]).await);
    assert_eq!(first.len(), 120);
    for visit in ["1", "2"] {
        let reply = call(Method::POST, "/visit", &first).await;
        assert_eq!((reply.text(), reply.header(back), reply.header("cache-control")), (visit, None, None));
    }
    assert_eq!(call(Method::GET, "/copy", &first).await.text(), "2");
    let second = handed_over(&call(Method::POST, "/rotate", &first).await);
    assert_ne!(first, second);
    assert_eq!(call(Method::GET, "/me", &first).await.status, 401);
    assert_eq!(call(Method::GET, "/me", &second).await.text(), "2");
    let third = handed_over(&call(Method::POST, "/login", &second).await);
    assert_eq!(call(Method::GET, "/me", &second).await.status, 401, "another login ends it");
    let ended = call(Method::POST, "/logout", &third).await;
    assert_eq!((ended.header(back), ended.header("cache-control")), (Some(""), Some("no-store")));
    assert_eq!(call(Method::GET, "/me", &third).await.status, 401);
    assert_eq!(call(Method::GET, "/copy", "").await.text(), "anonymous");
}

#[tokio::test]
async fn a_token_travels_in_a_header_both_ways() {
    let server = served(routes!(ByHeader)).await;
    a_life(&server, |token| ("x-session", token.into()), "x-session", "x-session").await;
}

#[tokio::test]
async fn a_bearer_token_is_handed_over_in_a_header_of_its_own() {
    let server = served(routes!(ByBearer)).await;
    a_life(&server, |token| ("authorization", format!("Bearer {token}")), "session-token", "authorization").await;
    a_life(&server, |token| ("authorization", format!("bearer  {token}")), "session-token", "authorization").await;
}

#[tokio::test]
async fn a_401_says_how_the_token_is_to_be_sent() {
    let challenges = async |server: &Served| {
        let reply = send(server, Method::GET, "/me", &[]).await;
        assert_eq!(reply.status, 401);
        let values = reply.headers.get_all(header::WWW_AUTHENTICATE).iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (in_header, in_cookie) = ("Header header-name=\"x-session\"", "Cookie cookie-name=\"__Host-api\"");
    assert_eq!(challenges(&served(routes!(ByHeader)).await).await, [in_header]);
    assert_eq!(challenges(&served(routes!(ByBearer)).await).await, ["Bearer"]);
    assert_eq!(challenges(&served(routes!(ByAny)).await).await, ["Bearer", in_header, in_cookie]);
}

#[tokio::test]
async fn a_token_travels_only_by_what_its_type_declares() {
    let server = served(routes!(ByHeader)).await;
    let token = send(&server, Method::POST, "/login", &[]).await.header("x-session").unwrap().to_owned();
    assert_eq!(send(&server, Method::GET, "/me", &[("x-session", &token)]).await.status, 200);
    let (cookie, bearer) = (format!("__Host-by-header={token}"), format!("Bearer {token}"));
    for (name, value) in [
        ("cookie", cookie.as_str()),
        ("authorization", &bearer),
        ("authorization", &token),
        ("session-token", &token),
        ("x-sessions", &token),
        ("x-session", &bearer),
    ] {
        assert_eq!(send(&server, Method::GET, "/me", &[(name, value)]).await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn a_token_of_one_transport_is_good_for_the_types_others_and_for_no_other_type() {
    let store = Store::memory();
    let any = serve(routes!(ByAny).with_state(store.sessions::<ByAny>().await)).await;
    let token = send(&any, Method::POST, "/login", &[]).await.header("session-token").unwrap().to_owned();
    let (cookie, bearer) = (format!("__Host-api={token}"), format!("Bearer {token}"));
    for (name, value) in [("authorization", &bearer), ("x-session", &token), ("cookie", &cookie)] {
        assert_eq!(send(&any, Method::GET, "/me", &[(name, value)]).await.status, 200, "{name}");
    }
    let other = serve(routes!(ByBearer).with_state(store.sessions::<ByBearer>().await)).await;
    assert_eq!(send(&other, Method::GET, "/me", &[("authorization", &bearer)]).await.status, 401);
}

#[tokio::test]
async fn of_several_transports_the_first_that_presents_a_token_decides() {
    let server = served(routes!(ByAny)).await;
    let login = async || send(&server, Method::POST, "/login", &[]).await.header("session-token").unwrap().to_owned();
    let (fresh, visited) = (login().await, login().await);
    let bearer = |token: &str| format!("Bearer {token}");
    assert_eq!(send(&server, Method::POST, "/visit", &[("x-session", &visited)]).await.text(), "1");
    let cookie = |token: &str| format!("__Host-api={token}");

    let me = async |headers: &[(&str, &str)]| send(&server, Method::GET, "/me", headers).await;
    for (headers, visits) in [
        (&[("authorization", bearer(&fresh)), ("cookie", cookie(&visited))][..], "0"),
        (&[("authorization", bearer(&visited)), ("x-session", fresh.clone())], "1"),
        (&[("cookie", cookie(&fresh)), ("x-session", visited.clone())], "1"),
        // Another scheme is no token, nor is an empty header.
        (&[("authorization", "Basic dTpw".into()), ("cookie", cookie(&visited))], "1"),
        (&[("x-session", String::new()), ("cookie", cookie(&visited))], "1"),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = me(&headers).await;
        assert_eq!((reply.text(), vary(&reply).join(" ").as_str()), (visits, "authorization cookie x-session"));
    }
    // One that is worthless decides as well: what comes behind it is not tried.
    assert_eq!(me(&[("authorization", "Bearer forged"), ("cookie", &cookie(&fresh))]).await.status, 401);
}

#[tokio::test]
async fn a_new_token_goes_the_way_that_the_old_one_came_and_a_anonymous_requests_by_the_first() {
    let server = served(routes!(ByAny)).await;
    let came_back = |reply: &Reply| {
        let pair = |cookie: &&str| cookie.split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
        let cookie = reply.set_cookies().first().map(pair);
        let header = |name| reply.header(name).map(ToOwned::to_owned);
        (header("session-token"), header("x-session"), cookie)
    };
    let (Some(mut token), None, None) = came_back(&send(&server, Method::POST, "/login", &[]).await) else {
        panic!("by the first");
    };
    for path in ["/rotate", "/login"] {
        let sent = send(&server, Method::POST, path, &[("authorization", &format!("Bearer {token}"))]).await;
        let (Some(bearer), None, None) = came_back(&sent) else { panic!("{:?}", sent.headers) };
        let sent = send(&server, Method::POST, path, &[("x-session", &bearer)]).await;
        let (None, Some(header), None) = came_back(&sent) else { panic!("{:?}", sent.headers) };
        let sent = send(&server, Method::POST, path, &[("cookie", &format!("__Host-api={header}"))]).await;
        let (None, None, Some(cookie)) = came_back(&sent) else { panic!("{:?}", sent.headers) };
        token = cookie;
    }
    let ended = send(&server, Method::POST, "/logout", &[("x-session", &token)]).await;
    assert_eq!(came_back(&ended), (None, Some(String::new()), None));
}

#[tokio::test]
async fn a_token_under_a_retired_key_is_replaced_by_the_way_it_came() {
    let store = Store::memory();
    let open = async |keys: &str| {
        let sessions = store.builder::<ByAny>().key(keys).open().await.unwrap();
        let behind = Router::new().route("/behind", get(async || ())).route_layer(sessions.protect());
        serve(routes!(ByAny).merge(behind).with_state(sessions)).await
    };
    let (old, new) = (open(&key('o')).await, open(&format!("{},{}", key('n'), key('o'))).await);
    let token = send(&old, Method::POST, "/login", &[]).await.header("session-token").unwrap().to_owned();
    for (method, path) in [(Method::GET, "/me"), (Method::POST, "/visit"), (Method::GET, "/behind")] {
        let reply = send(&new, method, path, &[("x-session", &token)]).await;
        let replaced = reply.header("x-session").expect("a new token");
        assert!(replaced != token && reply.header("session-token").is_none() && reply.set_cookies().is_empty());
        assert_eq!(send(&new, Method::GET, "/me", &[("x-session", replaced)]).await.header("x-session"), None);
    }
}

#[tokio::test]
async fn a_request_with_its_token_in_a_header_may_come_from_anywhere() {
    let cross_site = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    let server = served(routes!(ByAny)).await;
    let token = send(&server, Method::POST, "/login", &[]).await.header("session-token").unwrap().to_owned();
    let visit = async |name: &str, value: &str| {
        send(&server, Method::POST, "/visit", &[cross_site[0], cross_site[1], (name, value)]).await.status
    };
    assert_eq!(visit("authorization", &format!("Bearer {token}")).await, 200);
    assert_eq!(visit("x-session", &token).await, 200);
    assert_eq!(visit("cookie", &format!("__Host-api={token}")).await, 403);
    assert_eq!(visit("authorization", "Basic dTpw").await, 403, "browsers attach that by themselves");
    assert_eq!(visit("x-session", "").await, 403);
    // Where no cookie is read there is nothing that a browser could attach.
    let server = served(routes!(ByBearer)).await;
    assert_eq!(send(&server, Method::POST, "/login", &cross_site).await.status, 200);
}

#[tokio::test]
async fn of_several_tokens_in_one_header_none_is_used() {
    let ledger = Ledger::default();
    let sessions = Sessions::builder().backend(ledger.clone()).key(&key('k')).open().await.unwrap();
    let server = serve(routes!(ByAny).with_state(sessions)).await;
    let token = send(&server, Method::POST, "/login", &[]).await.header("session-token").unwrap().to_owned();
    let asked = ledger.asked();
    for lines in [
        format!("Authorization: Bearer {token}\r\nAuthorization: Bearer {token}"),
        format!("X-Session: {token}\r\nX-Session: {token}"),
        format!("X-Session: {token}, {token}"),
        format!("X-Session: {token}\u{e9}"),
        format!("Authorization: Bearer {token} x"),
        format!("Authorization: Bearer \"{token}\""),
        "Authorization: Bearer".to_owned(),
    ] {
        let mut connection = Connection::open(server.address()).await;
        connection.send(format!("GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n\r\n")).await;
        assert_eq!(connection.reply().await.status, 401, "{lines}");
    }
    assert_eq!(ledger.asked(), asked);
}

#[tokio::test]
async fn a_session_can_travel_whole_in_a_bearer_token() {
    let clock = ManualClock::new();
    let sessions = Sessions::<Carried>::builder().key(&key('k')).clock(clock.clone()).open().await.unwrap();

    #[session(optional)]
    async fn login(slot: SessionSlot<Carried>) -> Result<(), Error> {
        slot.start(Carried { visits: 1 }).await
    }

    #[session(protected)]
    async fn visit(mut session: Session<Carried>) -> Result<String, Error> {
        session.update(|data| data.visits += 1).await?;
        Ok(session.visits.to_string())
    }

    let server =
        serve(Router::new().route("/login", post(login)).route("/visit", post(visit)).with_state(sessions)).await;
    let mut token = send(&server, Method::POST, "/login", &[]).await.header("session-token").unwrap().to_owned();
    for visits in ["2", "3"] {
        let reply = send(&server, Method::POST, "/visit", &[("authorization", &format!("Bearer {token}"))]).await;
        assert_eq!(reply.text(), visits);
        token = reply.header("session-token").unwrap().to_owned();
    }
}
