//! Durations and the limits of timeouts.

use std::time::Duration;

use crate::Violation;

/// The idle timeout of a type that names none.
pub const DEFAULT_IDLE: Duration = Duration::from_secs(30 * 60);
/// The absolute lifetime of a type that names none.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// The longest lifetime: browsers cap a cookie's at 400 days (RFC 6265bis, section 5.5).
pub const MAX_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The shortest time between two scheduled rotations: well over the grace of the previous id.
pub const MIN_RENEWAL: Duration = Duration::from_secs(60);

/// Reads a duration such as `"90s"`, `"30m"`, `"12h"`, `"14d"` or `"1h 30m"`.
///
/// # Errors
/// What is unreadable about the text, with examples of what is readable.
pub fn parse(text: &str) -> Result<Duration, String> {
    let refuse =
        |why: String| format!("{text:?} is not a duration ({why}); write \"90s\", \"30m\", \"12h\" or \"14d\"");
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err(refuse("it is zero".into())),
        Ok(duration) => Ok(duration),
        Err(error) => Err(refuse(error.to_string())),
    }
}

/// Writes a duration the way that [`parse`] reads it.
///
/// ```
/// # use std::time::Duration;
/// assert_eq!(session_rules::time::format(Duration::from_secs(500 * 24 * 60 * 60)), "500d");
/// assert_eq!(session_rules::time::format(Duration::from_millis(5_401_500)), "1h 30m 1s 500ms");
/// ```
pub fn format(duration: Duration) -> String {
    let (seconds, nanoseconds) = (duration.as_secs(), u64::from(duration.subsec_nanos()));
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (nanoseconds / 1_000_000, "ms"),
        (nanoseconds % 1_000_000, "ns"),
    ];
    let written: Vec<String> =
        parts.iter().filter(|(amount, _)| *amount > 0).map(|(amount, unit)| format!("{amount}{unit}")).collect();
    if written.is_empty() { "0s".into() } else { written.join(" ") }
}

/// What is wrong with a pair of timeouts. `None` is one that is not known yet, since only the environment says it: it
/// breaks no rule.
///
/// ```
/// # use std::time::Duration;
/// use session_rules::time::violations;
/// let hour = Duration::from_secs(3600);
/// assert!(violations(Some(hour), Some(hour)).is_empty());
/// assert_eq!(violations(Some(2 * hour), Some(hour))[0].option, "idle");
/// assert!(violations(None, Some(hour)).is_empty() && violations(Some(2 * hour), None).is_empty());
/// ```
pub fn violations(idle: Option<Duration>, lifetime: Option<Duration>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (option, timeout) in [("idle", idle), ("lifetime", lifetime)] {
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            found.push(Violation::new(
                option,
                format!("with `{option}` at zero no session would live; write \"30m\" or longer"),
            ));
        }
    }
    if let Some(lifetime) = lifetime.filter(|lifetime| *lifetime > MAX_LIFETIME) {
        found.push(Violation::new(
            "lifetime",
            format!(
                "a lifetime of {} is over 400 days, the longest that browsers keep a cookie; write \"400d\" or less",
                format(lifetime)
            ),
        ));
    }
    // No lifetime is longer than the longest, so an idle timeout that is can't be right.
    let longest = lifetime.unwrap_or(MAX_LIFETIME);
    if let Some(idle) = idle.filter(|idle| *idle > longest) {
        found.push(Violation::new(
            "idle",
            format!(
                "the idle timeout ({}) is longer than the lifetime ({}), so it could never be reached; shorten `idle` or lengthen `lifetime`",
                format(idle),
                format(longest)
            ),
        ));
    }
    found
}

/// What is wrong with the time after which an id is rotated on a schedule.
///
/// ```
/// # use std::time::Duration;
/// let hour = Duration::from_secs(3600);
/// assert!(session_rules::time::rotation_violation(hour, hour).is_none());
/// assert_eq!(session_rules::time::rotation_violation(2 * hour, hour).unwrap().option, "rotate_every");
/// ```
pub fn rotation_violation(every: Duration, lifetime: Duration) -> Option<Violation> {
    if every < MIN_RENEWAL {
        let message = format!(
            "rotating every {} is too often: the requests of one page would still carry the previous id; write \"{}\" or \
             longer",
            format(every),
            format(MIN_RENEWAL)
        );
        return Some(Violation::new("rotate_every", message));
    }
    (every > lifetime).then(|| {
        let message = format!(
            "ids would never be rotated: `rotate_every` is {} and `lifetime` is {}; shorten `rotate_every` or lengthen \
             `lifetime`",
            format(every),
            format(lifetime)
        );
        Violation::new("rotate_every", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_rotated_once_a_minute_at_most_and_within_its_lifetime() {
        let refused = |every| rotation_violation(every, DEFAULT_LIFETIME).is_some();
        assert!(refused(MIN_RENEWAL - Duration::from_secs(1)) && !refused(MIN_RENEWAL));
        assert!(refused(DEFAULT_LIFETIME + Duration::from_secs(1)) && !refused(DEFAULT_LIFETIME));
    }

    #[test]
    fn the_units_people_write_are_read() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("12h", 43_200), ("14d", 1_209_600), ("1h 30m", 5400)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused_with_examples() {
        for text in ["", "30", "soon", "-5m", "0s", "30 minuets", "99999999999999999999s"] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("\"30m\""), "{text}: {error}");
        }
    }

    #[test]
    fn no_session_lives_for_no_time() {
        let options =
            |idle, lifetime| violations(Some(idle), Some(lifetime)).iter().map(|v| v.option).collect::<Vec<_>>();
        assert_eq!(options(Duration::ZERO, DEFAULT_LIFETIME), ["idle"]);
        assert_eq!(options(Duration::ZERO, Duration::ZERO), ["idle", "lifetime"]);
    }

    #[test]
    fn what_is_not_known_breaks_no_rule() {
        let second = Duration::from_secs(1);
        assert!(violations(None, None).is_empty());
        assert!(violations(None, Some(Duration::from_nanos(1))).is_empty());
        assert!(violations(Some(MAX_LIFETIME), None).is_empty());
        assert_eq!(violations(Some(MAX_LIFETIME + second), None)[0].option, "idle", "whatever the lifetime is");
        assert_eq!(violations(None, Some(MAX_LIFETIME + second))[0].option, "lifetime");
    }

    #[test]
    fn exactly_400_days_are_allowed_and_a_second_more_is_not() {
        assert!(violations(Some(DEFAULT_IDLE), Some(MAX_LIFETIME)).is_empty());
        assert_eq!(violations(Some(DEFAULT_IDLE), Some(MAX_LIFETIME + Duration::from_secs(1)))[0].option, "lifetime");
    }
}
