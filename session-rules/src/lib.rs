//! The rules that a session's declaration is held to.
//!
//! The macros apply them to literals at compile time and the runtime applies the same ones to
//! values that come from the environment, so that both refuse the same things in the same words.

pub mod cookie;
pub mod device;
pub mod missing;
pub mod name;
pub mod origin;
pub mod time;
pub mod transport;

/// The most sessions that one owner may have: each login rewrites the list of them, so the list has to have a bound.
pub const MAX_PER_OWNER: usize = 10_000;

/// One broken rule: which option breaks it and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The option to change, as it is spelled in the attribute (`domain`, `idle`, ...).
    pub option: &'static str,
    /// What is wrong and the fix, as one sentence without a full stop.
    pub message: String,
}

impl Violation {
    fn new(option: &'static str, message: impl Into<String>) -> Self {
        Self { option, message: message.into() }
    }
}

/// Reads a flag, as an environment variable may hold it.
///
/// # Errors
/// What to write instead.
///
/// ```
/// assert_eq!(session_rules::parse_flag("on"), Ok(true));
/// assert_eq!(session_rules::parse_flag("False"), Ok(false));
/// assert!(session_rules::parse_flag("maybe").is_err());
/// ```
pub fn parse_flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("is {text:?}; write `true` or `false`")),
    }
}

/// Whether a character can stand in a token of HTTP (RFC 9110, section 5.6.2), such as a cookie's or a header's name.
fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}
