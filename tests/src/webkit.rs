//! WebKit, the engine of Safari, as Debian has it: WebKitGTK's small browser, driven over WebDriver.

use std::{fs, ops::Deref, path::PathBuf, process::Command, time::Duration};

use serde_json::json;
use tempfile::TempDir;
use thirtyfour::{By, Capabilities, WebDriver, prelude::ElementQueryable};

use crate::{port::Port, process::Process, tools, wait};

/// The browser that the driver starts: Debian keeps it below the folder of the machine's architecture.
fn browser() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("a list of folders").flatten();
    let mut programs = folders.map(|folder| folder.path().join("webkit2gtk-4.1/MiniBrowser"));
    programs.find(|program| program.exists()).expect("WebKit's MiniBrowser is installed: run `cargo xtask setup`")
}

/// A WebKit browser on a screen of its own that nobody sees. It ends with this value.
#[derive(Debug)]
pub struct WebKit {
    session: Option<WebDriver>,
    _driver: Process,
    _screen: Process,
    _port: Port,
    _folder: TempDir,
}

impl WebKit {
    /// Starts a screen, a driver and a browser.
    ///
    /// # Panics
    ///
    /// When one of them is not installed or doesn't come up.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(tools::SCREEN.find().expect("Xvfb is installed: run `cargo xtask setup`"));
        command.args(["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"]);
        let mut screen = Process::spawn("Xvfb", command, &folder.path().join("screen"));
        screen.wait_until("it has a display", async |screen: &Process| display(&screen.log()).is_some()).await;
        let display = display(&screen.log()).expect("Xvfb has told its display");

        let port = Port::reserve();
        let program = tools::WEBKIT.find().expect("WebKitWebDriver is installed: run `cargo xtask setup`");
        let mut command = Command::new(program);
        command.arg(format!("--port={}", port.number())).env("DISPLAY", display).env("HOME", folder.path());
        // Tests run as root in containers, where the sandbox can't be made; nothing but the page under test is opened.
        command.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
        let mut driver = Process::spawn("WebKitWebDriver", command, &folder.path().join("driver"));
        let number = port.number();
        let listens = async move |_: &Process| tokio::net::TcpStream::connect(("127.0.0.1", number)).await.is_ok();
        driver.wait_until("it listens", listens).await;

        let mut capabilities = Capabilities::new();
        let options = json!({ "binary": browser(), "args": ["--automation"] });
        capabilities.set("webkitgtk:browserOptions", options).expect("the options can be set");
        let session = WebDriver::new(format!("http://127.0.0.1:{number}"), capabilities);
        let session = wait::within(wait::START, "the browser starts", session).await.expect("the browser starts");
        Self { session: Some(session), _driver: driver, _screen: screen, _port: port, _folder: folder }
    }

    /// Goes to a page and waits until it has loaded.
    pub async fn open(&self, url: &str) {
        wait::within(wait::ANSWER, url, self.goto(url)).await.expect(url);
    }

    /// Types text into a field.
    pub async fn fill(&self, css: &str, text: &str) {
        self.query(By::Css(css)).first().await.expect(css).send_keys(text).await.expect(css);
    }

    /// Clicks an element.
    pub async fn click(&self, css: &str) {
        self.query(By::Css(css)).first().await.expect(css).click().await.expect(css);
        // A click answers before the page that it leads to has begun to load.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Deref for WebKit {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        self.session.as_ref().expect("the session is there until it is dropped")
    }
}

impl Drop for WebKit {
    fn drop(&mut self) {
        // A WebDriver that is dropped says goodbye over the network and blocks; here the processes are killed instead.
        _ = self.session.take().map(WebDriver::leak);
    }
}

/// The number that Xvfb writes when it is ready.
fn display(log: &str) -> Option<String> {
    log.lines().find_map(|line| line.trim().parse::<u32>().ok()).map(|number| format!(":{number}"))
}
