//! After a mistake: the errors, and a stub, so that the type's other uses stay quiet.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use super::model::{Declaration, is_storable};
use crate::paths::Runtime;

/// The errors, and what the type would have if it declared nothing.
pub(crate) fn expand(input: &DeriveInput, runtime: &Runtime, describes: bool, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    if !is_storable(input) {
        return error;
    }
    let stub = super::expand(&Declaration::of(&input.ident), runtime, describes);
    quote!(#error #stub)
}
