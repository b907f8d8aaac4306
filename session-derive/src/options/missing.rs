//! `missing = status(401)`, `redirect("/login")`, `redirect("/login", next = "next")` or the path of a handler: the answer to who has no session.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use session_rules::missing as rules;
use syn::{Lit, LitInt, LitStr, Path, Token, ext::IdentExt, parse::ParseStream, token};

use super::{OptionKey, function, parenthesized};
use crate::{
    diag::{Errors, closest},
    paths::{Runtime, SpanRange, name_span},
};

pub(crate) const USAGE: &str = "missing = redirect(\"/login\")";

const WHAT: &str = "`status(...)`, `redirect(\"...\")` or the path of a handler";

/// The answer as it was written.
pub(crate) enum RawMissing {
    Status(LitInt),
    Redirect(LitStr, Option<LitStr>),
    Handler(Path),
}

impl RawMissing {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Status(number) => number.span(),
            Self::Redirect(target, _) => target.span(),
            Self::Handler(path) => name_span(path),
        }
    }
}

/// An answer that can be given.
#[derive(Clone)]
pub(crate) enum Missing {
    Status(u16),
    Redirect(String, Option<String>),
    Handler(Path),
}

/// Reads `= answer`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<RawMissing> {
    key.equals(input, WHAT)?;
    let span = input.span();
    if let Ok(literal) = input.parse::<Lit>() {
        return Err(literal_alone(key, &literal));
    }
    let path: Path = input.parse().map_err(|_| key.misused(span, WHAT))?;
    let answer = if input.peek(token::Paren) {
        parenthesized(input, |content| call(key, &path, content))?
    } else {
        match path.get_ident().map(|ident| ident.unraw().to_string()).as_deref() {
            Some("status") => return Err(syn::Error::new(span, "`status` takes a number; write `status(401)`")),
            Some("redirect") => {
                return Err(syn::Error::new(span, "`redirect` takes where to; write `redirect(\"/login\")`"));
            }
            _ => RawMissing::Handler(path),
        }
    };
    key.ends(input, input.span(), WHAT)?;
    Ok(answer)
}

/// `missing = 401`, `missing = "/login"`
fn literal_alone(key: &OptionKey, literal: &Lit) -> syn::Error {
    let fix = match literal {
        Lit::Int(number) => format!("write `missing = status({number})`"),
        Lit::Str(text) => format!("write `missing = redirect({})`", text.token()),
        _ => return key.misused(literal.span(), WHAT),
    };
    syn::Error::new(literal.span(), fix)
}

fn call(key: &OptionKey, path: &Path, content: ParseStream) -> syn::Result<RawMissing> {
    let name = path.get_ident().map(|ident: &Ident| ident.unraw().to_string()).unwrap_or_default();
    let span = if content.is_empty() { name_span(path) } else { content.span() };
    let answer = match name.as_str() {
        "status" => {
            let misused = |_| syn::Error::new(span, "`status` takes a number; write `status(401)`");
            RawMissing::Status(content.parse().map_err(misused)?)
        }
        "redirect" => {
            let misused =
                |_| syn::Error::new(span, "`redirect` takes where to, in quotes; write `redirect(\"/login\")`");
            let target = content.parse().map_err(misused)?;
            RawMissing::Redirect(target, next(content)?)
        }
        _ => {
            let span = name_span(path);
            return Err(match closest(&name, ["status", "redirect"]) {
                Some(meant) => syn::Error::new(span, format!("unknown answer `{name}`; did you mean `{meant}`?")),
                None if content.is_empty() => {
                    let handler = path.to_token_stream().to_string().replace(' ', "");
                    syn::Error::new(span, format!("the runtime calls the handler; write `missing = {handler}`"))
                }
                None => key.misused(span, WHAT),
            });
        }
    };
    if content.is_empty() {
        return Ok(answer);
    }
    Err(syn::Error::new(content.span(), format!("`{name}` takes one value")))
}

/// Reads `, next = "next"` behind the target.
fn next(content: ParseStream) -> syn::Result<Option<LitStr>> {
    let usage =
        |span| syn::Error::new(span, "behind the address there may be `next = \"next\"`, the name of a parameter");
    if content.is_empty() {
        return Ok(None);
    }
    let span = content.span();
    content.parse::<Token![,]>().map_err(|_| usage(span))?;
    if content.is_empty() {
        return Ok(None);
    }
    let span = content.span();
    let key = content.call(Ident::parse_any).map_err(|_| usage(span))?;
    if key != "next" {
        return Err(usage(key.span()));
    }
    let span = if content.is_empty() { key.span() } else { content.span() };
    content.parse::<Token![=]>().map_err(|_| usage(span))?;
    let span = if content.is_empty() { key.span() } else { content.span() };
    let name = content.parse().map_err(|_| usage(span))?;
    let _: Option<Token![,]> = content.parse()?;
    Ok(Some(name))
}

/// An answer that HTTP has.
pub(crate) fn check(raw: &RawMissing, errors: &mut Errors) -> Option<Missing> {
    match raw {
        RawMissing::Status(number) => status_is_an_answer(number, errors).map(Missing::Status),
        RawMissing::Redirect(target, next) => {
            let location = target_is_a_location(target, errors)?;
            let next = match next {
                Some(next) => Some(next_is_a_parameter(&location, target, next, errors)?),
                None => None,
            };
            Some(Missing::Redirect(location, next))
        }
        RawMissing::Handler(path) => {
            function::names_no_self(path, errors);
            Some(Missing::Handler(path.clone()))
        }
    }
}

/// `status(42)`, `status(302)`
fn status_is_an_answer(number: &LitInt, errors: &mut Errors) -> Option<u16> {
    let code = number.base10_parse::<u16>().map_err(|_| rules::NO_STATUS);
    let checked = code.and_then(|code| rules::status(code).map(|()| code));
    checked.map_err(|message| errors.at(number.span(), message)).ok()
}

/// `redirect("login")`, `redirect("/lögin")`
fn target_is_a_location(target: &LitStr, errors: &mut Errors) -> Option<String> {
    let location = target.value();
    let checked = rules::redirect(&location).map(|()| location);
    checked.map_err(|message| errors.at(target.span(), message)).ok()
}

/// `redirect("https://login.example", next = "next")`, `redirect("/login", next = "a b")`
fn next_is_a_parameter(location: &str, target: &LitStr, next: &LitStr, errors: &mut Errors) -> Option<String> {
    if let Err(message) = rules::redirect_of_this_site(location) {
        errors.at(target.span(), message);
        return None;
    }
    let name = next.value();
    let checked = rules::next(location, &name).map(|()| name);
    checked.map_err(|message| errors.at(next.span(), message)).ok()
}

impl ToTokens for Missing {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Status(_) | Self::Redirect(..) => {}
            Self::Handler(path) => path.to_tokens(tokens),
        }
    }
}

impl Missing {
    /// The expression of the runtime's answer.
    /// `state` is the type and the expression of what a handler takes of the application's state.
    pub(crate) fn expand(&self, state: Option<(&syn::Type, &TokenStream)>, runtime: &Runtime) -> TokenStream {
        let missing = runtime.missing();
        match self {
            Self::Status(status) => quote!(#missing::checked_status(#status)),
            Self::Redirect(location, None) => quote!(#missing::checked_redirect(#location)),
            Self::Redirect(location, Some(next)) => quote!(#missing::checked_redirect_with_next(#location, #next)),
            Self::Handler(path) => {
                let place = SpanRange::of(path);
                let (handler, state) = match state {
                    Some((ty, state)) => (quote!(#missing::handler_with_state::<_, _, #ty>), Some(quote!(, #state))),
                    None => (quote!(#missing::handler), None),
                };
                let handler = place.put(handler);
                quote_spanned!(place.span()=> #handler(#path #state))
            }
        }
    }

    /// Whether it is answered by the request.
    pub(crate) fn wants_request(&self) -> bool {
        matches!(self, Self::Handler(_) | Self::Redirect(_, Some(_)))
    }

    pub(crate) fn is_handler(&self) -> bool {
        matches!(self, Self::Handler(_))
    }
}
