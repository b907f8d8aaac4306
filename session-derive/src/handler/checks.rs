//! What the wrapper asserts of the user's types, each where it is written.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Type};

use super::{
    model::{CallArgument, Handler, Session},
    parameter::{BorrowForm, is_next},
};
use crate::{
    options::access::peel,
    paths::{Runtime, SpanRange},
};

/// The assertions, or nothing where there is nothing to assert.
pub(crate) fn expand(handler: &Handler, output: &ReturnType, runtime: &Runtime) -> Option<TokenStream> {
    let lends = handler.sessions.iter().filter(|session| session.form == BorrowForm::Exclusive);
    let lends = lends.map(|session| lends_exclusively(session, runtime));
    let all = &handler.arguments;
    let is_middleware = matches!(all.last(), Some(CallArgument::Extractor(ty)) if is_next(ty));
    // What takes the body stands right before `Next`.
    let last = all.len().saturating_sub(if is_middleware { 2 } else { 1 });
    let arguments = handler.arguments.iter().enumerate().filter_map(|(index, argument)| match argument {
        CallArgument::Session(_) => None,
        CallArgument::Extractor(ty) => Some((&**ty, index >= last)),
    });
    let arguments = arguments.filter_map(|(ty, last)| extractor(ty, last, runtime));
    let all: Vec<TokenStream> = lends.chain(arguments).chain(parts_of_response(output, runtime)).collect();
    // Asserted by being there: none of it runs.
    (!all.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> if false { #(#all)* }))
}

/// `user: &mut User` with a backend without leases
fn lends_exclusively(session: &Session, runtime: &Runtime) -> TokenStream {
    let (ty, lends) = (&session.ty, runtime.lends());
    let lends = session.place.put(quote!(#lends::<#ty>()));
    quote_spanned!(Span::mixed_site()=> #lends;)
}

/// `form: Form<Login>` before another parameter, or without `Login: Deserialize`; `id: u64`
///
/// The name is only a hint, so that most parameters are not asked; the runtime knows axum's types from their namesakes.
fn extractor(ty: &Type, last: bool, runtime: &Runtime) -> Option<TokenStream> {
    const BODIES: [&str; 7] = ["Body", "Bytes", "Form", "Json", "RawForm", "Request", "String"];
    const DATA: [&str; 4] = ["Form", "Json", "Path", "Query"];
    const VALUES: [&str; 18] = [
        "HashMap", "Vec", "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "u128", "u16",
        "u32", "u64", "u8", "usize",
    ];
    let Type::Path(path) = ty else { return None };
    let name = path.path.segments.last()?.ident.to_string();
    let is_one_of = |names: &[&str]| names.contains(&name.as_str());
    // Such a type can't be named again.
    if has_word(ty.to_token_stream(), "impl") {
        return None;
    }
    let (place, parameter) = (SpanRange::of(ty), runtime.parameter());
    let ask = |what: &str| {
        let what = Ident::new(what, Span::mixed_site());
        place.put(quote!(#parameter::<#ty>::TYPE.#what()))
    };
    let mut all = TokenStream::new();
    if !last && is_one_of(&BODIES) {
        let (before_others, body) = (runtime.before_others(), ask("body"));
        all.extend(place.put(quote!(#before_others(#body);)));
    }
    if is_one_of(&DATA) {
        let (read, data) = (runtime.read(), ask("data"));
        all.extend(place.put(quote!(#read(#data);)));
    }
    if is_one_of(&VALUES) {
        let (extracted, extractor) = (runtime.extracted(), ask("extractor"));
        all.extend(place.put(quote!(#extracted(#extractor);)));
    }
    (!all.is_empty()).then_some(all)
}

/// `-> (StatusCode, User)`: which part of a tuple is no response. The tuple as a whole is asserted where it becomes one.
fn parts_of_response(output: &ReturnType, runtime: &Runtime) -> Vec<TokenStream> {
    let ReturnType::Type(_, ty) = output else { return Vec::new() };
    let Type::Tuple(tuple) = peel(ty) else { return Vec::new() };
    let last = tuple.elems.len().saturating_sub(1);
    let parts = tuple.elems.iter().enumerate().filter(|(_, ty)| !has_word(ty.to_token_stream(), "impl"));
    let assertion = |(index, ty): (usize, &Type)| {
        let place = SpanRange::of(ty);
        if index == last {
            let responds = runtime.responds();
            return place.put(quote!(#responds::<#ty>();));
        }
        if index > 0 {
            let responds = runtime.responds_in_part();
            return place.put(quote!(#responds::<#ty>();));
        }
        let (begins, parameter) = (runtime.begins_response(), runtime.parameter());
        let beginning = place.put(quote!(#parameter::<#ty>::TYPE.beginning()));
        place.put(quote!(#begins(#beginning);))
    };
    parts.map(assertion).collect()
}

pub(crate) fn has_word(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => has_word(group.stream(), word),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
