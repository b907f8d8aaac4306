//! Counters and histograms for Prometheus, beside a dashboard for Grafana and alert rules.
//!
//! Run it: `cargo run --features metrics --bin metrics`, then open <http://localhost:3000>. Prometheus reads
//! <http://localhost:3000/metrics>: keep that path from the public, by a proxy or on a port of its own.

#[path = "../shared/serve.rs"]
mod serve;

use std::time::Duration;

use axum::extract::State;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use session_runtime::{Error, Session, SessionData, SessionSlot, session};

#[derive(Serialize, Deserialize, SessionData)]
#[session(idle = "20m", missing = redirect("/"), cookie(http_on_localhost))]
struct User {
    name: String,
    visits: u32,
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

/// A store on the same network answers in less than a millisecond, and 1 s is the deadline.
const BUCKETS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];

#[session(optional)]
async fn home(user: Option<&User>) -> Html<String> {
    Html(match user {
        None => {
            "<form method=post action=/login><input name=name aria-label=Name><button>Log in</button></form>".into()
        }
        Some(User { visits, .. }) => format!(
            "<p>{visits} visits</p><form method=post action=/visit><button>Visit</button></form>\
             <form method=post action=/logout><button>Log out</button></form>"
        ),
    })
}

#[session(optional)]
async fn login(slot: SessionSlot<User>, Form(form): Form<Login>) -> Result<Redirect, Error> {
    slot.start(User { name: form.name, visits: 0 }).await?;
    Ok(Redirect::to("/"))
}

#[session(protected)]
async fn visit(user: &mut User) -> Redirect {
    user.visits += 1;
    Redirect::to("/")
}

#[session(protected)]
async fn logout(user: Session<User>) -> Result<Redirect, Error> {
    user.end().await?;
    Ok(Redirect::to("/"))
}

async fn render(State(prometheus): State<PrometheusHandle>) -> String {
    prometheus.render()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve::log();
    let buckets = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS)?;
    let prometheus = buckets.install_recorder()?;
    let upkeep = prometheus.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    let users = User::sessions().await?;
    let router = Router::new()
        .route("/", get(home))
        .route("/login", post(login))
        .route("/visit", post(visit))
        .route("/logout", post(logout))
        .with_state(users)
        .merge(Router::new().route("/metrics", get(render)).with_state(prometheus));
    serve::serve(router).await
}
