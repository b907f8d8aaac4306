//! Firefox, headless, driven over WebDriver BiDi, which it speaks by itself: no driver has to be installed.

use std::{process::Command, sync::atomic::AtomicU64, sync::atomic::Ordering};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpStream, sync::Mutex};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::{process::Process, tools, wait};

/// A Firefox with a fresh profile. It ends with this value.
#[derive(Debug)]
pub struct Firefox {
    socket: Mutex<WebSocketStream<TcpStream>>,
    next: AtomicU64,
    tab: std::sync::Mutex<String>,
    _process: Process,
    _profile: TempDir,
}

impl Firefox {
    /// Starts the browser.
    ///
    /// # Panics
    ///
    /// When it is not installed or doesn't come up.
    pub async fn start() -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let program = tools::FIREFOX.find().expect("Firefox is installed: run `cargo xtask setup`");
        let mut command = Command::new(program);
        command.args(["--headless", "--no-remote", "--remote-debugging-port=0", "--profile"]).arg(profile.path());
        command.env("HOME", profile.path());
        let mut process = Process::spawn("firefox", command, &profile.path().join("log"));
        process.wait_until("it listens", async |process: &Process| address(&process.log()).is_some()).await;
        let address = address(&process.log()).expect("Firefox has told its address");

        let connection = TcpStream::connect(&address).await.expect("Firefox listens");
        let opened = client_async(format!("ws://{address}/session"), connection);
        let (socket, _) = wait::within(wait::ANSWER, "the socket opens", opened).await.expect("Firefox answers");
        let firefox = Self {
            socket: Mutex::new(socket),
            next: AtomicU64::new(1),
            tab: std::sync::Mutex::default(),
            _process: process,
            _profile: profile,
        };
        firefox.command("session.new", json!({ "capabilities": {} })).await;
        let tree = firefox.command("browsingContext.getTree", json!({})).await;
        firefox.switch_to_tab(tree["contexts"][0]["context"].as_str().expect("there is a tab").to_owned());
        firefox
    }

    async fn command(&self, method: &str, params: Value) -> Value {
        self.ask(method, params).await.unwrap_or_else(|answer| panic!("{method}: {answer}"))
    }

    /// The result of a command, or the answer that refused it.
    async fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let sent = json!({ "id": id, "method": method, "params": params }).to_string();
        let mut socket = self.socket.lock().await;
        let answer = async {
            socket.send(Message::text(sent)).await.expect("Firefox listens");
            while let Some(message) = socket.next().await {
                let Message::Text(text) = message.expect("Firefox answers") else { continue };
                let answer: Value = serde_json::from_str(&text).expect("an answer is JSON");
                if answer["id"] == id {
                    return if answer["type"] == "success" { Ok(answer["result"].clone()) } else { Err(answer) };
                }
            }
            panic!("Firefox has closed the connection");
        };
        wait::within(wait::START, method, answer).await
    }

    fn tab(&self) -> String {
        self.tab.lock().expect("nobody panics with the lock").clone()
    }

    /// Goes on in this tab.
    pub fn switch_to_tab(&self, tab: String) {
        *self.tab.lock().expect("nobody panics with the lock") = tab;
    }

    /// Opens a tab and goes on in it; the tab before is the answer.
    pub async fn switch_to_new_tab(&self) -> String {
        let created = self.command("browsingContext.create", json!({ "type": "tab" })).await;
        let before = self.tab();
        self.switch_to_tab(created["context"].as_str().expect("the tab has an id").to_owned());
        before
    }

    /// Goes to a page and waits until it has loaded.
    pub async fn open(&self, url: &str) {
        let params = json!({ "context": self.tab(), "url": url, "wait": "complete" });
        self.command("browsingContext.navigate", params).await;
    }

    /// The value of a JavaScript expression, awaited if it is a promise; none while the page gives way to another.
    pub async fn evaluate(&self, expression: &str) -> Option<Value> {
        let params = json!({
            "expression": expression,
            "target": { "context": self.tab() },
            "awaitPromise": true,
            "userActivation": true,
        });
        let answer = self.ask("script.evaluate", params).await.ok()?;
        (answer["type"] == "success").then(|| answer["result"]["value"].clone())
    }

    /// The value of a cookie of the page.
    pub async fn cookie(&self, name: &str) -> Option<String> {
        let partition = json!({ "type": "context", "context": self.tab() });
        let params = json!({ "filter": { "name": name }, "partition": partition });
        let answer = self.command("storage.getCookies", params).await;
        Some(answer["cookies"].get(0)?["value"]["value"].as_str()?.to_owned())
    }

    /// Writes text into a field.
    pub async fn fill(&self, css: &str, text: &str) {
        let written = format!("document.querySelector({css:?}).value = {text:?}; 0");
        self.evaluate(&written).await.expect(css);
    }

    /// Clicks an element.
    pub async fn click(&self, css: &str) {
        self.evaluate(&format!("document.querySelector({css:?}).click(); 0")).await.expect(css);
    }
}

// WebDriver BiDi listening on ws://127.0.0.1:35833
fn address(log: &str) -> Option<String> {
    let rest = log.split_once("WebDriver BiDi listening on ws://")?.1;
    rest.split_once('\n').map(|(address, _)| address.trim().to_owned())
}
