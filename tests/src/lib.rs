//! What the tests stand on: servers of their own, a client with a cookie jar, a browser.
//!
//! | to have | write |
//! |---|---|
//! | a private Redis, to kill, hang and restart | [`Redis::start`] |
//! | one that is reached over TLS, and its certificates | [`Redis::start_tls`], [`certificates`] |
//! | a replica of it, and Sentinels that watch both | [`Sentinels::start`] |
//! | a way to a server that can be shut without a word, or led to another | [`Gate::to`] |
//! | a private PostgreSQL or MariaDB, likewise | [`Postgres::start`], [`MariaDb::start`] |
//! | PgBouncer in front of that PostgreSQL | [`PgBouncer::before`] |
//! | an application in a process of its own | [`App::example`], [`App::program`] |
//! | a router served inside the test | [`serve()`] |
//! | an HTTP client with a cookie jar | [`Client`] |
//! | a WebSocket client | [`Socket::open`] |
//! | bytes that no HTTP client would send | [`raw`] |
//! | headless Chromium | [`Browser::start`] |
//! | WebKit, Firefox | [`WebKit::start`], [`Firefox::start`] |
//! | one scenario in all three | [`Engine`], [`in_every_engine!`] |
//! | a caching proxy | [`Proxy::before`] |
//! | what Python makes of it | [`python()`] |
//! | a bounded wait | [`wait`] |
//!
//! Everything listens on loopback, on a free port, and ends with the value that started it, or with the test
//! process if that is killed. Helpers panic with a message that says what was waited for, and show the server's
//! own output where there is one.

/// The README's program is complete, so it compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

pub mod app;
pub mod browser;
pub mod certificates;
pub mod client;
pub mod cluster;
mod database;
pub mod device;
pub mod engine;
pub mod firefox;
pub mod gate;
pub mod mariadb;
pub mod pgbouncer;
pub mod port;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod python;
pub mod raw;
pub mod redis_server;
pub mod secure;
pub mod sentinels;
pub mod serve;
pub mod socket;
pub mod tools;
pub mod wait;
pub mod webkit;

pub use app::App;
pub use browser::Browser;
pub use client::{Client, Reply};
pub use cluster::Cluster;
pub use device::Device;
pub use engine::Engine;
pub use firefox::Firefox;
pub use gate::Gate;
pub use mariadb::MariaDb;
pub use pgbouncer::PgBouncer;
pub use postgres::Postgres;
pub use proxy::Proxy;
pub use python::python;
pub use redis_server::Redis;
pub use sentinels::Sentinels;
pub use serve::{Served, serve};
pub use socket::Socket;
pub use webkit::WebKit;
