//! The servers under load. All answer the same routes with the same texts:
//! `POST /login/{number}` starts a session, `GET /read` answers its name, `POST /write` counts and answers the count.

mod axum_session;
mod bare;
mod jar;
mod raw;
mod record;
mod toolkit;
mod tower;

use std::{io::Write, net::Ipv4Addr};

use tokio::net::TcpListener;

use crate::{Outcome, variant::Variant};

/// How many threads a server has, in its environment.
pub(crate) const THREADS: &str = "SERVER_THREADS";

/// Serves until the process is ended; prints the port that it listens on.
pub(crate) fn serve(variant: Variant) -> Outcome<()> {
    let threads = std::env::var(THREADS).map_or(Ok(1), |threads| threads.parse())?;
    let mut runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime.worker_threads(threads).enable_all().build()?.block_on(async {
        let router = match variant {
            Variant::Bare => bare::router(),
            Variant::BareCookie => bare::with_cookie(),
            Variant::Memory => toolkit::memory().await?,
            Variant::MemoryUpdate => toolkit::memory_update().await?,
            Variant::RedisNear => toolkit::redis_near().await?,
            Variant::TowerMemory => tower::memory(),
            Variant::AxumSession => axum_session::memory().await?,
            Variant::Cookie => toolkit::cookie().await?,
            Variant::PrivateJar => jar::router(),
            Variant::File => toolkit::file().await?,
            Variant::FileDurable => toolkit::file_durable().await?,
            Variant::Sqlite => toolkit::sqlite().await?,
            Variant::Postgres => toolkit::postgres().await?,
            Variant::MySql => toolkit::mysql().await?,
            Variant::Raw => raw::router(&redis_url()?).await?,
            Variant::Redis => toolkit::redis().await?,
            Variant::RedisUpdate => toolkit::redis_update().await?,
            Variant::TowerRedis => tower::redis(&redis_url()?, false).await?,
            Variant::TowerRedisSliding => tower::redis(&redis_url()?, true).await?,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
        axum::serve(listener, router).await?;
        Ok(())
    })
}

fn redis_url() -> Outcome<String> {
    std::env::var("REDIS_URL").map_err(|_| "REDIS_URL is not set".into())
}
