//! The first read of a session in a process: its token is not known yet.
//!
//! Two ways to get there. A hundred thousand sessions, more than any cache of tokens holds, are read in turn; and the sessions
//! of one process are read by another one that has the same keys and the same store, where the instructions are counted.

use crate::{
    Outcome,
    databases::Places,
    host::{self, Cores},
    instructions::{collected, valgrind},
    redis_server::RedisServer,
    server_process::{SESSIONS, ServerProcess, Sessions, observe},
    stats::median,
    variant::{Load, Variant},
};

const VISITORS: usize = 100_000;
const TIMED: [Variant; 6] =
    [Variant::Bare, Variant::Memory, Variant::TowerMemory, Variant::Raw, Variant::Redis, Variant::TowerRedis];

/// Those whose sessions another process can read.
const SHARED: [Variant; 3] = [Variant::Redis, Variant::Sqlite, Variant::TowerRedis];
/// First reads in every run, and so many more in the one that is compared.
const FEW: usize = 100;
const MORE: usize = 500;

/// Microseconds of the server's processor time per request, and requests per second.
#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    rate: f64,
}

pub(crate) fn measure(rounds: usize) -> Outcome<()> {
    let cores = host::prepare(&TIMED, true, 1)?;
    let mut redis = RedisServer::start(cores.load)?;
    let mut places = Places::prepare(&SHARED, cores.load)?;
    places.set("REDIS_URL", redis.url());
    println!("\n{:<36}{:>12}{:>12}", "instructions of a read", "the first", "the second");
    for variant in SHARED {
        let (first, second) = in_another_process(variant, cores, &mut places)?;
        println!("{:<36}{first:>12.0}{second:>12.0}", variant.label());
    }
    let mut costs: Vec<(Variant, Vec<(Cost, Cost)>)> = TIMED.map(|variant| (variant, Vec::new())).into();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for (variant, costs) in &mut costs {
            costs.push(cost(*variant, cores, &places)?);
            redis.clear()?;
        }
    }
    println!(
        "\n{:<36}{:>12}{:>12}{:>12}{:>12}{:>16}",
        "reads in turn", "100,000", "req/s", "1,000", "req/s", "cpu, of bare/raw"
    );
    println!("{:<36}{:>12}{:>24}", "", "cpu µs", "cpu µs");
    for (variant, costs_of) in &costs {
        let base = costs.iter().find(|(one, _)| *one == variant.baseline()).map(|(_, base)| base);
        let middle = |figure: fn(&(Cost, Cost)) -> f64| median(costs_of.iter().map(figure).collect());
        let ratios = costs_of.iter().zip(base.into_iter().flatten()).map(|(one, base)| base.0.cpu / one.0.cpu);
        println!(
            "{:<36}{:>12.1}{:>12.0}{:>12.1}{:>12.0}{:>16.2}",
            variant.label(),
            middle(|(cold, _)| cold.cpu),
            middle(|(cold, _)| cold.rate),
            middle(|(_, warm)| warm.cpu),
            middle(|(_, warm)| warm.rate),
            median(ratios.collect()),
        );
    }
    Ok(())
}

/// What a read costs of sessions whose tokens are not known any more, and of sessions whose are.
fn cost(variant: Variant, cores: Cores, places: &Places) -> Outcome<(Cost, Cost)> {
    let server = start(host::child(cores.server(), std::env::current_exe()?), variant, places)?;
    let sessions = server.log_in(VISITORS)?;
    let mut crowd = server.fresh_crowd(&sessions)?;
    let before = server.cpu_time()?;
    let answered = crowd.pass()?;
    let cold = per_request(answered.requests, server.cpu_time()? - before, answered.elapsed);
    let mut crowd = server.crowd(Load::ReadMany, &sessions.first(SESSIONS))?;
    let (answered, cpu) = observe(&server, &mut crowd, std::time::Duration::from_secs(2))?;
    Ok((cold, per_request(answered.requests, cpu, answered.elapsed)))
}

fn per_request(requests: u64, cpu: std::time::Duration, elapsed: std::time::Duration) -> Cost {
    Cost { cpu: cpu.as_secs_f64() * 1e6 / requests as f64, rate: requests as f64 / elapsed.as_secs_f64() }
}

/// Instructions of the first and of the second read of a session that another process has started.
fn in_another_process(variant: Variant, cores: Cores, places: &mut Places) -> Outcome<(f64, f64)> {
    places.set("SESSION_KEYS", fernet::Fernet::generate_key());
    let first = start(host::child(cores.server(), std::env::current_exe()?), variant, places)?;
    let sessions = first.log_in(FEW + MORE)?;
    let base = reads(variant, cores, places, &sessions.first(FEW), 1)?;
    let once = reads(variant, cores, places, &sessions, 1)?;
    let twice = reads(variant, cores, places, &sessions.first(FEW), 1 + MORE / FEW)?;
    let each = |more: u64| (more as f64 - base as f64) / MORE as f64;
    Ok((each(once), each(twice)))
}

/// All instructions of a server that reads each of these sessions so often.
fn reads(variant: Variant, cores: Cores, places: &Places, sessions: &Sessions, times: usize) -> Outcome<u64> {
    let server = start(valgrind(cores)?, variant, places)?;
    let mut client = server.connect()?;
    for _ in 0..times {
        for request in sessions.reads() {
            client.send(&request)?;
        }
    }
    collected(server)
}

fn start(command: std::process::Command, variant: Variant, places: &Places) -> Outcome<ServerProcess> {
    ServerProcess::start(command, variant, places)
}
