//! What happens when many want one session, and when clients, handlers and servers hang, die and come back.

mod cluster;
mod ended;
mod endings;
mod examples;
mod exclusive;
mod failover;
mod files;
mod fleet;
mod group_commit;
mod hand_over;
mod harness;
mod interrupted;
mod leases;
#[path = "../fixtures/ledger/routes.rs"]
mod ledger;
mod logins;
mod near_cache;
mod outages;
mod over_tls;
mod refused_writes;
mod replicas;
mod sentinel;
mod silent_connection;
mod single_sign_on;
mod sql_fleet;
mod users;
mod waiting;
