//! `#[derive(SessionData)]`.

mod expand;
mod fallback;
mod field_attributes;
mod model;
mod parse;
mod serialized;

use proc_macro2::TokenStream;

use crate::diag::Errors;

/// The derive: tokens in, tokens out, whatever comes in.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::new();
    let raw = parse::parse(&input, &mut errors);
    let runtime = raw.runtime();
    match model::check(raw, errors) {
        Ok(declaration) => expand::expand(&declaration, &runtime),
        Err(error) => fallback::expand(&input, &runtime, &error),
    }
}

#[cfg(test)]
mod tests;
