//! Instructions per request, as callgrind counts them: the same from run to run, on any machine, quiet or not.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
};

use crate::{
    Outcome,
    databases::Places,
    host::{self, Cores},
    server_process::{ServerProcess, log_in, request_of},
    variant::{Load, Variant},
};

/// Requests of each kind in every run, so that start-up and first uses cancel out.
const FEW: usize = 100;
/// Requests more, of one kind, in the run that is compared.
const MORE: usize = 1000;

/// Reads of one session and writes, one connection; a thousand sessions take no different path.
pub(crate) fn count(variants: &[Variant], cores: Cores, places: &Places) -> Outcome<BTreeMap<(Load, Variant), f64>> {
    let mut counts = BTreeMap::new();
    for &variant in variants {
        eprintln!("instructions of `{}`", variant.name());
        let base = total(variant, cores, places, None)?;
        for load in [Load::Read, Load::Write] {
            let more = total(variant, cores, places, Some(load))?;
            counts.insert((load, variant), (more as f64 - base as f64) / MORE as f64);
        }
    }
    Ok(counts)
}

/// This program within valgrind.
pub(crate) fn valgrind(cores: Cores) -> Outcome<Command> {
    let mut valgrind = host::child(cores.server(), "valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(std::env::current_exe()?).stderr(Stdio::piped());
    Ok(valgrind)
}

/// All instructions of a server that answers a few requests of each kind, and more of one.
fn total(variant: Variant, cores: Cores, places: &Places, more: Option<Load>) -> Outcome<u64> {
    let server = ServerProcess::start(valgrind(cores)?, variant, places)?;
    let mut client = server.connect()?;
    let cookie = log_in(&mut client, 0)?;
    for load in [Load::Read, Load::Write] {
        let request = request_of(load, cookie.as_deref());
        let requests = if more == Some(load) { FEW + MORE } else { FEW };
        for _ in 0..requests {
            client.send(&request)?;
        }
    }
    collected(server)
}

/// All instructions of a server that is told to end, which must run in [`valgrind`].
pub(crate) fn collected(server: ServerProcess) -> Outcome<u64> {
    let said = server.terminate()?;
    // ==1234== Collected : 123456789
    let collected = said.lines().rev().find_map(|line| line.split_once("Collected :"));
    let collected = collected.and_then(|(_, number)| number.trim().parse().ok());
    collected.ok_or_else(|| format!("valgrind counted nothing; it said\n{said}").into())
}
