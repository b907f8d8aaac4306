//! What can go wrong: [`Error`] while serving, [`OpenError`] at start-up.

use std::error::Error as StdError;
use std::fmt;

use crate::invalid::Invalid;

/// A failure of a session's operation inside a request.
///
/// As a response ([`IntoResponse`](axum::response::IntoResponse)) each is an
/// `application/problem+json` that says nothing of the store; the source is for the log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The backend is down or didn't answer in time. If it was asked to write something, that may have been done or not,
    /// and the answer says so. **503**, with `Retry-After`.
    Unavailable(BackendError),
    /// Another request's write came first: this change was not stored. **409**.
    Conflict,
    /// The exclusive borrow ran out while the handler ran, since the backend could not be reached in time to extend it.
    /// Nobody else has changed the session, and this change was not stored. **409**.
    LeaseLost,
    /// The session ended while this request was using it: this change was not stored. **409**.
    Ended,
    /// Others held the session exclusively for longer than `wait`. **409**, with `Retry-After`.
    Busy,
    /// A middleware of the same request holds the session by `&mut`, and a handler behind it changes the session. It would
    /// wait for its own request. Nothing was stored. **500**.
    HeldByMiddleware,
    /// The data can't be written as JSON (a map with keys that aren't strings, say). Nothing was
    /// stored. **500**.
    Encode(serde_json::Error),
    /// The data can be written as JSON, and that can't be read as the same data: a number that is not finite, a field
    /// that is written and not read, an enum that has lost its way back. Nothing was stored. **500**.
    ReadBack,
    /// The data breaks the type's `validate`. Nothing was stored. **422**, naming the fields.
    Invalid(Invalid),
    /// The data can't be sealed. Nothing was stored. **500**.
    Seal,
    /// The owner has as many sessions as `max_per_owner` allows, and `on_excess = refuse`. No session has started.
    /// **409**.
    TooManySessions,
    /// The list of the owner's sessions was lost, as by a store that evicts, and may lack some of them. Those in the list
    /// have ended. **409**.
    NotListed,
    /// The login gave its session a lifetime or an idle timeout of less than a second, so that it would be over as it
    /// starts. No session has started. **500**.
    NoLifetime,
    /// Each request's host chooses the domain of the cookie (`cookie(domain = [..])`), and here is none: no request, or one
    /// whose host is none of the application's. [`Sessions::for_domain`](crate::Sessions::for_domain) and
    /// [`Sessions::for_request`](crate::Sessions::for_request) name one. Nothing was stored. **500**.
    NoDomain,
    /// A change of the data made the session another owner's, who would get what was meant for the first: start a
    /// session for each. Nothing was stored. **500**.
    OwnerChanged,
    /// The cookie's name and value pass 4,096 bytes together, so browsers would drop it. Nothing
    /// was sent. **500**.
    CookieTooLarge {
        /// The bytes of name and value together.
        size: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(_) => f.write_str("the session backend is unavailable"),
            Self::Conflict => f.write_str("another request changed the session first"),
            Self::LeaseLost => f.write_str("the exclusive borrow of the session ran out"),
            Self::Ended => f.write_str("the session ended meanwhile"),
            Self::Busy => f.write_str("the session is in exclusive use"),
            Self::HeldByMiddleware => f.write_str("a middleware of this request holds the session"),
            Self::Encode(_) => f.write_str("the session's data can't be encoded"),
            Self::ReadBack => f.write_str("the session's data can't be read back as it was written"),
            Self::Invalid(invalid) => write!(f, "the session's data is not valid: {invalid}"),
            Self::Seal => f.write_str("the session's data can't be sealed"),
            Self::TooManySessions => f.write_str("the owner has as many sessions as allowed"),
            Self::NotListed => f.write_str("the list of the owner's sessions was lost, and may lack some of them"),
            Self::NoLifetime => {
                f.write_str("the session was given a lifetime or an idle timeout of less than a second")
            }
            Self::NoDomain => f.write_str("the session has no domain; name one with `for_domain` or `for_request`"),
            Self::OwnerChanged => {
                f.write_str("the session's owner can't be changed; start a session for the other one")
            }
            Self::CookieTooLarge { size } => write!(f, "the session's cookie would have {size} bytes, over 4096"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unavailable(source) => Some(source),
            Self::Encode(source) => Some(source),
            Self::Invalid(source) => Some(source),
            Self::Conflict
            | Self::LeaseLost
            | Self::Ended
            | Self::Busy
            | Self::HeldByMiddleware
            | Self::ReadBack
            | Self::Seal
            | Self::TooManySessions
            | Self::NotListed
            | Self::NoLifetime
            | Self::NoDomain
            | Self::OwnerChanged
            | Self::CookieTooLarge { .. } => None,
        }
    }
}

impl Error {
    /// The same in the place of a write's answer: what the backend did is not known.
    #[must_use]
    pub(crate) fn unconfirmed(self) -> Self {
        match self {
            Self::Unavailable(error) => Self::Unavailable(error.unconfirmed()),
            other => other,
        }
    }
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        Self::Unavailable(error)
    }
}

/// A domain at which an application has no sessions: see [`Sessions::for_domain`](crate::Sessions::for_domain).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainError {
    domain: String,
    why: String,
}

impl DomainError {
    pub(crate) fn new(domain: &str, why: &str) -> Self {
        Self { domain: domain.into(), why: why.into() }
    }
}

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there are no sessions at the domain {:?}: {}", self.domain, self.why)
    }
}

impl StdError for DomainError {}

/// A backend's failure: whatever the store's driver reported, or a missed deadline.
pub struct BackendError {
    source: Box<dyn StdError + Send + Sync>,
    /// Whether it came in the place of a write's answer, so that the write may have been done.
    unconfirmed: bool,
    /// Whether the write was done, and is not as safe as is asked for.
    done: bool,
    /// Whether it stands for a deadline that has passed.
    #[cfg(feature = "admin")]
    late: bool,
}

impl BackendError {
    /// Wraps a driver's error, or a message.
    pub fn new(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            source: source.into(),
            unconfirmed: false,
            done: false,
            #[cfg(feature = "admin")]
            late: false,
        }
    }

    /// No answer came within the deadline.
    pub(crate) fn late(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            #[cfg(feature = "admin")]
            late: true,
            ..Self::new(source)
        }
    }

    #[cfg(feature = "admin")]
    pub(crate) fn is_late(&self) -> bool {
        self.late
    }

    /// The same in the place of a write's answer.
    #[must_use]
    pub(crate) fn unconfirmed(self) -> Self {
        Self { unconfirmed: true, ..self }
    }

    pub(crate) fn is_unconfirmed(&self) -> bool {
        self.unconfirmed
    }

    /// The same for another one who is told of it.
    pub(crate) fn shared(&self) -> Self {
        Self {
            source: self.source.to_string().into(),
            unconfirmed: self.unconfirmed,
            done: self.done,
            #[cfg(feature = "admin")]
            late: self.late,
        }
    }

    /// The same for one who waited for another's write, and has asked nothing of the store.
    pub(crate) fn of_one_before(&self) -> Self {
        Self::new(format!("a request before this one failed: {self}"))
    }

    /// A write that was done, and may be undone by a failover.
    #[cfg(feature = "redis")]
    pub(crate) fn not_safe(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { unconfirmed: true, done: true, ..Self::new(source) }
    }

    /// Whether it stands for such a write.
    pub(crate) fn is_of_a_done_write(&self) -> bool {
        self.done
    }
}

impl fmt::Debug for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BackendError").field(&self.source).finish()
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

impl StdError for BackendError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.source()
    }
}

/// Why sessions could not be opened: every problem found, each with its remedy.
///
/// `Debug` prints the same text as `Display`, since that is what a `main` that returns an error shows.
pub struct OpenError {
    problems: Vec<Problem>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// One thing wrong with a declaration at start-up.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    option: String,
    variable: Option<&'static str>,
    reason: String,
}

impl OpenError {
    /// An option's value that can't be used. `variable` is the environment variable it came from.
    pub fn option(option: impl Into<String>, variable: Option<&'static str>, reason: impl Into<String>) -> Self {
        Self { problems: vec![Problem { option: option.into(), variable, reason: reason.into() }], source: None }
    }

    /// A backend that can't be opened, with its driver's error.
    pub fn backend(
        backend: &str,
        reason: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { source: Some(source.into()), ..Self::option(format!("backend = {backend}"), None, reason) }
    }

    /// Names the environment variable of a backend's argument, where the problem was found by the backend, which
    /// doesn't know it; nor by which path its type is named.
    #[must_use]
    pub(crate) fn with_variable(mut self, option: &str, variable: Option<&'static str>) -> Self {
        fn argument(option: &str) -> Option<&str> {
            option.rsplit_once('(').map(|(_, argument)| argument)
        }
        for problem in self.problems.iter_mut().filter(|problem| problem.variable.is_none()) {
            if argument(option).is_some() && argument(option) == argument(&problem.option) {
                problem.variable = variable;
            }
        }
        self
    }

    /// This error and `other`'s problems.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.problems.extend(other.problems);
        self.source = self.source.or(other.source);
        self
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sessions can't be opened")?;
        let several = self.problems.len() > 1;
        for problem in &self.problems {
            f.write_str(if several { "\n  - " } else { ": " })?;
            match problem.variable {
                Some(variable) => {
                    let Problem { option, reason, .. } = problem;
                    write!(f, "the environment variable {variable} (option `{option}`) {reason}")?;
                }
                None => write!(f, "`{}`: {}", problem.option, problem.reason)?,
            }
        }
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for OpenError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
