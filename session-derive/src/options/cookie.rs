//! `cookie(...)`: the cookie's name and attributes, held to the rules that browsers apply.

use proc_macro2::Span;
use session_rules::cookie::{Cookie, SameSite};
use syn::{parse::ParseStream, token};

use super::{
    OptionKey, OptionSpec, Reader, Slot, at_end, parenthesized,
    value::{Expected, FLAG, Literal, LiteralKind, RawValue, Setting, TEXT},
};
use crate::diag::{Errors, closest};

pub(crate) const USAGE: &str = "cookie(name = \"__Host-user\", same_site = Lax)";

const SAME_SITE: Expected =
    Expected { kinds: &[LiteralKind::Word, LiteralKind::Text], what: "`Strict`, `Lax`, `None` or `env(\"VAR\")`" };

/// The attributes as they were written.
#[derive(Default)]
pub(crate) struct RawCookie {
    pub(crate) span: Option<Span>,
    name: Slot<RawValue>,
    path: Slot<RawValue>,
    domain: Slot<RawValue>,
    same_site: Slot<RawValue>,
    secure: Slot<RawValue>,
    http_only: Slot<RawValue>,
    partitioned: Slot<RawValue>,
    persistent: Slot<RawValue>,
}

const TABLE: &[OptionSpec<RawCookie>] = &[
    OptionSpec {
        name: "name",
        usage: "name = \"__Host-user\"",
        read: |raw, key, input, _| raw.name.read(RawValue::parse(key, input, TEXT)),
    },
    OptionSpec {
        name: "path",
        usage: "path = \"/\"",
        read: |raw, key, input, _| raw.path.read(RawValue::parse(key, input, TEXT)),
    },
    OptionSpec {
        name: "domain",
        usage: "domain = \"example.org\"",
        read: |raw, key, input, _| raw.domain.read(RawValue::parse(key, input, TEXT)),
    },
    OptionSpec {
        name: "same_site",
        usage: "same_site = Lax",
        read: |raw, key, input, _| raw.same_site.read(RawValue::parse(key, input, SAME_SITE)),
    },
    OptionSpec { name: "secure", usage: "secure = true", read: |raw, key, input, _| raw.secure.read(flag(key, input)) },
    OptionSpec {
        name: "http_only",
        usage: "http_only = true",
        read: |raw, key, input, _| raw.http_only.read(flag(key, input)),
    },
    OptionSpec {
        name: "partitioned",
        usage: "partitioned = true",
        read: |raw, key, input, _| raw.partitioned.read(flag(key, input)),
    },
    OptionSpec {
        name: "persistent",
        usage: "persistent = true",
        read: |raw, key, input, _| raw.persistent.read(flag(key, input)),
    },
];

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
        Reader::new("attribute of the cookie", TABLE).read(content, &mut raw, errors);
        Ok(raw)
    })
}

/// The attributes that were written, by name, once they keep the rules.
pub(crate) fn check(raw: Slot<RawCookie>, type_name: &str, errors: &mut Errors) -> Vec<(&'static str, Setting)> {
    let Slot::Written(raw) = raw else { return Vec::new() };
    same_site_is_known(&raw, errors);
    browsers_accept_it(&raw, type_name, errors);
    let RawCookie { span: _, name, path, domain, same_site, secure, http_only, partitioned, persistent } = raw;
    [
        ("name", name),
        ("path", path),
        ("domain", domain),
        ("same_site", same_site),
        ("secure", secure),
        ("http_only", http_only),
        ("partitioned", partitioned),
        ("persistent", persistent),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.written()?.setting())))
    .collect()
}

/// `same_site = Relaxed`
fn same_site_is_known(raw: &RawCookie, errors: &mut Errors) {
    let Some(literal) = literal(&raw.same_site) else { return };
    if let Err(message) = SameSite::parse(&literal.text) {
        let hint = closest(&literal.text, SameSite::NAMES).map(|name| format!("; did you mean `{name}`?"));
        errors.at(literal.span, message + &hint.unwrap_or_default());
    }
}

/// `name = "__Host-user", domain = "example.org"`: the rules that the runtime applies as well.
fn browsers_accept_it(raw: &RawCookie, type_name: &str, errors: &mut Errors) {
    for violation in known(raw, type_name).violations() {
        let span = raw.span_of(violation.option).unwrap_or_else(Span::call_site);
        errors.at(span, violation.message);
    }
}

/// The cookie as far as it is known. What only the environment knows is taken to break no rule.
fn known(raw: &RawCookie, type_name: &str) -> Cookie {
    let mut cookie = Cookie::for_type(type_name);
    let flag = |value, default| text(value).map_or(default, |text| text == "true");
    if !raw.name.is_absent() {
        // A name without a prefix demands nothing of the other attributes.
        cookie.name = text(&raw.name).unwrap_or("unknown").into();
    }
    cookie.path = text(&raw.path).map_or(cookie.path, Into::into);
    cookie.domain = text(&raw.domain).map(Into::into);
    cookie.same_site = text(&raw.same_site).and_then(|text| SameSite::parse(text).ok()).unwrap_or_default();
    cookie.secure = flag(&raw.secure, cookie.secure);
    cookie.http_only = flag(&raw.http_only, cookie.http_only);
    cookie.partitioned = flag(&raw.partitioned, cookie.partitioned);
    cookie.persistent = flag(&raw.persistent, cookie.persistent);
    cookie
}

fn text(value: &Slot<RawValue>) -> Option<&str> {
    literal(value).map(|literal| literal.text.as_str())
}

fn literal(value: &Slot<RawValue>) -> Option<&Literal> {
    value.as_ref().written().and_then(RawValue::known)
}

impl RawCookie {
    /// Where the value is that breaks a rule.
    fn span_of(&self, option: &str) -> Option<Span> {
        let value = match option {
            "name" => &self.name,
            "path" => &self.path,
            "domain" => &self.domain,
            "same_site" => &self.same_site,
            "secure" => &self.secure,
            "partitioned" => &self.partitioned,
            _ => return None,
        };
        literal(value).map(|literal| literal.span)
    }
}
