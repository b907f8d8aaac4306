//! The wrapper of a handler. Nothing can go wrong here.
//!
//! Names begin with two underscores: hygiene does not keep a binding apart from a constant or a unit struct of its name.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Lifetime, ReturnType, Signature, Type};

use super::{
    checks::{self, has_word},
    model::{CallArgument, Handler, MOST_PARAMETERS, Session},
    parameter::BorrowForm,
    parse::Function,
    spec,
};
use crate::paths::{Runtime, SpanRange};

/// The wrapper with the user's function in it, and the types that stand beside it. `order` is asserted within.
pub(crate) fn expand(
    handler: &Handler,
    function: &Function,
    order: Option<&TokenStream>,
    runtime: &Runtime,
) -> TokenStream {
    let (wrapper, specs) = (wrapper(handler, function, order, runtime), spec::beside(handler, function, runtime));
    quote_spanned! {Span::mixed_site()=>
        #wrapper
        #(#specs)*
    }
}

/// The user's function as it was: attributes that transform it, signature and body.
pub(crate) fn users(attributes: &[Attribute], signature: &Signature, body: &TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> #(#attributes)* #signature #body)
}

fn wrapper(handler: &Handler, function: &Function, order: Option<&TokenStream>, runtime: &Runtime) -> TokenStream {
    let Handler { generics, outer, inner, .. } = handler;
    let Function { attributes: _, visibility, signature, body } = function;
    let Signature { ident, output, .. } = signature;
    let users = users(inner, signature, body);
    let (declared, where_clause) = (generics.declared(), generics.where_clause());
    let (parameters, opening) = parameters(handler, function, runtime);

    let (response, serve) = (runtime.response(), runtime.serve());
    let checks = checks::expand(handler, output, runtime);
    let (members, (others, _)) = (members(handler), others(handler));
    let (caller, call) = call(handler, function, runtime);

    let body = quote_spanned! {Span::mixed_site()=>
        #users
        #caller
        #checks
        #order
        #opening
        #serve(#members, (#(#others,)*), #call)
    };
    // The future is boxed already: an `async fn` around it would be one more for the compiler to make.
    if !is_to_be_async(handler) {
        let answering = runtime.handler_future();
        return quote_spanned! {Span::mixed_site()=>
            #(#outer)*
            #visibility fn #ident #declared(#(#parameters),*) -> #answering<'static> #where_clause { #body }
        };
    }
    quote_spanned! {Span::mixed_site()=>
        #(#outer)*
        #visibility async fn #ident #declared(#(#parameters),*) -> #response #where_clause { #body.await }
    }
}

/// How the user's function is called with its sessions and the rest of its arguments: a function of its own, and its name;
/// or a closure, where the arguments' types can't be written again. A closure is more for the compiler to make.
fn call(handler: &Handler, function: &Function, runtime: &Runtime) -> (Option<TokenStream>, TokenStream) {
    let Handler { generics, sessions, .. } = handler;
    let Signature { ident, generics: own_generics, output, .. } = &function.signature;
    let (entered, caller) = (Ident::new("__entered", Span::mixed_site()), Ident::new("__call", Span::mixed_site()));
    let users = Ident::new("__handler", SpanRange::of(ident).span());
    let turbofish = own_generics.type_params().next().is_some() || own_generics.const_params().next().is_some();
    let turbofish = generics.named().filter(|_| turbofish).map(|names| quote_spanned!(Span::mixed_site()=> ::#names));
    let answered = match output {
        ReturnType::Type(_, ty) => SpanRange::of(ty),
        ReturnType::Default => SpanRange::of(ident),
    };
    let into_response = answered.put(runtime.into_response());
    let into_response = quote_spanned!(answered.span()=> #into_response::into_response);
    let lent = (0..sessions.len()).map(|index| match sessions[index].lent {
        true => session_name(handler, index).to_token_stream(),
        false => quote_spanned!(Span::mixed_site()=> _),
    });
    let ((others, types), values) = (others(handler), values(handler));
    let boxed = runtime.boxed();
    let future = SpanRange::of(ident).put(quote!(#boxed::new(#users(#(#values),*))));
    let answer = answer(handler, ident, &future, &into_response, runtime);
    // A function that is named as a value, and not called, may be async without awaiting for clippy as well.
    let body = quote_spanned! {Span::mixed_site()=>
        let #users = #ident #turbofish;
        let [#(#lent),*] = #entered.each();
        #answer
    };
    if is_bound_to_its_place(handler) {
        return (None, quote_spanned!(Span::mixed_site()=> |#entered, (#(#others,)*)| { #body }));
    }
    let (entered_type, running) = (runtime.handler_sessions(), runtime.response_future());
    let lifetime = Lifetime::new("'__request", Span::mixed_site());
    let (declared, where_clause) = (generics.declared_with(&lifetime), generics.where_clause());
    let function = quote_spanned! {Span::mixed_site()=>
        fn #caller #declared(
            #entered: &#lifetime mut #entered_type<'_>,
            (#(#others,)*): (#(#types,)*),
        ) -> #running<#lifetime> #where_clause { #body }
    };
    (Some(function), quote_spanned!(Span::mixed_site()=> #caller #turbofish))
}

/// The handler's answer: what it changed is discarded if that is an `Err`, unless it is to be saved always.
fn answer(
    handler: &Handler,
    ident: &Ident,
    future: &TokenStream,
    into_response: &TokenStream,
    runtime: &Runtime,
) -> TokenStream {
    let place = SpanRange::of(ident);
    let discards = |session: &Session| session.form == BorrowForm::Exclusive && !session.saves_always;
    if !handler.sessions.iter().any(discards) {
        let answer = runtime.answer();
        return place.put(quote!(#answer(#future, #into_response)));
    }
    let (called, failed) = (Ident::new("__called", Span::mixed_site()), Ident::new("__failed", Span::mixed_site()));
    let (answer, returned) = (runtime.answer_unless_failed(), runtime.returned());
    let answer = place.put(quote!(#answer(#called, #into_response, #failed)));
    quote_spanned! {Span::mixed_site()=>
        let #called = #future;
        let #failed = #returned(&#called).failed();
        #answer
    }
}

/// The names of the arguments that are no sessions, and their types.
fn others(handler: &Handler) -> (Vec<Ident>, Vec<&Type>) {
    let others = handler.arguments.iter().enumerate().filter_map(|(index, argument)| match argument {
        CallArgument::Extractor(ty) => Some((argument_name(index), &**ty)),
        CallArgument::Session(_) => None,
    });
    others.unzip()
}

/// Whether the wrapper has to be an `async fn`: for `debug_handler`, which takes the output of any other function for
/// the answer; and where it holds what may not be `'static`, which is a matter between the user and axum.
fn is_to_be_async(handler: &Handler) -> bool {
    let is_debug_handler = |attribute: &Attribute| {
        attribute.path().segments.last().is_some_and(|segment| segment.ident == "debug_handler")
    };
    handler.outer.iter().any(is_debug_handler) || is_bound_to_its_place(handler)
}

/// Whether an argument's type means something else in another signature: it has a lifetime of the handler's or one that is
/// elided, it is `impl Trait`, or names `Self`.
fn is_bound_to_its_place(handler: &Handler) -> bool {
    let is_bound = |argument: &CallArgument| match argument {
        CallArgument::Extractor(ty) => {
            let has = |word| has_word(ty.to_token_stream(), word);
            has("impl") || has("Self") || elides_a_lifetime(ty.to_token_stream())
        }
        CallArgument::Session(_) => false,
    };
    handler.generics.has_lifetimes() || handler.arguments.iter().any(is_bound)
}

/// Whether there is a `'_`, or a reference without a lifetime.
pub(super) fn elides_a_lifetime(tokens: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.iter().enumerate().any(|(index, token)| match (token, tokens.get(index + 1)) {
        (TokenTree::Punct(punct), Some(TokenTree::Ident(name))) if punct.as_char() == '\'' => name == "_",
        (TokenTree::Punct(punct), next) if punct.as_char() == '&' => {
            !matches!(next, Some(TokenTree::Punct(next)) if next.as_char() == '\'')
        }
        (TokenTree::Group(group), _) => elides_a_lifetime(group.stream()),
        _ => false,
    })
}

/// The sessions of the handler, taken out of its extractors.
fn members(handler: &Handler) -> TokenStream {
    let names = (0..handler.sessions.len()).map(|index| session_name(handler, index));
    let all = names.map(|name| quote_spanned!(Span::mixed_site()=> #name.session));
    match handler.sessions.len() {
        1 => all.collect(),
        _ => quote_spanned!(Span::mixed_site()=> [#(#all),*]),
    }
}

/// The wrapper's parameters, and what opens those that stand in a pair.
fn parameters(handler: &Handler, function: &Function, runtime: &Runtime) -> (Vec<TokenStream>, Option<TokenStream>) {
    let taken = |argument: &&CallArgument| matches!(argument, CallArgument::Session(_));
    let guards_only = handler.sessions.len() - handler.arguments.iter().filter(taken).count();
    let guards =
        (0..guards_only).map(|index| (session_name(handler, index), extractor(handler, index, function, runtime)));
    let arguments = handler.arguments.iter().enumerate().map(|(index, argument)| match argument {
        CallArgument::Session(number) => {
            (session_name(handler, *number), extractor(handler, *number, function, runtime))
        }
        CallArgument::Extractor(ty) => (argument_name(index), ty.to_token_stream()),
    });
    let all: Vec<(Ident, TokenStream)> = guards.chain(arguments).collect();
    let parameter = |(name, ty): &(Ident, TokenStream)| quote_spanned!(Span::mixed_site()=> #name: #ty);
    let surplus = all.len().saturating_sub(MOST_PARAMETERS);
    if surplus == 0 {
        return (all.iter().map(parameter).collect(), None);
    }
    // axum extracts a tuple as one parameter, in its order.
    let (paired, rest) = all.split_at(surplus + 1);
    let (names, types): (Vec<_>, Vec<_>) = paired.iter().map(|(name, ty)| (name, ty)).unzip();
    let pair = format_ident!("__paired", span = Span::mixed_site());
    let first = quote_spanned!(Span::mixed_site()=> #pair: (#(#types),*));
    let opening = quote_spanned!(Span::mixed_site()=> let (#(#names),*) = #pair;);
    (std::iter::once(first).chain(rest.iter().map(parameter)).collect(), Some(opening))
}

/// What the user's function is called with.
fn values(handler: &Handler) -> Vec<TokenStream> {
    let value = |(index, argument): (usize, &CallArgument)| match argument {
        CallArgument::Extractor(_) => argument_name(index).to_token_stream(),
        CallArgument::Session(number) => {
            let Session { ty, form, optional, place, .. } = &handler.sessions[*number];
            let method = match (form, optional) {
                (BorrowForm::Shared, false) => "lend",
                (BorrowForm::Shared, true) => "lend_optional",
                (BorrowForm::Exclusive, false) => "lend_mut",
                (BorrowForm::Exclusive, true) => "lend_mut_optional",
                (BorrowForm::Owned, false) => "give",
                (BorrowForm::Owned, true) => "give_optional",
                (BorrowForm::Slot, _) => "give_slot",
            };
            let (name, method) = (session_name(handler, *number), Ident::new(method, place.span()));
            quote_spanned!(place.span()=> #name.#method::<#ty>())
        }
    };
    handler.arguments.iter().enumerate().map(value).collect()
}

/// The extractor of a session. It names the state, of which the function asks that it holds the session's type: the
/// compiler tells that in our words, while axum asks it to say nothing of why a function is no handler.
fn extractor(handler: &Handler, index: usize, function: &Function, runtime: &Runtime) -> TokenStream {
    let session = &handler.sessions[index];
    let path = match session.form {
        BorrowForm::Shared => runtime.shared(),
        BorrowForm::Exclusive => runtime.exclusive(),
        BorrowForm::Owned => runtime.owned(),
        BorrowForm::Slot => runtime.slot(),
    };
    let (sessions, ty) = (runtime.sessions(), &session.ty);
    let spec = spec::named(handler, index, function, runtime);
    let state = spec::is_read_by_nobody(handler).then(|| {
        let (state, has_sessions, holds_state) = (runtime.state(), runtime.has_sessions(), runtime.holds_state());
        let part = session.state.as_ref().map(|part| quote!(+ #holds_state<#part>));
        quote!(, #state<impl #has_sessions<#ty> #part>)
    });
    session.place.put(quote!(#path<#sessions<#ty>, #spec #state>))
}

/// The wrapper's parameter for a session, at the user's own.
fn session_name(handler: &Handler, index: usize) -> Ident {
    format_ident!("__session{index}", span = handler.sessions[index].place.span())
}

pub(super) fn argument_name(index: usize) -> Ident {
    format_ident!("__argument{index}", span = Span::mixed_site())
}
