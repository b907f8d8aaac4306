//! `= path::to::function`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Path, Token, parse::ParseStream, token};

use super::OptionKey;
use crate::diag::Errors;

/// Reads `= path`; what stands there instead is told how a function is named.
pub(crate) fn parse(key: &OptionKey, input: ParseStream, what: &str) -> syn::Result<Path> {
    key.equals(input, what)?;
    let span = input.span();
    let name = key.ident.to_string();
    if input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]) || input.peek(Token![async]) {
        let message = format!("`{name}` takes {what}; write a function and name it: `{}`", key.usage);
        return Err(syn::Error::new(span, message));
    }
    let path: Path = input.parse().map_err(|_| key.misused(span, what))?;
    if input.peek(token::Paren) {
        let function = path.to_token_stream().to_string().replace(' ', "");
        let message = format!("the runtime calls the function; write `{name} = {function}`");
        return Err(syn::Error::new_spanned(path, message));
    }
    key.ends(input, input.span(), what)?;
    Ok(path)
}

/// `guard = Self::is_root`, in an `impl`: what calls the function stands elsewhere.
pub(super) fn names_no_self(written: &impl ToTokens, errors: &mut Errors) {
    if let Some(word) = find_self(written.to_token_stream()) {
        errors.at(word.span(), "`Self` is not known here; write the type's name");
    }
}

fn find_self(tokens: TokenStream) -> Option<TokenTree> {
    tokens.into_iter().find_map(|token| match &token {
        TokenTree::Ident(ident) if ident == "Self" => Some(token),
        TokenTree::Group(group) => find_self(group.stream()),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    })
}
