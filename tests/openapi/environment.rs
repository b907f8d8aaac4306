//! What of a description comes from the environment.

use serde::{Deserialize, Serialize};
use session_runtime::SessionData;
use session_tests::App;

#[derive(Serialize, Deserialize, SessionData)]
#[session(cookie(name = env("SESSION_TESTS_NO_SUCH_COOKIE_NAME")))]
struct Unset {
    name: String,
}

#[test]
fn a_name_that_cannot_be_read_is_told_in_the_schemes_description() {
    let mut api = utoipa::openapi::OpenApi::default();
    Unset::openapi().add_to(&mut api).unwrap();
    let api = serde_json::to_value(&api).unwrap();
    let description = api["components"]["securitySchemes"]["unset"]["description"].as_str().unwrap();
    assert!(description.contains("SESSION_TESTS_NO_SUCH_COOKIE_NAME"), "{description}");
}

#[tokio::test]
async fn a_cookies_name_in_the_environment_is_the_one_described() {
    let scheme = async |name: Option<&str>| {
        let program = App::program(env!("CARGO_BIN_EXE_describer"));
        let program = name.into_iter().fold(program, |program, name| program.env("COOKIE_NAME", name));
        let output = program.run().await;
        let api: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a description");
        api["components"]["securitySchemes"]["user"]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(scheme(Some("__Host-shop")).await, "__Host-shop");
    assert_eq!(scheme(None).await, "__Host-visitor");
}
