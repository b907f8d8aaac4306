//! What a description needs to know of a type.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use session_rules::cookie;

use super::model::Declaration;
use crate::{
    options::transport::Transport,
    paths::{self, Runtime},
};

/// The type's schemes, and what its answers depend on.
pub(crate) fn expand(declaration: &Declaration, runtime: &Runtime) -> TokenStream {
    let ident = &declaration.ident;
    let (described, str, bool) = (runtime.described_session(), paths::str(), paths::bool());
    let schemes = schemes(declaration);
    let (validates, stored) = (declaration.validate.is_some(), !declaration.backend.is_carried());
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #described for #ident {
            const SCHEMES: &'static [&'static #str] = &[#(#schemes),*];
            const VALIDATES: #bool = #validates;
            const STORED: #bool = #stored;
        }
    }
}

/// The name, or one for each of several transports.
fn schemes(declaration: &Declaration) -> Vec<String> {
    let name = declaration.scheme.clone().unwrap_or_else(|| cookie::kebab(&declaration.ident.to_string()));
    match declaration.transports.as_slice() {
        [] | [_] => vec![name],
        several => several
            .iter()
            .map(|transport| match transport {
                Transport::Cookie => format!("{name}-cookie"),
                Transport::Bearer => format!("{name}-bearer"),
                Transport::Header(header) => format!("{name}-{header}"),
            })
            .collect(),
    }
}
