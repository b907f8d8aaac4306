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
    context: String,
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
        let mut firefox = Self {
            socket: Mutex::new(socket),
            next: AtomicU64::new(1),
            context: String::new(),
            _process: process,
            _profile: profile,
        };
        firefox.command("session.new", json!({ "capabilities": {} })).await;
        let tree = firefox.command("browsingContext.getTree", json!({})).await;
        firefox.context = tree["contexts"][0]["context"].as_str().expect("there is a tab").to_owned();
        firefox
    }

    async fn command(&self, method: &str, params: Value) -> Value {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let sent = json!({ "id": id, "method": method, "params": params }).to_string();
        let mut socket = self.socket.lock().await;
        let answer = async {
            socket.send(Message::text(sent)).await.expect("Firefox listens");
            while let Some(message) = socket.next().await {
                let Message::Text(text) = message.expect("Firefox answers") else { continue };
                let answer: Value = serde_json::from_str(&text).expect("an answer is JSON");
                if answer["id"] == id {
                    assert_eq!(answer["type"], "success", "{method}: {answer}");
                    return answer["result"].clone();
                }
            }
            panic!("Firefox has closed the connection");
        };
        wait::within(wait::START, method, answer).await
    }

    /// Goes to a page and waits until it has loaded.
    pub async fn open(&self, url: &str) {
        let params = json!({ "context": self.context, "url": url, "wait": "complete" });
        self.command("browsingContext.navigate", params).await;
    }

    async fn evaluate(&self, expression: &str) -> Value {
        let params = json!({
            "expression": expression,
            "target": { "context": self.context },
            "awaitPromise": true,
            "userActivation": true,
        });
        let answer = self.command("script.evaluate", params).await;
        assert_eq!(answer["type"], "success", "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// The text of an element; empty as long as there is none.
    pub async fn text(&self, css: &str) -> String {
        let text = self.evaluate(&format!("document.querySelector({css:?})?.innerText ?? ''")).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Writes text into a field.
    pub async fn fill(&self, css: &str, text: &str) {
        self.evaluate(&format!("document.querySelector({css:?}).value = {text:?}; 0")).await;
    }

    /// Clicks an element.
    pub async fn click(&self, css: &str) {
        self.evaluate(&format!("document.querySelector({css:?}).click(); 0")).await;
    }
}

// WebDriver BiDi listening on ws://127.0.0.1:35833
fn address(log: &str) -> Option<String> {
    let rest = log.split_once("WebDriver BiDi listening on ws://")?.1;
    rest.split_once('\n').map(|(address, _)| address.trim().to_owned())
}
