//! `#[utoipa::path(...)]` below `#[session(...)]`: the description that utoipa makes, with what the session adds.
//!
//! utoipa implements `Path` for a struct that it puts beside the function, `__path_NAME`, and routers and documents name
//! that struct. Here it gets another struct (`impl_for`) and a function of the same parameters that is never called. The
//! struct of the expected name is ours; the runtime answers for it, with what utoipa made and what the sessions add.
//! The arguments of `#[utoipa::path]` are left as they are, since what is added depends on types that only the runtime
//! knows.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, LitStr, Meta, ReturnType, Type};

use super::{
    checks::has_word,
    expand::{argument_name, elides_a_lifetime},
    model::{CallArgument, Handler, Session, is_conditional},
    parameter::BorrowForm,
    parse::Function,
};
use crate::{
    diag::Errors,
    options::{access::Access, missing::Missing},
    paths::{self, Runtime, SpanRange},
};

/// `#[utoipa::path(...)]` as it was written.
pub(crate) struct PathAttribute {
    pub(crate) attribute: Attribute,
    arguments: TokenStream,
    has_operation_id: bool,
    /// The schemes of each alternative of `security(...)`.
    security: Option<(Ident, Vec<Vec<LitStr>>)>,
}

/// Takes utoipa's attribute off a function.
pub(crate) fn take(function: &mut Function, errors: &mut Errors) -> Option<PathAttribute> {
    let at = function.attributes.iter().position(is_of_utoipa)?;
    let attribute = function.attributes.remove(at);
    let Meta::List(list) = &attribute.meta else { return None };
    let arguments = list.tokens.clone();
    let mut path = PathAttribute { attribute: attribute.clone(), arguments, has_operation_id: false, security: None };
    let tokens: Vec<TokenTree> = path.arguments.clone().into_iter().collect();
    for argument in tokens.split(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')) {
        let [TokenTree::Ident(name), rest @ ..] = argument else { continue };
        match (name.to_string().as_str(), rest) {
            ("operation_id", _) => path.has_operation_id = true,
            ("impl_for", _) => errors.at(
                name.span(),
                "`#[session]` uses `impl_for` itself to describe the handler; remove it, and name the handler to utoipa",
            ),
            ("security", [TokenTree::Group(list)]) => path.security = Some((name.clone(), alternatives(list))),
            _ => {}
        }
    }
    Some(path)
}

/// `#[utoipa::path(...)]`, or `#[self::path(...)]` where that is imported: the compiler's own has no list.
fn is_of_utoipa(attribute: &Attribute) -> bool {
    let named = attribute.path().segments.last().is_some_and(|segment| segment.ident == "path");
    named && matches!(&attribute.meta, Meta::List(_))
}

/// The names in `(("user" = [], "key" = []), ("other" = []), ())`.
fn alternatives(list: &Group) -> Vec<Vec<LitStr>> {
    let groups = list.stream().into_iter().filter_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group.stream()),
        _ => None,
    });
    let names = |group: TokenStream| group.into_iter().filter_map(|token| syn::parse2(token.into_token_stream()).ok());
    groups.map(|group| names(group).collect()).collect()
}

/// `user: &T` in a handler of any `T`
pub(crate) fn check(path: &PathAttribute, handler: &Handler) -> syn::Result<()> {
    let named = |session: &&Session| handler.generics.are_named_in(&session.ty.to_token_stream());
    match handler.sessions.iter().find(named) {
        None => Ok(()),
        Some(session) => Err(SpanRange::of(&session.ty).error(format!(
            "`#[{}]` describes one operation, and which session this is depends on the router; write a handler for each \
             type, or remove the description",
            path.attribute.path().to_token_stream().to_string().replace(' ', "")
        ))),
    }
}

/// What describes the handler, beside it.
pub(crate) fn expand(path: &PathAttribute, handler: &Handler, function: &Function, runtime: &Runtime) -> TokenStream {
    let ident = &function.signature.ident;
    let conditions: Vec<_> = handler.outer.iter().filter(is_conditional).collect();
    let name = path_name(ident, Span::call_site());
    let operation = format_ident!("__session_path_{}", ident, span = Span::mixed_site());
    let (described, session_use) = (runtime.described_handler(), runtime.session_use());
    let sessions = handler.sessions.iter().map(|session| session_expr(session, handler, runtime));
    let (utoipa_path, tags, references) = (runtime.utoipa_path(), runtime.utoipa_tags(), runtime.schema_references());
    let (string, vec, str) = (runtime.string(), runtime.vec(), paths::str());
    let (method, op) = (runtime.http_method(), runtime.utoipa_operation());
    let (ref_or, schema) = (runtime.ref_or(), runtime.utoipa_schema());
    let [path_of, methods_of, operation_of, tags_of, schemas_of] = [
        runtime.operation_path(),
        runtime.operation_methods(),
        runtime.operation(),
        runtime.operation_tags(),
        runtime.operation_schemas(),
    ];
    let lifetime = syn::Lifetime::new("'__t", Span::mixed_site());
    let (made, checks) = (made_by_utoipa(path, &operation, handler, function, runtime), checks(path, handler, runtime));
    let clone = paths::clone();
    quote_spanned! {Span::mixed_site()=>
        #(#conditions)*
        #[doc(hidden)]
        #[derive(#clone)]
        pub struct #name;
        #(#conditions)*
        #[doc(hidden)]
        pub struct #operation;
        #(#conditions)*
        const _: () = {
            #made
            #checks

            #[automatically_derived]
            impl #described for #name {
                type Operation = #operation;
                fn session_uses() -> #vec<#session_use> {
                    #vec::from([#(#sessions),*])
                }
            }
            #[automatically_derived]
            impl #utoipa_path for #name {
                fn path() -> #string { #path_of::<Self>() }
                fn methods() -> #vec<#method> { #methods_of::<Self>() }
                fn operation() -> #op { #operation_of::<Self>() }
            }
            #[automatically_derived]
            impl<#lifetime> #tags<#lifetime> for #name {
                fn tags() -> #vec<&#lifetime #str> { #tags_of::<Self>() }
            }
            #[automatically_derived]
            impl #references for #name {
                fn schemas(__schemas: &mut #vec<(#string, #ref_or<#schema>)>) { #schemas_of::<Self>(__schemas) }
            }
        };
    }
}

fn path_name(ident: &Ident, span: Span) -> Ident {
    format_ident!("__path_{}", ident, span = span)
}

/// The function that utoipa sees: the handler's name for the operation, its docs, its other parameters and its answer.
fn made_by_utoipa(
    path: &PathAttribute,
    operation: &Ident,
    handler: &Handler,
    function: &Function,
    runtime: &Runtime,
) -> TokenStream {
    let described =
        |attribute: &&Attribute| attribute.path().is_ident("doc") || attribute.path().is_ident("deprecated");
    let about = handler.outer.iter().filter(described);
    let ident = &function.signature.ident;
    let seen = format_ident!("__described_{}", ident, span = Span::mixed_site());
    let mut arguments = path.arguments.clone();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    if arguments.clone().into_iter().last().is_some_and(|last| !is_comma(&last)) {
        arguments.extend(quote!(,));
    }
    if !path.has_operation_id {
        let id = ident.to_string();
        arguments.extend(quote!(operation_id = #id,));
    }
    arguments.extend(quote!(impl_for = #operation));
    let attribute = path.attribute.path();
    let (declared, where_clause) = (handler.generics.declared(), handler.generics.where_clause());
    let parameters = handler.arguments.iter().enumerate().filter_map(|(index, argument)| match argument {
        CallArgument::Extractor(ty) => {
            let name = argument_name(index);
            Some(quote_spanned!(Span::mixed_site()=> #name: #ty))
        }
        CallArgument::Session(_) => None,
    });
    let output = match &function.signature.output {
        ReturnType::Type(_, ty) if can_be_said_again(ty) => Some(quote_spanned!(Span::mixed_site()=> -> #ty)),
        ReturnType::Type(..) | ReturnType::Default => None,
    };
    let unreachable = runtime.undescribed();
    quote_spanned! {Span::mixed_site()=>
        #(#about)*
        #[#attribute(#arguments)]
        fn #seen #declared(#(#parameters),*) #output #where_clause { #unreachable() }
    }
}

/// Whether an answer's type means the same in a function without the handler's sessions.
fn can_be_said_again(ty: &Type) -> bool {
    let tokens = ty.to_token_stream();
    matches!(ty, Type::Path(_)) && !has_word(tokens.clone(), "impl") && !elides_a_lifetime(tokens)
}

/// The expression of one session, as the runtime's description has it.
fn session_expr(session: &Session, handler: &Handler, runtime: &Runtime) -> TokenStream {
    let Session {
        ty, form, optional: _, access, place: _, guard, missing, fresh, device, wait: _, csrf, lent: _, ..
    } = session;
    let session_use = runtime.session_use();
    let access = match access {
        Access::Protected => quote_spanned!(Span::mixed_site()=> protected),
        Access::Optional => quote_spanned!(Span::mixed_site()=> optional),
        Access::OrDefault => quote_spanned!(Span::mixed_site()=> or_default),
    };
    let form = match form {
        BorrowForm::Shared => None,
        BorrowForm::Exclusive => Some(quote_spanned!(Span::mixed_site()=> .exclusive())),
        BorrowForm::Owned | BorrowForm::Slot => Some(quote_spanned!(Span::mixed_site()=> .owned())),
    };
    let guard = guard.as_ref().map(|guard| {
        // What an async one answers isn't known, and what names a type of the handler's own can't be asked here.
        let forbids = if guard.asynchronous || handler.generics.are_named_in(guard.tokens()) {
            quote_spanned!(Span::mixed_site()=> true)
        } else {
            guard.expand_forbids(ty, runtime)
        };
        quote_spanned!(Span::mixed_site()=> .guard(#forbids))
    });
    let fresh = fresh.map(|_| quote_spanned!(Span::mixed_site()=> .fresh()));
    let device = device.map(|_| quote_spanned!(Span::mixed_site()=> .device()));
    let csrf = (!csrf).then(|| quote_spanned!(Span::mixed_site()=> .from_any_site()));
    let missing = missing.as_ref().map(|missing| {
        let missing = match missing {
            Missing::Handler(_) => {
                // Nothing is known of what any handler answers.
                let missing = runtime.missing();
                quote_spanned!(Span::mixed_site()=> #missing::handler(|| async {}))
            }
            Missing::Redirect(..) | Missing::Status(_) => missing.expand(None, runtime),
        };
        quote_spanned!(Span::mixed_site()=> .missing(#missing))
    });
    quote_spanned!(Span::mixed_site()=> #session_use::#access::<#ty>() #form #guard #fresh #device #csrf #missing)
}

/// What must hold of the names of the schemes, which only the types know.
fn checks(path: &PathAttribute, handler: &Handler, runtime: &Runtime) -> TokenStream {
    let (assert, described) = (paths::assert(), runtime.described_session());
    let (agrees, are_distinct) = (runtime.name_one_of(), runtime.are_distinct());
    let mut all = TokenStream::new();
    if let Some((key, alternatives)) = &path.security {
        let alternatives: Vec<_> = alternatives.iter().map(|names| quote!(&[#(#names),*])).collect();
        let place = SpanRange::at(key.span());
        for Session { ty, .. } in handler.sessions.iter().filter(|session| session.access == Access::Protected) {
            let name = ty.to_token_stream().to_string().replace(' ', "");
            let message = format!(
                "this `security(...)` admits requests without a session of `{name}`, which `#[session]` turns away; \
                 remove it, as the requirement is added by itself, or name the scheme of `{name}` in each alternative \
                 (`scheme = \"...\"` on the type sets its name)"
            );
            let holds = quote!(#agrees(&[#(#alternatives),*], <#ty as #described>::SCHEMES));
            let assertion = place.put(quote!(#assert!(#holds, #message);));
            all.extend(quote_spanned!(place.span()=> const _: () = #assertion));
        }
    }
    for (index, one) in handler.sessions.iter().enumerate() {
        for other in &handler.sessions[index + 1..] {
            let (first, second) = (&one.ty, &other.ty);
            let names = [first, second].map(|ty| ty.to_token_stream().to_string().replace(' ', ""));
            let message = format!(
                "`{}` and `{}` have a security scheme of the same name; give one of them another: \
                 `#[session(scheme = \"...\")]`",
                names[0], names[1]
            );
            let holds = quote!(#are_distinct(<#first as #described>::SCHEMES, <#second as #described>::SCHEMES));
            let assertion = other.place.put(quote!(#assert!(#holds, #message);));
            all.extend(quote_spanned!(other.place.span()=> const _: () = #assertion));
        }
    }
    all
}

/// In the wrapper of a handler without `#[utoipa::path]` below `#[session]`: that there is none above it either, which has
/// been expanded by then. utoipa's struct is looked for where the handler is, and one of the same name is found here if
/// there is none.
pub(crate) fn expand_order(function: &Function, runtime: &Runtime) -> TokenStream {
    let ident = &function.signature.ident;
    let name = path_name(ident, SpanRange::of(ident).span());
    let (order, assertion) = (runtime.stands_above_path(), runtime.assert_stands_above_path());
    quote_spanned! {Span::mixed_site()=>
        const _: () = {
            struct #name;
            impl #order for #name {}
            {
                use self::*;
                #assertion::<#name>();
            }
        };
    }
}
