//! A caching proxy between us and several people never takes one for another.

use axum::{
    Router,
    extract::{Request, State},
    http::{
        Method, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, VARY},
    },
    middleware::{Next, from_fn_with_state, map_response},
    response::{AppendHeaders, IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session};
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
        let (ada, grace, anonymous) = (proxy.client(), proxy.client(), proxy.client());
        for (client, name) in [(&ada, "Ada"), (&grace, "Grace")] {
            let login = client.post_form("/login", &[("name", name)]).await;
            assert_eq!((login.status.as_u16(), login.set_cookies().len()), (303, 1));
        }
        assert_ne!(ada.cookie("user"), grace.cookie("user"));
        assert!(kept(&anonymous, "/").await.contains("Hello, guest!"));
        assert!(kept(&ada, "/").await.contains("Hello, Ada!"));
        assert!(kept(&grace, "/").await.contains("Hello, Grace!"));
        for (client, name) in [(&anonymous, "guest"), (&grace, "Grace"), (&ada, "Ada"), (&proxy.client(), "guest")] {
            let page = client.get("/").await;
            assert!(page.text().contains(&format!("Hello, {name}!")), "{}", page.text());
            assert!(page.set_cookies().is_empty());
        }
        assert_eq!(anonymous.get("/me").await.status, 401);
        assert_eq!(ada.get("/me").await.status, 200, "an anonymous client's refusal is an anonymous client's");
        assert_eq!(grace.get("/me").await.json::<User>().name, "Grace");
        assert_eq!(proxy.client().get("/me").await.status, 401);

        ada.post("/logout").await;
        assert!(
            ada.get("/").await.text().contains("Hello, guest!"),
            "after a logout the page is an anonymous client's"
        );
    }
}

/// What a handler says that wants its page in every cache.
const PUBLIC: AppendHeaders<[(axum::http::HeaderName, &str); 1]> =
    AppendHeaders([(CACHE_CONTROL, "public, max-age=600")]);

#[session(optional)]
async fn greeting(user: Option<&User>) -> impl IntoResponse {
    (PUBLIC, user.map_or_else(|| "anonymous".into(), |user| user.name.clone()))
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
        let (ada, grace, anonymous) = (proxy.client(), proxy.client(), proxy.client());
        ada.post_form("/login", &[("name", "Ada")]).await;
        grace.post_form("/login", &[("name", "Grace")]).await;
        assert_eq!(kept(&ada, "/greeting").await, "Ada");
        assert_eq!(kept(&anonymous, "/greeting").await, "anonymous");
        assert_eq!(kept(&grace, "/greeting").await, "Grace");
        assert_eq!(kept(&grace, "/owned").await, "Grace");
        assert_eq!(kept(&ada, "/owned").await, "Ada");
        assert_eq!(anonymous.get("/owned").await.status, 401);
        assert_eq!(kept(&ada, "/guarded").await, "the back room");
        assert_eq!(
            anonymous.get("/guarded").await.status,
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

/// A type whose tokens come in the cookie or in `Authorization`.
#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(transport = [cookie, bearer], cookie(name = "__Host-reader"))]
struct Reader {
    name: String,
}

#[session(optional)]
async fn join(slot: SessionSlot<Reader>, name: String) -> Result<String, Error> {
    slot.start(Reader { name }).await?;
    Ok(slot.token().expect("the client gets a token").as_str().to_owned())
}

#[session(optional)]
async fn shared(reader: Option<&Reader>) -> impl IntoResponse {
    (PUBLIC, named(reader))
}

#[session(protected)]
async fn needed(reader: &Reader) -> impl IntoResponse {
    (PUBLIC, reader.name.clone())
}

#[session(optional)]
async fn in_a_slot(slot: SessionSlot<Reader>) -> impl IntoResponse {
    (PUBLIC, named(slot.get().as_deref()))
}

/// Says itself what else it depends on, in two lines.
#[session(optional)]
async fn in_parts(reader: Option<&Reader>) -> impl IntoResponse {
    (PUBLIC, AppendHeaders([(VARY, "accept-encoding"), (VARY, "accept-language")]), named(reader))
}

#[session(protected, guard = |reader| reader.name == "ada")]
async fn of_ada(_reader: &Reader) -> impl IntoResponse {
    (PUBLIC, "ada")
}

async fn copied(reader: Option<Reader>) -> impl IntoResponse {
    (PUBLIC, named(reader.as_ref()))
}

async fn demanded(reader: Reader) -> impl IntoResponse {
    (PUBLIC, reader.name)
}

async fn in_the_back_room() -> impl IntoResponse {
    (PUBLIC, "the back room")
}

/// Middleware that looks for the session itself.
async fn greeted(State(readers): State<Sessions<Reader>>, request: Request, _: Next) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let found = readers.find(&parts).await?;
    Ok((PUBLIC, named(found.as_deref())).into_response())
}

fn named(reader: Option<&Reader>) -> String {
    reader.map_or_else(|| "anonymous".into(), |reader| reader.name.clone())
}

/// What layers for compression and CORS do: a line of their own, behind the others.
async fn compressed_by_a_layer(mut response: Response) -> Response {
    response.headers_mut().append(VARY, "accept-encoding".parse().unwrap());
    response
}

/// The paths whose answers say for themselves what they depend on, and those behind `vary()`.
const BY_THEMSELVES: [&str; 6] = ["/shared", "/needed", "/in-a-slot", "/in-parts", "/of-ada", "/back-room"];
const BEHIND_A_LAYER: [&str; 5] = ["/copied", "/demanded", "/found", "/compressed", "/compressed-back-room"];

async fn readers() -> session_tests::Served {
    let readers: Sessions<Reader> = Store::memory().sessions().await;
    let back_room = |path| Router::new().route(path, get(in_the_back_room)).route_layer(readers.protect());
    let found = Router::new().route("/found", get(|| async {}));
    let found = found.route_layer(from_fn_with_state(readers.clone(), greeted));
    let compressed = Router::new().route("/compressed", get(shared)).merge(back_room("/compressed-back-room"));
    let behind = Router::new()
        .route("/copied", get(copied))
        .route("/demanded", get(demanded))
        .merge(found)
        .merge(compressed.layer(map_response(compressed_by_a_layer)))
        .layer(readers.vary());
    let router = Router::new()
        .route("/join", post(join))
        .route("/shared", get(shared))
        .route("/needed", get(needed))
        .route("/in-a-slot", get(in_a_slot))
        .route("/in-parts", get(in_parts))
        .route("/of-ada", get(of_ada))
        .merge(back_room("/back-room"))
        .merge(behind);
    serve(router.with_state(readers)).await
}

/// Everybody's own answer: by whom it may be had, and its text.
fn expected(path: &str, who: Option<&str>) -> (u16, String) {
    match (path, who) {
        ("/needed" | "/demanded" | "/of-ada" | "/back-room" | "/compressed-back-room", None) => (401, String::new()),
        ("/of-ada", Some(name)) if name != "ada" => (403, String::new()),
        ("/back-room" | "/compressed-back-room", Some(_)) => (200, "the back room".into()),
        (_, who) => (200, who.unwrap_or("anonymous").into()),
    }
}

#[tokio::test]
async fn every_answer_says_in_one_line_what_it_depends_on() {
    let server = readers().await;
    let token = server.client().send(Method::POST, "/join", |request| request.body("ada")).await.text().to_owned();
    for path in BY_THEMSELVES.into_iter().chain(BEHIND_A_LAYER).chain(["/join"]) {
        let method = if path == "/join" { Method::POST } else { Method::GET };
        for credential in ["Basic dTpw".to_owned(), format!("Bearer {token}")] {
            let client = server.client();
            let reply = client.send(method.clone(), path, |request| request.header(AUTHORIZATION, credential)).await;
            let lines: Vec<_> = reply.headers.get_all(VARY).iter().map(|line| line.to_str().unwrap()).collect();
            assert_eq!(lines.len(), 1, "{path}: {lines:?}");
            let names: Vec<_> = lines[0].split(", ").map(str::to_ascii_lowercase).collect();
            for name in ["cookie", "authorization"] {
                assert_eq!(names.iter().filter(|said| *said == name).count(), 1, "{path}: {lines:?}");
            }
            if path == "/in-parts" || path.starts_with("/compressed") {
                assert!(names.iter().any(|said| said == "accept-encoding"), "{path}: {lines:?}");
            }
        }
    }
}

#[tokio::test]
async fn no_cache_takes_one_person_for_another_whichever_way_their_tokens_travel() {
    let server = readers().await;
    let mut people = vec![(None, None)];
    for name in ["ada", "grace"] {
        for header in ["cookie", "authorization"] {
            let token = server.client().send(Method::POST, "/join", |request| request.body(name)).await;
            let value = match header {
                "cookie" => format!("__Host-reader={}", token.text()),
                _ => format!("Bearer {}", token.text()),
            };
            people.push((Some(name), Some((header, value))));
        }
    }
    for set_cookie in [Respect, Ignore] {
        for proxy in [
            Proxy::before(server.address(), set_cookie).await,
            Proxy::varnish_before(server.address(), set_cookie).await,
        ] {
            for path in BY_THEMSELVES.into_iter().chain(BEHIND_A_LAYER) {
                let mut hits = 0;
                // Each of them after each other one, some of them from the cache.
                for round in 0..3 {
                    for (who, credential) in people.iter().cycle().skip(round).take(people.len()) {
                        let client = proxy.client();
                        let add = |request: reqwest::RequestBuilder| match credential {
                            Some((name, value)) => request.header(*name, value),
                            None => request,
                        };
                        let reply = client.send(Method::GET, path, add).await;
                        let (status, text) = expected(path, *who);
                        assert_eq!(reply.status, status, "{path} for {who:?}: {:?}", reply.headers);
                        assert!(status != 200 || reply.text() == text, "{path} for {who:?}: {}", reply.text());
                        hits += usize::from(is_kept(&reply) && reply.status == StatusCode::OK);
                    }
                }
                assert!(hits > 0, "{path}: the cache keeps pages at all");
            }
        }
    }
}
