//! `#[session(...)]` on a handler.

mod checks;
mod expand;
mod fallback;
mod generics;
mod model;
mod parameter;
mod parse;
mod rules;
mod spec;

use proc_macro2::TokenStream;

use crate::diag::Errors;

/// The attribute: tokens in, tokens out, whatever comes in.
pub(crate) fn wrap(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let function = match parse::function(item.clone()) {
        Ok(function) => function,
        Err(error) => return fallback::unchanged(item, &error),
    };
    let mut errors = Errors::new();
    let options = parse::options(arguments, &mut errors);
    let runtime = options.runtime();
    match model::check(&options, &function, errors) {
        Ok(handler) => expand::expand(&handler, &function, &runtime),
        Err(error) => fallback::expand(item, &function, &runtime, &error),
    }
}

#[cfg(test)]
mod tests;
