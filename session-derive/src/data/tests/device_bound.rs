//! `device_bound`: its arguments, and what it needs.

use super::*;

/// These mistakes, and with the feature off one more.
fn assert_mistakes(found: &[String], expected: &[&str]) {
    let feature = cfg!(not(feature = "device-bound")).then_some("needs the cargo feature `device-bound`");
    let expected: Vec<&str> = expected.iter().copied().chain(feature).collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for part in expected {
        assert!(found.iter().any(|message| message.contains(part)), "{found:#?} has no {part:?}");
    }
}

#[test]
fn a_binding_has_its_arguments_or_none() {
    assert_mistakes(&refused!(device_bound), &[]);
    assert_mistakes(&refused!(device_bound()), &[]);
    assert_mistakes(&refused!(device_bound(every = "4m", except = [], require = false)), &[]);
    assert_mistakes(&refused!(device_bound(every = "1h", except = ["/a", "/b/c"], require)), &[]);
    assert_mistakes(&refused!(device_bound(every = "3m 59s")), &["6 times in 9 minutes"]);
    assert_mistakes(&refused!(device_bound(every = "61m")), &["write \"1h\" or less"]);
    assert_mistakes(&refused!(device_bound(every = "often")), &["often"]);
    assert_mistakes(&refused!(device_bound(every = env("EVERY"))), &["which no variable can give"]);
    assert_mistakes(&refused!(device_bound(except = ["a"])), &["write \"/a\""]);
    assert_mistakes(&refused!(device_bound(except = ["/a*"])), &["without wildcards"]);
    assert_mistakes(&refused!(device_bound(except = ["/"])), &["excepts every path"]);
    assert_mistakes(&refused!(device_bound(except = "/a")), &["`except` takes paths in brackets"]);
    assert_mistakes(&refused!(device_bound(require = env("REQUIRE"))), &["`require` takes `true` or `false`"]);
    assert_mistakes(&refused!(device_bound(evry = "4m")), &["did you mean `every`?"]);
}

#[test]
fn a_binding_is_written_in_parentheses() {
    assert_refused(&refused!(device_bound = "10m"), &["in parentheses, or nothing"]);
}

#[test]
fn a_binding_has_a_cookie_that_can_say_it_and_a_place_for_its_key() {
    let bound = "remove `device_bound`";
    assert_mistakes(&refused!(device_bound, cookie(name = "u", secure = false)), &["over TLS alone"]);
    assert_mistakes(&refused!(device_bound, cookie(same_site = None)), &["write `same_site = Lax`"]);
    assert_mistakes(&refused!(device_bound, cookie(same_site = Strict)), &[]);
    assert_mistakes(&refused!(device_bound, cookie(partitioned)), &["partitioned cookie"]);
    assert_mistakes(&refused!(device_bound, cookie(name = "u", domain = "example.org")), &["for one host"]);
    assert_mistakes(&refused!(device_bound, cookie(name = "u", path = "/app")), &[bound]);
    assert_mistakes(&refused!(device_bound, cookie(name = "u", path = env("P", default = "/app"))), &[bound]);
    assert_mistakes(&refused!(device_bound, cookie(name = "u", path = env("P"))), &[]);
    assert_mistakes(&refused!(device_bound, transport = bearer), &["this type sends none"]);
    assert_mistakes(&refused!(device_bound, transport = [bearer, cookie]), &[]);
    assert_mistakes(
        &refused!(device_bound, backend = cookie, key = env("K")),
        &["no place for the device's key", "the backend is chosen here"],
    );
}
