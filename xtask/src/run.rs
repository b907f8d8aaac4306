//! Running other programs.

use std::{
    env,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

/// What a command of ours comes to: a failure says what to do about it.
pub(crate) type Outcome = Result<(), String>;

/// The workspace's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// `cargo`, the one that runs us, in the workspace's folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(root()).stdin(Stdio::null());
    cargo
}

/// Runs `command` to its end, its output shown.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let shown = show(command);
    eprintln!("$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed: {status}")),
        Err(error) => Err(format!("`{shown}` can't be run: {error}")),
    }
}

/// Becomes `command`, so that the last lines and the exit code are its own.
pub(crate) fn become_command(command: &mut Command) -> Outcome {
    let shown = show(command);
    eprintln!("$ {shown}");
    Err(format!("`{shown}` can't be run: {}", command.exec()))
}

fn show(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = [program].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
