//! `transport = cookie`, `bearer`, `header("x-session")`, or several in brackets: how the token travels.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use session_rules::transport::{BEARER_ANSWER, header};
use syn::{LitStr, bracketed, ext::IdentExt, parse::ParseStream, token};

use super::{OptionKey, Slot, each, parenthesized};
use crate::{
    diag::{Errors, suggestion},
    paths::Runtime,
};

pub(crate) const USAGE: &str = "transport = [bearer, cookie]";

const WHAT: &str = "`cookie`, `bearer`, `header(\"...\")`, or several of them in brackets";
const NAMES: [&str; 3] = ["cookie", "bearer", "header"];

/// One way as it was written.
pub(crate) struct RawTransport {
    span: Span,
    kind: TransportKind,
}

enum TransportKind {
    Cookie,
    Bearer,
    Header(LitStr),
}

/// A way that tokens can go.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Transport {
    Cookie,
    Bearer,
    /// Its name in lower case.
    Header(String),
}

/// Reads `= way` or `= [way, ...]`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream, errors: &mut Errors) -> syn::Result<Vec<RawTransport>> {
    key.equals(input, WHAT)?;
    let span = input.span();
    let mut ways = Vec::new();
    if input.peek(token::Bracket) {
        let content;
        bracketed!(content in input);
        let mut broken = false;
        each(&content, errors, |input, _| {
            let way = one(key, input);
            broken |= way.is_err();
            ways.push(way?);
            Ok(())
        });
        if ways.is_empty() && !broken {
            return Err(syn::Error::new(span, "`transport` needs at least one value; write `transport = cookie`"));
        }
    } else if input.peek(token::Paren) {
        return Err(syn::Error::new(span, format!("several stand in brackets; write `{USAGE}`")));
    } else {
        ways.push(one(key, input)?);
    }
    key.ends(input, input.span(), WHAT)?;
    Ok(ways)
}

fn one(key: &OptionKey, input: ParseStream) -> syn::Result<RawTransport> {
    let span = input.span();
    let word = input.call(Ident::parse_any).map_err(|_| key.misused(span, WHAT))?;
    let name = word.unraw().to_string();
    let kind = match name.as_str() {
        "cookie" => TransportKind::Cookie,
        "bearer" => TransportKind::Bearer,
        "header" => TransportKind::Header(header_name(&word, input)?),
        _ => {
            let hint = suggestion(&name, NAMES);
            return Err(syn::Error::new(span, format!("unknown transport `{name}`; {hint}")));
        }
    };
    if input.peek(token::Paren) {
        let fix = match kind {
            TransportKind::Cookie => {
                "the cookie's attributes are an option of their own; write `transport = cookie, cookie(...)`"
            }
            TransportKind::Bearer | TransportKind::Header(_) => "nothing more is said of it; remove these parentheses",
        };
        return Err(syn::Error::new(input.span(), fix));
    }
    Ok(RawTransport { span, kind })
}

fn header_name(word: &Ident, input: ParseStream) -> syn::Result<LitStr> {
    let misused = |span| syn::Error::new(span, "`header` takes a name in quotes; write `header(\"x-session\")`");
    if !input.peek(token::Paren) {
        return Err(misused(word.span()));
    }
    parenthesized(input, |content| {
        let span = if content.is_empty() { word.span() } else { content.span() };
        content.parse().map_err(|_| misused(span))
    })
}

/// The ways in their order; empty if nothing is written.
pub(crate) fn check(raw: Slot<Vec<RawTransport>>, errors: &mut Errors) -> Vec<Transport> {
    let mut ways: Vec<Transport> = Vec::new();
    let raw = raw.written().unwrap_or_default();
    let bearer = raw.iter().any(|way| matches!(way.kind, TransportKind::Bearer));
    for RawTransport { span, kind } in raw {
        let way = match kind {
            TransportKind::Cookie => Transport::Cookie,
            TransportKind::Bearer => Transport::Bearer,
            TransportKind::Header(name) => match header(&name.value()) {
                Ok(lower) => {
                    answers_in_one_place(&lower, bearer, name.span(), errors);
                    Transport::Header(lower)
                }
                Err(message) => {
                    errors.at(name.span(), message);
                    continue;
                }
            },
        };
        if ways.contains(&way) {
            errors.at(span, "this transport is named twice; keep the place where it comes first");
        } else {
            ways.push(way);
        }
    }
    ways
}

/// `transport = [bearer, header("session-token")]`
fn answers_in_one_place(name: &str, bearer: bool, span: Span, errors: &mut Errors) {
    if bearer && name == BEARER_ANSWER {
        errors.at(span, "`bearer` uses this header for its tokens; choose another name, as in `header(\"x-session\")`");
    }
}

/// Whether the token never travels in a cookie.
pub(crate) fn excludes_cookies(raw: &Slot<Vec<RawTransport>>) -> bool {
    match raw {
        Slot::Written(ways) => !ways.is_empty() && !ways.iter().any(|way| matches!(way.kind, TransportKind::Cookie)),
        Slot::Absent | Slot::Broken => false,
    }
}

impl Transport {
    /// The expression of the runtime's transport.
    pub(crate) fn expand(&self, runtime: &Runtime) -> TokenStream {
        let transport = runtime.transport();
        match self {
            Self::Cookie => quote!(#transport::Cookie),
            Self::Bearer => quote!(#transport::Bearer),
            Self::Header(name) => quote!(#transport::header(#name)),
        }
    }
}
