//! `session-admin`: what operators do to sessions without the application. `session-admin --help` says how.
//!
//! It reads records as `session_runtime::inspect` tells them: names, times, labels and the shape of data, never a value of it,
//! since only the application's type knows which fields are secret.

mod cli;
mod failure;
mod keys;
mod output;
mod sessions;
mod store;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::failure::{Exit, Failure};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Cli { json, command } = Cli::parse();
    let outcome = match &command {
        Command::List(args) => sessions::list(args, json).await,
        Command::Show(args) => sessions::show(args, json).await,
        Command::End(args) => sessions::end(args, json).await,
        Command::Check(args) => sessions::check(args, json).await,
        Command::Decode(args) => keys::decode(args, json).await,
        Command::Keygen(args) => keys::keygen(args, json),
        Command::Rotate(args) => keys::rotate(args, json),
    };
    let exit: Exit = outcome.unwrap_or_else(|Failure { exit, why }| {
        output::error(&why);
        exit
    });
    exit.into()
}
