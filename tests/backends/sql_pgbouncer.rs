//! PgBouncer between the application and PostgreSQL, with another connection for each transaction.

use std::sync::Arc;

use session_runtime::{
    FromSetting, OpenError,
    backend::{OpenBackend, Postgres, PostgresConfig, Scope},
    testing::{Pair, conformance},
};
use session_tests::{PgBouncer, Postgres as PostgresServer};

conformance! { postgres_behind_a_transaction_pooler_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => pooled().await }

async fn open(url: &str, max_connections: u32, prepared_statements: bool) -> Result<Postgres, OpenError> {
    let mut config = PostgresConfig::default();
    config.url = Some(FromSetting::from_setting(url).expect("a URL"));
    (config.max_connections, config.prepared_statements) = (Some(max_connections), Some(prepared_statements));
    Postgres::open(config, &Scope::new("tests", "User")).await
}

async fn pooled() -> Pair {
    let server = PostgresServer::start().await;
    let pooler = PgBouncer::before(&server).await;
    // With other settings it is another pool.
    let (one, other) = (open(&pooler.url(), 10, false).await.unwrap(), open(&pooler.url(), 9, false).await.unwrap());
    Pair::new(Arc::new(one), Arc::new(other)).real_time().keeping((pooler, server))
}

#[tokio::test]
async fn a_transaction_pooler_is_told_when_opening_with_the_option_that_helps() {
    let server = PostgresServer::start().await;
    let pooler = PgBouncer::before(&server).await;
    let error = open(&pooler.url(), 10, true).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("`prepared_statements = false`"), "{error}");
    open(&server.url(), 10, true).await.expect("without a pooler they are no problem");
}
