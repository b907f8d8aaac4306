//! `cookie(...)`: the cookie's name and attributes, held to the rules that browsers apply.

use proc_macro2::Span;
use session_rules::cookie::{self as rules, AttributeKind, Cookie, CookieAttribute, SameSite};
use syn::{ext::IdentExt as _, parse::ParseStream, token};

use super::{
    OptionKey, OptionSpec, Reader, Slot, at_end,
    cookie_domain::{self, Domains, RawDomain, RawDomains},
    parenthesized,
    value::{Expected, FLAG, Literal, LiteralKind, RawValue, Setting, TEXT},
};
use crate::diag::{Errors, closest};

pub(crate) const USAGE: &str = "cookie(name = \"__Host-user\", same_site = Lax)";

const SAME_SITE: Expected =
    Expected { kinds: &[LiteralKind::Word, LiteralKind::Text], what: "`Strict`, `Lax`, `None` or `env(\"VAR\")`" };

const COUNT: usize = CookieAttribute::ALL.len();

/// The attributes as they were written.
#[derive(Default)]
pub(crate) struct RawCookie {
    pub(crate) span: Option<Span>,
    /// In the order of [`CookieAttribute::ALL`].
    values: [Slot<RawValue>; COUNT],
    /// The domains, if the request chooses one.
    domains: Option<RawDomains>,
}

/// The attributes that were written, once they keep the rules.
#[derive(Default)]
pub(crate) struct CookieOptions {
    pub(crate) attributes: Vec<(CookieAttribute, Setting)>,
    pub(crate) domains: Option<Domains>,
}

/// A row for each attribute.
const TABLE: [OptionSpec<RawCookie>; COUNT] = {
    let mut table = [row(CookieAttribute::Name); COUNT];
    let mut at = 0;
    while at < COUNT {
        table[at] = row(CookieAttribute::ALL[at]);
        at += 1;
    }
    table
};

const fn row(attribute: CookieAttribute) -> OptionSpec<RawCookie> {
    OptionSpec { name: attribute.key(), usage: attribute.usage(), read }
}

fn read(raw: &mut RawCookie, key: &OptionKey, input: ParseStream, errors: &mut Errors) -> syn::Result<()> {
    let unknown = || syn::Error::new(key.span(), "this is not an attribute of the cookie");
    let attribute = CookieAttribute::from_key(&key.ident.unraw().to_string()).ok_or_else(unknown)?;
    let value = match attribute.kind() {
        AttributeKind::Text => RawValue::parse(key, input, TEXT),
        AttributeKind::Flag => flag(key, input),
        AttributeKind::SameSite => RawValue::parse(key, input, SAME_SITE),
        AttributeKind::Domain => match cookie_domain::parse(key, input, errors) {
            Ok(RawDomain::ByRequest(domains)) => {
                raw.domains = Some(domains);
                return Ok(());
            }
            Ok(RawDomain::Fixed(value)) => Ok(value),
            Err(error) => Err(error),
        },
    };
    raw.values[attribute as usize].read(value)
}

/// `persistent = true`, or `persistent` alone.
fn flag(key: &OptionKey, input: ParseStream) -> syn::Result<RawValue> {
    if at_end(input) { Ok(RawValue::flag(key.span())) } else { RawValue::parse(key, input, FLAG) }
}

/// Reads `(name = ..., ...)`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream, errors: &mut Errors) -> syn::Result<RawCookie> {
    if !input.peek(token::Paren) {
        return Err(key.misused(key.span(), "a list of attributes"));
    }
    let mut raw = RawCookie { span: Some(key.span()), ..RawCookie::default() };
    parenthesized(input, |content| {
        Reader::new("attribute of the cookie", &TABLE).read(content, &mut raw, errors);
        Ok(raw)
    })
}

/// The attributes, once they keep the rules.
pub(crate) fn check(raw: Slot<RawCookie>, type_name: &str, errors: &mut Errors) -> CookieOptions {
    let Slot::Written(raw) = raw else { return CookieOptions::default() };
    let cookie = known(&raw, type_name, errors);
    browsers_accept_it(&raw, &cookie, errors);
    let written = CookieAttribute::ALL.into_iter().zip(raw.values);
    CookieOptions {
        attributes: written.filter_map(|(attribute, value)| Some((attribute, value.written()?.setting()))).collect(),
        domains: raw.domains.map(|domains| cookie_domain::check(domains, errors)),
    }
}

/// `name = "__Host-user", domain = "example.org"`: the rules that the runtime applies as well.
fn browsers_accept_it(raw: &RawCookie, cookie: &Cookie, errors: &mut Errors) {
    for violation in cookie.violations() {
        errors.at(raw.span_of(violation.option), violation.message);
    }
}

/// `device_bound, cookie(domain = "example.org")`: the rules of a cookie whose session is bound to a device.
pub(crate) fn can_be_bound(raw: &RawCookie, type_name: &str, errors: &mut Errors) {
    // What can't be read is reported where the cookie is checked.
    let mut reported = Errors::new();
    let cookie = known(raw, type_name, &mut reported);
    let _: syn::Result<()> = reported.finish(());
    for violation in session_rules::device::cookie_violations(&cookie) {
        errors.at(raw.span_of(violation.option), violation.message);
    }
}

/// The cookie as far as it is known. What only the environment knows is taken to break no rule. What can't be read is
/// reported, such as `same_site = Relaxed`.
fn known(raw: &RawCookie, type_name: &str, errors: &mut Errors) -> Cookie {
    let mut cookie = Cookie::for_type(type_name);
    if !raw.values[CookieAttribute::Name as usize].is_absent() {
        // A name without a prefix demands nothing of the other attributes.
        cookie.name = "unknown".into();
    }
    if raw.domains.is_some() {
        // What each of them has to be is checked where it was written.
        cookie.domains = rules::Domains::ByFunction;
    }
    for attribute in CookieAttribute::ALL {
        let Some(literal) = raw.literal(attribute) else { continue };
        if let Err(message) = cookie.set(attribute, &literal.text) {
            let names: &[&str] = if attribute.kind() == AttributeKind::SameSite { &SameSite::NAMES } else { &[] };
            let hint = closest(&literal.text, names.iter().copied()).map(|name| format!("; did you mean `{name}`?"));
            errors.at(literal.span, message + &hint.unwrap_or_default());
        }
    }
    cookie
}

impl RawCookie {
    fn literal(&self, attribute: CookieAttribute) -> Option<&Literal> {
        self.values[attribute as usize].as_ref().written().and_then(RawValue::known)
    }

    /// The domains, if the request chooses one: where they were written.
    pub(crate) fn domains_span(&self) -> Option<Span> {
        self.domains.as_ref().map(RawDomains::span)
    }

    fn span_of(&self, option: &str) -> Span {
        let attribute = CookieAttribute::from_key(option);
        let literal = attribute.and_then(|attribute| self.literal(attribute)).map(|literal| literal.span);
        let domains = || self.domains_span().filter(|_| attribute == Some(CookieAttribute::Domain));
        literal.or_else(domains).unwrap_or_else(Span::call_site)
    }
}
