//! `backend = redis(...)`: its arguments, and what must hold among them.

use std::time::Duration;

use super::{BackendArgument, RawBackend, argument};
use crate::{
    diag::Errors,
    options::{
        feature::Feature,
        value::{COUNT, Literal, RawValue, Source, TEXT},
    },
};

/// What `rediss://` and the arguments about certificates need.
const TLS: Feature = Feature { name: "redis-tls", enabled: cfg!(feature = "redis-tls") };

/// What the arguments about Sentinels need.
const SENTINEL: Feature = Feature { name: "redis-sentinel", enabled: cfg!(feature = "redis-sentinel") };

/// What the argument about the nodes of a cluster needs.
const CLUSTER: Feature = Feature { name: "redis-cluster", enabled: cfg!(feature = "redis-cluster") };

pub(super) const ARGUMENTS: &[BackendArgument] = &[
    argument("url", "url = env(\"REDIS_URL\")", TEXT),
    argument("sentinel", "sentinel = env(\"REDIS_SENTINELS\")", TEXT).list().needs(SENTINEL),
    argument("master", "master = \"main\"", TEXT).needs(SENTINEL),
    argument("cluster", "cluster = env(\"REDIS_NODES\")", TEXT).list().needs(CLUSTER),
    argument("prefix", "prefix = \"shop\"", TEXT),
    argument("near_cache", "near_cache = \"1s\"", TEXT),
    argument("wait_replicas", "wait_replicas = 1", COUNT),
    argument("wait_timeout", "wait_timeout = \"500ms\"", TEXT),
    argument("ca", "ca = env(\"REDIS_CA\")", TEXT).needs(TLS),
    argument("client_cert", "client_cert = env(\"REDIS_CERT\")", TEXT).needs(TLS),
    argument("client_key", "client_key = env(\"REDIS_CLIENT_KEY\")", TEXT).needs(TLS),
];

pub(super) fn check(raw: &RawBackend, errors: &mut Errors) {
    tls_is_available(raw, errors);
    certificates_are_for_tls(raw, errors);
    sentinels_have_no_url(raw, errors);
    a_cluster_is_named_alone(raw, errors);
    replicas_are_waited_for(raw, errors);
    a_near_cache_is_bounded(raw, errors);
    if raw.is_whole {
        a_timeout_has_replicas(raw, errors);
        a_client_certificate_has_its_key(raw, errors);
        sentinels_have_their_master(raw, errors);
    }
}

/// `redis(sentinel = ..)` without `master`
fn sentinels_have_their_master(raw: &RawBackend, errors: &mut Errors) {
    let span = |name: &str| raw.redis_value(name).map(|value| value.span);
    match (span("sentinel"), span("master")) {
        (Some(span), None) => errors.at(span, "`sentinel` needs the name of what to ask for; add `master = \"main\"`"),
        (None, Some(span)) => {
            errors.at(span, "`master` is a name that Sentinels know; add `sentinel = env(\"REDIS_SENTINELS\")`");
        }
        _ => {}
    }
}

/// `redis(url = .., sentinel = ..)`
fn sentinels_have_no_url(raw: &RawBackend, errors: &mut Errors) {
    if let (Some(url), Some(_)) = (raw.redis_value("url"), raw.redis_value("sentinel")) {
        let message = "Sentinels tell the address; remove `url`, and write user, password and database in `master`, as in \
                       `redis://user:password@main/0`";
        errors.at(url.span, message);
    }
}

/// `redis(url = .., cluster = ..)`, `redis(sentinel = .., cluster = ..)`
fn a_cluster_is_named_alone(raw: &RawBackend, errors: &mut Errors) {
    if raw.redis_value("cluster").is_none() {
        return;
    }
    for name in ["near_cache", "wait_replicas"] {
        if let Some(value) = raw.redis_value(name) {
            errors.at(value.span, format!("`{name}` can't be used with a cluster; remove it"));
        }
    }
    if let Some(url) = raw.redis_value("url") {
        let message = "`cluster` says where the nodes are; remove `url`, and write user and password in `cluster`, as in \
                       `redis://user:password@10.0.0.1:6379`";
        errors.at(url.span, message);
    }
    if let Some(sentinel) = raw.redis_value("sentinel") {
        errors.at(
            sentinel.span,
            "a cluster promotes its replicas by itself; remove `sentinel` and `master`, or `cluster`",
        );
    }
}

/// `redis(wait_replicas = "all", wait_timeout = "1m")`
fn replicas_are_waited_for(raw: &RawBackend, errors: &mut Errors) {
    if let Some(count) = raw.redis_argument("wait_replicas").filter(|count| count.text.parse::<u32>().is_err()) {
        errors.at(count.span, "`wait_replicas` is a number of replicas; write `wait_replicas = 1`");
    }
    let Some(timeout) = raw.redis_argument("wait_timeout") else { return };
    match session_rules::time::parse(&timeout.text) {
        Err(why) => errors.at(timeout.span, why),
        Ok(time) if time > Duration::from_secs(10) => {
            errors.at(timeout.span, "nobody waits for replicas for so long; write at most `wait_timeout = \"10s\"`");
        }
        Ok(_) => {}
    }
}

/// `redis(near_cache = "1m")`
fn a_near_cache_is_bounded(raw: &RawBackend, errors: &mut Errors) {
    let Some(bound) = raw.redis_argument("near_cache") else { return };
    match session_rules::time::parse(&bound.text) {
        Err(why) => errors.at(bound.span, why),
        Ok(time) if !(Duration::from_millis(100)..=Duration::from_secs(10)).contains(&time) => {
            errors
                .at(bound.span, "a read may miss changes for so long; write `near_cache = \"1s\"`, from 100ms to 10s");
        }
        Ok(_) => {}
    }
}

/// `redis(wait_timeout = ..)` without `wait_replicas`
fn a_timeout_has_replicas(raw: &RawBackend, errors: &mut Errors) {
    if let (Some(timeout), None) = (raw.redis_value("wait_timeout"), raw.redis_value("wait_replicas")) {
        errors.at(timeout.span, "`wait_timeout` has no effect without replicas to wait for; add `wait_replicas = 1`");
    }
}

/// Whether a URL asks for TLS on the way to Redis.
fn asks_for_tls(url: &Literal) -> bool {
    ["rediss://", "valkeys://"].iter().any(|scheme| url.text.starts_with(scheme))
}

/// `redis(url = "rediss://..")` without the feature `redis-tls`
fn tls_is_available(raw: &RawBackend, errors: &mut Errors) {
    let Some(url) = raw.redis_argument("url").filter(|url| asks_for_tls(url)) else { return };
    TLS.required(url.span, "TLS", errors);
}

const CERTIFICATES: [&str; 3] = ["ca", "client_cert", "client_key"];

/// `redis(url = "redis://..", ca = ..)`
fn certificates_are_for_tls(raw: &RawBackend, errors: &mut Errors) {
    // What a variable says is not known here, whatever its default is.
    let Some(Source::Literal(url)) = raw.redis_value("url").map(|value| &value.source) else { return };
    let given =
        raw.arguments.iter().map(|(ident, _)| ident).find(|ident| CERTIFICATES.iter().any(|name| ident == name));
    if let (false, Some(given)) = (asks_for_tls(url), given) {
        errors.at(url.span, format!("`{given}` is for TLS, and this URL asks for none; write it as `rediss://`"));
    }
}

/// `redis(client_cert = ..)` without `client_key`
fn a_client_certificate_has_its_key(raw: &RawBackend, errors: &mut Errors) {
    let span = |name: &str| raw.redis_value(name).map(|value| value.span);
    match (span("client_cert"), span("client_key")) {
        (Some(span), None) => {
            errors.at(span, "`client_cert` needs its private key; add `client_key = env(\"REDIS_CLIENT_KEY\")`");
        }
        (None, Some(span)) => {
            errors.at(span, "`client_key` needs its certificate; add `client_cert = env(\"REDIS_CERT\")`");
        }
        _ => {}
    }
}

impl RawBackend {
    /// An argument of `redis`.
    fn redis_value(&self, name: &str) -> Option<&RawValue> {
        self.builtin.filter(|builtin| builtin.name == "redis")?;
        self.arguments.iter().find(|(ident, _)| ident == name).map(|(_, value)| value)
    }

    fn redis_argument(&self, name: &str) -> Option<&Literal> {
        self.redis_value(name)?.known()
    }
}
