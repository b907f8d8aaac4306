//! `name = "shop-user"`: what the type is known as to others than this program.

use proc_macro2::Span;
use session_rules::name;
use syn::{LitStr, parse::ParseStream};

use super::{OptionKey, Slot};
use crate::diag::Errors;

pub(crate) const USAGE: &str = "name = \"shop-user\"";

const WHAT: &str = "a name in quotes, which no variable can give";

/// Reads `= "shop-user"`. It is a constant: keys are derived for it, so another one would end all sessions.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<LitStr> {
    key.equals(input, WHAT)?;
    let span: Span = input.span();
    let name = input.parse().map_err(|_| key.misused(span, WHAT))?;
    key.ends(input, span, WHAT)?;
    Ok(name)
}

/// The name, held to the rule of names.
pub(crate) fn check(name: Slot<LitStr>, errors: &mut Errors) -> Option<String> {
    let name = name.written()?;
    if let Err(message) = name::check(&name.value()) {
        errors.at(name.span(), message);
    }
    Some(name.value())
}
