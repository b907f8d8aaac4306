//! `on_end = path`: what is told when a session has ended.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Path, parse::ParseStream};

use super::{OptionKey, function};
use crate::paths::{Runtime, SpanRange};

pub(crate) const USAGE: &str = "on_end = ended";

/// The function that is told.
pub(crate) struct OnEnd(Path);

/// Reads `= path`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<OnEnd> {
    function::parse(key, input, "the path of an async function of the data and the reason").map(OnEnd)
}

impl OnEnd {
    /// The expression of the runtime's handle on it.
    pub(crate) fn expand(&self, runtime: &Runtime) -> TokenStream {
        let Self(path) = self;
        let on_end = runtime.on_end();
        SpanRange::of(path).put(quote!(#on_end::<Self, _, _>(#path)))
    }
}
