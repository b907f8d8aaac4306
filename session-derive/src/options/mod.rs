//! The grammar that both attributes share: a comma-separated list of `key`, `key(...)` and `key = value`.
//!
//! Each option, or family of options, has a file here with its grammar and its checks; which options an attribute
//! has is a table ([`OptionSpec`]) in that attribute's `parse`.

pub(crate) mod access;
pub(crate) mod backend;
pub(crate) mod clear_site_data;
pub(crate) mod cookie;
pub(crate) mod cookie_domain;
pub(crate) mod csrf;
pub(crate) mod device_bound;
pub(crate) mod encrypt;
mod feature;
pub(crate) mod field;
mod function;
pub(crate) mod guard;
pub(crate) mod invalid;
pub(crate) mod key;
pub(crate) mod missing;
pub(crate) mod name;
pub(crate) mod on_end;
pub(crate) mod owner;
pub(crate) mod public_origin;
pub(crate) mod runtime;
pub(crate) mod save;
pub(crate) mod scheme;
pub(crate) mod state;
pub(crate) mod timeouts;
pub(crate) mod touch;
pub(crate) mod transport;
pub(crate) mod trusted_origins;
pub(crate) mod validate;
pub(crate) mod value;
pub(crate) mod verify;
pub(crate) mod version;
mod word;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::{
    Token,
    ext::IdentExt,
    parse::{ParseStream, Parser, discouraged::Speculative},
    token,
};

use crate::diag::{Errors, suggestion};

/// One option of a table: its name, how it is written, and how it is read into the raw options.
pub(crate) struct OptionSpec<O> {
    pub(crate) name: &'static str,
    pub(crate) usage: &'static str,
    pub(crate) read: fn(&mut O, &OptionKey, ParseStream, &mut Errors) -> syn::Result<()>,
}

impl<O> Clone for OptionSpec<O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O> Copy for OptionSpec<O> {}

/// What is known of an option: a broken one has been reported, and no other rule may build on its absence.
#[derive(Default)]
pub(crate) enum Slot<T> {
    #[default]
    Absent,
    Broken,
    Written(T),
}

impl<T> Slot<T> {
    /// Reads the option; after an error it counts as broken.
    pub(crate) fn read(&mut self, value: syn::Result<T>) -> syn::Result<()> {
        *self = Self::Broken;
        *self = Self::Written(value?);
        Ok(())
    }

    pub(crate) fn written(self) -> Option<T> {
        match self {
            Self::Written(value) => Some(value),
            Self::Absent | Self::Broken => None,
        }
    }

    pub(crate) fn as_ref(&self) -> Slot<&T> {
        match self {
            Self::Written(value) => Slot::Written(value),
            Self::Broken => Slot::Broken,
            Self::Absent => Slot::Absent,
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// An option's key where the user wrote it.
pub(crate) struct OptionKey {
    pub(crate) ident: Ident,
    pub(crate) usage: &'static str,
}

impl OptionKey {
    pub(crate) fn span(&self) -> Span {
        self.ident.span()
    }

    /// The error of an option in the wrong shape: it shows the right one.
    pub(crate) fn misused(&self, span: Span, what: &str) -> syn::Error {
        syn::Error::new(span, format!("`{}` takes {what}; write `{}`", self.ident, self.usage))
    }

    /// The option ends here, or is misused. What stands there instead may be the next option, without its comma.
    pub(crate) fn ends(&self, input: ParseStream, misuse: Span, what: &str) -> syn::Result<()> {
        if at_end(input) {
            return Ok(());
        }
        let ahead = input.fork();
        if let Ok(next) = ahead.call(Ident::parse_any)
            && (at_end(&ahead) || ahead.peek(Token![=]) || ahead.peek(token::Paren))
        {
            return Err(syn::Error::new(next.span(), format!("a comma is missing before `{next}`")));
        }
        Err(self.misused(misuse, what))
    }

    /// Reads the `=` before a value.
    pub(crate) fn equals(&self, input: ParseStream, what: &str) -> syn::Result<()> {
        if input.peek(Token![=]) && !input.peek(Token![==]) && !input.peek(Token![=>]) {
            input.parse::<Token![=]>()?;
            if !at_end(input) {
                return Ok(());
            }
        }
        Err(self.misused(self.span(), what))
    }
}

/// Options that had another name, with the present one.
const RENAMED: &[(&str, &str)] = &[("renew_every", "rotate_every")];

/// One attribute's list of options as it is read: the table, and what has been seen of it so far.
pub(crate) struct Reader<O: 'static> {
    subject: &'static str,
    table: &'static [OptionSpec<O>],
    seen: Vec<(&'static str, Span)>,
    unknown: bool,
}

impl<O> Reader<O> {
    /// `subject` names the list in messages: "option", "option of `cookie`".
    pub(crate) fn new(subject: &'static str, table: &'static [OptionSpec<O>]) -> Self {
        Self { subject, table, seen: Vec::new(), unknown: false }
    }

    /// Whether an option was unknown, which may have been meant for one that is missing.
    pub(crate) fn met_unknown(&self) -> bool {
        self.unknown
    }

    /// Reads a list from tokens.
    pub(crate) fn read_tokens(&mut self, tokens: TokenStream, raw: &mut O, errors: &mut Errors) {
        let parser = |input: ParseStream| {
            self.read(input, raw, errors);
            Ok(())
        };
        // The list is read to its end; what syn still calls unexpected was left by a mistake that has been reported.
        parser.parse2(tokens).unwrap_or_default();
    }

    /// Reads a list to its end.
    pub(crate) fn read(&mut self, input: ParseStream, raw: &mut O, errors: &mut Errors) {
        each(input, errors, |input, errors| self.read_one(input, raw, errors));
    }

    fn read_one(&mut self, input: ParseStream, raw: &mut O, errors: &mut Errors) -> syn::Result<()> {
        let Ok(ident) = input.call(Ident::parse_any) else {
            let names = crate::diag::choice(self.table.iter().map(|row| row.name));
            return Err(syn::Error::new(input.span(), format!("expected an {}: {names}", self.subject)));
        };
        let name = ident.unraw().to_string();
        let Some(row) = self.table.iter().find(|row| row.name == name) else {
            self.unknown = true;
            skip_value(input);
            let names = self.table.iter().map(|row| row.name);
            if let Some((_, new)) = RENAMED.iter().find(|(old, new)| *old == name && names.clone().any(|n| n == *new)) {
                return Err(syn::Error::new(ident.span(), format!("`{name}` is called `{new}`; write `{new}`")));
            }
            let hint = suggestion(&name, names);
            return Err(syn::Error::new(ident.span(), format!("unknown {} `{name}`; {hint}", self.subject)));
        };
        if let Some((_, first)) = self.seen.iter().find(|(seen, _)| *seen == row.name) {
            skip_value(input);
            errors.at(ident.span(), format!("`{name}` is given twice; keep one of the two"));
            errors.at(*first, format!("`{name}` is first given here"));
            return Ok(());
        }
        self.seen.push((row.name, ident.span()));
        let value = input.fork();
        let read = (row.read)(raw, &OptionKey { ident, usage: row.usage }, input, errors);
        if read.is_err() && pass_expression(&value) {
            input.advance_to(&value);
        }
        read
    }
}

/// Reads comma-separated items; after a mistake it goes on behind the next comma.
pub(crate) fn each(
    input: ParseStream,
    errors: &mut Errors,
    mut item: impl FnMut(ParseStream, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        if let Err(error) = item(input, errors) {
            errors.push(error);
            skip_to_comma(input);
        } else if !at_end(input) {
            errors.at(input.span(), "expected a comma before this");
            skip_to_comma(input);
        }
        if input.peek(Token![,]) {
            let _: syn::Result<Token![,]> = input.parse();
        }
    }
}

/// Reads what stands in `(...)`; after a mistake the rest of it counts as read.
pub(crate) fn parenthesized<T>(
    input: ParseStream,
    parse: impl FnOnce(ParseStream) -> syn::Result<T>,
) -> syn::Result<T> {
    let content;
    syn::parenthesized!(content in input);
    let value = parse(&content);
    let span = content.span();
    let rest: TokenStream = content.parse()?;
    match value {
        Ok(_) if !rest.is_empty() => Err(syn::Error::new(span, "expected nothing more in these parentheses")),
        value => value,
    }
}

/// Whether an option ends here.
pub(crate) fn at_end(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Passes over the value of an option that isn't read.
fn skip_value(input: ParseStream) {
    pass_expression(input);
    skip_to_comma(input);
}

/// Passes over `= value` if it is an expression, which may hold commas of its own (`|a, b| ..`).
fn pass_expression(input: ParseStream) -> bool {
    let ahead = input.fork();
    let passed = ahead.parse::<Token![=]>().is_ok() && ahead.parse::<syn::Expr>().is_ok();
    if passed {
        input.advance_to(&ahead);
    }
    passed
}

fn skip_to_comma(input: ParseStream) {
    while !at_end(input) && input.parse::<TokenTree>().is_ok() {}
}
