//! Another language's view of what the applications send.

use std::process::Stdio;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{tools::Tool, wait};

/// Runs a Python script by one of [`tools`](crate::tools)' interpreters: `given` is JSON on its standard input, and what
/// it prints is read as JSON.
///
/// # Panics
///
/// When there is no such Python, the script fails, or it prints something else; the message has what it printed.
pub async fn python<T: DeserializeOwned>(interpreter: &Tool, script: &str, given: &Value) -> T {
    let program = interpreter.find().expect("this Python is installed: run `cargo xtask setup`");
    let mut command = Command::new(program);
    // In isolation from the modules and variables of whoever runs the tests.
    command.args(["-I", "-c", script]).kill_on_drop(true);
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut running = started.expect("Python can be started");
    let mut input = running.stdin.take().expect("its input is a pipe");
    let given = given.to_string();
    let output = async move {
        // A script that doesn't read its input to the end says itself what is wrong.
        _ = input.write_all(given.as_bytes()).await;
        drop(input);
        running.wait_with_output().await
    };
    let output = wait::within(wait::START, "Python ends", output).await.expect("its output can be read");
    let (printed, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the script failed:\n{printed}\n{complaints}");
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("not the JSON expected ({error}): {printed}"))
}
