//! `invalid = reject`: what a token that can't be used gets.

use syn::parse::ParseStream;

use super::{OptionKey, word};

pub(crate) const USAGE: &str = "invalid = reject";

/// What such a token gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// It counts as none.
    Anonymous,
    /// 400, and it is taken away.
    Reject,
}

/// Reads `= anonymous` or `= reject`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<Invalid> {
    let word = word::parse(key, input, &["anonymous", "reject"])?;
    Ok(if word == "reject" { Invalid::Reject } else { Invalid::Anonymous })
}
