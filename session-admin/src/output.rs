//! What is printed: for people in colours where the terminal has them, for programs one JSON object per line.

use std::io::Write as _;
use std::time::{Duration, SystemTime};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use session_runtime::backend::RecordKey;
use session_runtime::inspect::SessionRecord;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default();

/// Prints a line. Nobody listens any more if that fails, as in `session-admin list | head`.
pub(crate) fn line(text: &str) {
    if writeln!(anstream::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// A remark that is no answer.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

pub(crate) fn error(text: &str) {
    note(&format!("{BAD}error{BAD:#}: {text}"));
}

pub(crate) fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

fn ago(time: SystemTime, now: SystemTime) -> String {
    let rough = |span: Duration| {
        let secs = span.as_secs();
        match secs {
            0..60 => format!("{secs}s"),
            60..3600 => format!("{}m", secs / 60),
            3600..172_800 => format!("{}h", secs / 3600),
            _ => format!("{}d", secs / 86_400),
        }
    };
    match now.duration_since(time) {
        Ok(span) => format!("{} ago", rough(span)),
        Err(ahead) => format!("in {}", rough(ahead.duration())),
    }
}

/// What steers a terminal, or the order in which it shows what follows.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text from outside, which must not be able to steer a terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().flat_map(|c| if steers(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// Prints JSON in one line, with what steers a terminal escaped, as JSON allows it.
pub(crate) fn json(value: &Value) {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c {
            c if steers(c) => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    line(&text);
}

pub(crate) fn head() {
    line(&format!(
        "{BOLD}{:<12}  {:<16}  {:>8}  {:>8}  {:>7}  label{BOLD:#}",
        "session", "type", "started", "used", "ends"
    ));
}

/// A session as a row of a list.
pub(crate) fn row(key: &RecordKey, session: &SessionRecord, now: SystemTime) {
    let kind = session.type_hash().unwrap_or_else(|| "unknown".into());
    let [started, used, ends] =
        [session.created_at(), session.last_seen_at(), session.expires_at()].map(|time| ago(time, now));
    let label = session.label().map(harmless).unwrap_or_default();
    let label = if session.is_sealed() { format!("{DIM}sealed{DIM:#}") } else { label };
    line(&format!(
        "{:<12}  {DIM}{kind:<16}{DIM:#}  {started:>8}  {used:>8}  {ends:>7}  {label}",
        key.public_id().to_string()
    ));
}

pub(crate) fn unreadable(key: &RecordKey, is_json: bool) {
    let session = key.public_id();
    if is_json {
        line(&json!({ "session": session.to_string(), "unreadable": true }).to_string());
    } else {
        line(&format!("{session}  {BAD}can't be read{BAD:#}"));
    }
}

/// A session as an object, without any value of its data.
pub(crate) fn object(key: &RecordKey, session: &SessionRecord) -> Value {
    let data = session.shape().map(|shape| {
        let fields: serde_json::Map<String, Value> =
            shape.fields().map(|(name, kind)| (name.to_owned(), Value::from(kind))).collect();
        json!({ "kind": shape.kind(), "fields": fields })
    });
    json!({
        "session": key.public_id().to_string(),
        "type": session.type_hash(),
        "started": time(session.created_at()),
        "authenticated": time(session.authenticated_at()),
        "rotated": time(session.rotated_at()),
        "last_used": time(session.last_seen_at()),
        "expires": time(session.expires_at()),
        "idle_seconds": session.idle().map(|idle| idle.as_secs()),
        "device_bound": session.device_bound_at().map(time),
        "device_proven": session.device_proven_at().map(time),
        "rotations": session.rotations(),
        "version": session.version(),
        "data_version": session.data_version(),
        "sealed": session.is_sealed(),
        "label": session.label(),
        "data": data,
    })
}

/// An object as lines of names and values.
pub(crate) fn details(object: &Value) {
    let Value::Object(fields) = object else { return };
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let text = match value {
            Value::String(text) => harmless(text),
            Value::Object(data) if name == "data" => {
                let fields = data.get("fields").and_then(Value::as_object);
                let fields = fields
                    .into_iter()
                    .flatten()
                    .map(|(name, kind)| format!("{} ({})", harmless(name), kind.as_str().unwrap_or_default()));
                let fields: Vec<String> = fields.collect();
                if fields.is_empty() { data["kind"].as_str().unwrap_or_default().into() } else { fields.join(", ") }
            }
            other => other.to_string(),
        };
        line(&format!("{BOLD}{name:<14}{BOLD:#} {text}"));
    }
}

/// A counter on a terminal, for work of a length that nobody knows; nothing elsewhere.
pub(crate) fn counter(doing: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(doing);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {pos}, {per_sec}") {
        bar.set_style(style);
    }
    bar
}

/// The same for work of a known length.
pub(crate) fn progress(doing: &'static str, length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_message(doing);
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len}, {eta} left") {
        bar.set_style(style);
    }
    bar
}
