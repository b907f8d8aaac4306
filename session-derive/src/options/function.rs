//! `= path::to::function`.

use quote::ToTokens;
use syn::{Path, Token, parse::ParseStream, token};

use super::OptionKey;

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
