//! `validate` or `validate = path`: the rules that data keeps in the store and on its way there.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Path, Token, parse::ParseStream};

use super::{OptionKey, at_end, feature::Feature, function};
use crate::{
    diag::Errors,
    paths::{Runtime, SpanRange},
};

pub(crate) const USAGE: &str = "validate = check";

const WHAT: &str = "nothing (the type's `garde::Validate`), or the path of a function of the data";

const FEATURE: Feature = Feature { name: "garde", enabled: cfg!(feature = "garde") };

/// Who checks the data.
pub(crate) enum Validate {
    /// Its `garde::Validate`, asked for here.
    Garde(Span),
    Function(Path),
}

/// Reads nothing, or `= path`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<Validate> {
    if at_end(input) {
        return Ok(Validate::Garde(key.span()));
    }
    if !input.peek(Token![=]) {
        return Err(key.misused(key.span(), WHAT));
    }
    function::parse(key, input, WHAT).map(Validate::Function)
}

/// A check that can be made; its types are the compiler's to check.
pub(crate) fn check(validate: Validate, errors: &mut Errors) -> Validate {
    if let Validate::Garde(span) = validate {
        FEATURE.required(span, "a bare `validate`, which asks `garde`,", errors);
    }
    validate
}

impl Validate {
    /// The expression of the data's validity.
    pub(crate) fn expand(&self, data: &TokenStream, runtime: &Runtime) -> TokenStream {
        match self {
            Self::Garde(span) => {
                let (validate, place) = (runtime.validate_garde(), SpanRange::at(*span));
                let data = place.put(data.clone());
                place.put(quote!(#validate(#data)))
            }
            Self::Function(path) => {
                let validate = runtime.validate();
                SpanRange::of(path).put(quote!(#validate(#data, #path)))
            }
        }
    }
}
