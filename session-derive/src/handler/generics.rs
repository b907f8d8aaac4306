//! A handler's generics as its wrapper and its marker need them.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Lifetime, Type, TypeParamBound, WherePredicate};

use super::checks::has_word;
use crate::paths;

/// What of the user's generics outlives the wrapping: type and const parameters, and the lifetimes that these or other
/// extractors name. The lifetimes of borrowed sessions end with the wrapper.
pub(crate) struct KeptGenerics {
    parameters: Vec<GenericParam>,
    predicates: Vec<WherePredicate>,
}

impl KeptGenerics {
    pub(crate) fn of(generics: &Generics, others: &[&Type]) -> Self {
        let predicates: Vec<&WherePredicate> =
            generics.where_clause.iter().flat_map(|clause| &clause.predicates).collect();
        let named: TokenStream = generics
            .params
            .iter()
            .filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_)))
            .map(ToTokens::to_token_stream)
            .chain(predicates.iter().filter(|p| matches!(p, WherePredicate::Type(_))).map(ToTokens::to_token_stream))
            .chain(others.iter().map(ToTokens::to_token_stream))
            .collect();
        let kept = |lifetime: &Lifetime| names(named.clone(), lifetime);
        let ended: Vec<&Lifetime> =
            generics.lifetimes().map(|parameter| &parameter.lifetime).filter(|lifetime| !kept(lifetime)).collect();
        let mut this = Self {
            parameters: generics
                .params
                .iter()
                .filter(|parameter| match parameter {
                    GenericParam::Lifetime(parameter) => kept(&parameter.lifetime),
                    GenericParam::Type(_) | GenericParam::Const(_) => true,
                })
                .cloned()
                .collect(),
            predicates: predicates
                .into_iter()
                .filter(|predicate| !ended.iter().any(|lifetime| names(predicate.to_token_stream(), lifetime)))
                .cloned()
                .collect(),
        };
        this.make_static();
        this
    }

    /// A handler is `'static` for axum, and so are the types that its marker names; each bound joins the user's own.
    fn make_static(&mut self) {
        let lifetime = TypeParamBound::Lifetime(Lifetime::new("'static", Span::mixed_site()));
        for parameter in &mut self.parameters {
            let GenericParam::Type(ty) = parameter else { continue };
            let own = self.predicates.iter_mut().find_map(|predicate| match predicate {
                WherePredicate::Type(own) if matches!(&own.bounded_ty, Type::Path(path) if path.path.is_ident(&ty.ident)) => {
                    Some(&mut own.bounds)
                }
                _ => None,
            });
            match own {
                Some(bounds) if ty.bounds.is_empty() => bounds.push(lifetime.clone()),
                _ => {
                    ty.colon_token.get_or_insert_with(Default::default);
                    ty.bounds.push(lifetime.clone());
                }
            }
        }
    }

    /// `<'a, T: Bound, const N: usize>`, for the wrapper and the marker's implementations.
    pub(crate) fn declared(&self) -> Option<TokenStream> {
        let parameters = &self.parameters;
        (!parameters.is_empty()).then(|| quote!(<#(#parameters),*>))
    }

    /// The same behind a lifetime.
    pub(crate) fn declared_with(&self, lifetime: &Lifetime) -> TokenStream {
        let parameters = &self.parameters;
        quote!(<#lifetime #(, #parameters)*>)
    }

    /// The same before a type.
    pub(crate) fn declared_before(&self, ty: &Ident) -> TokenStream {
        let parameters = &self.parameters;
        quote!(<#(#parameters,)* #ty>)
    }

    pub(crate) fn predicates(&self) -> &[WherePredicate] {
        &self.predicates
    }

    pub(crate) fn where_clause(&self) -> Option<TokenStream> {
        let predicates = &self.predicates;
        (!predicates.is_empty()).then(|| quote!(where #(#predicates),*))
    }

    pub(crate) fn has_lifetimes(&self) -> bool {
        self.parameters.iter().any(|parameter| matches!(parameter, GenericParam::Lifetime(_)))
    }

    /// Whether the tokens name one of the type or const parameters.
    pub(crate) fn are_named_in(&self, tokens: &TokenStream) -> bool {
        let idents = self.parameters.iter().filter_map(|parameter| match parameter {
            GenericParam::Type(ty) => Some(&ty.ident),
            GenericParam::Const(constant) => Some(&constant.ident),
            GenericParam::Lifetime(_) => None,
        });
        let idents: Vec<String> = idents.map(ToString::to_string).collect();
        idents.iter().any(|ident| has_word(tokens.clone(), ident))
    }

    /// `<T, N>`, to name the marker.
    pub(crate) fn named(&self) -> Option<TokenStream> {
        let names: Vec<_> = self
            .parameters
            .iter()
            .filter_map(|parameter| match parameter {
                GenericParam::Type(ty) => Some(&ty.ident),
                GenericParam::Const(constant) => Some(&constant.ident),
                GenericParam::Lifetime(_) => None,
            })
            .collect();
        (!names.is_empty()).then(|| quote!(<#(#names),*>))
    }

    /// The marker's own parameters, without bounds, and what it holds of them.
    pub(crate) fn marker(&self) -> TokenStream {
        let mut parameters = Vec::new();
        let mut types = Vec::new();
        for parameter in &self.parameters {
            match parameter {
                GenericParam::Type(ty) => {
                    let name = &ty.ident;
                    parameters.push(quote!(#name));
                    types.push(name);
                }
                GenericParam::Const(constant) => {
                    let (name, ty) = (&constant.ident, &constant.ty);
                    parameters.push(quote!(const #name: #ty));
                }
                GenericParam::Lifetime(_) => {}
            }
        }
        if parameters.is_empty() {
            return quote!(;);
        }
        let phantom = paths::phantom_data();
        quote!(<#(#parameters),*>(#phantom<fn() -> (#(#types,)*)>);)
    }
}

/// Whether the tokens name the lifetime.
fn names(tokens: TokenStream, lifetime: &Lifetime) -> bool {
    let mut quoted = false;
    tokens.into_iter().any(|token| {
        let was_quoted = std::mem::replace(&mut quoted, matches!(&token, TokenTree::Punct(p) if p.as_char() == '\''));
        match token {
            TokenTree::Ident(ident) => was_quoted && ident == lifetime.ident,
            TokenTree::Group(group) => names(group.stream(), lifetime),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        }
    })
}
