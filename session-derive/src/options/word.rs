//! Options whose value is one of a few words: `invalid = reject`, `csrf = off`.

use syn::{Ident, ext::IdentExt, parse::ParseStream};

use super::OptionKey;
use crate::diag::{choice, closest};

/// Reads `= word`; no environment can give it.
pub(super) fn parse(key: &OptionKey, input: ParseStream, words: &[&'static str]) -> syn::Result<&'static str> {
    let what = choice(words.iter().copied());
    key.equals(input, &what)?;
    let span = input.span();
    let word = input.call(Ident::parse_any).map_err(|_| key.misused(span, &what))?;
    key.ends(input, span, &what)?;
    let name = word.unraw().to_string();
    if let Some(found) = words.iter().find(|candidate| **candidate == name) {
        return Ok(found);
    }
    Err(match closest(&name, words.iter().copied()) {
        Some(meant) => syn::Error::new(span, format!("`{}` can't be `{name}`; did you mean `{meant}`?", key.ident)),
        None => key.misused(span, &what),
    })
}
