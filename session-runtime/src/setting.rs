//! Values that are written in an attribute or come from the environment.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::OpenError;

/// A value as the attribute declares it, read when the sessions are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    literal: Option<&'static str>,
    variable: Option<&'static str>,
}

impl Value {
    /// `option = "value"`.
    pub const fn literal(text: &'static str) -> Self {
        Self { literal: Some(text), variable: None }
    }

    /// `option = env("VAR")`.
    pub const fn env(variable: &'static str) -> Self {
        Self { literal: None, variable: Some(variable) }
    }

    /// `option = env("VAR", default = "value")`.
    pub const fn env_or(variable: &'static str, default: &'static str) -> Self {
        Self { literal: Some(default), variable: Some(variable) }
    }

    /// The environment variable, if it comes from one.
    pub(crate) const fn variable(self) -> Option<&'static str> {
        self.variable
    }

    /// Whether there is neither a variable's value nor a default.
    pub(crate) fn is_unset(self) -> bool {
        let set = |variable| std::env::var_os(variable).is_some_and(|text| !text.is_empty());
        self.literal.is_none() && !self.variable.is_some_and(set)
    }

    /// The text. A variable that is set but empty counts as unset, as containers and `.env` files mean it.
    fn text(self, option: &str) -> Result<Cow<'static, str>, OpenError> {
        let found = match self.variable.map(std::env::var) {
            Some(Ok(text)) if !text.is_empty() => Some(Cow::Owned(text)),
            Some(Err(std::env::VarError::NotUnicode(_))) => {
                return Err(OpenError::option(option, self.variable, "is not valid UTF-8"));
            }
            _ => self.literal.map(Cow::Borrowed),
        };
        found.ok_or_else(|| OpenError::option(option, self.variable, "is not set"))
    }

    /// The value, parsed.
    pub(crate) fn read<V: FromSetting>(self, option: &str) -> Result<V, OpenError> {
        if let (true, Some(example)) = (self.is_unset(), V::EXAMPLE) {
            return Err(OpenError::option(
                option,
                self.variable,
                format!("is not set; set it to for example {example}"),
            ));
        }
        let text = self.text(option)?;
        V::from_setting(&text).map_err(|reason| OpenError::option(option, self.variable, reason))
    }

    /// The value, parsed by a function of its own.
    pub(crate) fn read_with<V>(
        self,
        option: &str,
        parse: impl FnOnce(&str) -> Result<V, String>,
    ) -> Result<V, OpenError> {
        let text = self.text(option)?;
        parse(&text).map_err(|reason| OpenError::option(option, self.variable, reason))
    }
}

/// A type that an option's text can become.
#[diagnostic::on_unimplemented(
    message = "an attribute's value can't become a `{Self}`",
    label = "sets a field of type `{Self}`, which doesn't implement `FromSetting`",
    note = "give the field a type such as `String`, `std::path::PathBuf`, `u32`, `bool`, `std::time::Duration` or an `Option` of \
            one, or implement `session_runtime::FromSetting` for `{Self}`"
)]
pub trait FromSetting: Sized {
    /// A value that could be written, for the message that says that none was.
    const EXAMPLE: Option<&'static str> = None;

    /// Reads the text.
    ///
    /// # Errors
    /// What is wrong with it and what to write instead, to be put behind the variable's name.
    fn from_setting(text: &str) -> Result<Self, String>;
}

impl FromSetting for String {
    fn from_setting(text: &str) -> Result<Self, String> {
        Ok(text.into())
    }
}

impl FromSetting for PathBuf {
    const EXAMPLE: Option<&'static str> = Some("/var/lib/app/sessions");

    fn from_setting(text: &str) -> Result<Self, String> {
        Ok(text.into())
    }
}

impl FromSetting for bool {
    fn from_setting(text: &str) -> Result<Self, String> {
        session_rules::parse_flag(text)
    }
}

impl FromSetting for Duration {
    fn from_setting(text: &str) -> Result<Self, String> {
        session_rules::time::parse(text).map_err(|why| format!("can't be read: {why}"))
    }
}

impl<V: FromSetting> FromSetting for Option<V> {
    const EXAMPLE: Option<&'static str> = V::EXAMPLE;

    fn from_setting(text: &str) -> Result<Self, String> {
        V::from_setting(text).map(Some)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl FromSetting for $number {
            fn from_setting(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("is {text:?}; write a whole number from {} to {}", Self::MIN, Self::MAX))
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_stands_in_for_an_unset_variable() {
        assert_eq!(Value::env_or("SESSION_RUNTIME_TEST_UNSET", "5").read::<u32>("x").unwrap(), 5);
    }

    #[test]
    fn an_unset_variable_is_named() {
        let error = Value::env("SESSION_RUNTIME_TEST_UNSET").read::<String>("key").unwrap_err().to_string();
        assert!(
            error.contains("SESSION_RUNTIME_TEST_UNSET") && error.contains("`key`") && error.contains("not set"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_value_says_what_to_write() {
        let error = Value::literal("maybe").read::<bool>("secure").unwrap_err().to_string();
        assert!(error.contains("`secure`") && error.contains("`true` or `false`"), "{error}");
        let error = Value::literal("-1").read::<u16>("capacity").unwrap_err().to_string();
        assert!(error.contains("0 to 65535"), "{error}");
    }
}
