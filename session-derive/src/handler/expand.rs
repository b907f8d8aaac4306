//! The wrapper of a handler. Nothing can go wrong here.
//!
//! Names begin with two underscores: hygiene does not keep a binding apart from a constant or a unit struct of its name.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Lifetime, ReturnType, Signature, Type};

use super::{
    checks::{self, has_word},
    model::{CallArgument, Handler, MOST_PARAMETERS, Session, is_conditional},
    parameter::BorrowForm,
    parse::Function,
};
use crate::{
    options::access::Access,
    paths::{self, Runtime, SpanRange},
};

/// The wrapper with the user's function in it, and for each session of which it asks more than most a marker and what
/// that stands for.
pub(crate) fn expand(handler: &Handler, function: &Function, runtime: &Runtime) -> TokenStream {
    let wrapper = wrapper(handler, function, runtime);
    let conditions: Vec<_> = handler.outer.iter().filter(is_conditional).collect();
    let special = (0..handler.sessions.len()).filter(|index| common_spec(&handler.sessions[*index], runtime).is_none());
    let specs = special.map(|index| {
        let (marker, spec) = (marker(handler, index, function), spec(handler, index, runtime));
        quote_spanned!(Span::mixed_site()=> #(#conditions)* #marker #(#conditions)* #spec)
    });
    quote_spanned! {Span::mixed_site()=>
        #wrapper
        #(#specs)*
    }
}

/// The user's function as it was: attributes that transform it, signature and body.
pub(crate) fn users(attributes: &[Attribute], signature: &Signature, body: &TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> #(#attributes)* #signature #body)
}

fn wrapper(handler: &Handler, function: &Function, runtime: &Runtime) -> TokenStream {
    let Handler { generics, outer, inner, .. } = handler;
    let Function { attributes: _, visibility, signature, body } = function;
    let Signature { ident, output, .. } = signature;
    let users = users(inner, signature, body);
    let (declared, where_clause) = (generics.declared(), generics.where_clause());
    let (parameters, opening) = parameters(handler, runtime);

    let (response, serve) = (runtime.response(), runtime.serve());
    let checks = checks::expand(handler, output, runtime);
    let (members, (others, _)) = (members(handler), others(handler));
    let (caller, call) = call(handler, function, runtime);

    let body = quote_spanned! {Span::mixed_site()=>
        #users
        #caller
        #checks
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
fn elides_a_lifetime(tokens: TokenStream) -> bool {
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
fn parameters(handler: &Handler, runtime: &Runtime) -> (Vec<TokenStream>, Option<TokenStream>) {
    let taken = |argument: &&CallArgument| matches!(argument, CallArgument::Session(_));
    let guards_only = handler.sessions.len() - handler.arguments.iter().filter(taken).count();
    let guards = (0..guards_only).map(|index| (session_name(handler, index), extractor(handler, index, runtime)));
    let arguments = handler.arguments.iter().enumerate().map(|(index, argument)| match argument {
        CallArgument::Session(number) => (session_name(handler, *number), extractor(handler, *number, runtime)),
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

fn extractor(handler: &Handler, index: usize, runtime: &Runtime) -> TokenStream {
    let session = &handler.sessions[index];
    let path = match session.form {
        BorrowForm::Shared => runtime.shared(),
        BorrowForm::Exclusive => runtime.exclusive(),
        BorrowForm::Owned => runtime.owned(),
        BorrowForm::Slot => runtime.slot(),
    };
    let (sessions, ty) = (runtime.sessions(), &session.ty);
    let spec = common_spec(session, runtime).unwrap_or_else(|| {
        let (marker, generics) = (marker_name(handler, index), handler.bounds.named());
        quote!(#marker #generics)
    });
    session.place.put(quote!(#path<#sessions<#ty>, #spec>))
}

/// What most handlers ask: who may enter, and nothing else. The compiler makes one extractor of these for all of them.
fn common_spec(session: &Session, runtime: &Runtime) -> Option<TokenStream> {
    let Session {
        access,
        guard: None,
        missing: None,
        fresh: None,
        wait: None,
        csrf: true,
        saves_always: false,
        lent: true,
        ..
    } = session
    else {
        return None;
    };
    let spec = match access {
        Access::Protected => runtime.protected(),
        Access::Optional => runtime.optional(),
        Access::OrDefault => return None,
    };
    Some(spec.to_token_stream())
}

/// The name of the type that stands for one session of one handler.
fn marker_name(handler: &Handler, index: usize) -> Ident {
    match index {
        0 => handler.marker.clone(),
        _ => format_ident!("{}_{}", handler.marker, index, span = Span::mixed_site()),
    }
}

/// The type that tells one handler's session from another's.
fn marker(handler: &Handler, index: usize, function: &Function) -> TokenStream {
    let (visibility, name, contents) = (&function.visibility, marker_name(handler, index), handler.bounds.marker());
    quote_spanned! {Span::mixed_site()=>
        #[doc(hidden)]
        #visibility struct #name #contents
    }
}

/// What the handler asks of one session.
fn spec(handler: &Handler, index: usize, runtime: &Runtime) -> TokenStream {
    let Session { ty, form: _, optional: _, access, place: _, guard, missing, fresh, wait, csrf, saves_always, lent } =
        &handler.sessions[index];
    let (marker, bounds) = (marker_name(handler, index), &handler.bounds);
    let (declared, named, where_clause) = (bounds.declared(), bounds.named(), bounds.where_clause());
    let (spec, asked) = (runtime.spec(), runtime.session_policy());
    let (duration, option, some, result) = (paths::duration(), paths::option(), paths::some(), paths::result());

    let who = match access {
        Access::Protected => quote_spanned!(Span::mixed_site()=> protected()),
        Access::Optional => quote_spanned!(Span::mixed_site()=> optional()),
        Access::OrDefault => quote_spanned!(Span::mixed_site()=> or_default(Self::default)),
    };
    let fresh = fresh.map(|millis| quote_spanned!(Span::mixed_site()=> .fresh(#duration::from_millis(#millis))));
    let wait = wait.map(|millis| quote_spanned!(Span::mixed_site()=> .wait(#duration::from_millis(#millis))));
    let csrf = (!csrf).then(|| quote_spanned!(Span::mixed_site()=> .from_any_site()));
    let save = saves_always.then(|| quote_spanned!(Span::mixed_site()=> .save_always()));
    let lent = (!lent).then(|| quote_spanned!(Span::mixed_site()=> .unlent()));
    let asks_missing = missing.as_ref().map(|missing| match missing.is_handler() {
        true => quote_spanned!(Span::mixed_site()=> .missing_handler(Self::missing)),
        false => quote_spanned!(Span::mixed_site()=> .missing(Self::missing)),
    });
    let asks_guard = guard.as_ref().map(|_| quote_spanned!(Span::mixed_site()=> .guard(Self::guard)));
    let missing = missing.as_ref().map(|missing| {
        let (answer, missing) = (runtime.missing(), missing.expand(runtime));
        quote_spanned!(Span::mixed_site()=> fn missing() -> #option<#answer> { #some(#missing) })
    });
    let guard = guard.as_ref().map(|guard| {
        let data = Ident::new("__data", guard.place().span());
        let (any_data, response, verdict) =
            (runtime.erased_data(), runtime.response(), guard.expand(&data, ty, runtime));
        quote_spanned!(Span::mixed_site()=> fn guard(#data: &dyn #any_data) -> #result<(), #response> { #verdict })
    });
    let default = (*access == Access::OrDefault).then(|| {
        let (default, data, boxed) = (paths::default(), runtime.boxed_data(), runtime.boxed());
        quote_spanned!(Span::mixed_site()=> fn default() -> #option<#data> { #some(#boxed::new(<#ty as #default>::default())) })
    });

    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #declared #spec for #marker #named #where_clause {
            const POLICY: #asked = #asked::#who #fresh #wait #csrf #save #lent #asks_missing #asks_guard;
            #guard
            #missing
            #default
        }
    }
}

/// The wrapper's parameter for a session, at the user's own.
fn session_name(handler: &Handler, index: usize) -> Ident {
    format_ident!("__session{index}", span = handler.sessions[index].place.span())
}

fn argument_name(index: usize) -> Ident {
    format_ident!("__argument{index}", span = Span::mixed_site())
}
