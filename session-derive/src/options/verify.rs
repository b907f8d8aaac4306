//! `verify = path`: whether a session may be used by a request.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Path, parse::ParseStream};

use super::{OptionKey, function};
use crate::paths::{Runtime, SpanRange};

pub(crate) const USAGE: &str = "verify = is_active";

/// The function that is asked.
pub(crate) struct Verify(Path);

/// Reads `= path`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<Verify> {
    function::parse(key, input, "the path of an async function of the data and the request's parts").map(Verify)
}

impl Verify {
    /// The expression of the verdict to come.
    pub(crate) fn expand(&self, data: &TokenStream, parts: &TokenStream, runtime: &Runtime) -> TokenStream {
        let Self(path) = self;
        let place = SpanRange::of(path);
        let (ask, verified) = (runtime.ask(), runtime.verified());
        let asked = place.put(quote!(#ask(#data, #parts, #path)));
        place.put(quote!(#verified(#asked).await))
    }
}
