//! `touch = off`: a request is no use of the session.

use proc_macro2::Span;
use syn::{Ident, Token, parse::ParseStream};

use super::{OptionKey, word};

pub(crate) const USAGE: &str = "touch = off";

/// Requests only look at the session.
pub(crate) struct TouchOff {
    pub(crate) span: Span,
}

/// Reads `= off`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<TouchOff> {
    let ahead = input.fork();
    if ahead.parse::<Token![=]>().is_ok()
        && let Ok(word) = ahead.parse::<Ident>()
        && word == "on"
    {
        return Err(syn::Error::new(
            word.span(),
            "each request is a use of its session by default; remove `touch = on`",
        ));
    }
    word::parse(key, input, &["off"])?;
    Ok(TouchOff { span: key.span() })
}
