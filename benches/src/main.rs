//! Requests per second over loopback: the toolkit's sessions beside the same handlers with no session, beside raw
//! Redis, and beside tower-sessions. The README next to this crate says how it is measured.

mod args;
mod client;
mod cold;
mod compile;
mod databases;
mod host;
mod instructions;
mod load;
mod memory;
mod redis_server;
mod report;
mod rounds;
mod server;
mod server_process;
mod stats;
#[path = "../../tests/src/tools.rs"]
#[allow(unreachable_pub, dead_code, reason = "the tests' library has it as a public module")]
mod tools;
mod variant;

use std::process::ExitCode;

use args::Command;

/// What any step can fail with: a sentence for the person at the terminal.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let done = match args::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => {
            print!("{}", args::HELP);
            Ok(())
        }
        Ok(Command::Compile(rounds)) => compile::measure(rounds),
        Ok(Command::Memory) => memory::measure(),
        Ok(Command::Cold(rounds)) => cold::measure(rounds),
        Ok(Command::Serve(variant)) => server::serve(variant),
        Ok(Command::Measure(options)) => measure(&options),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("session-benches: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &args::Options) -> Outcome<()> {
    let cores = host::prepare(&options.variants, options.instructions, options.threads)?;
    let results = rounds::run(options, cores)?;
    report::print(options, &results);
    Ok(())
}
