//! Serving an application until Ctrl-C.

use axum::Router;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::{fmt, prelude::*};

/// Writes events to standard error: `RUST_LOG=session_runtime=debug` shows what happens to sessions.
pub(crate) fn log() {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|wanted| wanted.parse::<Targets>().ok());
    let mut targets = wanted.unwrap_or_default();
    if targets.default_level().is_none() {
        targets = targets.with_default(LevelFilter::WARN);
    }
    tracing_subscriber::registry().with(fmt::layer().with_writer(std::io::stderr)).with(targets).init();
}

/// Listens on 127.0.0.1, on the port in `PORT` or 3000.
#[allow(dead_code, reason = "some examples have to know the port before")]
pub(crate) async fn serve(app: Router) -> Result<(), Box<dyn std::error::Error>> {
    serve_on(app, port(3000)?).await
}

/// The port in `PORT`, or this one.
pub(crate) fn port(default: u16) -> Result<u16, Box<dyn std::error::Error>> {
    match std::env::var("PORT") {
        Ok(port) => Ok(port.parse().map_err(|_| format!("PORT is {port:?}; set it to a number from 0 to 65535"))?),
        Err(_) => Ok(default),
    }
}

/// Listens on 127.0.0.1.
pub(crate) async fn serve_on(app: Router, port: u16) -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("can't listen on 127.0.0.1:{port} ({error}); set PORT to a free one"))?;
    println!("Open http://localhost:{}", listener.local_addr()?.port());
    let stop = async {
        // Without a signal handler there is nothing to wait for but the end of the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    Ok(axum::serve(listener, app).with_graceful_shutdown(stop).await?)
}
