//! `scheme = "user"`: what the type is called among the security schemes of an OpenAPI description.

use proc_macro2::Span;
use syn::{LitStr, parse::ParseStream};

use super::{OptionKey, Slot, feature::Feature};
use crate::diag::Errors;

pub(crate) const USAGE: &str = "scheme = \"user\"";

const WHAT: &str = "a name in quotes, which no variable can give";
const FEATURE: Feature = Feature { name: "utoipa", enabled: cfg!(feature = "utoipa") };

/// Reads `= "user"`. Handlers are described by it at compile time.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<(Span, LitStr)> {
    key.equals(input, WHAT)?;
    let span: Span = input.span();
    let name = input.parse().map_err(|_| key.misused(span, WHAT))?;
    key.ends(input, span, WHAT)?;
    Ok((key.span(), name))
}

/// The name, held to the rule of a description's components.
pub(crate) fn check(scheme: Slot<(Span, LitStr)>, errors: &mut Errors) -> Option<String> {
    let (key, name) = scheme.written()?;
    FEATURE.required(key, "`scheme`", errors);
    let text = name.value();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
    if text.is_empty() || !text.chars().all(is_allowed) {
        errors.at(
            name.span(),
            "a scheme's name has letters from a to z, digits, `.`, `-` and `_`, and nothing else; write `scheme = \"user\"`",
        );
    }
    Some(text)
}
