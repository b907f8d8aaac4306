//! Installing what the tests start.

use std::{
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    run::{Outcome, run},
    tools::Tool,
};

/// How long apt-get waits for a lock that another package manager holds, in seconds: a machine that has just started
/// often updates itself first.
const LOCK: &str = "DPkg::Lock::Timeout=600";

/// `apt-get update` has no such option for the lock of the package lists: it is asked again, for as long.
const PAUSE: Duration = Duration::from_secs(5);
const LIST_ATTEMPTS: u32 = 120;

/// Installs those of `tools` that are missing, with Debian's packages.
pub(crate) fn install(tools: &[Tool]) -> Outcome {
    let packages: Vec<_> = missing(tools).map(|tool| tool.package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let by_hand = || by_hand(tools);
    let apt_get = apt_get().ok_or_else(by_hand)?;
    let run = |arguments: &[&str]| {
        let mut command = Command::new(apt_get[0]);
        command.args(&apt_get[1..]).args(["-o", LOCK]).args(arguments).stdin(Stdio::null());
        run(&mut command).map_err(|error| format!("{error}\n{}", by_hand()))
    };
    update(apt_get).map_err(|error| format!("{error}\n{}", by_hand()))?;
    run(&[&["install", "-y", "--no-install-recommends"], packages.as_slice()].concat())?;
    // A package of that name may be a stand-in that brings no program, as Ubuntu's `chromium` is.
    if missing(tools).next().is_some() { Err(by_hand()) } else { Ok(()) }
}

/// Brings the package lists up to date.
fn update(apt_get: &[&str]) -> Outcome {
    let mut attempts = 1;
    loop {
        let mut command = Command::new(apt_get[0]);
        command.args(&apt_get[1..]).arg("update").env("LC_ALL", "C").stdin(Stdio::null());
        eprintln!("$ apt-get update");
        let output = command.output().map_err(|error| format!("apt-get can't be run: {error}"))?;
        let problem = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Ok(());
        }
        if attempts == LIST_ATTEMPTS || !problem.contains("Could not get lock") {
            return Err(format!("`apt-get update` failed: {}\n{problem}", output.status));
        }
        attempts += 1;
        thread::sleep(PAUSE);
    }
}

/// The words to start apt-get with, where there is one that may install without being asked for a password.
fn apt_get() -> Option<&'static [&'static str]> {
    const WORDS: &[&str] = &["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    if !succeeds(Command::new("apt-get").arg("--version")) {
        None
    } else if is_root() {
        Some(&WORDS[2..])
    } else {
        succeeds(Command::new("sudo").args(["-n", "true"])).then_some(WORDS)
    }
}

fn missing(tools: &[Tool]) -> impl Iterator<Item = &Tool> {
    tools.iter().filter(|tool| tool.find().is_none())
}

fn by_hand(tools: &[Tool]) -> String {
    let mut message =
        String::from("These programs are needed, and are not on PATH or don't do what is asked of them:\n");
    for tool in missing(tools) {
        let (programs, asked) = (tool.programs.join(", or "), tool.ask.join(" "));
        message += &format!("  {programs}, asked {asked} (Debian package {})\n", tool.package);
    }
    let packages: Vec<_> = missing(tools).map(|tool| tool.package).collect();
    message += &format!("On Debian: sudo apt-get update && sudo apt-get install -y {}\n", packages.join(" "));
    message += "Elsewhere install them in your system's way; Google Chrome with its own chromedriver does as well.";
    message
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn succeeds(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
