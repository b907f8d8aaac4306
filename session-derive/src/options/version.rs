//! `version = 2, from = UserV1`: data that older versions of the type wrote.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Ident, LitInt, Path, ext::IdentExt, parse::ParseStream};

use super::{OptionKey, Slot};
use crate::{
    diag::Errors,
    paths::{self, Runtime, SpanRange, name_span},
};

pub(crate) const VERSION: &str = "version = 2";
pub(crate) const FROM: &str = "from = UserV1";

/// The version as it was written.
pub(crate) struct RawVersion {
    span: Span,
    number: u32,
}

/// A version with the one before it.
pub(crate) struct Version {
    pub(crate) number: u32,
    pub(crate) from: Path,
}

/// Reads `= 2`; it is part of a constant, so no environment can give it.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<RawVersion> {
    let what = "a whole number";
    key.equals(input, what)?;
    let span = input.span();
    let misused = || key.misused(span, what);
    let literal: LitInt = input.parse().map_err(|_| misused())?;
    let number = literal.base10_parse().map_err(|_| misused())?;
    key.ends(input, span, what)?;
    Ok(RawVersion { span, number })
}

/// Reads `= UserV1`.
pub(crate) fn parse_from(key: &OptionKey, input: ParseStream) -> syn::Result<Path> {
    let what = "the type as it was before, by its path";
    key.equals(input, what)?;
    let span = input.span();
    let path: Path = input.parse().map_err(|_| key.misused(span, what))?;
    key.ends(input, input.span(), what)?;
    Ok(path)
}

/// The version with the one before it, if there is one; `unknown` options may have been meant for a missing one.
pub(crate) fn check(
    version: Slot<RawVersion>,
    from: Slot<Path>,
    ident: &Ident,
    unknown: bool,
    errors: &mut Errors,
) -> Option<Version> {
    it_counts_from_one(&version, &from, errors);
    each_has_the_other(&version, &from, ident, unknown, errors);
    it_is_another_type(&from, ident, errors);
    let (Slot::Written(RawVersion { number, span: _ }), Slot::Written(from)) = (version, from) else { return None };
    Some(Version { number, from })
}

/// `version = 0`, `version = 1, from = UserV1`
fn it_counts_from_one(version: &Slot<RawVersion>, from: &Slot<Path>, errors: &mut Errors) {
    let Slot::Written(RawVersion { span, number: number @ ..=1 }) = version else { return };
    match from {
        Slot::Written(_) => errors.at(
            *span,
            "the type that `from` names is an older version, and those count from 1; write `version = 2`, or one more \
             than its own",
        ),
        _ if *number == 0 => errors.at(*span, "versions count from 1; write `version = 1`, or remove it"),
        _ => {}
    }
}

/// `version = 2` alone, `from = UserV1` alone
fn each_has_the_other(
    version: &Slot<RawVersion>,
    from: &Slot<Path>,
    ident: &Ident,
    unknown: bool,
    errors: &mut Errors,
) {
    match (version, from) {
        (Slot::Written(RawVersion { span, number: number @ 2.. }), Slot::Absent) if !unknown => {
            let (name, former) = (ident.unraw(), number - 1);
            errors.at(
                *span,
                format!(
                    "sessions of version {former} are still in the store; keep their type as `{name}V{former}`, write \
                     `impl From<{name}V{former}> for {name}`, and add `from = {name}V{former}`"
                ),
            );
        }
        (Slot::Absent, Slot::Written(from)) if !unknown => errors.at(
            name_span(from),
            "the type that `from` names is an older version; add `version = 2`, or one more than its own",
        ),
        _ => {}
    }
}

/// `from = User` on `User`
fn it_is_another_type(from: &Slot<Path>, ident: &Ident, errors: &mut Errors) {
    let Slot::Written(from) = from else { return };
    if from.get_ident().is_some_and(|name| name == ident || name == "Self") {
        let name = ident.unraw();
        errors.over(
            from,
            format!(
                "this is the type itself; keep the type as it was before under another name, as in `struct {name}V1`, \
                 and name that"
            ),
        );
    }
}

impl Version {
    /// The expression of data that this version or an older one wrote.
    pub(crate) fn expand(&self, version: &TokenStream, data: &TokenStream, runtime: &Runtime) -> TokenStream {
        let former = self.expand_former(runtime);
        SpanRange::of(&self.from).put(quote!(#former.migrate::<Self>(#version, #data)))
    }

    /// The item that holds the two versions to their order.
    pub(crate) fn expand_assertion(&self, runtime: &Runtime) -> TokenStream {
        let Self { number, from } = self;
        let (former, assert) = (self.expand_former(runtime), paths::assert());
        let name = from.to_token_stream().to_string().replace(' ', "");
        let message = format!(
            "`from = {name}` is not an older version: this is version {number}, and `{name}` declares {number} or later; \
             count this one on, or correct the other"
        );
        let older = SpanRange::of(from).put(quote!(#assert!(#former.version < #number, #message)));
        quote!(const _: () = #older;)
    }

    /// The expression of the older type: the same each time, so that a wrong one is reported once.
    fn expand_former(&self, runtime: &Runtime) -> TokenStream {
        let (from, former) = (&self.from, runtime.previous_version());
        SpanRange::of(from).put(quote!(#former::<#from>()))
    }
}
