//! Several domains beside pages of a developer's own machine: `http_on_localhost`.

use super::*;

#[derive(Serialize, Deserialize, SessionData)]
#[session(
    cookie(name = "__Secure-developer", http_on_localhost, domain = ["shop-a.example"]),
    transport = [cookie, bearer],
)]
struct Developer {
    visits: u32,
}

#[tokio::test]
async fn a_page_at_localhost_has_a_cookie_and_tokens_of_its_own_beside_several_domains() {
    let server = serve(routes!(Developer)(Developer::sessions().await.unwrap())).await;
    let http = Client::builder().no_proxy().build().unwrap();
    let send = async |method: &str, path: &str, host: &str, (name, value): (&str, &str)| {
        let request = http.request(method.parse().unwrap(), format!("{}{path}", server.url()));
        request.header(header::HOST, host).header(name, value).send().await.unwrap()
    };
    let nothing = ("accept", "*/*");
    let mut tokens = Vec::new();
    for (host, starts, ends) in [
        ("localhost:3000", "developer=", "Path=/"),
        ("app.localhost:3000", "developer=", "Path=/"),
        ("[::1]:3000", "developer=", "Path=/"),
        ("www.shop-a.example", "__Secure-developer=", "Domain=shop-a.example"),
    ] {
        let login = send("POST", "/login", host, nothing).await;
        let cookies = set_cookie(&login);
        assert!(cookies.len() == 1 && cookies[0].starts_with(starts) && cookies[0].ends_with(ends), "{cookies:?}");
        tokens.push((host, format!("Bearer {}", token(login).await)));
    }
    for (host, token) in &tokens {
        for (at, _) in &tokens {
            let expected = if at == host { 200 } else { 401 };
            let known = send("GET", "/me", at, ("authorization", token)).await;
            assert_eq!(known.status(), expected, "a token of {host} at {at}");
        }
    }
    assert_eq!(send("GET", "/me", "LOCALHOST", ("authorization", &tokens[0].1)).await.status(), 200);
    assert_eq!(send("GET", "/home", "shop-b.example", nothing).await.status(), 421);
    // A proxy says that the page may be anywhere.
    let proxied = send("POST", "/login", "localhost:3000", ("x-forwarded-for", "203.0.113.5")).await;
    assert!(proxied.status() == 421 && set_cookie(&proxied).is_empty());
}
