//! The options of a field: `#[session(owner)]`, `#[session(privilege)]`, `#[session(flash)]`, `#[session(secret)]`.

use proc_macro2::Span;
use syn::parse::ParseStream;

use super::{OptionKey, OptionSpec, Slot};

/// How options of a field are written.
pub(crate) const USAGE: &str = "#[session(owner)]";

/// What a field is marked with, each mark where it was written.
#[derive(Default)]
pub(crate) struct FieldOptions {
    pub(crate) owner: Slot<Span>,
    pub(crate) privilege: Slot<Span>,
    pub(crate) flash: Slot<Span>,
    pub(crate) secret: Slot<Span>,
}

/// Every option of a field. A new one is a row here and a field above.
pub(crate) const TABLE: &[OptionSpec<FieldOptions>] = &[
    OptionSpec { name: "owner", usage: "owner", read: |options, key, input, _| options.owner.read(word(key, input)) },
    OptionSpec {
        name: "privilege",
        usage: "privilege",
        read: |options, key, input, _| options.privilege.read(word(key, input)),
    },
    OptionSpec { name: "flash", usage: "flash", read: |options, key, input, _| options.flash.read(word(key, input)) },
    OptionSpec {
        name: "secret",
        usage: "secret",
        read: |options, key, input, _| options.secret.read(word(key, input)),
    },
];

/// Reads nothing: the word is all.
fn word(key: &OptionKey, input: ParseStream) -> syn::Result<Span> {
    key.ends(input, key.span(), "no value")?;
    Ok(key.span())
}
