//! After a mistake: the errors, the user's function, and a handler that a router takes.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Attribute, FnArg, ImplItem, Item, Safety, Signature, Type};

use super::{
    checks::has_word,
    expand::{self, elides_a_lifetime},
    generics::KeptGenerics,
    model::describes_the_item,
    parse::{self, Function},
    rules::is_session,
};
use crate::paths::Runtime;

/// The item as it was, behind its error. The handlers in an `impl` or a module are ones
/// that a router takes, as if each were marked.
pub(crate) fn within(item: &TokenStream, runtime: &Runtime, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    let mut parsed = syn::parse2(item.clone()).unwrap_or_else(|_| Item::Verbatim(item.clone()));
    stub_handlers(&mut parsed, runtime);
    quote_spanned!(Span::mixed_site()=> #error #parsed)
}

fn stub_handlers(item: &mut Item, runtime: &Runtime) {
    match item {
        Item::Fn(function) => {
            let stub = stub_of_unmarked(&function.attrs, &function.sig, function.to_token_stream(), runtime);
            if let Some(stub) = stub {
                *item = Item::Verbatim(stub);
            }
        }
        Item::Impl(block) => block.items.iter_mut().for_each(|member| {
            let ImplItem::Fn(function) = member else { return };
            let stub = stub_of_unmarked(&function.attrs, &function.sig, function.to_token_stream(), runtime);
            if let Some(stub) = stub {
                *member = ImplItem::Verbatim(stub);
            }
        }),
        Item::Mod(module) => {
            module.content.iter_mut().flat_map(|(_, items)| items).for_each(|item| stub_handlers(item, runtime));
        }
        _ => {}
    }
}

/// A stub in the place of a function that takes a session and isn't marked.
fn stub_of_unmarked(
    attributes: &[Attribute],
    signature: &Signature,
    function: TokenStream,
    runtime: &Runtime,
) -> Option<TokenStream> {
    let takes_self = signature.inputs.iter().any(|input| matches!(input, FnArg::Receiver(_)));
    let takes_session = |input: &FnArg| matches!(input, FnArg::Typed(parameter) if may_be_session(&parameter.ty));
    let unmarked = signature.asyncness.is_some() && !takes_self && !attributes.iter().any(is_session);
    if !unmarked || !signature.inputs.iter().any(takes_session) {
        return None;
    }
    parse::function(function).ok().map(|function| stub(&function, runtime))
}

/// `&User`, `Option<&mut User>`, `Session<User>`, `SessionSlot<User>`
fn may_be_session(ty: &Type) -> bool {
    has_word(ty.to_token_stream(), "Session")
        || has_word(ty.to_token_stream(), "SessionSlot")
        || elides_a_lifetime(ty.to_token_stream())
}

/// The errors, and a handler of no parameters that holds the user's function, so that its body is still checked and
/// its routes stay quiet.
pub(crate) fn expand(item: &TokenStream, function: &Function, runtime: &Runtime, error: &syn::Error) -> TokenStream {
    if function.signature.inputs.iter().any(|input| matches!(input, FnArg::Receiver(_))) {
        return within(item, runtime, error);
    }
    let (error, stub) = (error.to_compile_error(), stub(function, runtime));
    quote_spanned!(Span::mixed_site()=> #error #stub)
}

fn stub(function: &Function, runtime: &Runtime) -> TokenStream {
    let mut signature = function.signature.clone();
    // The compiler has words of its own about these.
    signature.variadic = None;
    signature.safety = Safety::Default;
    signature.abi = None;
    signature.constness = None;
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
        #(#outer)*
        #visibility async fn #name #declared() -> #response #where_clause {
            #users
            #unreachable()
        }
    }
}
