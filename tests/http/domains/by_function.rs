//! A function that names the domain of each request, on the type and by the builder.

use super::*;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "user", secure = false, domain = domain_of_tenant))]
struct Tenant {
    visits: u32,
}

/// What the application has been told of each host.
fn domain_of_tenant(parts: &Parts) -> Option<String> {
    match parts.headers.get(header::HOST)?.to_str().ok()?.split(':').next()? {
        "wrong.example" => Some("shop-a.example".into()),
        "scheme.example" => Some("https://scheme.example".into()),
        "suffix.example" => Some("fix.example".into()),
        host => {
            Some(host.strip_prefix("www.").unwrap_or(host).to_owned()).filter(|host| host.ends_with("shop.example"))
        }
    }
}

#[tokio::test]
async fn a_function_names_the_domain_of_each_request() {
    let server = serve(routes!(Tenant)(Tenant::sessions().await.unwrap())).await;
    let browser = Browser::of(&server);
    for (host, domain) in [("www.a.shop.example", "a.shop.example"), ("b.shop.example", "b.shop.example")] {
        let cookies = set_cookie(&browser.post(host, "/login").await);
        assert!(cookies[0].ends_with(&format!("; Domain={domain}")), "{cookies:?}");
    }
    let token = token(browser.post("a.shop.example", "/login").await).await;
    let cookie = format!("user={token}");
    assert_eq!(browser.get_with("a.shop.example", "/me", "cookie", &cookie).await.0, 200);
    assert_eq!(browser.get_with("b.shop.example", "/me", "cookie", &cookie).await.0, 401);
    assert_eq!(browser.get("elsewhere.example", "/me").await.0, 421);
}

#[tokio::test]
async fn a_function_that_names_what_no_cookie_of_the_request_can_have_is_a_500_with_its_cause_and_sets_none() {
    let events = Events::listen();
    let server = serve(routes!(Tenant)(Tenant::sessions().await.unwrap())).await;
    let browser = Browser::of(&server);
    for (host, named, why) in [
        ("wrong.example", "shop-a.example", "not under it"),
        ("suffix.example", "fix.example", "not under it"),
        ("scheme.example", "https://scheme.example", "not a host name"),
    ] {
        let answer = browser.post(host, "/login").await;
        assert!(answer.status() == 500 && set_cookie(&answer).is_empty(), "{host}");
        assert_eq!(browser.get(host, "/home").await.0, 500);
        assert_eq!(browser.get(host, "/found").await.0, 500);
        let told = events.named("session.wrong_domain");
        let last = told.last().unwrap();
        assert!(last.field("domain").contains(named) && last.field("host").contains(host), "{last:?}");
        assert!(last.field("why").contains(why), "{last:?}");
    }
}

#[tokio::test]
async fn the_builder_gives_domains_that_keep_the_same_rules() {
    let refusal = async |builder: session_runtime::Builder<User>| builder.open().await.unwrap_err().to_string();
    let builder = Sessions::<User>::builder;
    let wrong = builder().cookie_domains(["shop-a.example", "shop-b.example:80"]);
    assert!(refusal(wrong).await.contains("`cookie(domain)`: \"shop-b.example:80\" is not a host name"));
    assert!(refusal(builder().cookie_domains(["a.example", ".A.example"])).await.contains("is given twice"));
    assert!(refusal(builder().cookie_domains([])).await.contains("needs at least one"));
    let both = builder().cookie_domains(["a.example"]).public_origin("http://a.example");
    assert!(refusal(both).await.contains("no single origin"));
    let prefixed = Sessions::<crate::support::User>::builder().cookie_domains(["a.example"]).open().await;
    assert!(prefixed.unwrap_err().to_string().contains("`__Host-` cookie with a domain"));

    // A closure takes the place of the list, and may hold what the application knows.
    let known: Arc<[&str]> = ["a.shop.example"].into();
    let by = move |parts: &Parts| {
        let host = parts.headers.get(header::HOST)?.to_str().ok()?.split(':').next()?;
        known.iter().find(|domain| host.ends_with(**domain)).map(|domain| (*domain).to_owned())
    };
    let server = serve(routes!(User)(builder().cookie_domain_by(by).open().await.unwrap())).await;
    let browser = Browser::of(&server);
    let cookies = set_cookie(&browser.post("www.a.shop.example", "/login").await);
    assert!(cookies[0].ends_with("; Domain=a.shop.example"), "{cookies:?}");
    assert_eq!(browser.post("shop-a.example", "/login").await.status(), 421);
}
