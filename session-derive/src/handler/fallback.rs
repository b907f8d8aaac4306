//! After a mistake: the errors, the user's function, and a handler that a router takes.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, FnArg, Safety};

use super::{expand, generics::KeptGenerics, model::describes_the_item, parse::Function, rules::is_session};
use crate::paths::Runtime;

/// The item as it was, behind its error.
pub(crate) fn unchanged(item: &TokenStream, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote_spanned!(Span::mixed_site()=> #error #item)
}

/// The errors, and a handler of no parameters that holds the user's function, so that its body is still checked and
/// its routes stay quiet.
pub(crate) fn expand(item: &TokenStream, function: &Function, runtime: &Runtime, error: &syn::Error) -> TokenStream {
    let mut signature = function.signature.clone();
    if signature.inputs.iter().any(|input| matches!(input, FnArg::Receiver(_))) {
        return unchanged(item, error);
    }
    // The compiler has words of its own about these.
    signature.variadic = None;
    signature.safety = Safety::Default;
    signature.abi = None;
    signature.constness = None;
    let error = error.to_compile_error();
    let attributes = function.attributes.iter().filter(|attribute| !is_session(attribute)).cloned();
    let (outer, inner): (Vec<Attribute>, Vec<Attribute>) = attributes.partition(describes_the_item);
    let users = (!function.body.is_empty()).then(|| {
        let users = expand::users(&inner, &signature, &function.body);
        quote_spanned!(Span::mixed_site()=> #[allow(dead_code)] #users)
    });
    let generics = KeptGenerics::of(&signature.generics, &[]);
    let (declared, where_clause) = (generics.declared(), generics.where_clause());
    let (visibility, name) = (&function.visibility, &signature.ident);
    let (response, unreachable) = (runtime.response(), runtime.unreachable());
    quote_spanned! {Span::mixed_site()=>
        #error
        #(#outer)*
        #visibility async fn #name #declared() -> #response #where_clause {
            #users
            #unreachable()
        }
    }
}
