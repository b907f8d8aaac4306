//! Headless Chromium, driven over WebDriver.

use std::{
    fmt::Display,
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::json;
use tempfile::TempDir;
use thirtyfour::{By, ChromiumLikeCapabilities, DesiredCapabilities, WebDriver, WebElement, prelude::ElementQueryable};

use crate::{port::Port, process::Process, tools, wait};

// Nothing but the pages under test: no sandbox (tests run as root in containers), no talk with the outside.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-proxy-server",
    // Names for sites that are not this machine's own in the browser's eyes.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
];

/// A headless browser with a fresh profile. It ends with this value, and the profile with it.
///
/// It is a [`WebDriver`] by `Deref`; the methods here are the common steps, and panic with what failed.
#[derive(Debug)]
pub struct Browser {
    // Before the process, so that nothing is asked of a driver that is gone.
    session: Session,
    _driver: Process,
    _port: Port,
    folder: Folder,
}

impl Browser {
    /// Starts a driver and a browser.
    ///
    /// # Panics
    ///
    /// When either is not installed or doesn't come up.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with more arguments of the browser's.
    ///
    /// # Panics
    ///
    /// As [`Browser::start`].
    pub async fn start_with(flags: &[String]) -> Self {
        Self::launch(Folder(tempfile::tempdir().expect("a temporary folder")), "log", flags).await
    }

    /// Closes the browser as a person does, and starts it again with its profile.
    ///
    /// # Panics
    ///
    /// As [`Browser::start`].
    pub async fn restart(self, flags: &[String]) -> Self {
        let Self { mut session, _driver: driver, _port: port, folder } = self;
        if let Some(session) = session.0.take() {
            expect("the browser closes", wait::within(wait::ANSWER, "the browser closes", session.quit()).await);
        }
        drop((session, driver, port));
        // That the driver listens is told in its log, so it has one of its own.
        Self::launch(folder, "log-of-the-restart", flags).await
    }

    async fn launch(folder: Folder, log: &str, flags: &[String]) -> Self {
        let driver_program = tools::DRIVER.find().expect("chromedriver is installed: run `cargo xtask setup`");
        let mut command = Command::new(driver_program);
        // The profile, the browser's crash reports and its caches all go where they are removed in the end.
        command.env("HOME", folder.0.path()).env("TMPDIR", folder.0.path());
        // Left to itself it asks for any port by IPv6 and for the same one by IPv4, which a connection may have by then.
        let port = Port::reserve();
        command.arg(format!("--port={}", port.number()));
        let mut driver = Process::spawn("chromedriver", command, &folder.0.path().join(log));
        driver.wait_until("it listens", async |driver: &Process| driver.log().contains(LISTENS)).await;

        let address = format!("http://127.0.0.1:{}", port.number());
        let session = WebDriver::new(address, capabilities(&folder.profile(), flags));
        let session = wait::within(wait::START, "the browser starts", session).await;
        let session = Session(Some(expect("the browser starts", session)));
        Self { session, _driver: driver, _port: port, folder }
    }

    /// The folder of its profile.
    pub fn profile(&self) -> PathBuf {
        self.folder.profile()
    }

    /// Goes to a page and waits until it has loaded.
    pub async fn open(&self, url: &str) {
        expect(url, wait::within(wait::ANSWER, url, self.goto(url)).await);
    }

    /// The first element that a CSS selector finds, as soon as there is one.
    pub async fn element(&self, css: &str) -> WebElement {
        expect(css, self.query(By::Css(css)).first().await)
    }

    /// The text of an element, as a person sees it.
    pub async fn text(&self, css: &str) -> String {
        expect(css, self.element(css).await.text().await)
    }

    /// Clicks an element.
    pub async fn click(&self, css: &str) {
        expect(css, self.element(css).await.click().await);
    }

    /// Types text into a field.
    pub async fn fill(&self, css: &str, text: &str) {
        expect(css, self.element(css).await.send_keys(text).await);
    }

    /// The value of a JavaScript expression in the page, awaited if it is a promise.
    pub async fn evaluate<T: DeserializeOwned>(&self, expression: &str) -> T {
        let value = self.execute(format!("return {expression}"), Vec::new());
        let value = expect(expression, wait::within(wait::ANSWER, expression, value).await);
        expect(expression, value.convert())
    }
}

/// What only Chromium is asked, by its own protocol.
impl Browser {
    /// Whether scripts of pages run from now on. An expression of a test has its value either way, but nothing goes on
    /// later: no timer, no promise that waits for one.
    pub async fn run_scripts(&self, run: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).await;
    }

    /// Prefers `light` or `dark` from now on.
    pub async fn color_scheme(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Shows pages in a window of this size from now on.
    pub async fn size(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// What axe-core finds wrong with the accessibility of the page that is shown: each rule that is broken, and where.
    /// Scripts have to run, as they do unless a test has turned them off.
    pub async fn accessibility_violations(&self) -> Vec<String> {
        expect("axe-core is loaded", self.execute(axe_core(), Vec::new()).await);
        let describe = "rule => `${rule.id}: ${rule.help}: ${rule.nodes.map(node => node.html).join(' | ')}`";
        self.evaluate(&format!("axe.run(document).then(found => found.violations.map({describe}))")).await
    }

    async fn devtools(&self, command: &str, arguments: serde_json::Value) {
        let tools = self.cdp();
        expect(command, wait::within(wait::ANSWER, command, tools.send_raw(command, arguments)).await);
    }
}

/// The script of axe-core.
fn axe_core() -> String {
    let versions = fs::read_dir(tools::python_packages().join("lib")).into_iter().flatten().flatten();
    let mut scripts = versions.map(|version| version.path().join("site-packages/axe_playwright_python/axe.min.js"));
    let script = scripts.find(|script| script.is_file()).expect("axe-core is installed: run `cargo xtask setup`");
    fs::read_to_string(script).expect("the script can be read")
}

impl Deref for Browser {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        self.session.0.as_ref().expect("the session is there until it is dropped")
    }
}

#[derive(Debug)]
struct Session(Option<WebDriver>);

impl Drop for Session {
    fn drop(&mut self) {
        // A WebDriver that is dropped says goodbye over the network and blocks; here the processes are killed instead.
        _ = self.0.take().map(WebDriver::leak);
    }
}

#[derive(Debug)]
struct Folder(TempDir);

impl Folder {
    fn profile(&self) -> PathBuf {
        self.0.path().join("profile")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A browser is many processes: after the kill, the last of them may still write for a moment.
        for _ in 0..100 {
            if fs::remove_dir_all(self.0.path()).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn capabilities(profile: &Path, more: &[String]) -> thirtyfour::ChromeCapabilities {
    let program = tools::BROWSER.find().expect("chromium is installed: run `cargo xtask setup`");
    let mut capabilities = DesiredCapabilities::chrome();
    let profile = format!("--user-data-dir={}", profile.display());
    for flag in FLAGS.iter().copied().chain([profile.as_str()]).chain(more.iter().map(String::as_str)) {
        expect(flag, capabilities.add_arg(flag));
    }
    expect("the browser's path", capabilities.set_binary(program.to_str().expect("a path in UTF-8")));
    capabilities
}

/// What the driver says once it listens.
const LISTENS: &str = "started successfully on port ";

fn expect<T, E: Display>(what: &str, result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error}"))
}
