//! What a handler asks of each of its sessions, as a type.
//!
//! A handler that asks nothing but `protected` or `optional` names the runtime's own type. Any other has a type of its
//! own, which stands in the signature itself: in the block of a constant, the only place for an item where both a module
//! and an `impl` have one. The compiler finds it by the constant, which no other handler has. Only a generic handler, and
//! one whose signature another macro reads, has its type beside it, so that these can stand in no `impl`.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::Attribute;

use super::{
    checks::has_word,
    model::{Handler, Session, is_conditional},
    parse::Function,
};
use crate::{
    options::access::Access,
    paths::{self, Runtime, SpanRange},
};

/// The type in the signature.
pub(crate) fn named(handler: &Handler, index: usize, function: &Function, runtime: &Runtime) -> TokenStream {
    let session = &handler.sessions[index];
    if let Some(common) = common(session, runtime) {
        return common;
    }
    let name = marker_name(handler, index);
    if !stands_in_the_signature(handler) {
        let generics = handler.bounds.named();
        return quote_spanned!(Span::mixed_site()=> #name #generics);
    }
    let (keyed, key, key_of, spec_of, spec) =
        (runtime.keyed(), runtime.key(), runtime.key_of(), runtime.spec_of(), runtime.spec());
    let (marker, implementation) = (marker(handler, index, None), implementation(handler, index, runtime));
    let takes_state = takes_state(handler, index, runtime);
    let (u64, module_path, line, column) = (paths::u64(), paths::module_path(), paths::line(), paths::column());
    let written = Literal::u64_suffixed(hash(&function.signature.to_token_stream(), index));
    quote_spanned! {Span::mixed_site()=>
        #keyed<{
            const __KEY: #u64 = #key_of(#module_path!(), #line!(), #column!(), #written);
            #marker
            impl #spec_of<#name> for #key<__KEY> {}
            #implementation
            #takes_state
            __KEY
        }, impl #spec>
    }
}

/// The types that stand beside the handler.
pub(crate) fn beside<'a>(
    handler: &'a Handler,
    function: &'a Function,
    runtime: &'a Runtime,
) -> impl Iterator<Item = TokenStream> + 'a {
    let conditions: Vec<&Attribute> = handler.outer.iter().filter(is_conditional).collect();
    let is_beside =
        |index: &usize| !stands_in_the_signature(handler) && common(&handler.sessions[*index], runtime).is_none();
    (0..handler.sessions.len()).filter(is_beside).map(move |index| {
        let (marker, spec) = (marker(handler, index, Some(function)), implementation(handler, index, runtime));
        let takes = takes_state(handler, index, runtime);
        quote_spanned!(Span::mixed_site()=> #(#conditions)* #marker #(#conditions)* #spec #(#conditions)* #takes)
    })
}

/// Whether the signature is only for the compiler, so that anything may stand in it.
pub(crate) fn is_read_by_nobody(handler: &Handler) -> bool {
    let is_one = |attribute: &Attribute| {
        let name = attribute.path().segments.last();
        name.is_some_and(|name| name.ident == "debug_handler" || name.ident == "path" || name.ident == "cfg_attr")
    };
    // `cfg_attr(feature = "docs", utoipa::path(..))` may be one.
    let names_one = |attribute: &Attribute| {
        let tokens = attribute.meta.to_token_stream();
        has_word(tokens.clone(), "debug_handler") || has_word(tokens, "path")
    };
    !handler.outer.iter().any(|attribute| is_one(attribute) && names_one(attribute))
}

/// A generic handler's type has its parameters, by which no constant could find it.
fn stands_in_the_signature(handler: &Handler) -> bool {
    handler.bounds.named().is_none() && is_read_by_nobody(handler)
}

/// What most handlers ask: who may enter, and nothing else. The compiler makes one extractor of these for all of them.
fn common(session: &Session, runtime: &Runtime) -> Option<TokenStream> {
    let Session {
        access,
        guard: None,
        missing: None,
        fresh: None,
        device: None,
        wait: None,
        csrf: true,
        touches: true,
        saves_always: false,
        lent: true,
        passes_on: false,
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

/// The type that tells one handler's session from another's. In a signature it is public, since other modules infer it.
fn marker(handler: &Handler, index: usize, beside: Option<&Function>) -> TokenStream {
    let (name, contents) = (marker_name(handler, index), handler.bounds.marker());
    let visibility = match beside {
        Some(function) => function.visibility.to_token_stream(),
        None => quote_spanned!(Span::mixed_site()=> pub),
    };
    quote_spanned! {Span::mixed_site()=>
        #[doc(hidden)]
        #visibility struct #name #contents
    }
}

/// What the functions of a session's options take of the application's state.
fn takes_state(handler: &Handler, index: usize, runtime: &Runtime) -> TokenStream {
    let (marker, bounds) = (marker_name(handler, index), &handler.bounds);
    let (whole, takes_state) = (Ident::new("__S", Span::mixed_site()), runtime.takes_state());
    let (declared, named, predicates) = (bounds.declared_before(&whole), bounds.named(), bounds.predicates());
    let Some(state) = &handler.sessions[index].state else {
        let where_clause = bounds.where_clause();
        return quote_spanned! {Span::mixed_site()=>
            #[automatically_derived]
            impl #declared #takes_state<#whole> for #marker #named #where_clause {}
        };
    };
    let (option, erased_state, take_state) = (paths::option(), runtime.erased_state(), runtime.take_state());
    let (holds_state, given) = (runtime.holds_state(), Ident::new("__state", Span::mixed_site()));
    // Of a type with a single `FromRef` the compiler would take itself for the router's state, and tell that.
    let second = named.is_none().then(|| {
        let from_ref = runtime.from_ref();
        quote_spanned! {Span::mixed_site()=>
            enum __Nowhere {}
            #[automatically_derived]
            impl #from_ref<__Nowhere> for #state {
                fn from_ref(#given: &__Nowhere) -> Self { match *#given {} }
            }
        }
    });
    quote_spanned! {Span::mixed_site()=>
        const _: () = {
            #second
            #[automatically_derived]
            impl #declared #takes_state<#whole> for #marker #named where #(#predicates,)* #whole: #holds_state<#state> {
                fn take(#given: &#whole) -> #option<#erased_state> { #take_state::<#state, #whole>(#given) }
            }
        };
    }
}

/// FNV-1a of what was written and of which session it is about.
fn hash(written: &TokenStream, index: usize) -> u64 {
    let text = written.to_string();
    let bytes = text.bytes().chain(index.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// What the handler asks of one session.
fn implementation(handler: &Handler, index: usize, runtime: &Runtime) -> TokenStream {
    let Session {
        ty,
        form: _,
        optional: _,
        access,
        place: _,
        guard,
        missing,
        fresh,
        device,
        wait,
        csrf,
        touches,
        saves_always,
        state,
        lent,
        passes_on,
    } = &handler.sessions[index];
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
    let device = device.map(|millis| {
        // Where the type stands: an error is about that.
        let asked = SpanRange::of(ty).put(quote_spanned!(Span::mixed_site()=> device::<#ty>));
        quote_spanned!(Span::mixed_site()=> .#asked(#duration::from_millis(#millis)))
    });
    let wait = wait.map(|millis| quote_spanned!(Span::mixed_site()=> .wait(#duration::from_millis(#millis))));
    let csrf = (!csrf).then(|| quote_spanned!(Span::mixed_site()=> .from_any_site()));
    let touch = (!touches).then(|| quote_spanned!(Span::mixed_site()=> .untouched()));
    let save = saves_always.then(|| quote_spanned!(Span::mixed_site()=> .save_always()));
    let passes_on = passes_on.then(|| quote_spanned!(Span::mixed_site()=> .passes_on()));
    let lent = (!lent).then(|| quote_spanned!(Span::mixed_site()=> .unlent()));
    let asks_missing = missing.as_ref().map(|missing| match missing.wants_request() {
        true => quote_spanned!(Span::mixed_site()=> .missing_handler(Self::missing)),
        false => quote_spanned!(Span::mixed_site()=> .missing(Self::missing)),
    });
    let asks_guard = guard.as_ref().map(|guard| match guard.asynchronous {
        true => quote_spanned!(Span::mixed_site()=> .async_guard(Self::async_guard)),
        false if guard.device => {
            // Where the type stands: an error is about that.
            let asked = SpanRange::of(ty).put(quote_spanned!(Span::mixed_site()=> device_guard::<#ty>));
            quote_spanned!(Span::mixed_site()=> .#asked(Self::device_guard))
        }
        false => quote_spanned!(Span::mixed_site()=> .guard(Self::guard)),
    });
    let (erased_state, given) = (runtime.erased_state(), Ident::new("__state", Span::mixed_site()));
    let missing = missing.as_ref().map(|missing| {
        let taken = state.as_ref().map(|state| {
            let (state_taken, clone) = (runtime.state_taken(), paths::clone());
            quote_spanned!(Span::mixed_site()=> #clone::clone(#state_taken::<#state>(#given)))
        });
        let (answer, missing) = (runtime.missing(), missing.expand(state.as_ref().zip(taken.as_ref()), runtime));
        quote_spanned! {Span::mixed_site()=>
            fn missing(#given: #option<&#erased_state>) -> #option<#answer> { #some(#missing) }
        }
    });
    let guard = guard.as_ref().map(|guard| {
        let data = Ident::new("__data", guard.place().span());
        let any_data = runtime.erased_data();
        if guard.asynchronous {
            let parts = Ident::new("__parts", guard.place().span());
            let verdict = guard.expand_async([&data, &parts, &given], ty, state.as_ref(), runtime);
            let (http_parts, future) = (runtime.parts(), runtime.guard_future());
            return quote_spanned! {Span::mixed_site()=>
                fn async_guard<'__asked>(
                    #data: &'__asked dyn #any_data,
                    #parts: &'__asked #http_parts,
                    #given: #option<&'__asked #erased_state>,
                ) -> #future<'__asked> { #verdict }
            };
        }
        if guard.device {
            let noted = Ident::new("__noted", guard.place().span());
            let verdict = guard.expand_with_device([&data, &noted], ty, runtime);
            let (response, all_noted) = (runtime.response(), runtime.noted());
            return quote_spanned! {Span::mixed_site()=>
                fn device_guard(#data: &dyn #any_data, #noted: #all_noted<'_>) -> #result<(), #response> { #verdict }
            };
        }
        let (response, verdict) = (runtime.response(), guard.expand(&data, ty, runtime));
        quote_spanned!(Span::mixed_site()=> fn guard(#data: &dyn #any_data) -> #result<(), #response> { #verdict })
    });
    let default = (*access == Access::OrDefault).then(|| {
        let (default, data, boxed) = (paths::default(), runtime.boxed_data(), runtime.boxed());
        quote_spanned!(Span::mixed_site()=> fn default() -> #option<#data> { #some(#boxed::new(<#ty as #default>::default())) })
    });

    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #declared #spec for #marker #named #where_clause {
            const POLICY: #asked = #asked::#who #fresh #device #wait #csrf #touch #save #lent #passes_on #asks_missing #asks_guard;
            #guard
            #missing
            #default
        }
    }
}
