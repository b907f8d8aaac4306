//! The dashboard and the alert rules of `examples/metrics`, on a real Prometheus that reads the running example.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use serde_json::Value;
use session_tests::{App, Client, port::Port, process::Process, tools, wait};
use tempfile::TempDir;

/// Prometheus reads twice before there is a rate, on a machine that is busy elsewhere.
const LIMIT: Duration = Duration::from_secs(120);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

fn example(file: &str) -> PathBuf {
    root().join("examples/metrics").join(file)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Every query of the dashboard, with the choices that its variables begin with.
fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(example("dashboard.json")).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries = targets.map(|target| target["expr"].as_str().expect("a query"));
    let chosen =
        |query: &str| query.replace("$session_type", ".*").replace("$backend", ".*").replace("$__rate_interval", "1m");
    queries.map(chosen).collect()
}

/// The metrics that a text names.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let series = words.filter(|word| word.starts_with("session_") && *word != "session_type");
    series.map(|word| word.trim_end_matches("_bucket").trim_end_matches("_count").to_owned()).collect()
}

#[test]
fn the_dashboard_and_the_rules_name_metrics_that_the_guide_has() {
    let guide = fs::read_to_string(root().join("session-runtime/docs/observability.md")).unwrap();
    let rules = fs::read_to_string(example("alerts.yml")).unwrap();
    let named = metrics(&(queries().join("\n") + rules.as_str()));
    assert!(named.len() > 15, "{named:?}");
    for metric in named {
        assert!(guide.contains(&format!("| `{metric}` |")), "{metric}");
    }
}

#[test]
fn the_rules_are_accepted_and_raise_the_alerts_that_their_tests_say() {
    let promtool = tools::PROMTOOL.find().expect("promtool is installed: run `cargo xtask setup`");
    for arguments in
        [&["check", "rules", "--lint=all", "--lint-fatal", "alerts.yml"][..], &["test", "rules", "alerts.test.yml"]]
    {
        let output = Command::new(&promtool).args(arguments).current_dir(example("")).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    let rules = fs::read_to_string(example("alerts.yml")).unwrap();
    let lines: Vec<&str> = rules.lines().map(str::trim).collect();
    let alerts: Vec<usize> = (0..lines.len()).filter(|line| lines[*line].starts_with("- alert:")).collect();
    assert_eq!(alerts.len(), 9);
    assert!(
        alerts.iter().all(|line| lines[line - 1].starts_with("# ") && lines[line - 1].ends_with('.')),
        "each has a sentence"
    );
}

#[test]
fn the_dashboard_is_one_by_the_schema_of_grafana() {
    let python = tools::python_packages().join("bin/python");
    assert!(python.is_file(), "{} is not there: run `cargo xtask setup`", python.display());
    let program = root().join("tests/fixtures/dashboard.py");
    let check = |file: &Path| Command::new(&python).arg(&program).arg(file).output().unwrap();
    let output = check(&example("dashboard.json"));
    assert!(output.status.success(), "{}", said(&output));
    // A field in the wrong spelling would be found.
    let folder = tempfile::tempdir().unwrap();
    let misspelt = folder.path().join("misspelt.json");
    fs::write(
        &misspelt,
        fs::read_to_string(example("dashboard.json")).unwrap().replace("\"legendFormat\"", "\"legend\""),
    )
    .unwrap();
    let output = check(&misspelt);
    assert!(!output.status.success() && said(&output).contains(".legend is not in the schema"), "{}", said(&output));
}

/// A Prometheus that reads an application every second, and knows the rules.
struct Prometheus {
    process: Process,
    client: Client,
    _folder: TempDir,
}

impl Prometheus {
    async fn reading(app: &App) -> Self {
        let program = tools::PROMETHEUS.find().expect("Prometheus is installed: run `cargo xtask setup`");
        let (port, folder) = (Port::reserve(), tempfile::tempdir().unwrap());
        let config = folder.path().join("prometheus.yml");
        let target = app.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let text = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{:?}]\n\
             scrape_configs: [{{job_name: sessions, static_configs: [{{targets: [{target:?}]}}]}}]\n",
            example("alerts.yml"),
        );
        fs::write(&config, text).unwrap();
        let mut command = Command::new(program);
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{}", port.number()));
        let mut process = Process::spawn("prometheus", command, &folder.path().join("log"));
        let client = Client::new(&format!("http://127.0.0.1:{}", port.number()));
        let answers = async |_: &Process| {
            client
                .try_send(axum::http::Method::GET, "/-/ready", |request| request)
                .await
                .is_ok_and(|reply| reply.status == 200)
        };
        process.wait_until("it answers", answers).await;
        Self { process, client, _folder: folder }
    }

    /// The series that a query finds.
    async fn find(&self, query: &str) -> Vec<Value> {
        let reply = self.client.post_form("/api/v1/query", &[("query", query)]).await;
        let answer: Value = reply.json();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"]["result"].as_array().expect("series").clone()
    }
}

#[tokio::test]
async fn prometheus_reads_the_example_and_every_query_of_the_dashboard_finds_something() {
    let app = App::example("metrics").start().await;
    let prometheus = Prometheus::reading(&app).await;
    let browser = app.client();
    let begun = browser.get("/metrics").await;
    let begun = begun.text();
    assert!(begun.contains("session_replayed_total{session_type=\"User\"} 0"), "known from the start: {begun}");
    let mut left: Vec<String> = queries();
    assert!(left.len() > 20);
    let all_found = async || {
        // What Prometheus has a rate of goes on.
        for path in ["/login", "/visit", "/logout"] {
            assert_eq!(browser.post_form(path, &[("name", "ann")]).await.status, 303);
        }
        let mut missing = Vec::new();
        for query in &left {
            // A store that was never given up, and nobody who was refused: there is no such series then.
            let rare = query.contains("outcome=\"busy\"");
            let found = prometheus.find(query).await;
            if !rare && found.iter().all(|series| series["value"][1] == "NaN") {
                missing.push(query.clone());
            }
        }
        left = missing;
        left.is_empty()
    };
    wait::until(LIMIT, "each query finds something", all_found).await;
    let rules: Value = prometheus.client.get("/api/v1/rules").await.json();
    let rules = rules["data"]["groups"][0]["rules"].as_array().expect("rules").clone();
    assert_eq!(rules.len(), 9);
    for rule in &rules {
        assert_eq!((rule["health"].as_str(), rule["state"].as_str()), (Some("ok"), Some("inactive")), "{rule}");
    }
    let shown = browser.get("/metrics").await;
    let shown = shown.text();
    for holds in [
        "session_store_seconds_bucket{backend=\"Memory\"",
        "session_lease_wait_seconds_bucket{session_type=\"User\",outcome=\"granted\"",
    ] {
        assert!(shown.contains(holds), "{holds}: {shown}\n{}", prometheus.process.log());
    }
}
