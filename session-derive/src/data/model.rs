//! What only valid input can become, and the rules that make it valid.

use proc_macro2::{Ident, Span, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, Field, GenericParam, Member, Type, ext::IdentExt as _};

use super::{
    field_attributes::{self, FieldAttributes},
    parse::{DataOptions, Raw, RawField},
};
use crate::{
    diag::Errors,
    options::{
        Slot,
        backend::{self, Backend},
        cookie::{self, CookieOptions},
        device_bound::{self, DeviceBound},
        encrypt,
        invalid::Invalid,
        missing::{self, Missing},
        name,
        on_end::OnEnd,
        owner::{self, Limit},
        public_origin, scheme,
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
    pub(crate) cookie: CookieOptions,
    pub(crate) transports: Vec<Transport>,
    pub(crate) trusted_origins: Vec<Setting>,
    pub(crate) public_origin: Option<Setting>,
    pub(crate) timeouts: Timeouts,
    pub(crate) rejects: bool,
    pub(crate) clear_site_data: bool,
    pub(crate) missing: Option<Missing>,
    pub(crate) verify: Option<Verify>,
    pub(crate) on_end: Option<OnEnd>,
    pub(crate) validate: Option<Validate>,
    pub(crate) version: Option<Version>,
    pub(crate) device_bound: Option<DeviceBound>,
    pub(crate) encrypt: bool,
    pub(crate) attributes: FieldAttributes,
    pub(crate) owner: Option<Owner>,
    pub(crate) limit: Limit,
    pub(crate) name: Option<String>,
    pub(crate) scheme: Option<String>,
}

/// The field that says whose the session is.
pub(crate) struct Owner {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    /// Whether it is marked `secret` as well.
    pub(crate) secret: bool,
}

impl Declaration {
    /// A type that declares nothing.
    pub(crate) fn of(ident: &Ident) -> Self {
        Self {
            ident: ident.clone(),
            backend: Backend::memory(),
            key: None,
            cookie: CookieOptions::default(),
            transports: Vec::new(),
            trusted_origins: Vec::new(),
            public_origin: None,
            timeouts: Timeouts { idle: None, lifetime: None, rotate_every: None },
            rejects: false,
            clear_site_data: false,
            missing: None,
            verify: None,
            on_end: None,
            validate: None,
            version: None,
            device_bound: None,
            encrypt: false,
            attributes: FieldAttributes::default(),
            owner: None,
            limit: Limit::default(),
            name: None,
            scheme: None,
        }
    }
}

/// The rules that look at the whole; an option's own rules are in its file.
const RULES: &[fn(&Raw, &mut Errors)] = &[
    is_no_union,
    has_no_parameters,
    owns_its_data,
    field_attributes::marks_agree,
    field_attributes::marks_can_be_kept,
    has_one_owner,
    owner_is_stored,
    owner_is_listed,
    key_outlives,
    cookie_options_have_a_cookie,
    domains_have_no_single_origin,
    device_has_what_it_needs,
];

/// The declaration if every rule holds, else every rule that doesn't.
pub(crate) fn check(raw: Raw, mut errors: Errors) -> syn::Result<Declaration> {
    for rule in RULES {
        rule(&raw, &mut errors);
    }
    let attributes = FieldAttributes::of(&raw);
    let DataOptions {
        backend,
        key,
        cookie,
        transport,
        trusted_origins,
        public_origin,
        idle,
        lifetime,
        rotate_every,
        missing,
        invalid,
        clear_site_data,
        verify,
        on_end,
        validate,
        version,
        from,
        device_bound,
        encrypt,
        max_per_owner,
        on_excess,
        name,
        scheme,
        runtime: _,
        unknown,
    } = raw.options;
    let ident = &raw.input.ident;
    let owner = owners(&raw.fields).next();
    // A type whose owner is misspelt, or in an enum, has had its error.
    let owned = owner.is_some() || unknown;
    let stated = name::check(name, &mut errors);
    let device_path = match &stated {
        Some(name) => format!("/.session/{name}/device"),
        None => session_rules::device::path(&ident.unraw().to_string()),
    };
    let declaration = Declaration {
        ident: ident.clone(),
        backend: backend.written().map_or_else(Backend::memory, |backend| backend::check(backend, &mut errors)),
        key: key.written().map(RawValue::setting),
        cookie: cookie::check(cookie, &ident.to_string(), &mut errors),
        transports: transport::check(transport, &mut errors),
        trusted_origins: trusted_origins
            .written()
            .map_or_else(Vec::new, |origins| trusted_origins::check(origins, &mut errors)),
        public_origin: public_origin.written().map(|origin| public_origin::check(origin, &mut errors)),
        timeouts: timeouts::check(idle, lifetime, rotate_every, &mut errors),
        rejects: invalid.written() == Some(Invalid::Reject),
        clear_site_data: clear_site_data.written().is_some(),
        missing: missing.written().and_then(|missing| missing::check(&missing, &mut errors)),
        verify: verify.written(),
        on_end: on_end.written(),
        validate: validate.written().map(|validate| validate::check(validate, &mut errors)),
        version: version::check(version, from, ident, unknown, &mut errors),
        device_bound: device_bound.written().map(|raw| device_bound::check(raw, device_path, &mut errors)),
        encrypt: encrypt::check(&encrypt, &mut errors),
        attributes,
        limit: owner::check(max_per_owner, on_excess, owned, &mut errors),
        name: stated,
        scheme: scheme::check(scheme, &mut errors),
        owner: owner.map(|(_, field)| Owner {
            member: field.member.clone(),
            ty: field.field.ty.clone(),
            secret: !field.options.secret.is_absent(),
        }),
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
                    "a session type has one cookie and one key prefix, so it can't be generic; \
                     write a type without `{}`, or wrap one instance: `struct My{name}({name}<..>)`",
                    ty.ident
                ),
            ),
            GenericParam::Const(constant) => errors.at(
                constant.ident.span(),
                format!(
                    "a session type has one cookie and one key prefix, so it can't be generic; \
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

/// The fields that are marked as the owner, and where.
fn owners<'a>(fields: &'a [RawField<'a>]) -> impl Iterator<Item = (Span, &'a RawField<'a>)> {
    fields.iter().filter_map(|field| match field.options.owner {
        Slot::Written(span) => Some((span, field)),
        Slot::Absent | Slot::Broken => None,
    })
}

/// `#[session(owner)] id: u64, #[session(owner)] name: String`
fn has_one_owner(raw: &Raw, errors: &mut Errors) {
    let mut owners = owners(&raw.fields);
    let Some((first, _)) = owners.next() else { return };
    let others: Vec<Span> = owners.map(|(span, _)| span).collect();
    for span in &others {
        errors.at(*span, "a session has one owner; keep one `owner`, or put both values into one field");
    }
    if !others.is_empty() {
        errors.at(first, "`owner` is first given here");
    }
}

/// `#[serde(skip)] #[session(owner)] id: u64`
fn owner_is_stored(raw: &Raw, errors: &mut Errors) {
    for (span, _) in owners(&raw.fields).filter(|(_, field)| serde_says(field.field, &SKIPPED)) {
        errors.at(span, "the owner must be stored with the session; remove the field's `#[serde(skip)]`");
    }
}

/// `backend = cookie` and `#[session(owner)] id: u64`
fn owner_is_listed(raw: &Raw, errors: &mut Errors) {
    let (Slot::Written(backend), Some((owner, _))) = (&raw.options.backend, owners(&raw.fields).next()) else { return };
    if let Some(backend) = backend.carried() {
        errors.at(
            owner,
            "`backend = cookie` stores nothing on the server, so sessions can't be listed or ended; choose another \
             backend, such as `memory` or `redis`, or remove this option",
        );
        errors.at(backend, "the backend is chosen here");
    }
}

/// `backend = redis` without `key`
fn key_outlives(raw: &Raw, errors: &mut Errors) {
    let DataOptions { backend: Slot::Written(backend), key: Slot::Absent, unknown: false, .. } = &raw.options else {
        return;
    };
    if let Some((span, name)) = backend.outliving() {
        errors.at(
            span,
            format!(
                "sessions in `{name}` outlive the process, so their key must outlive it too; add `{}`",
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
            "this type sends no cookie; remove `cookie(...)`, or add the cookie to the transports: \
             `transport = [bearer, cookie]`",
        );
    }
    if let Some(origins) = raw.options.trusted_origins.as_ref().written() {
        errors.at(
            origins.span,
            "no other site can send a token in a header, so `trusted_origins` has no effect; remove it, or add the \
             cookie to the transports: `transport = [bearer, cookie]`",
        );
    }
    if let Some(origin) = raw.options.public_origin.as_ref().written() {
        errors.at(
            origin.span,
            "no other site can send a token in a header, so `public_origin` has no effect; remove it, or add the \
             cookie to the transports: `transport = [bearer, cookie]`",
        );
    }
}

/// `cookie(domain = ["shop-a.example", "shop-b.example"]), public_origin = ".."`
fn domains_have_no_single_origin(raw: &Raw, errors: &mut Errors) {
    let DataOptions { cookie: Slot::Written(cookie), public_origin: Slot::Written(origin), .. } = &raw.options else {
        return;
    };
    if let Some(domains) = cookie.domains_span() {
        errors.at(origin.span, session_rules::cookie::NO_SINGLE_ORIGIN);
        errors.at(domains, "the domains are chosen here");
    }
}

/// `device_bound, cookie(secure = false)`
fn device_has_what_it_needs(raw: &Raw, errors: &mut Errors) {
    let DataOptions { device_bound, cookie, transport, backend, .. } = &raw.options;
    let name = raw.input.ident.to_string();
    device_bound::has_what_it_needs(device_bound, cookie, transport, backend, &name, errors);
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

/// What tells serde that a field is not stored.
const SKIPPED: [&str; 3] = ["skip", "skip_serializing", "skip_deserializing"];

/// Whether serde is told not to read this field as it is.
fn serde_skips(field: &Field) -> bool {
    serde_says(field, &["skip", "skip_deserializing", "deserialize_with", "with"])
}

/// Whether one of these words is in the field's `#[serde(...)]`.
fn serde_says(field: &Field, words: &[&str]) -> bool {
    let says = |attribute: &Attribute| {
        attribute.path().is_ident("serde")
            && attribute.meta.require_list().is_ok_and(|list| {
                let mut tokens = list.tokens.clone().into_iter();
                tokens.any(|token| words.iter().any(|word| token.to_string() == *word))
            })
    };
    field.attrs.iter().any(says)
}

fn has_reference(mut tokens: impl Iterator<Item = TokenTree>) -> bool {
    tokens.any(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == '&',
        TokenTree::Group(group) => has_reference(&mut group.stream().into_iter()),
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    })
}
