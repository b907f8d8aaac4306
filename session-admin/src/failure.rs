//! What ends a command, and with which exit code.

use std::fmt;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Absent = 1,
    Wrong = 2,
    Store = 3,
    Declined = 4,
    Unreadable = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) why: String,
}

impl Failure {
    pub(crate) fn wrong(why: impl Into<String>) -> Self {
        Self { exit: Exit::Wrong, why: why.into() }
    }

    pub(crate) fn store(why: impl fmt::Display) -> Self {
        Self { exit: Exit::Store, why: why.to_string() }
    }

    /// The same, once so many sessions had been ended.
    pub(crate) fn after(self, ended: usize) -> Self {
        if ended == 0 {
            return self;
        }
        Self { why: format!("{}; {ended} sessions had been ended", self.why), ..self }
    }

    pub(crate) fn absent(why: impl Into<String>) -> Self {
        Self { exit: Exit::Absent, why: why.into() }
    }
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;
