//! The command line.

use std::time::Duration;

use crate::{Outcome, variant::Variant};

pub(crate) const HELP: &str = "\
cargo xtask bench [OPTIONS]

  --rounds N        rounds, of which the medians are shown (5)
  --seconds S       seconds that each server is measured for, per column and round (2)
  --only A,B        only these servers, and what they are compared with:
                    bare, bare-cookie, memory, redis-near, tower-memory, axum-session, cookie, private-jar, file,
                    file-durable, sqlite, postgres, mysql, raw, redis, tower-redis, tower-redis-sliding
  --threads N       threads of each server, each with a core of its own beside the one of the load (1)
  --instructions    also count the instructions per request, under valgrind
  --memory          how much memory a session takes, and nothing else
  --cold            how long the first read of a session takes, and nothing else
  --compile         how long the macros take to compile, and nothing else
";

/// How many rounds make a median worth printing.
const FEWEST_ROUNDS: usize = 3;

/// What the process was started to do.
pub(crate) enum Command {
    Measure(Options),
    /// How long the macros take to compile, in so many rounds.
    Compile(usize),
    /// How much memory a session takes.
    Memory,
    /// How long the first read of a session takes, in so many rounds.
    Cold(usize),
    /// Internal: the process under load.
    Serve(Variant),
    Help,
}

/// How to measure.
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) window: Duration,
    pub(crate) variants: Vec<Variant>,
    /// How many each server has.
    pub(crate) threads: usize,
    pub(crate) instructions: bool,
}

pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Outcome<Command> {
    let mut options = Options {
        rounds: 5,
        window: Duration::from_secs(2),
        variants: Variant::ALL.to_vec(),
        threads: 1,
        instructions: false,
    };
    let (mut compile, mut memory, mut cold) = (false, false, false);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value; see --help"));
        match arg.as_str() {
            "serve" => return Ok(Command::Serve(value()?.parse()?)),
            "--rounds" => options.rounds = rounds(&value()?)?,
            "--seconds" => options.window = seconds(&value()?)?,
            "--only" => options.variants = only(&value()?)?,
            "--threads" => options.threads = threads(&value()?)?,
            "--instructions" => options.instructions = true,
            "--compile" => compile = true,
            "--memory" => memory = true,
            "--cold" => cold = true,
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(format!("unknown argument `{arg}`; see --help").into()),
        }
    }
    Ok(match () {
        () if compile => Command::Compile(options.rounds),
        () if memory => Command::Memory,
        () if cold => Command::Cold(options.rounds),
        () => Command::Measure(options),
    })
}

fn rounds(text: &str) -> Outcome<usize> {
    match text.parse() {
        Ok(rounds) if rounds >= FEWEST_ROUNDS => Ok(rounds),
        _ => Err(format!("--rounds takes a number of at least {FEWEST_ROUNDS}, not `{text}`").into()),
    }
}

fn threads(text: &str) -> Outcome<usize> {
    match text.parse() {
        Ok(threads) if threads >= 1 => Ok(threads),
        _ => Err(format!("--threads takes a number of at least 1, not `{text}`").into()),
    }
}

fn seconds(text: &str) -> Outcome<Duration> {
    match text.parse() {
        Ok(seconds @ 0.1..=600.0) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!("--seconds takes a number from 0.1 to 600, not `{text}`").into()),
    }
}

/// The named variants in their usual order, each with the one that it is compared with.
fn only(text: &str) -> Outcome<Vec<Variant>> {
    let named = text.split(',').map(|name| name.trim().parse()).collect::<Result<Vec<Variant>, _>>()?;
    let wanted = |variant: &Variant| named.iter().any(|one| one == variant || one.baseline() == *variant);
    Ok(Variant::ALL.into_iter().filter(wanted).collect())
}
