//! The options of a field: `#[session(owner)]`, `#[session(privilege)]`, `#[session(flash)]`, `#[session(secret)]`.

use proc_macro2::Span;
use syn::parse::ParseStream;

use super::{Key, Row, Slot};

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
pub(crate) const TABLE: &[Row<FieldOptions>] = &[
    Row { name: "owner", usage: "owner", read: |options, key, input, _| options.owner.read(word(key, input)) },
    Row {
        name: "privilege",
        usage: "privilege",
        read: |options, key, input, _| options.privilege.read(word(key, input)),
    },
    Row { name: "flash", usage: "flash", read: |options, key, input, _| options.flash.read(word(key, input)) },
    Row { name: "secret", usage: "secret", read: |options, key, input, _| options.secret.read(word(key, input)) },
];

/// Reads nothing: the word is all.
fn word(key: &Key, input: ParseStream) -> syn::Result<Span> {
    key.ends(input, key.span(), "no value")?;
    Ok(key.span())
}
