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

    /// The same, without the reasons that may repeat a secret.
    #[must_use]
    pub(crate) fn discreet(mut self, secrets: &[&str]) -> Self {
        for (name, reason) in &mut self.fields {
            let field = name.split(['.', '[']).next().unwrap_or_default();
            if secrets.contains(&field) {
                *reason = "is not valid".to_owned();
            }
        }
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

/// What a function named by `validate = path` may return: `Result<(), E>`, where `E` becomes [`Invalid`].
#[diagnostic::on_unimplemented(
    message = "`validate` can't return `{Self}`",
    label = "expected a function of `&T` that returns `Result<(), Invalid>`",
    note = "return `Result<(), session_runtime::Invalid>`, or `Result<(), E>` with `impl From<E> for Invalid`"
)]
pub trait Validity {
    /// `Err` with the fields at fault.
    #[doc(hidden)]
    fn validity(self) -> Result<(), Invalid>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Invalid>> Validity for Result<(), E> {
    fn validity(self) -> Result<(), Invalid> {
        self.map_err(Into::into)
    }
}

/// Asks a function named by `validate = path`.
///
/// # Errors
/// The fields at fault.
pub fn validate<T, V: Validity>(data: &T, check: impl FnOnce(&T) -> V) -> Result<(), Invalid> {
    check(data).validity()
}

#[cfg(feature = "garde")]
pub use self::with_garde::validate_garde;

#[cfg(feature = "garde")]
mod with_garde {
    use super::Invalid;

    impl From<garde::Report> for Invalid {
        fn from(report: garde::Report) -> Self {
            Self { fields: report.iter().map(|(path, error)| (path.to_string(), error.to_string())).collect() }
        }
    }

    /// What a bare `validate` asks of a type.
    #[diagnostic::on_unimplemented(
        message = "`validate` asks for `garde::Validate`, which `{Self}` doesn't implement",
        label = "this asks `{Self}` for `garde::Validate`",
        note = "add `#[derive(garde::Validate)]` to `{Self}`, with a context that has a default, or write \
                `validate = check` with a function of your own"
    )]
    pub trait Garde {
        #[doc(hidden)]
        fn report(&self) -> Result<(), garde::Report>;
    }

    #[diagnostic::do_not_recommend]
    impl<T: garde::Validate<Context: Default>> Garde for T {
        fn report(&self) -> Result<(), garde::Report> {
            self.validate()
        }
    }

    /// Asks a type's `garde::Validate`.
    ///
    /// # Errors
    /// The fields at fault.
    pub fn validate_garde<T: Garde>(data: &T) -> Result<(), Invalid> {
        data.report().map_err(Invalid::from)
    }
}
