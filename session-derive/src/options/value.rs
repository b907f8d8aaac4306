//! Values: a literal, `env("VAR")`, or `env("VAR", default = "...")`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{
    Lit, LitStr, Token, bracketed,
    ext::IdentExt,
    parse::{Parse, ParseStream},
    token,
};

use super::{OptionKey, parenthesized};
use crate::{
    diag::{Errors, closest},
    paths::Runtime,
};

/// A value as it was written.
pub(crate) struct RawValue {
    pub(crate) span: Span,
    pub(crate) source: Source,
}

/// Where a value comes from.
pub(crate) enum Source {
    Literal(Literal),
    Env { variable: String, default: Option<Literal> },
}

/// Something whose text is known at compile time.
pub(crate) struct Literal {
    pub(crate) text: String,
    pub(crate) kind: LiteralKind,
    pub(crate) span: Span,
}

/// What a literal is, as far as options care.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiteralKind {
    Text,
    Flag,
    Integer,
    /// A bare word such as `Lax`.
    Word,
}

/// The literals that an option takes, and how messages call them.
#[derive(Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) kinds: &'static [LiteralKind],
    pub(crate) what: &'static str,
}

/// Text, as most options take it.
pub(crate) const TEXT: Expected = Expected { kinds: &[LiteralKind::Text], what: "a string or `env(\"VAR\")`" };
pub(crate) const FLAG: Expected = Expected { kinds: &[LiteralKind::Flag], what: "`true`, `false` or `env(\"VAR\")`" };
pub(crate) const COUNT: Expected =
    Expected { kinds: &[LiteralKind::Integer], what: "a whole number or `env(\"VAR\")`" };
pub(crate) const ANY: Expected = Expected {
    kinds: &[LiteralKind::Text, LiteralKind::Flag, LiteralKind::Integer],
    what: "a string, a whole number, `true`, `false` or `env(\"VAR\")`",
};

impl Expected {
    /// Whether a bare name says `true`.
    pub(crate) fn is_flag(self) -> bool {
        self.kinds == [LiteralKind::Flag]
    }
}

impl RawValue {
    /// Reads `= value`.
    pub(crate) fn parse(key: &OptionKey, input: ParseStream, expected: Expected) -> syn::Result<Self> {
        key.equals(input, expected.what)?;
        Self::parse_value(key, input, expected)
    }

    /// Reads `= value`, or `= ["one", "other"]` as one text with commas.
    pub(crate) fn parse_list(key: &OptionKey, input: ParseStream) -> syn::Result<Self> {
        const WHAT: &str = "strings in brackets, or `env(\"VAR\")`";
        key.equals(input, WHAT)?;
        let span = input.span();
        if !input.peek(token::Bracket) {
            return Self::parse_value(key, input, Expected { what: WHAT, ..TEXT });
        }
        let content;
        bracketed!(content in input);
        let texts = content
            .parse_terminated(<LitStr as Parse>::parse, Token![,])
            .map_err(|error| key.misused(error.span(), WHAT))?;
        key.ends(input, span, WHAT)?;
        let text = texts.iter().map(LitStr::value).collect::<Vec<_>>().join(",");
        Ok(Self { span, source: Source::Literal(Literal { text, kind: LiteralKind::Text, span }) })
    }

    /// Reads the value behind the `=`.
    pub(crate) fn parse_value(key: &OptionKey, input: ParseStream, expected: Expected) -> syn::Result<Self> {
        let misused = |span| key.misused(span, expected.what);
        let span = input.span();
        let source = if input.peek(Ident::peek_any) && !input.peek(Lit) {
            read_word(key, input, expected)?
        } else {
            Source::Literal(Literal::parse(input).map_err(|_| misused(span))?)
        };
        key.ends(input, span, expected.what)?;
        let value = Self { span, source };
        match value.known() {
            Some(known) if !value.accepts(known, expected) => Err(misused(known.span)),
            _ => Ok(value),
        }
    }

    /// A flag that is on because its bare name is there.
    pub(crate) fn flag(span: Span) -> Self {
        Self { span, source: Source::Literal(Literal { text: "true".into(), kind: LiteralKind::Flag, span }) }
    }

    /// What is known at compile time: a literal, or the default of an `env(...)`.
    pub(crate) fn known(&self) -> Option<&Literal> {
        match &self.source {
            Source::Literal(literal) => Some(literal),
            Source::Env { default, .. } => default.as_ref(),
        }
    }

    pub(crate) fn setting(self) -> Setting {
        match self.source {
            Source::Literal(literal) => Setting::Literal(literal.text),
            Source::Env { variable, default: None } => Setting::Env(variable),
            Source::Env { variable, default: Some(default) } => Setting::EnvOr(variable, default.text),
        }
    }

    /// A quoted default is text like the variable it stands for, so it may hold a number or a flag.
    fn accepts(&self, known: &Literal, expected: Expected) -> bool {
        let quoted_default = known.kind == LiteralKind::Text && matches!(self.source, Source::Env { .. });
        expected.kinds.contains(&known.kind)
            || quoted_default
                && expected.kinds.iter().any(|kind| match kind {
                    LiteralKind::Text | LiteralKind::Word => true,
                    LiteralKind::Flag => matches!(known.text.as_str(), "true" | "false"),
                    LiteralKind::Integer => {
                        known.text.bytes().all(|byte| byte.is_ascii_digit()) && !known.text.is_empty()
                    }
                })
    }
}

/// A word is `env(...)`, or stands for itself.
fn read_word(key: &OptionKey, input: ParseStream, expected: Expected) -> syn::Result<Source> {
    let word = input.call(Ident::parse_any)?;
    let name = word.unraw().to_string();
    if name == "env" && input.peek(Token![!]) {
        let message = "write `env(\"VAR\")` without `!`: the variable is read when the sessions are opened";
        return Err(syn::Error::new(word.span(), message));
    }
    if input.peek(token::Paren) {
        return parenthesized(input, |content| {
            if name == "env" {
                return read_env(&word, content);
            }
            Err(match closest(&name, ["env"]) {
                Some(meant) => syn::Error::new(word.span(), format!("`{name}` is unknown; did you mean `{meant}`?")),
                None => key.misused(word.span(), expected.what),
            })
        });
    }
    if name == "env" {
        return Err(syn::Error::new(word.span(), "`env` takes a variable's name; write `env(\"VAR\")`"));
    }
    Ok(Source::Literal(Literal { text: name, kind: LiteralKind::Word, span: word.span() }))
}

/// Reads what stands in `env(...)`.
fn read_env(env: &Ident, input: ParseStream) -> syn::Result<Source> {
    let at = if input.is_empty() { env.span() } else { input.span() };
    let variable: LitStr = input
        .parse()
        .map_err(|_| syn::Error::new(at, "`env` takes a variable's name in quotes; write `env(\"VAR\")`"))?;
    let name = variable.value();
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(syn::Error::new(variable.span(), format!("no environment variable can be named {name:?}")));
    }
    let misused = |span| syn::Error::new(span, format!("write `env({name:?})` or `env({name:?}, default = \"...\")`"));
    let mut default = None;
    if !input.is_empty() {
        let span = input.span();
        input.parse::<Token![,]>().map_err(|_| misused(span))?;
    }
    if !input.is_empty() {
        let span = input.span();
        let word = input.call(Ident::parse_any).map_err(|_| misused(span))?;
        if word.unraw() != "default" || input.parse::<Token![=]>().is_err() {
            return Err(misused(span));
        }
        default = Some(Literal::parse(input).map_err(|_| misused(span))?);
        input.parse::<Option<Token![,]>>()?;
    }
    if !input.is_empty() {
        return Err(misused(input.span()));
    }
    Ok(Source::Env { variable: name, default })
}

impl Literal {
    /// Reads a string, a bool, a whole number or a word.
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let span = input.span();
        if !input.peek(Lit) {
            let word = input.call(Ident::parse_any)?;
            return Ok(Self { text: word.unraw().to_string(), kind: LiteralKind::Word, span });
        }
        let (text, kind) = match input.parse()? {
            Lit::Str(text) => (text.value(), LiteralKind::Text),
            Lit::Bool(flag) => (flag.value.to_string(), LiteralKind::Flag),
            Lit::Int(number) => (number.base10_digits().to_owned(), LiteralKind::Integer),
            _ => return Err(syn::Error::new(span, "expected a string, `true`, `false` or a whole number")),
        };
        Ok(Self { text, kind, span })
    }
}

/// A value that has passed its checks.
pub(crate) enum Setting {
    Literal(String),
    Env(String),
    EnvOr(String, String),
}

impl Setting {
    /// The expression of the runtime's value.
    pub(crate) fn expand(&self, runtime: &Runtime) -> TokenStream {
        let value = runtime.value();
        match self {
            Self::Literal(text) => quote!(#value::literal(#text)),
            Self::Env(variable) => quote!(#value::env(#variable)),
            Self::EnvOr(variable, default) => quote!(#value::env_or(#variable, #default)),
        }
    }
}

/// Refuses a literal (or a default) that is there but empty.
pub(crate) fn not_empty(value: &RawValue, option: &str, errors: &mut Errors) {
    if let Some(literal) = value.known().filter(|literal| literal.text.trim().is_empty()) {
        errors.at(literal.span, format!("`{option}` is empty; write its value, or remove the option"));
    }
}
