//! `public_origin`: what browsers see where a proxy changes `Host`.

use axum::{Router, http::Method, routing::any};
use serde::{Deserialize, Serialize};
use session_runtime::{SessionData, Sessions, session};
use session_tests::serve;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = "guest"), public_origin = env("HTTP_TESTS_UNSET", default = "https://app.example"))]
struct Guest;

#[session(optional)]
async fn guest(_guest: Option<&Guest>) {}

#[tokio::test]
async fn behind_a_proxy_that_changes_the_host_a_public_origin_is_compared_instead() {
    let open = async |sessions| serve(Router::new().route("/", any(guest)).with_state(sessions)).await;
    let declared = open(Guest::sessions().await.unwrap()).await;
    let built = open(Sessions::<Guest>::builder().public_origin("https://other.example").open().await.unwrap()).await;
    for (server, own) in [(&declared, "https://app.example"), (&built, "https://other.example")] {
        let host = server.url();
        for (origin, fetch_site, status) in [
            (own, "", 200),
            (own, "same-origin", 200),
            (own, "same-site", 403),
            (&*host, "", 403),
            ("https://evil.example", "", 403),
            ("null", "", 403),
            ("null", "same-origin", 200),
        ] {
            let send = async |method, upgrade: &str| {
                let add = |request: reqwest::RequestBuilder| {
                    let headers = [("origin", origin), ("sec-fetch-site", fetch_site), ("upgrade", upgrade)];
                    let said = headers.into_iter().filter(|(_, value)| !value.is_empty());
                    said.fold(request, |request, (name, value)| request.header(name, value))
                };
                server.client().send(method, "/", add).await.status.as_u16()
            };
            assert_eq!(send(Method::POST, "").await, status, "{own}: {origin} {fetch_site}");
            assert_eq!(send(Method::GET, "websocket").await, status, "{own}: {origin} {fetch_site}");
        }
    }
}

#[tokio::test]
async fn a_wrong_public_origin_is_told_when_the_sessions_are_opened() {
    for (wrong, why) in
        [("app.example", "with its scheme"), ("https://app.example/", "no path"), ("http://app.example", "Secure")]
    {
        let error = Sessions::<Guest>::builder().public_origin(wrong).open().await.unwrap_err().to_string();
        assert!(error.contains("`public_origin`") && error.contains(why), "{error}");
    }
}
