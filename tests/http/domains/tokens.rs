//! A token is good on its own domain.

use super::*;
use crate::support::{Store, key, on_every_backend};

#[tokio::test]
async fn a_token_of_one_domain_is_not_good_on_another_by_whatever_way_it_comes() {
    let server = shops().await;
    let browser = Browser::of(&server);
    let token = token(browser.post("shop-b.example", "/login").await).await;
    // Known to this process, which remembers the tokens that it has verified.
    assert_eq!(browser.get("shop-b.example", "/me").await.0, 200);
    for (name, value) in [("cookie", format!("user={token}")), ("authorization", format!("Bearer {token}"))] {
        assert_eq!(browser.get_with("www.shop-b.example", "/me", name, &value).await.0, 200);
        for host in ["shop-a.example", "www.shop-a.example", "eu.shop-b.example"] {
            assert_eq!(browser.get_with(host, "/me", name, &value).await.0, 401, "{host} {name}");
            assert_eq!(browser.get_with(host, "/inside", name, &value).await.0, 401, "{host} {name}");
            for path in ["/home", "/copy", "/found"] {
                assert_eq!(browser.get_with(host, path, name, &value).await.1, "anonymous", "{host} {name} {path}");
            }
        }
        for path in ["/home", "/copy", "/found"] {
            assert_eq!(browser.get_with("shop-b.example", path, name, &value).await.1, "known", "{name} {path}");
        }
    }
}

#[tokio::test]
async fn a_rotated_session_stays_on_its_domain() {
    let server = shops().await;
    let browser = Browser::of(&server);
    browser.post("shop-a.example", "/login").await;
    let rotated = browser.post("www.shop-a.example", "/rotate").await;
    assert!(set_cookie(&rotated)[0].contains("; Domain=shop-a.example"));
    let token = token(rotated).await;
    assert_eq!(browser.get("shop-a.example", "/me").await.0, 200);
    let bearer = format!("Bearer {token}");
    assert_eq!(browser.get_with("shop-b.example", "/me", "authorization", &bearer).await.0, 401);
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    cookie(name = "user", secure = false, domain = ["shop-a.example", "shop-b.example"], across_domains),
    transport = [cookie, bearer],
)]
struct Across {
    visits: u32,
}

#[tokio::test]
async fn a_type_that_says_so_has_tokens_that_are_good_across_its_domains() {
    let server = serve(routes!(Across)(Across::sessions().await.unwrap())).await;
    let browser = Browser::of(&server);
    let token = token(browser.post("shop-a.example", "/login").await).await;
    let bearer = format!("Bearer {token}");
    assert_eq!(browser.get_with("shop-b.example", "/me", "authorization", &bearer).await.0, 200);
    assert_eq!(browser.get_with("elsewhere.example", "/me", "authorization", &bearer).await.0, 421);
    // The cookie is still of its domain, as browsers keep it.
    assert_eq!(browser.get("shop-b.example", "/me").await.0, 401);
}

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    backend = cookie,
    key = env("HTTP_TESTS_UNSET"),
    cookie(name = "user", secure = false, domain = ["shop-a.example", "shop-b.example"]),
    name = "carried-on-domains"
)]
struct Carried {
    visits: u32,
}

#[session(optional)]
async fn write(slot: SessionSlot<Carried>) -> Result<Json<Value>, Error> {
    slot.start(Carried { visits: 0 }).await?;
    Ok(Json(json!({ "token": slot.token() })))
}

#[session(protected)]
async fn read(user: &Carried) -> String {
    user.visits.to_string()
}

#[tokio::test]
async fn a_token_that_carries_its_session_is_of_its_domain_as_well() {
    let sessions = Sessions::<Carried>::builder().key(&key('c')).open().await.unwrap();
    let app = Router::new().route("/login", post(write)).route("/me", get(read)).with_state(sessions);
    let server = serve(app).await;
    let browser = Browser::of(&server);
    let token = token(browser.post("shop-a.example", "/login").await).await;
    let cookie = format!("user={token}");
    assert_eq!(browser.get_with("www.shop-a.example", "/me", "cookie", &cookie).await.0, 200);
    assert_eq!(browser.get_with("shop-b.example", "/me", "cookie", &cookie).await.0, 401);
    let twice = format!("user={token}; user={token}");
    assert_eq!(browser.get_with("shop-b.example", "/me", "cookie", &twice).await.0, 401);
}

on_every_backend!(a_token_is_of_its_domain_in_every_process);

async fn a_token_is_of_its_domain_in_every_process(store: Store) {
    let open = async || store.sessions::<User>().await;
    let started = open().await.for_domain("shop-a.example").unwrap().start(User { visits: 0 }).await.unwrap();
    let other_process = open().await;
    let at = |host: &str| {
        let request = Request::builder().header(header::HOST, host).header(header::COOKIE, started.cookie().unwrap());
        request.body(()).unwrap().into_parts().0
    };
    assert!(other_process.find(&at("shop-b.example")).await.unwrap().is_none());
    assert!(other_process.find(&at("shop-a.example")).await.unwrap().is_some());
    assert!(other_process.find(&at("shop-b.example")).await.unwrap().is_none());
}
