//! `csrf = off`: requests of other sites are let in.

use proc_macro2::Span;
use syn::{Ident, Token, parse::ParseStream};

use super::{OptionKey, word};

pub(crate) const USAGE: &str = "csrf = off";

/// Other sites' requests are let in.
pub(crate) struct CsrfOff {
    pub(crate) span: Span,
}

/// Reads `= off`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<CsrfOff> {
    let ahead = input.fork();
    if ahead.parse::<Token![=]>().is_ok()
        && let Ok(word) = ahead.parse::<Ident>()
        && word == "on"
    {
        return Err(syn::Error::new(word.span(), "cross-site requests are refused by default; remove `csrf = on`"));
    }
    word::parse(key, input, &["off"])?;
    Ok(CsrfOff { span: key.span() })
}
