//! Redis over TLS: the sessions live there as anywhere, and what is wrong with a certificate is told at start-up.

use std::{fs, sync::Arc};

use session_runtime::{
    FromSetting, OpenError,
    backend::{OpenBackend, Pem, Redis, RedisConfig, Scope},
    testing::conformance,
};
use session_tests::{
    Redis as Server,
    certificates::{Authority, Identity, Validity},
};

use crate::store::{Store, pair};

const NAMES: &[&str] = &["localhost", "127.0.0.1"];

conformance! { redis_over_tls_conforms: Backend + Leases + KeepLease + CompareAndSet + Watch + List => pair(store().await).real_time() }

/// Two connections to one server.
pub(crate) async fn store() -> (Store<Redis>, Server) {
    let world = World::start(&[]).await;
    let one = Arc::new(world.open(|_| {}).await.unwrap());
    let other = Arc::new(world.open(|_| {}).await.unwrap());
    (Store { one, other }, world.server)
}

fn pem(text: &str) -> Option<Pem> {
    Some(Pem::from_setting(text).unwrap())
}

struct World {
    authority: Authority,
    server: Server,
}

impl World {
    async fn start(arguments: &[&str]) -> Self {
        let authority = Authority::new();
        let identity = authority.sign(NAMES);
        Self { server: Server::start_tls(&identity, &authority, arguments).await, authority }
    }

    /// As an attribute opens it that trusts the server's authority, and says this besides.
    async fn open(&self, change: impl FnOnce(&mut RedisConfig)) -> Result<Redis, OpenError> {
        open(&self.server.tls_url(), |config| {
            config.ca = pem(self.authority.pem());
            change(config);
        })
        .await
    }
}

async fn open(url: &str, change: impl FnOnce(&mut RedisConfig)) -> Result<Redis, OpenError> {
    let mut config = RedisConfig::default();
    config.url = Some(FromSetting::from_setting(url).unwrap());
    change(&mut config);
    Redis::open(config, &Scope::new("tests", "User")).await
}

#[track_caller]
fn assert_refused(opened: Result<Redis, OpenError>, argument: &str, words: &[&str]) {
    let error = opened.unwrap_err();
    let mut text = error.to_string();
    if let Some(source) = std::error::Error::source(&error) {
        text = format!("{text}: {source}");
    }
    assert!(text.contains(&format!("`backend = redis({argument})`")), "{argument}: {text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

/// The system's authorities have not signed it, and nothing else is said of whom to trust.
#[tokio::test]
async fn a_certificate_that_the_system_does_not_trust_is_refused() {
    let world = World::start(&[]).await;
    let words = ["signed by no authority that this system trusts", "by `ca`", "UnknownIssuer"];
    assert_refused(open(&world.server.tls_url(), |_| {}).await, "url", &words);
    let direct = Redis::new(&world.server.tls_url(), "app:").unwrap();
    assert!(direct.check().await.unwrap_err().to_string().contains("UnknownIssuer"));
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let world = World::start(&[]).await;
    let other = Authority::new();
    let opened = world.open(|config| config.ca = pem(other.pem())).await;
    assert_refused(opened, "url", &["signed by none of the authorities in `ca`"]);
    // Several may be trusted.
    let both = [other.pem(), world.authority.pem()].concat();
    assert!(world.open(|config| config.ca = pem(&both)).await.is_ok());
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_now_or_not_for_this_name_is_refused() {
    let authority = Authority::new();
    for (identity, words) in [
        (authority.sign_for(NAMES, Validity::Expired), &["has expired; give it a new one", "certificate expired"][..]),
        (authority.sign_for(NAMES, Validity::Future), &["is not valid yet; correct", "not valid yet"]),
        (
            authority.sign(&["redis.example"]),
            &["is for another name; write the host", "only valid for", "redis.example"],
        ),
    ] {
        let server = Server::start_tls(&identity, &authority, &[]).await;
        let opened = open(&server.tls_url(), |config| config.ca = pem(authority.pem())).await;
        assert_refused(opened, "url", words);
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_client_certificate_gets_it() {
    let world = World::start(&["--tls-auth-clients", "yes"]).await;
    assert_refused(world.open(|_| {}).await, "url", &["give it by `client_cert` and `client_key`", "fatal alert"]);
    let with = |identity: Identity| {
        move |config: &mut RedisConfig| {
            (config.client_cert, config.client_key) = (pem(&identity.certificate), pem(&identity.key));
        }
    };
    let opened = world.open(with(Authority::new().sign(&["shop"]))).await;
    assert_refused(opened, "url", &["refused the certificate of the client", "fatal alert"]);
    let opened = world.open(with(world.authority.sign_for(&["shop"], Validity::Expired))).await;
    assert_refused(opened, "url", &["refused the certificate of the client", "fatal alert"]);
    assert!(world.open(with(world.authority.sign(&["shop"]))).await.is_ok());
}

#[tokio::test]
async fn a_port_without_tls_is_told_from_a_server_that_is_down() {
    let mut world = World::start(&[]).await;
    let plain = format!("rediss://localhost:{}/", world.server.port());
    let opened = open(&plain, |config| config.ca = pem(world.authority.pem())).await;
    assert_refused(opened, "url", &["names a port without TLS; write the URL as redis://"]);
    world.server.stop();
    assert!(world.open(|_| {}).await.is_ok(), "it may go on");
    world.server.kill();
    assert!(world.open(|_| {}).await.is_ok(), "it may come back");
}

#[tokio::test]
async fn what_is_no_certificate_is_refused_by_the_name_of_its_argument() {
    let world = World::start(&[]).await;
    let (identity, other) = (world.authority.sign(&["shop"]), world.authority.sign(&["shop"]));
    let opened = world.open(|config| config.ca = pem(&identity.key)).await;
    assert_refused(opened, "ca", &["has no certificate in PEM format"]);
    let opened = world.open(|config| config.client_cert = pem(&identity.certificate)).await;
    assert_refused(opened, "client_key", &["is missing", "`client_cert`"]);
    let opened = world.open(|config| config.client_key = pem(&identity.key)).await;
    assert_refused(opened, "client_cert", &["is missing", "`client_key`"]);
    let opened = world
        .open(|config| {
            (config.client_cert, config.client_key) = (pem(&identity.certificate), pem(&identity.certificate));
        })
        .await;
    assert_refused(opened, "client_key", &["has no private key in PEM format"]);
    let opened = world
        .open(|config| (config.client_cert, config.client_key) = (pem(&identity.certificate), pem(&other.key)))
        .await;
    assert_refused(opened, "client_key", &["can't be used with `client_cert`"]);
    let opened = open(&world.server.url(), |config| config.ca = pem(world.authority.pem())).await;
    assert_refused(opened, "ca", &["is for TLS, and no URL asks for it"]);
}

#[test]
fn a_certificate_is_the_path_of_a_file_or_the_text_itself() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let path = folder.path().join("ca.pem");
    fs::write(&path, authority.pem()).unwrap();
    assert!(Pem::from_setting(path.to_str().unwrap()).is_ok() && Pem::from_setting(authority.pem()).is_ok());
    // It may be a part of a key, so it is not repeated.
    let why = Pem::from_setting("MC4CAQAwBQYDK2VwBCIEIA").unwrap_err();
    assert!(why.contains("names a file that can't be read") && !why.contains("MC4"), "{why}");
}

#[test]
fn the_check_of_the_certificate_cannot_be_turned_off() {
    let error = Redis::new("rediss://localhost/#insecure", "app:").unwrap_err().to_string();
    assert!(error.contains("a certificate can't be left unchecked"), "{error}");
}
