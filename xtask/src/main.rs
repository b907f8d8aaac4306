//! The project's commands, one place for people and for CI: `cargo xtask`.

mod features;
mod lint;
mod msrv;
mod python;
mod run;
mod setup;
mod test;
#[path = "../../tests/src/tools.rs"]
#[allow(unreachable_pub, reason = "the tests' library has it as a public module")]
mod tools;

use std::{env, process::ExitCode};

const USAGE: &str = "\
cargo xtask setup                 install what the tests start and this machine lacks
cargo xtask test [ARGUMENTS]      set up, build once, run every test; ARGUMENTS go to `cargo test`
cargo xtask lint                  formatting, clippy, rustdoc, each cargo feature alone, packaging, licences, msrv
cargo xtask msrv                  check the oldest Rust that the published crates need
cargo xtask bless [FILTER]        write snapshots, the .stderr files of the UI tests and the page of compile errors anew; `mistakes trybuild=<part>` for some
cargo xtask bench [ARGUMENTS]     run the benchmarks in release mode";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<_> = arguments.collect();
    let outcome = match (command.as_str(), rest.is_empty()) {
        ("setup", true) => setup::install(tools::ALL).and_then(|()| python::install()),
        ("test", _) => test::test(&rest),
        ("lint", true) => lint::lint(),
        ("msrv", true) => msrv::msrv(),
        ("bless", _) => test::bless(&rest),
        ("bench", _) => test::bench(&rest),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
