//! What must hold of the code before it runs.

use std::{env, fs, path::PathBuf};

use crate::{
    features::features,
    msrv::msrv,
    run::{Outcome, cargo, root, run},
};

const RUNTIME: &str = "session-runtime";
/// The version of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

/// Formatting, clippy, rustdoc, each cargo feature of the runtime alone, and what is published. Warnings are errors.
pub(crate) fn lint() -> Outcome {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    let everything = ["clippy", "--workspace", "--features", "examples/all", "--all-targets", "--locked"];
    run(cargo(&everything).args(["--", "-D", "warnings"]))?;
    run(cargo(&["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))?;

    let manifest = root().join(RUNTIME).join("Cargo.toml");
    let manifest = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    for feature in [""].into_iter().chain(features(&manifest)) {
        let selection = ["clippy", "--package", RUNTIME, "--no-default-features", "--features", feature];
        run(cargo(&selection).args(["--locked", "--", "-D", "warnings"]))?;
    }
    msrv()?;
    package()?;
    deny()
}

/// The crates as they would be published: built from their packages, each with both licences.
fn package() -> Outcome {
    forget_packages()?;
    run(&mut cargo(&["publish", "--workspace", "--dry-run", "--allow-dirty", "--locked"]))?;
    for published in ["session-rules", "session-derive", RUNTIME] {
        let mut list = cargo(&["package", "--list", "--allow-dirty", "--locked", "--package", published]);
        let list = list.output().map_err(|error| format!("cargo package can't be run: {error}"))?;
        let files = String::from_utf8_lossy(&list.stdout);
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            if !files.lines().any(|file| file == licence) {
                return Err(format!(
                    "the package of {published} has no {licence}; link it from the workspace's folder"
                ));
            }
        }
    }
    Ok(())
}

/// Licences, versions that are built twice, and where crates come from. Advisories need a database from the network,
/// so they are left to `cargo deny check advisories`.
fn deny() -> Outcome {
    let there = cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if !there {
        run(&mut cargo(&["install", "cargo-deny", "--locked", "--version", CARGO_DENY]))?;
    }
    run(&mut cargo(&["deny", "--locked", "check", "licenses", "bans", "sources"]))
}

/// Removes what an earlier dry run left in cargo's home: cargo unpacks a version once and takes it for unchangeable, so a
/// crate would be built against our crates as they were then.
fn forget_packages() -> Outcome {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let Some(home) = home else { return Ok(()) };
    for kind in ["src", "cache"] {
        for registry in fs::read_dir(home.join("registry").join(kind)).into_iter().flatten().flatten() {
            for package in fs::read_dir(registry.path()).into_iter().flatten().flatten() {
                let name = package.file_name().to_string_lossy().into_owned();
                let is_ours = ["session-rules-", "session-derive-", "session-runtime-"];
                if !is_ours.iter().any(|ours| name.starts_with(ours)) {
                    continue;
                }
                let path = package.path();
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(|error| format!("{} can't be removed: {error}", path.display()))?;
            }
        }
    }
    Ok(())
}
