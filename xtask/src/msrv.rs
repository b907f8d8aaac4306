//! The oldest Rust that the published crates need.
//!
//! Three things hold a package to its `rust-version`: clippy's `incompatible_msrv`, which every lint run includes, for
//! the standard library; this module, for what the dependencies ask for; and the toolchain itself, where rustup has it.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::run::{Outcome, cargo, run};

/// The features that do without SQL, whose driver asks for a newer Rust: the guide's table of features says so.
const FEATURES: &str = "encrypt,file,garde,metrics,redis,testing";
const RUNTIME: &str = "session-runtime";

/// Checks the runtime without SQL against the version that its manifest states.
pub(crate) fn msrv() -> Outcome {
    let metadata = output(&mut cargo(&["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let version_of = |package: &Value| package["rust_version"].as_str().map(str::to_owned);
    let stated = packages.iter().find(|package| package["name"] == RUNTIME).and_then(version_of);
    let stated = stated.ok_or("session-runtime states no rust-version")?;

    let tree = ["tree", "-p", RUNTIME, "-e", "normal,build", "--prefix", "none", "-f", "{p}", "--locked", "--features"];
    let used = output(cargo(&tree).arg(FEATURES))?;
    let mut newer = Vec::new();
    for line in used.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        let is_it = |package: &&Value| package["name"] == name && package["version"] == version.trim_start_matches('v');
        if let Some(asked) = packages.iter().find(is_it).and_then(version_of)
            && parts(&asked) > parts(&stated)
        {
            newer.push(format!("{name} {version} asks for Rust {asked}"));
        }
    }
    newer.sort();
    newer.dedup();
    if !newer.is_empty() {
        return Err(format!("session-runtime states Rust {stated}, but {}", newer.join(", ")));
    }

    let toolchain = format!("+{stated}");
    let is_there = Command::new("cargo").arg(&toolchain).arg("--version").stdin(Stdio::null()).output();
    if is_there.is_ok_and(|output| output.status.success()) {
        let check = [&toolchain, "check", "--locked", "-p", RUNTIME, "--target-dir", "target/msrv", "--features"];
        return run(Command::new("cargo").args(check).arg(FEATURES).env_remove("RUSTUP_TOOLCHAIN"));
    }
    eprintln!("Rust {stated} is not installed, so only declared versions and clippy's lint were checked.");
    Ok(())
}

/// The numbers of a version, so that 1.100 is newer than 1.88.
fn parts(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).chain([0, 0]).take(3).collect()
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("cargo can't be run: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| format!("cargo's output is not text: {error}"))
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(parts("1.100") > parts("1.88"));
        assert!(parts("1.88.0") == parts("1.88"));
        assert!(parts("1.88.1") > parts("1.88"));
    }
}
