//! The table.

use std::collections::BTreeSet;

use crate::{
    args::Options,
    stats::Results,
    variant::{Load, Variant},
};

/// What a server asks once in a while for its own sake is counted, but not named.
const WORTH_A_NAME: f64 = 0.01;

pub(crate) fn print(options: &Options, results: &Results) {
    println!(
        "\n32 connections, threads of a server: {}, each on a core of its own; medians of {} rounds of {} s",
        options.threads,
        options.rounds,
        options.window.as_secs_f64()
    );
    println!("{}", machine(results));
    for baseline in [Variant::Bare, Variant::Raw] {
        let group: Vec<Variant> =
            options.variants.iter().copied().filter(|variant| variant.baseline() == baseline).collect();
        if !group.is_empty() {
            print_group(baseline, &group, results);
        }
    }
    if options.variants.contains(&Variant::Bare) {
        print_backends(options, results);
    }
}

/// What else ran meanwhile, as far as the system knows it.
fn machine(results: &Results) -> String {
    let (Some(before), Some(busiest)) = (results.loads.first(), results.loads.iter().copied().reduce(f64::max)) else {
        return "the load average of the machine is not known".to_owned();
    };
    format!(
        "load average of the machine: {before:.1} before, at most {busiest:.1} later, of which some 3 are this program's"
    )
}

/// The toolkit's backends beside each other.
fn print_backends(options: &Options, results: &Results) {
    println!(
        "\n{:<42}{:>24}{:>24}{:>24}{:>24}",
        "backends, of bare", "read", "read, 1,000", "exclusive write", "to one session"
    );
    for variant in Variant::BACKENDS.into_iter().filter(|variant| options.variants.contains(variant)) {
        print!("  {:<40}", variant.label());
        for load in Load::ALL {
            let ratios = results.ratios(load, variant, Variant::Bare);
            let (lowest, highest) = (ratios[0], ratios[ratios.len() - 1]);
            print!("{:>10.2} ({lowest:.2}-{highest:.2})  ", crate::stats::median(ratios));
        }
        println!();
    }
}

fn print_group(baseline: Variant, group: &[Variant], results: &Results) {
    let of = if baseline == Variant::Bare { "of bare" } else { "of raw" };
    for load in Load::ALL {
        println!(
            "\n{:<42}{:>9}{:>9}{:>14}{:>6}{:>9}{:>9}{:>7}{:>14}  Redis commands",
            load.title(),
            "req/s",
            of,
            "(range)",
            "aim",
            "cpu µs",
            of,
            "busy",
            "instructions"
        );
        for &variant in group {
            print_line(load, variant, results);
        }
    }
}

fn print_line(load: Load, variant: Variant, results: &Results) {
    let ratios = results.ratios(load, variant, variant.baseline());
    let ratio = crate::stats::median(ratios.clone());
    let range = match ratios[..] {
        [lowest, .., highest] if variant != variant.baseline() => format!("({lowest:.2}-{highest:.2})"),
        _ => String::new(),
    };
    let aim = match variant.aim(load) {
        Some(aim) if ratio < aim => format!("<{aim:.2}"),
        Some(aim) => format!("{aim:.2}"),
        None => String::new(),
    };
    let by_cpu = crate::stats::median(results.by_cpu(load, variant, variant.baseline()));
    let instructions = match results.instructions.get(&(load, variant)) {
        Some(count) => format!("{:.1}k", count / 1000.0),
        None => "-".to_owned(),
    };
    let line = format!(
        "  {:<40}{:>9.0}{ratio:>9.2}{range:>14}{aim:>6}{:>9.1}{by_cpu:>9.2}{:>6.0}%{instructions:>14}  {}",
        variant.label(),
        results.median(load, variant, |sample| sample.rate),
        results.median(load, variant, |sample| sample.cpu),
        results.median(load, variant, |sample| sample.busy) * 100.0,
        commands(load, variant, results)
    );
    println!("{}", line.trim_end());
}

/// `1.00`, or `1.00 +2.00 in scripts`, and which commands they are; where there is an aim, also the highest round, since a
/// median of few hides many.
fn commands(load: Load, variant: Variant, results: &Results) -> String {
    let names = names(load, variant, results);
    let Some(commands) = results.commands.get(&(load, variant)) else { return names + &kept(load, variant, results) };
    let in_scripts = match commands.in_scripts {
        0.0 => String::new(),
        count => format!(" +{count:.2} in scripts"),
    };
    let samples = &results.samples[&(load, variant)];
    let names = if names.is_empty() { names } else { format!(" ({names})") };
    let sent = commands.sent;
    let aim = variant.most_commands(load).map(|most| {
        let highest = samples.iter().map(|sample| sample.commands.values().sum::<f64>()).fold(0.0, f64::max);
        // Requests under way at either end of the window move it a little.
        let missed = if sent > most * 1.05 { " (missed)" } else { "" };
        format!(", highest round {highest:.2}, aim at most {most:.2}{missed}")
    });
    format!("{sent:.2}{in_scripts}{names}{}", aim.unwrap_or_default())
}

/// Each command and how often it is run per request, in scripts or not.
fn names(load: Load, variant: Variant, results: &Results) -> String {
    let samples = &results.samples[&(load, variant)];
    let names: BTreeSet<&String> = samples.iter().flat_map(|sample| sample.commands.keys()).collect();
    let named = names.into_iter().filter_map(|name| {
        let count = results.median(load, variant, |sample| sample.commands.get(name).copied().unwrap_or(0.0));
        (count >= WORTH_A_NAME).then(|| format!("{name} {count:.2}"))
    });
    named.collect::<Vec<_>>().join(", ")
}

/// How many of the writes of one session were not lost.
fn kept(load: Load, variant: Variant, results: &Results) -> String {
    let samples = &results.samples[&(load, variant)];
    let kept: Vec<f64> = samples.iter().filter_map(|sample| sample.kept).collect();
    if kept.is_empty() {
        return String::new();
    }
    format!(" (writes kept: {:.0}%)", crate::stats::median(kept) * 100.0)
}
