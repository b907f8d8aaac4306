//! The table.

use std::collections::BTreeMap;

use crate::{
    args::Options,
    stats::Results,
    variant::{Load, Variant},
};

pub(crate) fn print(options: &Options, results: &Results) {
    println!(
        "\n32 connections, one server thread on a core of its own; medians of {} rounds of {} s",
        options.rounds,
        options.window.as_secs_f64()
    );
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
            "\n{:<42}{:>9}{:>9}{:>14}{:>6}{:>9}{:>7}{:>14}  Redis commands",
            load.title(),
            "req/s",
            of,
            "(range)",
            "aim",
            "cpu µs",
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
    let instructions = match results.instructions.get(&(load, variant)) {
        Some(count) => format!("{:.1}k", count / 1000.0),
        None => "-".to_owned(),
    };
    let line = format!(
        "  {:<40}{:>9.0}{ratio:>9.2}{range:>14}{aim:>6}{:>9.1}{:>6.0}%{instructions:>14}  {}",
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
        names.extend(sample.commands.iter().map(|(name, count)| (name.as_str(), *count)));
    }
    let names: Vec<String> = names.into_iter().map(|(name, count)| format!("{name} {count:.2}")).collect();
    format!("{:.2}{in_scripts} ({})", commands.sent, names.join(", "))
}
