//! `clear_site_data`: the end of a session tells the browser to clear what it keeps of the site.

use syn::parse::ParseStream;

use super::OptionKey;

pub(crate) const USAGE: &str = "clear_site_data";

/// That it is written.
pub(crate) struct ClearSiteData;

/// Reads nothing: the word is all.
pub(crate) fn parse(key: &OptionKey, input: ParseStream) -> syn::Result<ClearSiteData> {
    key.ends(input, key.span(), "no value")?;
    Ok(ClearSiteData)
}
