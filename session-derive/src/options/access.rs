//! `protected`, `optional` and `or_default`: who may enter.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Token, Type, parse::ParseStream, punctuated::Punctuated, token};

use super::{OptionKey, parenthesized};

/// What a word promises about a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    Protected,
    Optional,
    OrDefault,
}

impl Access {
    /// The word as it is written.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::Optional => "optional",
            Self::OrDefault => "or_default",
        }
    }
}

/// A word as it was written: bare, or with the types it is for.
pub(crate) struct AccessWord {
    pub(crate) access: Access,
    pub(crate) span: Span,
    pub(crate) types: Option<Vec<Type>>,
}

/// Reads `protected` or `protected(User, Cart)`.
pub(crate) fn parse(access: Access, key: &OptionKey, input: ParseStream) -> syn::Result<AccessWord> {
    let what = "nothing, or session types in parentheses";
    let mut word = AccessWord { access, span: key.span(), types: None };
    if input.peek(token::Paren) {
        let types: Punctuated<Type, Token![,]> = parenthesized(input, |content| {
            content.call(Punctuated::parse_terminated).map_err(|error| key.misused(error.span(), what))
        })?;
        if types.is_empty() {
            return Err(key.misused(key.span(), what));
        }
        for ty in &types {
            is_a_plain_type(access, ty)?;
        }
        word.types = Some(types.into_iter().collect());
    }
    key.ends(input, input.span(), what)?;
    Ok(word)
}

/// `protected(&User)`, `optional(Option<User>)`
fn is_a_plain_type(access: Access, ty: &Type) -> syn::Result<()> {
    let word = access.word();
    match peel(ty) {
        Type::Reference(reference) => {
            let plain = display(&reference.elem);
            let message =
                format!("name the session's type alone: `{word}({plain})`; the parameter says how it is borrowed");
            Err(syn::Error::new_spanned(ty, message))
        }
        Type::Path(_) => Ok(()),
        _ => Err(syn::Error::new_spanned(ty, format!("a session's type is a struct or an enum; write `{word}(User)`"))),
    }
}

/// The type within parentheses and a macro's invisible groups.
pub(crate) fn peel(mut ty: &Type) -> &Type {
    while let Type::Group(syn::TypeGroup { elem, .. }) | Type::Paren(syn::TypeParen { elem, .. }) = ty {
        ty = elem;
    }
    ty
}

/// A type as people write it, for messages and to tell whether two are spelled alike.
pub(crate) fn display(ty: &Type) -> String {
    let mut text = String::new();
    for part in peel(ty).to_token_stream().to_string().split(' ') {
        let apart = text.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ',')
            && part.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '&' || c == '\'');
        if apart {
            text.push(' ');
        }
        text.push_str(part);
    }
    text
}
