//! `#[session(...)]` on a handler.

mod checks;
mod expand;
mod fallback;
mod generics;
mod model;
mod openapi;
mod parameter;
mod parse;
mod rules;
mod spec;

use proc_macro2::TokenStream;

use crate::diag::Errors;

/// The attribute: tokens in, tokens out, whatever comes in.
pub(crate) fn wrap(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    wrap_with(arguments, item, cfg!(feature = "utoipa"))
}

/// The same, with or without the descriptions of the feature `utoipa`.
fn wrap_with(arguments: TokenStream, item: &TokenStream, describes: bool) -> TokenStream {
    let mut errors = Errors::new();
    let options = parse::options(arguments, &mut errors);
    let runtime = options.runtime();
    let mut function = match parse::function(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            // What the options lack is told where they belong.
            let _ = errors.finish(());
            return fallback::within(item, &runtime, &error);
        }
    };
    let path = if describes { openapi::take(&mut function, &mut errors) } else { None };
    let checked = model::check(&options, &function, errors);
    match checked.and_then(|handler| path.iter().try_for_each(|path| openapi::check(path, &handler)).map(|()| handler))
    {
        Ok(handler) => {
            let description = path.as_ref().map(|path| openapi::expand(path, &handler, &function, &runtime));
            let order = (describes && path.is_none()).then(|| openapi::expand_order(&function, &runtime));
            let mut expansion = expand::expand(&handler, &function, order.as_ref(), &runtime);
            expansion.extend(description);
            expansion
        }
        Err(error) => {
            // utoipa describes the stub as it is.
            function.attributes.extend(path.map(|path| path.attribute));
            fallback::expand(item, &function, &runtime, &error)
        }
    }
}

#[cfg(test)]
mod tests;
