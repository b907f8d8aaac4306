//! `public_origin = "https://app.example"`: the application's own origin, as browsers see it.

use session_rules::origin::Origin;

use super::value::{RawValue, Setting};
use crate::diag::Errors;

pub(crate) const USAGE: &str = "public_origin = \"https://app.example\"";

/// The value, once what is known of it is an origin.
pub(crate) fn check(raw: RawValue, errors: &mut Errors) -> Setting {
    if let Some(known) = raw.known()
        && let Err(message) = Origin::parse(&known.text)
    {
        errors.at(known.span, message);
    }
    raw.setting()
}
