//! How much memory a session takes: what a server has more of after so many logins, and after one read of each session.

use crate::{Outcome, databases::Places, host, server_process::ServerProcess, variant::Variant};

const VISITORS: [usize; 2] = [20_000, 200_000];

/// Logins before the first look, so that what a server takes once is not counted.
const WARM_UP: usize = 100;

pub(crate) fn measure() -> Outcome<()> {
    let variants = [Variant::Memory, Variant::TowerMemory];
    let cores = host::prepare(&variants, false, 1)?;
    println!(
        "\n{:<28}{:>12}{:>20}{:>20}",
        "resident bytes a session", "sessions", "after the logins", "after one read each"
    );
    for visitors in VISITORS {
        for variant in variants {
            let places = Places::prepare(&[variant], cores.load)?;
            let command = host::child(cores.server(), std::env::current_exe()?);
            let server = ServerProcess::start(command, variant, &places)?;
            server.log_in(WARM_UP)?;
            let before = server.resident()?;
            let sessions = server.log_in(visitors)?;
            let logged_in = server.resident()?;
            let mut client = server.connect()?;
            for request in sessions.reads() {
                client.send(&request)?;
            }
            let read = server.resident()?;
            let each = |after: u64| after.saturating_sub(before) / visitors as u64;
            println!("{:<28}{visitors:>12}{:>20}{:>20}", variant.label(), each(logged_in), each(read));
        }
    }
    Ok(())
}
