//! `domain = "example.org"`, `domain = ["shop-a.example", "shop-b.example"]`, `domain = cookie_domain`: the cookie's domain,
//! the same for all requests or chosen by each.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use session_rules::cookie::{domain_violation, repeated};
use syn::{Lit, Path, Token, bracketed, ext::IdentExt, parse::ParseStream, token};

use super::{
    OptionKey, each,
    value::{Expected, LiteralKind, RawValue, Setting, Source},
};
use crate::{
    diag::Errors,
    paths::{Runtime, SpanRange},
};

const DOMAIN: Expected = Expected {
    kinds: &[LiteralKind::Text],
    what: "a string, strings in brackets, `env(\"VAR\")`, or the path of a function of `&Parts`",
};
const ITEM: Expected = Expected { kinds: &[LiteralKind::Text], what: "strings in brackets, or `env(\"VAR\")` there" };

/// A domain as it was written.
pub(crate) enum RawDomain {
    Fixed(RawValue),
    ByRequest(RawDomains),
}

/// Where the domain of a request comes from.
pub(crate) enum RawDomains {
    List { span: Span, values: Vec<RawValue> },
    Function(Path),
}

/// The same, once it keeps the rules.
pub(crate) enum Domains {
    List(Vec<Setting>),
    Function(Path),
}

/// Reads `= domain`, `= [domain, ...]` or `= path`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream, errors: &mut Errors) -> syn::Result<RawDomain> {
    key.equals(input, DOMAIN.what)?;
    let span = input.span();
    if input.peek(token::Bracket) {
        let content;
        bracketed!(content in input);
        if content.is_empty() {
            return Err(syn::Error::new(span, "a list of domains needs at least one; write it, or remove `domain`"));
        }
        let mut values = Vec::new();
        each(&content, errors, |input, _| {
            values.push(RawValue::parse_value(key, input, ITEM)?);
            Ok(())
        });
        key.ends(input, span, DOMAIN.what)?;
        return Ok(RawDomain::ByRequest(RawDomains::List { span, values }));
    }
    if input.peek(Token![|]) || input.peek(Token![||]) || input.peek(Token![move]) {
        let message = "`domain` takes the path of a function; write `fn cookie_domain(parts: &Parts) -> Option<String>` and \
                       name it: `domain = cookie_domain`";
        return Err(syn::Error::new(span, message));
    }
    if is_path(input) {
        let path: Path = input.parse().map_err(|_| key.misused(span, DOMAIN.what))?;
        if input.peek(Token![.]) || input.peek(Token![-]) {
            return Err(syn::Error::new(span, "a domain stands in quotes; write `domain = \"example.org\"`"));
        }
        if input.peek(token::Paren) {
            let message = "the runtime calls the function; write `domain = cookie_domain`";
            return Err(syn::Error::new_spanned(path, message));
        }
        key.ends(input, span, DOMAIN.what)?;
        return Ok(RawDomain::ByRequest(RawDomains::Function(path)));
    }
    RawValue::parse_value(key, input, DOMAIN).map(RawDomain::Fixed)
}

/// Whether a function is named. A word with parentheses is `env("VAR")`, or was meant to be.
fn is_path(input: ParseStream) -> bool {
    let ahead = input.fork();
    if ahead.peek(Token![::]) {
        return true;
    }
    let named = !ahead.peek(Lit) && ahead.call(Ident::parse_any).is_ok_and(|word| word.unraw() != "env");
    named && !ahead.peek(token::Paren)
}

impl RawDomains {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::List { span, .. } => *span,
            Self::Function(path) => SpanRange::of(path).span(),
        }
    }
}

/// The domains, once what is known of them are some.
pub(crate) fn check(raw: RawDomains, errors: &mut Errors) -> Domains {
    let values = match raw {
        RawDomains::Function(path) => return Domains::Function(path),
        RawDomains::List { span: _, values } => values,
    };
    let mut legal: Vec<&str> = Vec::new();
    for value in &values {
        let Some(known) = value.known() else { continue };
        let domains: Vec<&str> = match value.source {
            Source::Literal(_) => vec![&known.text],
            // A variable's text may name several, or none.
            Source::Env { .. } => known.text.split(',').map(str::trim).filter(|domain| !domain.is_empty()).collect(),
        };
        for domain in domains {
            match domain_violation(domain).or_else(|| repeated(legal.iter().copied().chain([domain]))) {
                Some(message) => errors.at(known.span, message),
                None => legal.push(domain),
            }
        }
    }
    Domains::List(values.into_iter().map(RawValue::setting).collect())
}

impl Domains {
    /// What the runtime's declaration is told.
    pub(crate) fn expand(&self, runtime: &Runtime) -> TokenStream {
        match self {
            Self::List(values) => {
                let values = values.iter().map(|value| value.expand(runtime));
                quote!(#(.cookie_domains(#values))*)
            }
            Self::Function(path) => {
                let domain_of = runtime.domain_of();
                let parts = quote_spanned!(Span::mixed_site()=> __parts);
                let called = SpanRange::of(path).put(quote!(#domain_of(#path, #parts)));
                quote_spanned!(Span::mixed_site()=> .cookie_domain_by(|#parts| #called))
            }
        }
    }
}
