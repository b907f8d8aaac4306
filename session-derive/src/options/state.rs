//! `state = Pool`: what of the application's state an async guard and a `missing` handler take.

use proc_macro2::Span;
use syn::{Type, parse::ParseStream};

use super::OptionKey;

pub(crate) const USAGE: &str = "state = App";

/// What they take.
pub(crate) struct StateType {
    pub(crate) key: Span,
    pub(crate) ty: Type,
}

/// Reads `= type`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<StateType> {
    let what = "the type of the application's state, or of a part of it";
    key.equals(input, what)?;
    let span = input.span();
    let ty = input.parse().map_err(|_| key.misused(span, what))?;
    key.ends(input, span, what)?;
    Ok(StateType { key: key.span(), ty })
}
