//! The macros of `session-runtime`, which re-exports them with their documentation. Depend on that crate, not on this.

mod data;
mod diag;
mod handler;
mod options;
mod paths;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod token_fuzz;

use proc_macro::TokenStream;

// Documented where users find it: on the runtime's re-export.
#[allow(missing_docs)]
#[proc_macro_derive(SessionData, attributes(session))]
pub fn derive_session_data(input: TokenStream) -> TokenStream {
    data::derive(input.into()).into()
}

// Documented where users find it: on the runtime's re-export.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn session(arguments: TokenStream, item: TokenStream) -> TokenStream {
    handler::wrap(arguments.into(), &item.into()).into()
}
