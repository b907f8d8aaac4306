//! `encrypt`: records are sealed at rest.

use proc_macro2::Span;
use syn::parse::ParseStream;

use super::{OptionKey, Slot, feature::Feature};
use crate::diag::Errors;

pub(crate) const USAGE: &str = "encrypt";

const FEATURE: Feature = Feature { name: "encrypt", enabled: cfg!(feature = "encrypt") };

/// Reads nothing: the word is all.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<Span> {
    key.ends(input, key.span(), "no value")?;
    Ok(key.span())
}

/// Whether records are sealed.
pub(crate) fn check(encrypt: &Slot<Span>, errors: &mut Errors) -> bool {
    let Slot::Written(span) = encrypt else { return false };
    FEATURE.required(*span, "`encrypt`", errors);
    true
}
