//! Times and numbers as a person reads them.

use std::fmt::Write as _;
use std::time::SystemTime;

use crate::clock::Timestamp;

/// The last second that RFC 3339 can name.
const LAST: u64 = 253_402_300_799;

/// A moment by RFC 3339, in UTC; `None` beyond the year 9999.
pub(super) fn exact(time: Timestamp) -> Option<String> {
    let mut text = String::new();
    let known = time.as_secs() <= LAST;
    known.then_some(())?;
    write!(text, "{}", humantime::format_rfc3339_seconds(SystemTime::from(time))).ok()?;
    Some(text)
}

/// How long ago a moment was, or how far away it is.
pub(super) fn relative(time: Timestamp, now: Timestamp) -> String {
    if time > now {
        match amount(time.since(now).as_secs()) {
            Some(amount) => format!("in {amount}"),
            None => "in a moment".into(),
        }
    } else {
        match amount(now.since(time).as_secs()) {
            Some(amount) => format!("{amount} ago"),
            None => "just now".into(),
        }
    }
}

/// A time in its largest unit; `None` for less than a minute.
fn amount(seconds: u64) -> Option<String> {
    let minutes = seconds / 60;
    match minutes {
        0 => None,
        1..60 => Some(several(minutes, "minute")),
        60..2880 => Some(several(minutes / 60, "hour")),
        _ => Some(several(minutes / 1440, "day")),
    }
}

/// A number with its noun.
pub(super) fn several(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number with its thousands set apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let now = Timestamp::from_secs(1_000_000);
        for (seconds, past, future) in [
            (59, "just now", "in a moment"),
            (60, "1 minute ago", "in 1 minute"),
            (59 * 60, "59 minutes ago", "in 59 minutes"),
            (3600, "1 hour ago", "in 1 hour"),
            (47 * 3600, "47 hours ago", "in 47 hours"),
            (48 * 3600, "2 days ago", "in 2 days"),
        ] {
            assert_eq!(relative(Timestamp::from_secs(1_000_000 - seconds), now), past);
            assert_eq!(relative(Timestamp::from_secs(1_000_000 + seconds), now), future);
        }
    }

    #[test]
    fn a_moment_is_told_exactly_unless_no_calendar_has_it() {
        assert_eq!(exact(Timestamp::from_secs(1_800_000_000)).as_deref(), Some("2027-01-15T08:00:00Z"));
        assert_eq!(exact(Timestamp::from_millis(u64::MAX)), None);
    }

    #[test]
    fn numbers_have_their_thousands_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((several(1, "session"), several(2, "session")), ("1 session".into(), "2 sessions".into()));
    }
}
