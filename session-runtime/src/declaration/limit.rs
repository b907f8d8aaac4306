//! How many sessions an owner may have.

use std::num::NonZeroUsize;

use session_rules::MAX_PER_OWNER;

/// `max_per_owner = 5, on_excess = refuse`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) max: NonZeroUsize,
    pub(crate) on_excess: OnExcess,
}

/// What happens when an owner has as many sessions as allowed, and starts another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnExcess {
    /// The oldest ends.
    #[default]
    EndOldest,
    /// The new one doesn't start.
    Refuse,
}

impl Default for Limit {
    /// That of a type which declares none.
    fn default() -> Self {
        Self { max: NonZeroUsize::new(MAX_PER_OWNER).unwrap_or(NonZeroUsize::MIN), on_excess: OnExcess::default() }
    }
}

impl OnExcess {
    /// Reads the word.
    ///
    /// # Errors
    /// What to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "end_oldest" => Ok(Self::EndOldest),
            "refuse" => Ok(Self::Refuse),
            _ => Err(format!("is {text:?}; write `end_oldest` or `refuse`")),
        }
    }
}

/// Reads the number.
///
/// # Errors
/// What to write instead.
pub(super) fn parse_max(text: &str) -> Result<NonZeroUsize, String> {
    let max = text.parse().ok().filter(|max: &NonZeroUsize| max.get() <= MAX_PER_OWNER);
    max.ok_or_else(|| format!("is {text:?}; write how many sessions an owner may have, from 1 to {MAX_PER_OWNER}"))
}
