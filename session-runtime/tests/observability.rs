//! `docs/observability.md` and the source name the same events, spans and counters.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every file of Rust under a folder, as one text.
fn source(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// What stands between `before` and the next `after`, wherever it does.
fn between<'a>(text: &'a str, before: &'a str, after: char) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(move |rest| rest.split(after).next())
}

/// The first cell of each row of the table under this heading, without its quotes.
fn rows<'a>(page: &'a str, heading: &str) -> BTreeSet<&'a str> {
    let section = page.split(&format!("## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let names: BTreeSet<_> = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let names: BTreeSet<_> = names.into_iter().filter(|name| name.starts_with("session")).collect();
    assert!(!names.is_empty(), "{heading}");
    names
}

fn names() -> (String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    source(&root.join("src"), &mut text);
    (text, fs::read_to_string(root.join("docs/observability.md")).unwrap())
}

#[test]
fn every_event_is_on_the_page_and_nothing_else() {
    let (text, page) = names();
    let calls = text.split("event!(").skip(1).filter_map(|rest| rest.split('"').nth(1)?.strip_prefix("session."));
    let events: BTreeSet<_> = calls.collect();
    let events: BTreeSet<_> = events.into_iter().map(|event| format!("session.{event}")).collect();
    assert_eq!(events, rows(&page, "Events").into_iter().map(String::from).collect());
    // An event of another kind has a place in the source for its name and its target, which are not stable.
    for call in
        ["trace!(", "debug!(", "info!(", "warn!(", "error!(", "debug_span!("].map(|call| format!("tracing::{call}"))
    {
        let count = text.matches(&call).count();
        let own = usize::from(call == "tracing::debug_span!(");
        assert_eq!(count, own, "write `event!(...)` or `span!(...)` of src/event.rs instead of {call}..)");
    }
}

#[test]
fn every_span_is_on_the_page_and_nothing_else() {
    let (text, page) = names();
    let spans: BTreeSet<_> = between(&text, " span!(\"", '"').collect();
    assert_eq!(spans, rows(&page, "Spans"));
}

#[test]
fn every_counter_is_on_the_page_and_nothing_else() {
    let (text, page) = names();
    let counters: BTreeSet<_> = between(&text, "\"session_", '"').filter(|rest| rest.ends_with("_total")).collect();
    let counters: BTreeSet<_> = counters.into_iter().map(|counter| format!("session_{counter}")).collect();
    assert_eq!(counters, rows(&page, "Counters").into_iter().map(String::from).collect());
}

#[test]
fn every_reason_of_a_refusal_is_on_the_page() {
    let (text, page) = names();
    let reasons = text.split("fn reason(self)").nth(1).unwrap().split("\n    }\n").next().unwrap();
    let reasons: BTreeSet<_> = between(reasons, "=> \"", '"').collect();
    assert!(reasons.len() >= 6);
    for reason in reasons {
        assert!(page.contains(&format!("\n| `{reason}` |")), "{reason}");
    }
}
