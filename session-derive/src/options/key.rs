//! `key = env("VAR")`: the Fernet keys, which only the environment can give.

use syn::{Lit, parse::ParseStream};

use super::{
    OptionKey,
    value::{RawValue, Source, TEXT},
};

pub(crate) const USAGE: &str = "key = env(\"SESSION_KEYS\")";

/// Reads `= env("VAR")`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<RawValue> {
    key.equals(input, "the variable that holds the keys")?;
    let refuse = |span, what: &str| {
        let why = "everyone who can read the source code could forge sessions";
        Err(syn::Error::new(span, format!("{what} is not secret: {why}; write `{USAGE}`")))
    };
    if let Ok(literal) = input.fork().parse::<Lit>() {
        return refuse(literal.span(), "a key in the source");
    }
    let value = RawValue::parse_value(key, input, TEXT)?;
    match &value.source {
        Source::Env { default: Some(default), .. } => refuse(default.span, "a default for a key"),
        _ => Ok(value),
    }
}
