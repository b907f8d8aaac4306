//! The example `device_bound`, as somebody tries it who has read its first lines.

use session_tests::{App, Browser, tools, wait};
use tokio::process::Command;

#[tokio::test]
async fn the_example_binds_its_session_and_turns_the_stolen_cookie_away() {
    let app = App::example("device_bound").start().await;
    let url = format!("https://localhost:{}", app.address().port());
    // It prints the whole command of a browser.
    let printed = async || app.log().contains("chromium --user-data-dir=/tmp/device-bound");
    wait::until(wait::START, "the command is printed", printed).await;
    let log = app.log();
    let command = log.lines().find(|line| line.starts_with("chromium ")).expect("the command");
    assert!(command.ends_with(&url), "{command}");
    let wanted = ["--enable-features=", "--ignore-certificate-errors-spki-list="];
    let flags: Vec<String> = command
        .split_whitespace()
        .filter(|word| wanted.iter().any(|flag| word.starts_with(flag)))
        .map(str::to_owned)
        .collect();
    assert_eq!(flags.len(), 2);
    let browser = Browser::start_with(&flags).await;
    browser.open(&url).await;
    browser.fill("input[name=name]", "Ann").await;
    browser.click("button").await;
    assert_eq!(browser.text("#who").await, "Ann");
    let bound = async || {
        browser.open(&url).await;
        browser.text("#device").await == "bound to this device"
    };
    wait::until(wait::ANSWER, "the session is bound", bound).await;

    browser.click("a").await;
    let line = browser.text("#curl").await;
    let cookie = line.split('\'').nth(1).expect("a cookie in quotes").to_owned();
    assert!(cookie.starts_with("__Host-user=") && line.ends_with(&format!("{url}/steal")), "{line}");
    let turned_away = async || {
        let curl = tools::CURL.find().expect("curl is installed: run `cargo xtask setup`");
        let mut command = Command::new(curl);
        command.args([
            "-q",
            "-s",
            "-k",
            "--noproxy",
            "*",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "--cookie",
            &cookie,
        ]);
        let output = command.arg(format!("{url}/steal")).output().await.expect("curl runs");
        String::from_utf8_lossy(&output.stdout) == "303"
    };
    // After the 30 seconds of grace.
    wait::until(2 * wait::START, "the stolen cookie is turned away", turned_away).await;
    browser.open(&url).await;
    assert_eq!(browser.text("#who").await, "Ann", "and the browser goes on");
    wait::until(wait::ANSWER, "the log says why", async || app.log().contains("session.device_unproven")).await;
}
