//! `encrypt`: records are sealed at rest.

use proc_macro2::Span;
use syn::parse::ParseStream;

use super::{Key, Slot, at_end, feature::Feature};
use crate::diag::Errors;

pub(crate) const USAGE: &str = "encrypt";

const FEATURE: Feature = Feature { name: "encrypt", enabled: cfg!(feature = "encrypt") };

/// Reads nothing: the word is all.
pub(crate) fn parse(key: &Key, input: ParseStream) -> syn::Result<Span> {
    if at_end(input) { Ok(key.span()) } else { Err(key.misused(key.span(), "no value")) }
}

/// Whether records are sealed.
pub(crate) fn check(encrypt: &Slot<Span>, errors: &mut Errors) -> bool {
    let Slot::Written(span) = encrypt else { return false };
    FEATURE.required(*span, "`encrypt`", errors);
    true
}
