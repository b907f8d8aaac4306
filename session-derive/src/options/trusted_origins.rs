//! `trusted_origins = ["https://shop.example"]`: other sites whose requests are let in.

use proc_macro2::Span;
use session_rules::origin::Origin;
use syn::{bracketed, parse::ParseStream, token};

use super::{
    OptionKey, each,
    value::{Expected, LiteralKind, RawValue, Setting, Source},
};
use crate::diag::Errors;

pub(crate) const USAGE: &str = "trusted_origins = [\"https://shop.example\"]";

const ORIGINS: Expected = Expected { kinds: &[LiteralKind::Text], what: "origins in brackets, or `env(\"VAR\")`" };

/// The origins as they were written.
pub(crate) struct RawOrigins {
    pub(crate) span: Span,
    values: Vec<RawValue>,
}

/// Reads `= [origin, ...]` or `= origin`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream, errors: &mut Errors) -> syn::Result<RawOrigins> {
    key.equals(input, ORIGINS.what)?;
    let mut values = Vec::new();
    if input.peek(token::Bracket) {
        let content;
        bracketed!(content in input);
        each(&content, errors, |input, _| {
            values.push(RawValue::parse_value(key, input, ORIGINS)?);
            Ok(())
        });
        key.ends(input, input.span(), ORIGINS.what)?;
    } else {
        values.push(RawValue::parse_value(key, input, ORIGINS)?);
    }
    Ok(RawOrigins { span: key.span(), values })
}

/// The values, once what is known of them are origins.
pub(crate) fn check(raw: RawOrigins, errors: &mut Errors) -> Vec<Setting> {
    for value in &raw.values {
        let Some(known) = value.known() else { continue };
        let found = match value.source {
            Source::Literal(_) => Origin::parse(&known.text).map(drop),
            // A variable's text may be a list, and empty.
            Source::Env { .. } => Origin::parse_list(&known.text).map(drop),
        };
        if let Err(message) = found {
            errors.at(known.span, message);
        }
    }
    raw.values.into_iter().map(RawValue::setting).collect()
}
