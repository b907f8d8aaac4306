//! The measurement: in each round every server is started afresh, then each load is put on one after the other.

use std::collections::BTreeMap;

use crate::{
    Outcome,
    args::Options,
    databases::Places,
    host::{self, Cores},
    instructions,
    redis_server::RedisServer,
    server::THREADS,
    server_process::{SESSIONS, ServerProcess, Sessions, check_writes, kept_writes, log_in, observe, request_of},
    stats::{Commands, Results, Sample},
    variant::{Load, Variant},
};

/// How many requests tell the commands of a script from those of its caller.
const WATCHED: u64 = 200;

pub(crate) fn run(options: &Options, cores: Cores) -> Outcome<Results> {
    let with_redis = options.variants.iter().copied().any(Variant::uses_redis);
    let mut redis = with_redis.then(|| RedisServer::start(cores.load)).transpose()?;
    let mut places = Places::prepare(&options.variants, cores.load)?;
    if let Some(redis) = &redis {
        places.set("REDIS_URL", redis.url());
    }
    let mut results = Results { loads: Vec::from_iter(host::load_average()), ..Results::default() };
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        run_round(options, cores, round, &places, redis.as_mut(), &mut results)?;
        results.loads.extend(host::load_average());
        if let Some(redis) = &mut redis {
            redis.clear()?;
        }
    }
    if let Some(redis) = &mut redis {
        count_commands(options, cores, &places, redis, &mut results)?;
    }
    if options.instructions {
        results.instructions = instructions::count(&options.variants, cores, &places)?;
    }
    Ok(results)
}

fn run_round(
    options: &Options,
    cores: Cores,
    round: usize,
    places: &Places,
    mut redis: Option<&mut RedisServer>,
    results: &mut Results,
) -> Outcome<()> {
    let mut servers = Vec::new();
    for &variant in &options.variants {
        let server = start(options, variant, cores, places)?;
        let sessions = server.log_in(SESSIONS)?;
        servers.push((variant, server, sessions));
    }
    // No server is always the first of a round, when the machine may be warmer or cooler than later.
    let count = servers.len();
    servers.rotate_left(round % count);
    for load in Load::ALL {
        for (variant, server, sessions) in &servers {
            let sample = measure(options, *variant, server, sessions, load, redis.as_deref_mut())
                .map_err(|error| format!("{}, {}: {error}", variant.name(), load.title()))?;
            results.samples.entry((load, *variant)).or_default().push(sample);
        }
    }
    Ok(())
}

fn start(options: &Options, variant: Variant, cores: Cores, places: &Places) -> Outcome<ServerProcess> {
    let mut command = host::child(cores.server(), std::env::current_exe()?);
    command.env(THREADS, options.threads.to_string());
    ServerProcess::start(command, variant, places)
}

fn measure(
    options: &Options,
    variant: Variant,
    server: &ServerProcess,
    sessions: &Sessions,
    load: Load,
    redis: Option<&mut RedisServer>,
) -> Outcome<Sample> {
    let mut crowd = server.crowd(load, sessions)?;
    let (answered, cpu, commands) = match redis.filter(|_| variant.uses_redis()) {
        None => {
            let (answered, cpu) = observe(server, &mut crowd, options.window)?;
            (answered, cpu, BTreeMap::new())
        }
        Some(redis) => {
            let before = redis.calls()?;
            let (answered, cpu) = observe(server, &mut crowd, options.window)?;
            (answered, cpu, redis.calls()?.since(&before, answered.requests))
        }
    };
    let connections = crowd.finish()?;
    if load == Load::Write && variant.counted(0).is_some() {
        check_writes(variant, &connections)?;
    }
    let hot = load == Load::WriteOne && variant.counted(0).is_some();
    let kept = hot.then(|| kept_writes(variant, &connections)).transpose()?;
    let seconds = answered.elapsed.as_secs_f64();
    let requests = answered.requests as f64;
    let cpu = cpu.as_secs_f64();
    Ok(Sample { rate: requests / seconds, cpu: cpu * 1e6 / requests, busy: cpu / seconds, commands, kept })
}

/// The commands per request: as many as under load, less those that scripts ran.
fn count_commands(
    options: &Options,
    cores: Cores,
    places: &Places,
    redis: &mut RedisServer,
    results: &mut Results,
) -> Outcome<()> {
    for &variant in options.variants.iter().filter(|variant| variant.uses_redis()) {
        let server = start(options, variant, cores, places)?;
        let mut client = server.connect()?;
        // Of one session, what is sent depends on how many wait for it; one client alone tells nothing.
        for load in [Load::Read, Load::ReadMany, Load::Write] {
            let cookie = log_in(&mut client, 0)?;
            let request = request_of(load, cookie.as_deref());
            client.send(&request)?;
            let watch = redis.watch()?;
            for _ in 0..WATCHED {
                client.send(&request)?;
            }
            let watched = watch.count(WATCHED)?;
            let under_load = results.median(load, variant, |sample| sample.commands.values().sum());
            let commands = Commands { sent: under_load - watched.in_scripts, in_scripts: watched.in_scripts };
            results.commands.insert((load, variant), commands);
        }
    }
    Ok(())
}
