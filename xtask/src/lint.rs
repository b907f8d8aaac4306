//! What must hold of the code before it runs.

use std::fs;

use crate::{
    features::features,
    run::{Outcome, cargo, root, run},
};

const RUNTIME: &str = "session-runtime";

/// Formatting, clippy, rustdoc, and each cargo feature of the runtime alone. Warnings are errors.
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
    Ok(())
}
