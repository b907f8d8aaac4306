//! `idle`, `lifetime`, `rotate_every`, `wait` and `fresh`: durations.

use std::time::Duration;

use proc_macro2::Span;
use session_rules::time;
use syn::parse::ParseStream;

use super::{
    OptionKey, Slot,
    value::{RawValue, Setting, Source, TEXT},
};
use crate::diag::Errors;

pub(crate) const IDLE: &str = "idle = \"30m\"";
pub(crate) const LIFETIME: &str = "lifetime = \"12h\"";
pub(crate) const RENEW_EVERY: &str = "rotate_every = \"15m\"";
pub(crate) const WAIT: &str = "wait = \"2s\"";
pub(crate) const FRESH: &str = "fresh = \"10m\"";

/// The timeouts of a session type.
pub(crate) struct Timeouts {
    pub(crate) idle: Option<Setting>,
    pub(crate) lifetime: Option<Setting>,
    pub(crate) rotate_every: Option<Setting>,
}

/// Checks `idle`, `lifetime` and `rotate_every`, each alone and then together.
pub(crate) fn check(
    idle: Slot<RawValue>,
    lifetime: Slot<RawValue>,
    rotate_every: Slot<RawValue>,
    errors: &mut Errors,
) -> Timeouts {
    let known_idle = KnownTimeout::of(&idle, time::DEFAULT_IDLE, errors);
    let known_lifetime = KnownTimeout::of(&lifetime, time::DEFAULT_LIFETIME, errors);
    agree(&known_idle, &known_lifetime, errors);
    ids_are_rotated(&rotate_every, &known_lifetime, errors);
    Timeouts {
        idle: idle.written().map(RawValue::setting),
        lifetime: lifetime.written().map(RawValue::setting),
        rotate_every: rotate_every.written().map(RawValue::setting),
    }
}

/// What is known of a timeout at compile time.
struct KnownTimeout {
    duration: Option<Duration>,
    /// Where it is written, unless it is the default.
    span: Option<Span>,
}

impl KnownTimeout {
    fn of(value: &Slot<RawValue>, default: Duration, errors: &mut Errors) -> Self {
        let literal = match value {
            Slot::Absent => return Self { duration: Some(default), span: None },
            Slot::Broken => None,
            Slot::Written(value) => value.known(),
        };
        let duration = literal
            .and_then(|literal| time::parse(&literal.text).map_err(|message| errors.at(literal.span, message)).ok());
        Self { duration, span: literal.map(|literal| literal.span) }
    }
}

/// `idle = "2d", lifetime = "1d"`, `lifetime = "500d"`, `lifetime = "10m"` with the default of `idle`
fn agree(idle: &KnownTimeout, lifetime: &KnownTimeout, errors: &mut Errors) {
    for violation in time::violations(idle.duration, lifetime.duration) {
        let (span, message) = match (violation.option, idle.span) {
            ("idle", None) => (lifetime.span, shorter_than_the_default_idle(lifetime.duration.unwrap_or_default())),
            ("idle", span) => (span, violation.message),
            _ => (lifetime.span, violation.message),
        };
        // Only what is written can break a rule.
        if let Some(span) = span {
            errors.at(span, message);
        }
    }
}

/// `rotate_every = "1s"`, `rotate_every = "2d", lifetime = "1d"`
fn ids_are_rotated(rotate_every: &Slot<RawValue>, lifetime: &KnownTimeout, errors: &mut Errors) {
    if rotate_every.is_absent() {
        return;
    }
    // The default is never read where one is written.
    let KnownTimeout { duration: Some(every), span: Some(span) } =
        KnownTimeout::of(rotate_every, time::DEFAULT_LIFETIME, errors)
    else {
        return;
    };
    let violation = time::rotation_violation(every, lifetime.duration.unwrap_or(time::MAX_LIFETIME));
    if let Some(violation) = violation {
        errors.at(span, violation.message);
    }
}

fn shorter_than_the_default_idle(lifetime: Duration) -> String {
    format!(
        "the lifetime is shorter than the idle timeout (default: {}); add `idle = {:?}` or less",
        time::format(time::DEFAULT_IDLE),
        time::format(lifetime),
    )
}

/// Reads `wait = "2s"` or `fresh = "10m"`; it is part of a constant, so no environment can give it.
pub(crate) fn parse_constant(key: &OptionKey, input: ParseStream) -> syn::Result<RawValue> {
    let value = RawValue::parse(key, input, TEXT)?;
    match value.source {
        Source::Literal(_) => Ok(value),
        Source::Env { .. } => Err(key.misused(value.span, "a duration in quotes, which no variable can give")),
    }
}

/// The duration in whole milliseconds, at least one.
pub(crate) fn check_constant(value: &RawValue, errors: &mut Errors) -> Option<u64> {
    let literal = value.known()?;
    let parsed = time::parse(&literal.text);
    let duration = parsed.map_err(|message| errors.at(literal.span, message)).ok()?;
    Some(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1))
}
