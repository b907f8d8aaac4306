//! The table.

use std::collections::BTreeMap;

use crate::{
    args::Options,
    stats::Results,
    variant::{Load, Variant},
};

/// What a server does once in a while for its own sake is counted, but not named.
const WORTH_A_NAME: f64 = 0.01;

pub(crate) fn print(options: &Options, results: &Results) {
    println!(
        "\n32 connections, one server thread on a core of its own; medians of {} rounds of {} s",
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
    println!("\n{:<42}{:>24}{:>24}{:>24}", "backends, of bare", "read", "read, 1,000", "exclusive write");
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

/// `1.00`, or `1.00 (+2.00 in scripts)`, and which commands they are.
fn commands(load: Load, variant: Variant, results: &Results) -> String {
    let Some(commands) = results.commands.get(&(load, variant)) else { return String::new() };
    let in_scripts = match commands.in_scripts {
        0.0 => String::new(),
        count => format!(" +{count:.2} in scripts"),
    };
    let mut names = BTreeMap::new();
    for sample in &results.samples[&(load, variant)] {
        let named = sample.commands.iter().filter(|(_, count)| **count >= WORTH_A_NAME);
        names.extend(named.map(|(name, count)| (name.as_str(), *count)));
    }
    let names: Vec<String> = names.into_iter().map(|(name, count)| format!("{name} {count:.2}")).collect();
    let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let sent = commands.sent;
    let aim = match variant.most_commands(load) {
        // Rounded as it is printed: once in a while a server asks for its own sake.
        Some(most) if (sent * 100.0).round() > most * 100.0 => format!(", at most {most:.2} aimed at and MISSED"),
        Some(most) => format!(", at most {most:.2} aimed at"),
        None => String::new(),
    };
    format!("{sent:.2}{in_scripts}{names}{aim}")
}
