//! `#[derive(SessionData)]`.

mod expand;
mod fallback;
mod field_attributes;
mod model;
mod openapi;
mod parse;
mod serialized;

use proc_macro2::TokenStream;

use crate::{diag::Errors, paths::Runtime};

/// The derive: tokens in, tokens out, whatever comes in.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    derive_with(input, cfg!(feature = "utoipa"))
}

/// The same, with or without the descriptions of the feature `utoipa`.
fn derive_with(input: TokenStream, describes: bool) -> TokenStream {
    let input = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::new();
    let raw = parse::parse(&input, &mut errors);
    let runtime = raw.runtime();
    match model::check(raw, errors) {
        Ok(declaration) => expand(&declaration, &runtime, describes),
        Err(error) => fallback::expand(&input, &runtime, describes, &error),
    }
}

fn expand(declaration: &model::Declaration, runtime: &Runtime, describes: bool) -> TokenStream {
    let mut expansion = expand::expand(declaration, runtime);
    if describes {
        expansion.extend(openapi::expand(declaration, runtime));
    }
    expansion
}

#[cfg(test)]
mod tests;
