//! How many events of each kind there were in each minute of the last hour, for the page of operators.
//!
//! Only this process is counted, and nothing is kept beyond the hour: who wants more has the counters of the feature
//! `metrics`. A type takes 1.2 kB, however much happens.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// How many minutes are kept, this one included.
pub(crate) const MINUTES: usize = 60;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A session started.
    Started,
    /// A session was ended.
    Ended,
    /// A request was refused, or a token that is too old.
    Refused,
    /// A token was refused that was not made with the type's keys.
    Forged,
    /// The store failed, a change was not stored, or a stored session can't be used.
    Failed,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Started, Self::Ended, Self::Refused, Self::Forged, Self::Failed];

    /// What the counter of this name counts.
    fn of(counter: &str, reason: Option<&str>) -> Option<Self> {
        match counter {
            "session_started_total" => Some(Self::Started),
            "session_ended_total" => Some(Self::Ended),
            "session_refused_total" if reason == Some("token") => Some(Self::Forged),
            "session_refused_total" | "session_device_refused_total" | "session_device_unproven_total" => {
                Some(Self::Refused)
            }
            "session_backend_down_total"
            | "session_conflict_total"
            | "session_lease_lost_total"
            | "session_not_read_back_total"
            | "session_owner_changed_total"
            | "session_owner_unreadable_total"
            | "session_unreadable_total" => Some(Self::Failed),
            _ => None,
        }
    }
}

/// The counts of one minute, in the order of [`Kind::ALL`].
type Minute = [u32; Kind::ALL.len()];

/// The counts of the last hour, as a ring.
#[derive(Clone)]
pub(crate) struct Hour {
    /// The newest minute that is in there, since the process began to count.
    newest: u64,
    minutes: [Minute; MINUTES],
}

impl Hour {
    const EMPTY: Self = Self { newest: 0, minutes: [[0; Kind::ALL.len()]; MINUTES] };

    /// Forgets what is older than an hour at this minute.
    fn advance(&mut self, now: u64) {
        let passed = now.saturating_sub(self.newest).min(MINUTES as u64);
        for minute in 0..passed {
            self.minutes[place(now - minute)] = [0; Kind::ALL.len()];
        }
        self.newest = self.newest.max(now);
    }

    fn note(&mut self, kind: Kind, now: u64) {
        self.advance(now);
        let count = &mut self.minutes[place(self.newest)][kind as usize];
        *count = count.saturating_add(1);
    }

    /// The counts of a kind, minute by minute, the oldest first.
    pub(crate) fn counts(&self, kind: Kind) -> [u32; MINUTES] {
        std::array::from_fn(|minute| self.minutes[(place(self.newest) + 1 + minute) % MINUTES][kind as usize])
    }
}

fn place(minute: u64) -> usize {
    usize::try_from(minute % MINUTES as u64).unwrap_or_default()
}

/// The types of this process, which are few, by their names.
static HOURS: Mutex<Vec<(&'static str, Box<Hour>)>> = Mutex::new(Vec::new());

fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs() / 60
}

/// Counts an event under the name of its counter.
pub(crate) fn note(session_type: &'static str, counter: &str, reason: Option<&str>) {
    let Some(kind) = Kind::of(counter, reason) else { return };
    let mut hours = HOURS.lock().unwrap_or_else(PoisonError::into_inner);
    match hours.iter_mut().find(|(name, _)| *name == session_type) {
        Some((_, hour)) => hour.note(kind, now()),
        None => {
            let mut hour = Box::new(Hour::EMPTY);
            hour.note(kind, now());
            hours.push((session_type, hour));
        }
    }
}

/// The last hour of a type.
pub(crate) fn hour(session_type: &str) -> Hour {
    let hours = HOURS.lock().unwrap_or_else(PoisonError::into_inner);
    let found = hours.iter().find(|(name, _)| *name == session_type);
    let mut hour = found.map_or(Hour::EMPTY, |(_, hour)| (**hour).clone());
    hour.advance(now());
    hour
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(hour: &Hour, kind: Kind) -> u32 {
        hour.counts(kind).iter().sum()
    }

    #[test]
    fn an_event_is_counted_for_an_hour_and_then_forgotten() {
        let mut hour = Hour::EMPTY;
        hour.note(Kind::Started, 100);
        hour.note(Kind::Started, 100);
        hour.note(Kind::Ended, 102);
        assert_eq!((hour.counts(Kind::Started)[57], hour.counts(Kind::Ended)[59]), (2, 1));
        hour.advance(159);
        assert_eq!((hour.counts(Kind::Started)[0], total(&hour, Kind::Ended)), (2, 1));
        hour.advance(160);
        assert_eq!((total(&hour, Kind::Started), total(&hour, Kind::Ended)), (0, 1));
        hour.advance(10_000);
        assert_eq!(total(&hour, Kind::Ended), 0);
    }

    #[test]
    fn an_hour_without_a_look_or_an_event_leaves_nothing_behind() {
        let mut hour = Hour::EMPTY;
        for minute in 0..60 {
            hour.note(Kind::Refused, minute);
        }
        assert_eq!(total(&hour, Kind::Refused), 60);
        hour.note(Kind::Refused, 119);
        assert_eq!(total(&hour, Kind::Refused), 1);
    }

    #[test]
    fn a_forged_token_is_told_from_other_refusals_by_the_reason() {
        assert_eq!(Kind::of("session_refused_total", Some("token")), Some(Kind::Forged));
        assert_eq!(Kind::of("session_refused_total", Some("cross_site")), Some(Kind::Refused));
        assert_eq!(Kind::of("session_loaded_total", None), None);
    }

    #[test]
    fn types_are_counted_apart() {
        note("activity::One", "session_started_total", None);
        note("activity::One", "session_started_total", None);
        note("activity::Other", "session_ended_total", None);
        assert_eq!(total(&hour("activity::One"), Kind::Started), 2);
        assert_eq!(total(&hour("activity::Other"), Kind::Started), 0);
        assert_eq!(total(&hour("activity::None"), Kind::Ended), 0);
    }
}
