//! `save = always`: what the handler changed is stored even if it fails.

use proc_macro2::Span;
use syn::{Ident, Token, parse::ParseStream};

use super::{OptionKey, word};

pub(crate) const USAGE: &str = "save = always";

/// Changes are stored whatever the handler answers.
pub(crate) struct SaveAlways {
    pub(crate) span: Span,
}

/// Reads `= always`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<SaveAlways> {
    let ahead = input.fork();
    if ahead.parse::<Token![=]>().is_ok()
        && let Ok(word) = ahead.parse::<Ident>()
        && (word == "never" || word == "off")
    {
        let message = format!("a session that is not to be changed is borrowed by `&`; remove `save = {word}`");
        return Err(syn::Error::new(word.span(), message));
    }
    word::parse(key, input, &["always"])?;
    Ok(SaveAlways { span: key.span() })
}
