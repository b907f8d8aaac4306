//! `backend = redis(...)`.

use super::*;

/// What is said but for cargo features, which are off when this crate is tested alone.
macro_rules! refused_redis {
    ($($arguments:tt)*) => {
        refused!(backend = redis($($arguments)*), key = env("K"))
            .into_iter()
            .filter(|message| !message.contains("needs the cargo feature"))
            .collect::<Vec<_>>()
    };
}

#[test]
fn certificates_are_for_tls() {
    assert_refused(&refused_redis!(url = "rediss://redis.example", ca = "ca.pem"), &[]);
    assert_refused(&refused_redis!(url = env("A"), ca = env("B"), client_cert = "c", client_key = env("D")), &[]);
    // The variable may be another one than the default.
    assert_refused(&refused_redis!(url = env("A", default = "redis://localhost"), ca = env("B")), &[]);
    assert_refused(
        &refused_redis!(url = "redis://localhost", ca = "ca.pem"),
        &["`ca` is for TLS, and this URL asks for none; write it as `rediss://`"],
    );
    assert_refused(&refused_redis!(url = env("A"), ca = ""), &["`ca` is empty"]);
}

#[test]
fn a_client_certificate_and_its_key_come_together() {
    assert_refused(&refused_redis!(url = env("A"), client_cert = "c"), &["`client_cert` needs its private key"]);
    assert_refused(&refused_redis!(url = env("A"), client_key = env("C")), &["`client_key` needs its certificate"]);
}

#[test]
fn sentinels_are_addresses_with_the_name_of_their_master() {
    assert_refused(&refused_redis!(sentinel = ["a:26379", "b:26379",], master = "main"), &[]);
    assert_refused(&refused_redis!(sentinel = env("A"), master = env("B", default = "main")), &[]);
    assert_refused(&refused_redis!(sentinel = "a:26379", master = "main"), &[]);
    assert_refused(&refused_redis!(sentinel = []), &["add `master = \"main\"`", "`sentinel` is empty"]);
    assert_refused(&refused_redis!(master = "main"), &["add `sentinel = env(\"REDIS_SENTINELS\")`"]);
    assert_refused(&refused_redis!(sentinel = [env("A")], master = "m"), &["`sentinel` takes strings in brackets"]);
    assert_refused(&refused_redis!(sentinel = 5, master = "m"), &["`sentinel` takes strings in brackets"]);
    assert_refused(
        &refused_redis!(url = env("A"), sentinel = env("B"), master = "main"),
        &["Sentinels tell the address; remove `url`"],
    );
}

#[test]
fn the_nodes_of_a_cluster_are_named_alone() {
    assert_refused(&refused_redis!(cluster = ["a:6379", "redis://b",], prefix = "shop:"), &[]);
    assert_refused(&refused_redis!(cluster = env("A")), &[]);
    assert_refused(&refused_redis!(cluster = []), &["`cluster` is empty"]);
    assert_refused(&refused_redis!(cluster = 5), &["`cluster` takes strings in brackets"]);
    assert_refused(&refused_redis!(url = env("A"), cluster = env("B")), &["remove `url`, and write user and password"]);
    assert_refused(
        &refused_redis!(sentinel = env("A"), master = "main", cluster = env("B")),
        &["remove `sentinel` and `master`, or `cluster`"],
    );
    assert_refused(
        &refused_redis!(cluster = env("A"), near_cache = "1s", wait_replicas = 1),
        &["`near_cache` can't be used with a cluster", "`wait_replicas` can't be used with a cluster"],
    );
}

#[cfg(not(feature = "redis-tls"))]
#[test]
fn tls_needs_its_feature_wherever_it_is_asked_for() {
    let needed = |messages: Vec<String>| {
        messages.into_iter().filter(|message| message.contains("needs the cargo feature `redis-tls`")).count()
    };
    assert_eq!(needed(refused!(backend = redis(url = "rediss://a.example"), key = env("K"))), 1);
    assert_eq!(needed(refused!(backend = redis(url = env("A", default = "valkeys://a.example")), key = env("K"))), 1);
    assert_eq!(needed(refused!(backend = redis(url = env("A"), ca = env("B")), key = env("K"))), 1);
    assert_eq!(needed(refused!(backend = redis(url = env("A")), key = env("K"))), 0);
}

#[test]
fn replicas_are_a_number_and_are_waited_for_a_duration() {
    assert_refused(&refused_redis!(url = "redis://h", wait_replicas = 1, wait_timeout = "500ms"), &[]);
    assert_refused(&refused_redis!(url = "redis://h", wait_replicas = env("R", default = "0")), &[]);
    assert_refused(&refused_redis!(url = "redis://h", wait_replicas = "one"), &["`wait_replicas` takes"]);
    assert_refused(
        &refused_redis!(url = "redis://h", wait_replicas = 5_000_000_000),
        &["`wait_replicas` is a number of replicas; write `wait_replicas = 1`"],
    );
    assert_refused(
        &refused_redis!(url = "redis://h", wait_replicas = 1, wait_timeout = "soon"),
        &["\"soon\" is not a duration"],
    );
    assert_refused(
        &refused_redis!(url = "redis://h", wait_replicas = 1, wait_timeout = "1m"),
        &["write at most `wait_timeout = \"10s\"`"],
    );
    assert_refused(&refused_redis!(url = "redis://h", wait_timeout = "1s"), &["add `wait_replicas = 1`"]);
}

#[test]
fn a_near_cache_has_a_bound_that_can_be_kept() {
    for bound in ["100ms", "1s", "10s"] {
        assert_refused(&refused_redis!(url = "redis://h", near_cache = #bound), &[]);
    }
    assert_refused(&refused_redis!(url = "redis://h", near_cache = "soon"), &["\"soon\" is not a duration"]);
    assert_refused(&refused_redis!(url = "redis://h", near_cache = "99ms"), &["write `near_cache = \"1s\"`"]);
    assert_refused(&refused_redis!(url = "redis://h", near_cache = "1m"), &["write `near_cache = \"1s\"`"]);
}
