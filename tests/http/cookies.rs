//! The cookie that a session gives, and how it is taken back.

use axum::{
    Router,
    http::Method,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, Sessions, session, testing::ManualClock};
use session_tests::{Client, Reply, Served, serve};

use crate::support::{Store, key};

#[derive(Serialize, Deserialize, SessionData)]
struct ShoppingCart;

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    cookie(
        name = "shop.id",
        path = "/shop",
        domain = "shop.example",
        same_site = Strict,
        secure = false,
        http_only = false,
    ),
)]
struct Customized;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "__Secure-embedded", same_site = None, partitioned), lifetime = "1h")]
struct Embedded;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(persistent), lifetime = "14d", idle = "7d")]
struct Remembered;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(
    name = env("HTTP_TESTS_UNSET", default = "from-env"),
    same_site = env("HTTP_TESTS_UNSET", default = "strict"),
    persistent = env("HTTP_TESTS_UNSET", default = "false"),
))]
struct FromEnvironment;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "moved", path = "/shop", former_domain = "shop.example", former_path = "/"))]
struct Moved;

/// Routes that start, rotate and end a session of the type.
macro_rules! routes {
    ($ty:ident) => {{
        #[session(optional)]
        async fn start(slot: SessionSlot<$ty>) -> Result<(), Error> {
            slot.start($ty).await
        }

        #[session(protected)]
        async fn rotate(mut session: Session<$ty>) -> Result<(), Error> {
            session.rotate_id().await
        }

        #[session(protected)]
        async fn end(session: Session<$ty>) -> Result<(), Error> {
            session.end().await
        }

        Router::new()
            .route("/shop/start", post(start))
            .route("/shop/rotate", post(rotate))
            .route("/shop/end", post(end))
    }};
}

async fn served<T: SessionData>(router: Router<Sessions<T>>) -> Served {
    serve(router.with_state(Store::memory().sessions::<T>().await)).await
}

/// A `Set-Cookie` header: name, value, and the attributes in alphabetical order.
#[derive(Debug, PartialEq)]
struct SetCookie {
    name: String,
    value: String,
    attributes: Vec<String>,
}

impl SetCookie {
    /// The only one of an answer, which no cache may keep.
    fn of(reply: &Reply) -> Self {
        let cookies = reply.set_cookies();
        assert_eq!((cookies.len(), reply.header("cache-control")), (1, Some("no-store")), "{cookies:?}");
        let mut parts = cookies[0].split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let mut attributes: Vec<_> = parts.map(String::from).collect();
        attributes.sort_unstable();
        Self { name: name.into(), value: value.into(), attributes }
    }

    /// The attributes other than how long the cookie stays.
    fn without_age(&self) -> Vec<&str> {
        let age = |attribute: &&str| attribute.starts_with("Max-Age=") || attribute.starts_with("Expires=");
        self.attributes.iter().map(String::as_str).filter(|attribute| !age(attribute)).collect()
    }

    fn removes(&self) -> bool {
        self.value.is_empty() && self.attributes.iter().any(|attribute| attribute == "Max-Age=0")
    }
}

/// What start, rotation and end send. The cookie is carried by hand: a jar would keep some from a plain loopback server.
async fn life(server: &Served) -> [SetCookie; 3] {
    let client = server.client();
    let carry = async |client: &Client, path: &str, cookie: &SetCookie| {
        let header = format!("{}={}", cookie.name, cookie.value);
        client.send(axum::http::Method::POST, path, |request| request.header("cookie", header)).await
    };
    let started = SetCookie::of(&client.post("/shop/start").await);
    let rotated = SetCookie::of(&carry(&client, "/shop/rotate", &started).await);
    let ended = SetCookie::of(&carry(&client, "/shop/end", &rotated).await);
    [started, rotated, ended]
}

#[tokio::test]
async fn a_cookie_is_named_after_its_type_and_as_safe_as_a_cookie_can_be() {
    let [started, rotated, ended] = life(&served::<ShoppingCart>(routes!(ShoppingCart)).await).await;
    assert_eq!(started.name, "__Host-shopping-cart");
    assert_eq!(started.attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    assert_eq!(rotated.attributes, started.attributes);
    assert!(rotated.value != started.value && ended.removes());
    assert_eq!(started.value.len(), 120);
}

#[tokio::test]
async fn a_cookie_has_the_attributes_that_are_declared() {
    let [started, ..] = life(&served::<Customized>(routes!(Customized)).await).await;
    assert_eq!(started.name, "shop.id");
    assert_eq!(started.attributes, ["Domain=shop.example", "Path=/shop", "SameSite=Strict"]);
    let [started, ..] = life(&served::<Embedded>(routes!(Embedded)).await).await;
    assert_eq!(started.name, "__Secure-embedded");
    assert_eq!(started.attributes, ["HttpOnly", "Partitioned", "Path=/", "SameSite=None", "Secure"]);
    let [started, ..] = life(&served::<FromEnvironment>(routes!(FromEnvironment)).await).await;
    assert_eq!(started.name, "from-env");
    assert_eq!(started.attributes, ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]);
}

#[tokio::test]
async fn a_removal_differs_from_what_it_removes_in_value_and_age_alone() {
    let lives = [
        life(&served::<ShoppingCart>(routes!(ShoppingCart)).await).await,
        life(&served::<Customized>(routes!(Customized)).await).await,
        life(&served::<Embedded>(routes!(Embedded)).await).await,
        life(&served::<Remembered>(routes!(Remembered)).await).await,
    ];
    for [started, _, ended] in lives {
        assert!(ended.removes(), "{ended:?}");
        assert_eq!((&ended.name, ended.without_age()), (&started.name, started.without_age()));
    }
}

#[tokio::test]
async fn a_persistent_cookie_stays_as_long_as_its_session_may_live() {
    let clock = ManualClock::new();
    let sessions = Store::memory().builder::<Remembered>().clock(clock.clone()).open().await.unwrap();
    let server = serve(routes!(Remembered).with_state(sessions)).await;
    let client = server.client();
    let started = SetCookie::of(&client.post("/shop/start").await);
    let day = std::time::Duration::from_secs(24 * 3600);
    assert!(started.attributes.contains(&format!("Max-Age={}", 14 * day.as_secs())), "{started:?}");
    clock.advance(4 * day);
    let rotated = SetCookie::of(&client.post("/shop/rotate").await);
    assert!(rotated.attributes.contains(&format!("Max-Age={}", 10 * day.as_secs())), "{rotated:?}");
}

#[tokio::test]
async fn a_persistent_cookie_under_a_new_key_stays_no_longer_than_before() {
    let (store, clock) = (Store::memory(), ManualClock::new());
    let open = async |keys: &str| {
        let builder = store.builder::<Remembered>().key(keys).clock(clock.clone());
        serve(routes!(Remembered).route("/", post(look)).with_state(builder.open().await.unwrap())).await
    };
    let (old, new) = (open(&key('o')).await, open(&format!("{},{}", key('n'), key('o'))).await);
    let client = old.client();
    client.post("/shop/start").await;
    clock.advance(std::time::Duration::from_secs(24 * 3600));
    let reissued = SetCookie::of(&client.at(&new.url()).post("/").await);
    let age = reissued.attributes.iter().find_map(|attribute| attribute.strip_prefix("Max-Age=")).unwrap();
    // A token holds its session's end in whole seconds.
    let (age, left) = (age.parse::<u64>().unwrap(), 13 * 24 * 3600);
    assert!(age == left || age == left - 1, "{age}");
}

#[session(protected)]
async fn look(_session: &Remembered) {}

#[tokio::test]
async fn a_cookies_name_and_value_tell_nothing_of_what_made_them() {
    let [started, ..] = life(&served::<ShoppingCart>(routes!(ShoppingCart)).await).await;
    let name = started.name.to_lowercase();
    for word in ["sess", "id", "rust", "axum", "token"] {
        assert!(!name.contains(word), "{name}");
    }
    let base64 = |c: char| c.is_ascii_alphanumeric() || "-_=".contains(c);
    assert!(started.value.chars().all(base64), "{}", started.value);
}

#[tokio::test]
async fn the_cookie_is_found_among_a_hundred_and_eighty_others() {
    let server = crate::support::serve_users(Store::memory().sessions().await).await;
    let client = crate::support::logged_in(&server, "ann").await;
    let (name, token) = (crate::support::COOKIE, crate::support::token(&client));
    let others = |from: usize| (from..from + 90).map(|number| format!("{name}{number}={token}")).collect::<Vec<_>>();
    for at in ["first", "amid", "last"] {
        let mut cookies = [others(0), others(90)].concat();
        let place = match at {
            "first" => 0,
            "amid" => 90,
            _ => 180,
        };
        cookies.insert(place, format!("{name}={token}"));
        let reply = crate::support::send_with(&server, axum::http::Method::GET, "/", &cookies.join("; ")).await;
        assert_eq!(reply.text(), "ann", "{at}");
    }
}

/// A type whose cookie has this name and carries the session.
macro_rules! carried {
    ($ty:ident, $name:literal) => {{
        #[derive(Serialize, Deserialize, SessionData)]
        #[session(backend = cookie, key = env("HTTP_TESTS_UNSET"), cookie(name = $name))]
        struct $ty {
            text: String,
        }

        #[session(optional)]
        async fn write(slot: SessionSlot<$ty>, text: String) -> Result<(), Error> {
            slot.start($ty { text }).await
        }

        let sessions = Sessions::<$ty>::builder().key(&key('k')).open().await.unwrap();
        serve(Router::new().route("/", post(write)).with_state(sessions)).await
    }};
}

/// The longest cookie, name and value together, that is sent, and the size of the first that is not.
async fn longest(server: &Served, name: &str) -> (usize, String) {
    let events = crate::support::Events::listen();
    let mut longest = 0;
    for length in 2800.. {
        let text = "x".repeat(length);
        let reply = server.client().send(axum::http::Method::POST, "/", |request| request.body(text)).await;
        if reply.status != 200 {
            assert!(reply.set_cookies().is_empty());
            break;
        }
        let cookie = SetCookie::of(&reply);
        assert_eq!(cookie.name, name);
        longest = cookie.name.len() + cookie.value.len();
    }
    (longest, events.named("session.cookie_too_large")[0].field("size").to_owned())
}

#[tokio::test]
async fn a_cookie_of_4096_bytes_is_sent_and_one_of_4097_is_not() {
    // Tokens of 186, 187 and 188 blocks have 4,044, 4,068 and 4,088 characters.
    let (fits, over) = ("__Host-twenty-eight-letters-", "__Host-twenty-nine-characters");
    assert_eq!((fits.len(), over.len()), (28, 29));
    assert_eq!(longest(&carried!(Fits, "__Host-twenty-eight-letters-"), fits).await, (4096, "4116".into()));
    assert_eq!(longest(&carried!(Over, "__Host-twenty-nine-characters"), over).await, (4073, "4097".into()));
}

#[derive(Clone, Serialize, Deserialize, SessionData)]
#[session(cookie(http_on_localhost))]
struct Developer {
    name: String,
}

#[session(optional)]
async fn develop(slot: SessionSlot<Developer>) -> Result<(), Error> {
    slot.start(Developer { name: "ann".into() }).await
}

#[session(protected)]
async fn developer(developer: &Developer) -> String {
    developer.name.clone()
}

#[session(optional)]
async fn leave(slot: SessionSlot<Developer>) -> Result<(), Error> {
    slot.end().await
}

#[tokio::test]
async fn a_page_at_localhost_gets_a_cookie_without_secure_where_that_is_declared_and_no_other_page_does() {
    let sessions = Sessions::<Developer>::builder().open().await.unwrap();
    let router = Router::new().route("/in", post(develop)).route("/me", get(developer)).route("/out", post(leave));
    let server = serve(router.with_state(sessions)).await;
    let client = server.client();
    let at = async |method: Method, path: &'static str, host: &'static str, cookie: String| {
        let request = client.send(method, path, |request| request.header("host", host).header("cookie", cookie));
        request.await
    };
    for (host, expected) in [
        ("localhost:3000", "developer=TOKEN; HttpOnly; SameSite=Lax; Path=/"),
        ("127.0.0.1", "developer=TOKEN; HttpOnly; SameSite=Lax; Path=/"),
        ("app.example", "__Host-developer=TOKEN; HttpOnly; SameSite=Lax; Secure; Path=/"),
        ("localhost.example", "__Host-developer=TOKEN; HttpOnly; SameSite=Lax; Secure; Path=/"),
    ] {
        let reply = at(Method::POST, "/in", host, String::new()).await;
        let set = reply.set_cookies()[0].to_owned();
        let (pair, attributes) = set.split_once("; ").unwrap();
        let (name, token) = pair.split_once('=').unwrap();
        assert_eq!(format!("{name}=TOKEN; {attributes}"), expected, "{host}");
        assert_eq!(at(Method::GET, "/me", host, pair.to_owned()).await.text(), "ann", "{host}");

        let other = if name == "developer" { "__Host-developer" } else { "developer" };
        assert_eq!(at(Method::GET, "/me", host, format!("{other}={token}")).await.status, 401, "{host}");

        let removed = at(Method::POST, "/out", host, pair.to_owned()).await;
        let removed = removed.set_cookies()[0].to_owned();
        assert!(removed.starts_with(&format!("{name}=; ")), "{host}: {removed}");
        assert_eq!(removed.contains("Secure"), name != "developer", "{host}: {removed}");
    }

    // `Host` may be a proxy's name for the application, while the page is at another host.
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.5"),
        ("x-forwarded-host", "app.example"),
        ("forwarded", "for=203.0.113.5"),
        ("via", "1.1 proxy"),
        ("origin", "https://app.example"),
        ("origin", "null"),
    ] {
        let reply = client.send(Method::POST, "/in", |request| {
            request.header("host", "127.0.0.1:3000").header("sec-fetch-site", "same-origin").header(name, value)
        });
        let reply = reply.await;
        assert!(reply.set_cookies()[0].starts_with("__Host-developer="), "{name}: {value}");
    }
    let refused = at(Method::GET, "/me", "localhost", String::new()).await;
    let challenges: Vec<_> = refused.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, ["Cookie cookie-name=\"__Host-developer\"", "Cookie cookie-name=\"developer\""]);
}

#[tokio::test]
async fn whatever_sets_or_removes_a_cookie_takes_away_those_of_earlier_releases() {
    let server = served::<Moved>(routes!(Moved)).await;
    let client = server.client();
    for (path, sets) in [("/shop/start", true), ("/shop/rotate", true), ("/shop/end", false)] {
        let reply = client.post(path).await;
        assert_eq!(reply.status, 200, "{path}");
        let cookies = reply.set_cookies();
        let (present, removed): (Vec<&str>, Vec<&str>) =
            cookies.iter().copied().partition(|cookie| !cookie.contains("Max-Age=0"));
        assert_eq!(present.len(), usize::from(sets), "{path}: {present:?}");
        for former in ["Path=/shop; Domain=shop.example;", "Path=/; Max-Age=0;", "Path=/; Domain=shop.example;"] {
            let found =
                removed.iter().filter(|cookie| cookie.starts_with("moved=; ") && cookie.contains(former)).count();
            assert_eq!(found, 1, "{path}: {former} {removed:?}");
        }
        assert_eq!(cookies.len(), 4, "{path}: {cookies:?}");
    }
}
