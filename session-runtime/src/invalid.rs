//! What is wrong with a session's data.

use std::fmt;

/// Why data is not valid: each field at fault with the reason.
///
/// A function named by `validate = path` returns it, or anything that becomes it:
///
/// ```
/// use session_runtime::Invalid;
///
/// struct User {
///     name: String,
/// }
///
/// fn check(user: &User) -> Result<(), Invalid> {
///     if user.name.is_empty() { Err(Invalid::field("name", "is empty")) } else { Ok(()) }
/// }
/// # assert!(check(&User { name: String::new() }).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    fields: Vec<(String, String)>,
}

impl Invalid {
    /// One field at fault. The reason is told to the client, so it repeats no secret.
    pub fn field(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { fields: vec![(name.into(), reason.into())] }
    }

    /// And another one.
    #[must_use]
    pub fn and(mut self, name: impl Into<String>, reason: impl Into<String>) -> Self {
        self.fields.push((name.into(), reason.into()));
        self
    }

    /// The fields and what is wrong with each.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, reason)| (name.as_str(), reason.as_str()))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, reason)) in self.fields().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{name}: {reason}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

#[cfg(feature = "garde")]
impl From<garde::Report> for Invalid {
    fn from(report: garde::Report) -> Self {
        Self { fields: report.iter().map(|(path, error)| (path.to_string(), error.to_string())).collect() }
    }
}
