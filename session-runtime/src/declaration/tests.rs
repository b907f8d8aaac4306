use super::*;

fn declaration() -> Declaration {
    Declaration::new("User", "app", "app")
}

fn resolve(declaration: &Declaration) -> Result<Settings, OpenError> {
    Settings::resolve(declaration, Overrides::default())
}

#[test]
fn nothing_declared_gives_the_documented_defaults() {
    let settings = resolve(&declaration()).unwrap();
    assert_eq!(settings.idle, Duration::from_secs(1800));
    assert_eq!(settings.lifetime, Duration::from_secs(43_200));
    assert_eq!(settings.cookie, Cookie::for_type("User"));
    assert!(settings.keyring.is_none());
    assert_eq!((settings.transports, settings.trusted_origins), (vec![Transport::Cookie], vec![]));
}

#[test]
fn trusted_origins_come_from_all_their_values_and_a_wrong_one_is_told_with_its_variable() {
    let several = declaration()
        .trusted_origins(Value::literal("https://a.example"))
        .trusted_origins(Value::env_or("SESSION_RUNTIME_TEST_NO_ORIGINS", "https://b.example, http://c.example:81"))
        .trusted_origins(Value::env_or("SESSION_RUNTIME_TEST_NO_ORIGINS", ""));
    let found: Vec<_> = resolve(&several).unwrap().trusted_origins.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["https://a.example", "https://b.example", "http://c.example:81"]);
    for wrong in ["https://a.example/", "shop.example", "*", "https://a.example,null"] {
        let declared = declaration().trusted_origins(Value::env_or("SESSION_RUNTIME_TEST_NO_ORIGINS", wrong));
        let error = resolve(&declared).unwrap_err().to_string();
        assert!(error.contains("SESSION_RUNTIME_TEST_NO_ORIGINS") && error.contains("trusted_origins"), "{error}");
    }
}

#[test]
fn a_public_origin_is_one_origin_at_which_the_cookie_is_sent() {
    let resolved = |text, secure: bool| {
        let declared = declaration().public_origin(Value::env_or("SESSION_RUNTIME_TEST_NO_ORIGIN", text));
        let name = declared.cookie(CookieAttribute::Name, Value::literal("u"));
        resolve(&name.cookie(CookieAttribute::Secure, Value::literal(if secure { "true" } else { "false" })))
            .map(|settings| settings.public_origin.map(|origin| origin.to_string()))
            .map_err(|error| error.to_string())
    };
    assert_eq!(resolved("https://App.example:443", true).unwrap().as_deref(), Some("https://app.example"));
    assert!(resolved("http://localhost:3000", true).is_ok() && resolved("http://app.example", false).is_ok());
    assert_eq!(resolve(&declaration()).unwrap().public_origin, None);
    for (wrong, why) in [
        ("https://app.example/", "has no path"),
        ("app.example", "with its scheme"),
        ("", "with its scheme"),
        ("null", "is not an origin"),
        ("https://a.example,https://b.example", "is not an origin"),
        ("http://app.example", "https"),
        ("ftp://app.example", "https"),
    ] {
        let error = resolved(wrong, true).unwrap_err();
        assert!(error.contains("SESSION_RUNTIME_TEST_NO_ORIGIN") && error.contains("`public_origin`"), "{error}");
        assert!(error.contains(why), "{wrong}: {error}");
    }
}

#[test]
fn every_problem_is_told_at_once_with_its_variable() {
    let declaration = declaration()
        .key(Value::env("SESSION_RUNTIME_TEST_NO_KEY"))
        .idle(Value::env_or("SESSION_RUNTIME_TEST_NO_IDLE", "2d"))
        .cookie(CookieAttribute::Domain, Value::literal("example.org"));
    let error = resolve(&declaration).unwrap_err().to_string();
    for word in [
        "SESSION_RUNTIME_TEST_NO_KEY",
        "generate_key",
        "SESSION_RUNTIME_TEST_NO_IDLE",
        "cookie(domain)",
        "__Secure-user",
    ] {
        assert!(error.contains(word), "{word}: {error}");
    }
}

#[test]
fn a_limit_of_sessions_is_a_number_and_a_word() {
    let limited = |max, on_excess| {
        let declaration = declaration().max_per_owner(Value::env_or("SESSION_RUNTIME_TEST_NO_MAX", max));
        resolve(&declaration.on_excess(Value::literal(on_excess)))
    };
    let limit = limited("5", "refuse").unwrap().limit;
    assert_eq!((limit.max.get(), limit.on_excess), (5, OnExcess::Refuse));
    let error = limited("0", "sometimes").unwrap_err().to_string();
    for word in ["SESSION_RUNTIME_TEST_NO_MAX", "from 1 to 10000", "`end_oldest` or `refuse`"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(limited("10001", "refuse").is_err() && limited("10000", "refuse").is_ok());
    let limit = resolve(&declaration()).unwrap().limit;
    assert_eq!((limit.max.get(), limit.on_excess), (10_000, OnExcess::EndOldest), "no list is without a bound");
}

#[test]
fn a_malformed_key_is_refused_and_not_repeated() {
    let error =
        resolve(&declaration().key(Value::env_or("SESSION_RUNTIME_TEST_NO_KEY", "hunter2"))).unwrap_err().to_string();
    assert!(
        error.contains("malformed") && error.contains("SESSION_RUNTIME_TEST_NO_KEY") && !error.contains("hunter2"),
        "{error}"
    );
}
