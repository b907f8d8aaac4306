//! What only valid input can become, and the rules that make it valid.

use proc_macro2::{Ident, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, Field, GenericParam};

use super::{
    marks::{self, Marks},
    parse::{Options, Raw, RawField},
};
use crate::{
    diag::Errors,
    options::{
        Slot,
        backend::{self, Backend},
        cookie, encrypt,
        field::FieldOptions,
        invalid::Invalid,
        missing::{self, Missing},
        timeouts::{self, Timeouts},
        transport::{self, Transport},
        trusted_origins,
        validate::{self, Validate},
        value::{RawValue, Setting},
        verify::Verify,
        version::{self, Version},
    },
};

/// A session type and what was declared of it.
pub(crate) struct Declaration {
    pub(crate) ident: Ident,
    pub(crate) backend: Backend,
    pub(crate) key: Option<Setting>,
    pub(crate) cookie: Vec<(&'static str, Setting)>,
    pub(crate) transports: Vec<Transport>,
    pub(crate) trusted_origins: Vec<Setting>,
    pub(crate) timeouts: Timeouts,
    pub(crate) rejects: bool,
    pub(crate) clear_site_data: bool,
    pub(crate) missing: Option<Missing>,
    pub(crate) verify: Option<Verify>,
    pub(crate) validate: Option<Validate>,
    pub(crate) version: Option<Version>,
    pub(crate) encrypt: bool,
    pub(crate) marks: Marks,
}

impl Declaration {
    /// A type that declares nothing.
    pub(crate) fn of(ident: &Ident) -> Self {
        Self {
            ident: ident.clone(),
            backend: Backend::memory(),
            key: None,
            cookie: Vec::new(),
            transports: Vec::new(),
            trusted_origins: Vec::new(),
            timeouts: Timeouts { idle: None, lifetime: None, renew_every: None },
            rejects: false,
            clear_site_data: false,
            missing: None,
            verify: None,
            validate: None,
            version: None,
            encrypt: false,
            marks: Marks::default(),
        }
    }
}

/// The rules that look at the whole; an option's own rules are in its file.
const RULES: &[fn(&Raw, &mut Errors)] = &[
    is_no_union,
    has_no_parameters,
    owns_its_data,
    marks_mean_something,
    marks::marks_agree,
    marks::marks_can_be_kept,
    key_outlives,
    cookie_options_have_a_cookie,
];

/// The declaration if every rule holds, else every rule that doesn't.
pub(crate) fn check(raw: Raw, mut errors: Errors) -> syn::Result<Declaration> {
    for rule in RULES {
        rule(&raw, &mut errors);
    }
    let marks = Marks::of(&raw);
    let Options {
        backend,
        key,
        cookie,
        transport,
        trusted_origins,
        idle,
        lifetime,
        renew_every,
        missing,
        invalid,
        clear_site_data,
        verify,
        validate,
        version,
        from,
        encrypt,
        runtime: _,
        unknown,
    } = raw.options;
    let ident = &raw.input.ident;
    let declaration = Declaration {
        ident: ident.clone(),
        backend: backend.written().map_or_else(Backend::memory, |backend| backend::check(backend, &mut errors)),
        key: key.written().map(RawValue::setting),
        cookie: cookie::check(cookie, &ident.to_string(), &mut errors),
        transports: transport::check(transport, &mut errors),
        trusted_origins: trusted_origins
            .written()
            .map_or_else(Vec::new, |origins| trusted_origins::check(origins, &mut errors)),
        timeouts: timeouts::check(idle, lifetime, renew_every, &mut errors),
        rejects: invalid.written() == Some(Invalid::Reject),
        clear_site_data: clear_site_data.written().is_some(),
        missing: missing.written().and_then(|missing| missing::check(&missing, &mut errors)),
        verify: verify.written(),
        validate: validate.written().map(|validate| validate::check(validate, &mut errors)),
        version: version::check(version, from, ident, unknown, &mut errors),
        encrypt: encrypt::check(&encrypt, &mut errors),
        marks,
    };
    errors.finish(declaration)
}

/// `union User { .. }`
fn is_no_union(raw: &Raw, errors: &mut Errors) {
    if let Data::Union(union) = &raw.input.data {
        errors.at(union.union_token.span, "a session is a struct or an enum; serde can't store a union");
    }
}

/// `struct User<T> { .. }`, `struct User<'a> { .. }`
fn has_no_parameters(raw: &Raw, errors: &mut Errors) {
    let name = &raw.input.ident;
    for parameter in &raw.input.generics.params {
        match parameter {
            GenericParam::Lifetime(lifetime) => errors.over(
                &lifetime.lifetime,
                format!(
                    "a session outlives every request, so it can't borrow; remove `{}` and own the data, \
                     as with `String` instead of `&{} str`",
                    lifetime.lifetime, lifetime.lifetime
                ),
            ),
            GenericParam::Type(ty) => errors.at(
                ty.ident.span(),
                format!(
                    "a session type has one cookie and one place in the store, so it can't be generic; \
                     write a type without `{}`, or wrap one instance: `struct My{name}({name}<..>)`",
                    ty.ident
                ),
            ),
            GenericParam::Const(constant) => errors.at(
                constant.ident.span(),
                format!(
                    "a session type has one cookie and one place in the store, so it can't be generic; \
                     write a type without `{}`",
                    constant.ident
                ),
            ),
        }
    }
}

/// `name: &'static str`
fn owns_its_data(raw: &Raw, errors: &mut Errors) {
    // With a lifetime parameter the mistake has been reported there.
    if raw.input.generics.lifetimes().next().is_some() {
        return;
    }
    for field in borrowed(raw.input) {
        let message = "a session is read back from a store, so its data is owned; write `String` instead of `&str`, \
                       `Vec<T>` instead of `&[T]`, or skip the field with `#[serde(skip)]`";
        errors.over(&field.ty, message);
    }
}

/// `#[session(owner)] id: u64`
fn marks_mean_something(raw: &Raw, errors: &mut Errors) {
    for RawField { field: _, member: _, options } in &raw.fields {
        let FieldOptions { owner, privilege: _, flash: _, secret: _ } = options;
        if let Slot::Written(span) = owner {
            errors.at(*span, "`owner` has no effect yet");
        }
    }
}

/// `backend = redis` without `key`
fn key_outlives(raw: &Raw, errors: &mut Errors) {
    let Options { backend: Slot::Written(backend), key: Slot::Absent, unknown: false, .. } = &raw.options else {
        return;
    };
    if let Some((span, name)) = backend.outliving() {
        errors.at(
            span,
            format!(
                "sessions in `{name}` outlive the process, and so must the key of their tokens; add `{}`",
                crate::options::key::USAGE
            ),
        );
    }
}

/// `transport = bearer, cookie(persistent)`, `transport = bearer, trusted_origins = [..]`
fn cookie_options_have_a_cookie(raw: &Raw, errors: &mut Errors) {
    if !transport::excludes_cookies(&raw.options.transport) {
        return;
    }
    if let Some(span) = raw.options.cookie.as_ref().written().and_then(|cookie| cookie.span) {
        errors.at(
            span,
            "this session's token travels in no cookie; remove `cookie(...)`, or name it among the transports: \
             `transport = [bearer, cookie]`",
        );
    }
    if let Some(origins) = raw.options.trusted_origins.as_ref().written() {
        errors.at(
            origins.span,
            "browsers add no header of this session's to other sites' requests, so every origin may ask; remove \
             `trusted_origins`, or name the cookie among the transports: `transport = [bearer, cookie]`",
        );
    }
}

/// Whether serde can read such a type back, so that a stub for it is no error of its own.
pub(crate) fn is_storable(input: &DeriveInput) -> bool {
    let union = matches!(input.data, Data::Union(_));
    !union && input.generics.params.is_empty() && borrowed(input).next().is_none()
}

fn borrowed(input: &DeriveInput) -> impl Iterator<Item = &Field> {
    fields(&input.data).filter(|field| !serde_skips(field) && has_reference(field.ty.to_token_stream().into_iter()))
}

fn fields(data: &Data) -> Box<dyn Iterator<Item = &Field> + '_> {
    match data {
        Data::Struct(data) => Box::new(data.fields.iter()),
        Data::Enum(data) => Box::new(data.variants.iter().flat_map(|variant| &variant.fields)),
        Data::Union(data) => Box::new(data.fields.named.iter()),
    }
}

/// Whether serde is told not to read this field as it is.
fn serde_skips(field: &Field) -> bool {
    let skips = |attribute: &Attribute| {
        attribute.path().is_ident("serde")
            && attribute.meta.require_list().is_ok_and(|list| {
                list.tokens.clone().into_iter().any(|token| {
                    ["skip", "skip_deserializing", "deserialize_with", "with"]
                        .iter()
                        .any(|word| token.to_string() == *word)
                })
            })
    };
    field.attrs.iter().any(skips)
}

fn has_reference(mut tokens: impl Iterator<Item = TokenTree>) -> bool {
    tokens.any(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == '&',
        TokenTree::Group(group) => has_reference(&mut group.stream().into_iter()),
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    })
}
