//! Fields attributed `privilege`, `flash` and `secret`, and what follows from them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Member, Type, ext::IdentExt};

use super::{
    parse::{Raw, RawField},
    serialized::{SerdeContainer, Serialized},
};
use crate::{
    diag::Errors,
    options::{Slot, field::FieldOptions},
    paths::{self, Runtime, SpanRange},
};

/// The attributed fields of a struct.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    privileges: Vec<AttributedField>,
    flashes: Vec<AttributedField>,
    /// Every field, where one of them is secret.
    secrets: Option<Vec<DebugField>>,
}

struct AttributedField {
    member: Member,
    ty: Type,
}

/// A field as others than the store see it.
struct DebugField {
    attributed: AttributedField,
    secret: bool,
    serialized: Serialized,
}

impl FieldAttributes {
    pub(crate) fn of(raw: &Raw) -> Self {
        let attributed =
            |field: &RawField| AttributedField { member: field.member.clone(), ty: field.field.ty.clone() };
        let with = |mark: fn(&FieldOptions) -> &Slot<Span>| {
            raw.fields.iter().filter(|field| !mark(&field.options).is_absent()).map(attributed).collect::<Vec<_>>()
        };
        let container = SerdeContainer::of(&raw.input.attrs);
        let shown = |field: &RawField| DebugField {
            attributed: attributed(field),
            secret: !field.options.secret.is_absent(),
            serialized: container.field(field.field, &field.member),
        };
        let secret = raw.fields.iter().any(|field| !field.options.secret.is_absent());
        Self {
            privileges: with(|options| &options.privilege),
            flashes: with(|options| &options.flash),
            secrets: secret.then(|| raw.fields.iter().map(shown).collect()),
        }
    }

    /// What the type's `SessionData` says of them.
    pub(crate) fn expand(&self, runtime: &Runtime) -> TokenStream {
        let privileges = (!self.privileges.is_empty()).then(|| expand_privileges(&self.privileges, runtime));
        let flashes = (!self.flashes.is_empty()).then(|| expand_flashes(&self.flashes, runtime));
        let secrets = self.secrets.as_deref().map(|fields| expand_public(fields, runtime));
        quote!(#privileges #flashes #secrets)
    }

    /// A `Debug` that shows no secret, for a type that has any.
    pub(crate) fn expand_debug(&self, ident: &Ident, runtime: &Runtime) -> Option<TokenStream> {
        self.secrets.as_deref().map(|fields| expand_debug(fields, ident, runtime))
    }
}

/// `#[session(privilege, flash)]`
pub(crate) fn marks_agree(raw: &Raw, errors: &mut Errors) {
    for RawField { field: _, member: _, options } in &raw.fields {
        let FieldOptions { owner, privilege, flash, secret: _ } = options;
        let Slot::Written(span) = flash else { continue };
        for (name, other) in [("owner", owner), ("privilege", privilege)] {
            if let Slot::Written(_) = other {
                errors.at(
                    *span,
                    format!("a flash is removed when it is read, so it can't be `{name}` too; keep one of the two"),
                );
            }
        }
    }
}

/// `backend = cookie` with a `privilege`, a `flash` or `rotate_every`
pub(crate) fn marks_can_be_kept(raw: &Raw, errors: &mut Errors) {
    let Slot::Written(backend) = &raw.options.backend else { return };
    if backend.carried().is_none() {
        return;
    }
    let why = "with `backend = cookie` a copied cookie can't be revoked, so";
    for RawField { field: _, member: _, options } in &raw.fields {
        if let Slot::Written(span) = options.privilege {
            errors.at(span, format!("{why} an old privilege would stay in force; choose another backend"));
        }
        if let Slot::Written(span) = options.flash {
            errors.at(span, format!("{why} a flash could be read more than once; choose another backend"));
        }
    }
    if let Slot::Written(every) = &raw.options.rotate_every {
        errors.at(
            every.span,
            format!("{why} rotating ids has no effect; remove `rotate_every`, or choose another backend"),
        );
    }
}

fn expand_privileges(fields: &[AttributedField], runtime: &Runtime) -> TokenStream {
    let (result, ok) = (paths::result(), paths::result_ok());
    let (privileges, error, add) = (runtime.privileges(), runtime.json_error(), runtime.add_privilege());
    let all = Ident::new("all", Span::mixed_site());
    let added = fields.iter().map(|AttributedField { member, ty }| {
        let place = SpanRange::of(ty);
        let add = place.put(add);
        quote_spanned!(place.span()=> #add(&mut #all, &self.#member)?;)
    });
    quote_spanned! {Span::mixed_site()=>
        fn privileges(&self) -> #result<#privileges, #error> {
            let mut #all = #privileges::new();
            #(#added)*
            #ok(#all)
        }
    }
}

fn expand_flashes(fields: &[AttributedField], runtime: &Runtime) -> TokenStream {
    let (bool, flash) = (paths::bool(), runtime.flash());
    let lent = Ident::new("lent", Span::mixed_site());
    // The same path each time, so that a type that is no flash is reported once.
    let calls = |call: fn(Span, TokenStream, &Member, &Ident) -> TokenStream| -> Vec<TokenStream> {
        let call = |AttributedField { member, ty }: &AttributedField| {
            let span = SpanRange::of(ty).span();
            call(span, quote_spanned!(span=> <#ty as #flash>), member, &lent)
        };
        fields.iter().map(call).collect()
    };
    let empty = calls(|span, flash, member, _| quote_spanned!(span=> #flash::is_empty(&self.#member)));
    let cleared = calls(|span, flash, member, _| quote_spanned!(span=> #flash::clear(&mut self.#member)));
    let consumed =
        calls(|span, flash, member, lent| quote_spanned!(span=> #flash::consume(&mut self.#member, &#lent.#member)));
    quote_spanned! {Span::mixed_site()=>
        fn has_flash(&self) -> #bool {
            !(#(#empty)&&*)
        }

        fn clear_flash(&mut self) {
            #(#cleared;)*
        }

        fn consume_flash(&mut self, #lent: &Self) {
            #(#consumed;)*
        }
    }
}

fn expand_public(fields: &[DebugField], runtime: &Runtime) -> TokenStream {
    let (result, ok, str) = (paths::result(), paths::result_ok(), paths::str());
    let (public, json, error) = (runtime.public(), runtime.json(), runtime.json_error());
    let shown = Ident::new("shown", Span::mixed_site());
    let secrets = fields.iter().filter(|field| field.secret).map(|field| name(&field.attributed.member));
    let fields = fields.iter().map(|DebugField { attributed: AttributedField { member, ty }, secret, serialized }| {
        if *secret {
            let item = matches!(member, Member::Unnamed(_));
            let hidden = item.then(|| quote_spanned!(Span::mixed_site()=> #public::hidden(&mut #shown);));
            return hidden.unwrap_or_default();
        }
        serialized.expand(&shown, member, SpanRange::of(ty), runtime)
    });
    quote_spanned! {Span::mixed_site()=>
        const SECRETS: &'static [&'static #str] = &[#(#secrets),*];

        fn public_json(&self) -> #result<#json, #error> {
            let mut #shown = #public::new();
            #(#fields)*
            #ok(#public::done(#shown))
        }
    }
}

fn expand_debug(fields: &[DebugField], ident: &Ident, runtime: &Runtime) -> TokenStream {
    let (debug, formatter, result) = (paths::debug(), paths::formatter(), paths::fmt_result());
    let redacted = runtime.redacted();
    let shown = Ident::new("shown", Span::mixed_site());
    let named = fields.iter().any(|field| matches!(field.attributed.member, Member::Named(_)));
    let builder = if named { paths::debug_struct() } else { paths::debug_tuple() };
    let begin = Ident::new(if named { "debug_struct" } else { "debug_tuple" }, Span::mixed_site());
    let title = ident.unraw().to_string();
    let fields = fields.iter().map(|DebugField { attributed: AttributedField { member, ty }, secret, .. }| {
        let place = SpanRange::of(ty);
        let value = if *secret {
            quote_spanned!(place.span()=> &#redacted)
        } else {
            quote_spanned!(place.span()=> &self.#member)
        };
        let name = named.then(|| name(member)).into_iter();
        let added = quote_spanned!(place.span()=> #builder::field(#shown, #(#name,)* #value));
        quote_spanned!(Span::mixed_site()=> let #shown = #added;)
    });
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #debug for #ident {
            fn fmt(&self, f: &mut #formatter<'_>) -> #result {
                let #shown = &mut #formatter::#begin(f, #title);
                #(#fields)*
                #builder::finish(#shown)
            }
        }
    }
}

/// A field's name in Rust.
fn name(member: &Member) -> String {
    match member {
        Member::Named(ident) => ident.unraw().to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}
