//! `crate = some::path`: where the runtime is, for whoever renames it in Cargo.toml.

use syn::{Path, parse::ParseStream};

use super::OptionKey;

pub(crate) const USAGE: &str = "crate = my_sessions";

/// Reads `= path`.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<Path> {
    let what = "the path of the crate, without quotes";
    key.equals(input, what)?;
    let span = input.span();
    let path = input.call(Path::parse_mod_style).map_err(|_| key.misused(span, what))?;
    key.ends(input, span, what)?;
    Ok(path)
}
