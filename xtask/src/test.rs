//! Tests, UI tests and benchmarks.

use std::env;

use crate::{
    python,
    run::{Outcome, become_command, cargo, run},
    setup::install,
    tools,
};

// The benchmarks have no tests, and what they compare with is long to build. The examples are built only with the
// features that they need.
const PACKAGES: [&str; 6] = ["--workspace", "--exclude", "session-benches", "--locked", "--features", "examples/all"];

/// Sets up, builds everything once, and becomes `cargo test`, whose lines are the last.
pub(crate) fn test(arguments: &[String]) -> Outcome {
    install(tools::ALL)?;
    python::install()?;
    // With the tests' own selection of cargo features, so that `cargo test` finds all of it fresh; the examples'
    // programs are built here because `cargo test` only builds those of packages with integration tests.
    run(cargo(&["build", "--bins", "--tests"]).args(PACKAGES))?;
    let this = env::current_exe().map_err(|error| format!("where xtask is built is unknown: {error}"))?;
    let programs = this.parent().expect("a program is in a folder");
    become_command(cargo(&["test", "--no-fail-fast"]).args(PACKAGES).args(arguments).env("SESSION_EXAMPLES", programs))
}

/// Writes everything anew that is compared with a file: the snapshots of expansions, the .stderr files of the UI tests,
/// and the page of compile errors made from them.
pub(crate) fn bless(filter: &[String]) -> Outcome {
    run(cargo(&["test", "--locked", "--package", "session-derive", "--all-features", "--lib"]).env("BLESS", "1"))?;
    let mut command = cargo(&["test", "--test", "ui"]);
    become_command(command.args(PACKAGES).arg("--").args(filter).env("TRYBUILD", "overwrite"))
}

/// Runs the benchmarks.
pub(crate) fn bench(arguments: &[String]) -> Outcome {
    install(&[tools::REDIS, tools::POSTGRES, tools::MARIADB])?;
    become_command(
        cargo(&["run", "--profile", "bench", "--locked", "--package", "session-benches", "--"]).args(arguments),
    )
}
