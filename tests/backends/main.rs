//! The backends against real servers.

mod cookie;
mod cookie_app;
mod file;
mod file_folder;
mod file_fuse;
mod file_processes;
mod file_sweep;
mod guide;
mod harness;
#[path = "../fixtures/ledger/routes.rs"]
mod ledger;
mod memory;
mod owners;
mod proxy;
mod redis;
mod redis_client;
mod redis_memory;
mod redis_owners;
mod redis_replicas;
mod redis_sentinel;
mod redis_startup;
mod redis_tls;
mod sql;
mod sql_answers;
mod sql_clock;
mod sql_faults;
mod sql_opening;
mod sql_pgbouncer;
mod sql_pools;
mod sql_processes;
mod sql_settings;
mod sql_statements;
mod sql_sweep;
mod sqlite_journal;
mod startup;
mod store;
