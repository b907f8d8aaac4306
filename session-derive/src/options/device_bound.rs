//! `device_bound`, or `device_bound(every = "10m", except = ["/static"], require = true)`: sessions that a stolen cookie does
//! not open.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use session_rules::{device, time};
use syn::{parse::ParseStream, token};

use super::{
    OptionKey, OptionSpec, Reader, Slot, at_end,
    backend::RawBackend,
    cookie::{self, RawCookie},
    feature::Feature,
    parenthesized, timeouts,
    transport::{self, RawTransport},
    value::{LiteralKind, RawValue, Source},
};
use crate::{
    diag::Errors,
    paths::{self, Runtime},
};

pub(crate) const USAGE: &str = "device_bound(every = \"10m\", except = [\"/static\"])";

/// What a handler writes.
pub(crate) const RECENT: &str = "device = \"1m\"";

pub(super) const FEATURE: Feature = Feature { name: "device-bound", enabled: cfg!(feature = "device-bound") };

/// The option as it was written.
pub(crate) struct RawDeviceBound {
    pub(crate) span: Span,
    arguments: RawArguments,
}

#[derive(Default)]
struct RawArguments {
    every: Slot<RawValue>,
    except: Slot<RawValue>,
    require: Slot<bool>,
}

/// A binding that keeps the rules.
pub(crate) struct DeviceBound {
    pub(crate) every: Duration,
    pub(crate) except: Vec<String>,
    pub(crate) require: bool,
    pub(crate) path: String,
}

const TABLE: &[OptionSpec<RawArguments>] = &[
    OptionSpec {
        name: "every",
        usage: "every = \"10m\"",
        read: |raw, key, input, _| raw.every.read(timeouts::parse_constant(key, input)),
    },
    OptionSpec {
        name: "except",
        usage: "except = [\"/static\"]",
        read: |raw, key, input, _| raw.except.read(paths_in_brackets(key, input)),
    },
    OptionSpec {
        name: "require",
        usage: "require = true",
        read: |raw, key, input, _| raw.require.read(flag(key, input)),
    },
];

/// Reads nothing, or `(every = .., ..)`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream, errors: &mut Errors) -> syn::Result<RawDeviceBound> {
    let mut arguments = RawArguments::default();
    if input.peek(token::Paren) {
        parenthesized(input, |content| {
            Reader::new("argument of `device_bound`", TABLE).read(content, &mut arguments, errors);
            Ok(())
        })?;
    }
    key.ends(input, key.span(), "its arguments in parentheses, or nothing")?;
    Ok(RawDeviceBound { span: key.span(), arguments })
}

/// `= ["/static", ..]`, which no variable can give: the compiler checks it.
fn paths_in_brackets(key: &OptionKey, input: ParseStream) -> syn::Result<RawValue> {
    const WHAT: &str = "paths in brackets";
    if !input.peek2(token::Bracket) {
        return Err(key.misused(key.span(), WHAT));
    }
    RawValue::parse_list(key, input)
}

/// `= true`, `= false`, or nothing.
fn flag(key: &OptionKey, input: ParseStream) -> syn::Result<bool> {
    if at_end(input) {
        return Ok(true);
    }
    let value = RawValue::parse(key, input, super::value::FLAG)?;
    match value.source {
        Source::Literal(literal) if literal.kind == LiteralKind::Flag => Ok(literal.text == "true"),
        _ => Err(key.misused(value.span, "`true` or `false`, which no variable can give")),
    }
}

/// The binding, once it keeps the rules.
pub(crate) fn check(raw: RawDeviceBound, path: String, errors: &mut Errors) -> DeviceBound {
    let RawDeviceBound { span, arguments: RawArguments { every, except, require } } = raw;
    FEATURE.required(span, "`device_bound`", errors);
    DeviceBound {
        every: check_every(every, errors),
        except: check_except(except, errors),
        require: require.written().unwrap_or(false),
        path,
    }
}

/// `device_bound(every = "1m")`, `device_bound(every = "2h")`
fn check_every(every: Slot<RawValue>, errors: &mut Errors) -> Duration {
    let Some(every) = every.written() else { return device::DEFAULT_EVERY };
    let Some(literal) = every.known() else { return device::DEFAULT_EVERY };
    let parsed = time::parse(&literal.text);
    let known = parsed.and_then(|every| device::every_violation(every).map_or(Ok(every), |broken| Err(broken.message)));
    known.unwrap_or_else(|message| {
        errors.at(literal.span, message);
        device::DEFAULT_EVERY
    })
}

/// `device_bound(except = ["static"])`
fn check_except(except: Slot<RawValue>, errors: &mut Errors) -> Vec<String> {
    let Some(except) = except.written() else { return Vec::new() };
    let Some(literal) = except.known().filter(|literal| !literal.text.is_empty()) else { return Vec::new() };
    let paths: Vec<String> = literal.text.split(',').map(String::from).collect();
    for violation in paths.iter().filter_map(|path| device::except_violation(path)) {
        errors.at(literal.span, violation.message);
    }
    paths
}

/// `device_bound, cookie(domain = "example.org")`, `device_bound, transport = bearer`, `device_bound, backend = cookie`
pub(crate) fn has_what_it_needs(
    raw: &Slot<RawDeviceBound>,
    cookie: &Slot<RawCookie>,
    transport: &Slot<Vec<RawTransport>>,
    backend: &Slot<RawBackend>,
    type_name: &str,
    errors: &mut Errors,
) {
    let Slot::Written(RawDeviceBound { span, .. }) = raw else { return };
    if transport::excludes_cookies(transport) {
        errors.at(
            *span,
            "browsers keep a session bound by a cookie, and this type sends none; remove `device_bound`, or add the cookie \
             to the transports: `transport = [bearer, cookie]`",
        );
    } else if let Slot::Written(cookie) = cookie {
        cookie::can_be_bound(cookie, type_name, errors);
    }
    if let Slot::Written(backend) = backend
        && let Some(place) = backend.carried()
    {
        errors.at(
            *span,
            "`backend = cookie` stores nothing on the server, so there is no place for the device's key; choose another \
             backend, such as `memory` or `redis`, or remove this option",
        );
        errors.at(place, "the backend is chosen here");
    }
}

/// `device = "1m"` of a handler: the duration in milliseconds.
pub(crate) fn check_recent(value: &RawValue, errors: &mut Errors) -> Option<u64> {
    FEATURE.required(value.span, "`device`", errors);
    let millis = timeouts::check_constant(value, errors)?;
    if millis < 10_000 {
        errors.at(
            value.span,
            "a proof takes a moment, and this one would be too old when the browser comes back with it; write \"10s\" or more",
        );
    }
    Some(millis)
}

impl DeviceBound {
    /// The expression of the runtime's binding.
    pub(crate) fn expand(&self, runtime: &Runtime) -> TokenStream {
        let Self { every, except, require, path } = self;
        let (binding, duration) = (runtime.device_binding(), paths::duration());
        let millis = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
        quote!(#binding::new(#duration::from_millis(#millis), &[#(#except),*], #require, #path))
    }
}
