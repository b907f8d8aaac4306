//! What the guide tells administrators to set up is enough for everything that a backend does.

use std::sync::Arc;

use session_runtime::{
    backend::{MySql, Postgres},
    testing::{Pair, conformance},
};
use session_tests::{MariaDb, Postgres as PostgresServer};

use crate::sql::Database as _;

const PAGE: &str = include_str!("../../session-runtime/docs/deploying.md");

/// The block of code that begins like this.
fn block(language: &str, beginning: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let blocks = PAGE.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
    let mut found = blocks.filter(|block| block.contains(beginning));
    let (first, second) = (found.next(), found.next());
    assert!(second.is_none(), "{beginning:?} is in one block");
    first.unwrap_or_else(|| panic!("the page has {beginning:?}"))
}

conformance! { postgres_with_the_rights_of_the_guide_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => restricted_postgres().await }

async fn restricted_postgres() -> Pair {
    let server = PostgresServer::start().await;
    server
        .sql("REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE shop LOGIN; GRANT USAGE ON SCHEMA public TO shop")
        .await;
    server.sql(block("sql", "BYTEA")).await;
    let url = format!("postgres://shop:open-sesame@127.0.0.1:{}/postgres", server.port());
    let [one, other] = [(), ()].map(|()| Arc::new(Postgres::new(&url, "sessions").expect("a URL")));
    Pair::new(one, other).real_time().keeping(server)
}

conformance! { mariadb_with_the_rights_of_the_guide_conforms: Backend + Leases + KeepLease + CompareAndSet + Sweep + List => restricted_mariadb().await }

async fn restricted_mariadb() -> Pair {
    let server = MariaDb::start().await;
    server.sql(block("sql", "MEDIUMBLOB")).await;
    let url = format!("mysql://shop:open-sesame@127.0.0.1:{}/app", server.port());
    let [one, other] = [(), ()].map(|()| Arc::new(MySql::new(&url, "sessions").expect("a URL")));
    Pair::new(one, other).real_time().keeping(server)
}
