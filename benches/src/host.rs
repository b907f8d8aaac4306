//! The machine: which core does what, and what a process has used of it.

use std::{
    fmt::Display,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{Outcome, variant::Variant};

/// Which cores do what: one for each of the server's threads, and another for what puts it under load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    /// The first and the last of the server's.
    server: (usize, usize),
    pub(crate) load: usize,
}

impl Cores {
    /// The server's, as `taskset` takes them.
    pub(crate) fn server(self) -> String {
        format!("{}-{}", self.server.0, self.server.1)
    }
}

/// Checks that the tools are there, and moves this process to its core; the server has so many threads.
pub(crate) fn prepare(variants: &[Variant], instructions: bool, threads: usize) -> Outcome<Cores> {
    require("taskset", "util-linux")?;
    require("setpriv", "util-linux")?;
    if variants.iter().copied().any(Variant::uses_redis) {
        require("redis-server", "redis-server")?;
    }
    if instructions {
        require("valgrind", "valgrind")?;
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: built without optimisation; the figures mean nothing (use `cargo xtask bench`)");
    }
    warn_of_other_work();
    let cores = cores(threads)?;
    let pinned = Command::new("taskset")
        .args(["-cp", &cores.load.to_string(), &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status()?;
    if pinned.success() { Ok(cores) } else { Err(format!("could not move to core {}", cores.load).into()) }
}

/// A command that runs on these cores and is killed when this process goes away, however it goes.
pub(crate) fn child(cores: impl Display, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "-c", &cores.to_string()]).arg(program.as_ref());
    command
}

/// The processor time that all threads of a process have used.
pub(crate) fn cpu_time(pid: u32) -> Outcome<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let schedule = fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += schedule.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The memory of a process that is in the machine's, in bytes.
pub(crate) fn resident(pid: u32) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the process has no memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn require(program: &str, package: &str) -> Outcome<()> {
    match Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{program}` is not installed; on Debian: apt-get install {package}").into()),
    }
}

/// The first and the last cores that this process may use: interrupts tend to go to the first.
fn cores(threads: usize) -> Outcome<Cores> {
    let status = fs::read_to_string("/proc/self/status")?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    let numbers: Vec<usize> = list.trim().split([',', '-']).filter_map(|number| number.parse().ok()).collect();
    match numbers[..] {
        [load, .., last] if threads < numbers.len() => {
            Ok(Cores { server: (numbers[numbers.len() - threads], last), load })
        }
        _ => Err(format!(
            "{} cores are needed, and there are {}: one for each thread of the server, and one for the load",
            threads + 1,
            numbers.len()
        )
        .into()),
    }
}

/// How many threads ran or wanted to, on average over the last minute.
pub(crate) fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

fn warn_of_other_work() {
    if let Some(load) = load_average().filter(|load| *load > 0.5) {
        eprintln!("warning: other work is running (load average {load}); figures from a busy machine don't hold");
    }
}
