//! `max_per_owner` and `on_excess`: how many sessions an owner may have.

use proc_macro2::Span;
use session_rules::MAX_PER_OWNER;
use syn::parse::ParseStream;

use super::{
    OptionKey, Slot,
    value::{COUNT, Expected, LiteralKind, RawValue, Setting},
};
use crate::diag::{Errors, suggestion};

pub(crate) const MAX: &str = "max_per_owner = 5";
pub(crate) const EXCESS: &str = "on_excess = end_oldest";

const WORDS: [&str; 2] = ["end_oldest", "refuse"];
const WORD: Expected =
    Expected { kinds: &[LiteralKind::Word, LiteralKind::Text], what: "`end_oldest`, `refuse` or `env(\"VAR\")`" };

/// An option and where it is written.
pub(crate) struct RawLimit {
    key: Span,
    value: RawValue,
}

/// How many sessions an owner may have, and what happens to one more.
#[derive(Default)]
pub(crate) struct Limit {
    pub(crate) max: Option<Setting>,
    pub(crate) on_excess: Option<Setting>,
}

pub(crate) fn parse_max(key: &OptionKey, input: ParseStream) -> syn::Result<RawLimit> {
    Ok(RawLimit { key: key.span(), value: RawValue::parse(key, input, COUNT)? })
}

pub(crate) fn parse_excess(key: &OptionKey, input: ParseStream) -> syn::Result<RawLimit> {
    Ok(RawLimit { key: key.span(), value: RawValue::parse(key, input, WORD)? })
}

/// Checks both; `owned` is whether a field is the owner.
pub(crate) fn check(max: Slot<RawLimit>, on_excess: Slot<RawLimit>, owned: bool, errors: &mut Errors) -> Limit {
    if let (Slot::Written(max), false) = (&max, owned) {
        errors.at(
            max.key,
            "`max_per_owner` needs an owner; put `#[session(owner)]` on the field that identifies the owner",
        );
    }
    if let (Slot::Written(on_excess), true) = (&on_excess, max.is_absent()) {
        errors.at(on_excess.key, format!("`on_excess` needs a limit; add `{MAX}`"));
    }
    let setting = |limit: Slot<RawLimit>| limit.written().map(|limit| limit.value);
    let (max, on_excess) = (setting(max), setting(on_excess));
    max.as_ref().into_iter().for_each(|max| is_a_number_of_sessions(max, errors));
    on_excess.as_ref().into_iter().for_each(|on_excess| is_known(on_excess, errors));
    Limit { max: max.map(RawValue::setting), on_excess: on_excess.map(RawValue::setting) }
}

/// `max_per_owner = 0`
fn is_a_number_of_sessions(max: &RawValue, errors: &mut Errors) {
    let Some(literal) = max.known() else { return };
    match literal.text.parse::<usize>() {
        Ok(max) if max > MAX_PER_OWNER => {
            errors.at(literal.span, format!("an owner has at most {MAX_PER_OWNER} sessions; write that or less"));
        }
        Ok(1..) => {}
        Ok(0) => errors
            .at(literal.span, format!("a limit of 0 would refuse every login; write `{MAX}`, or remove the option")),
        Err(_) => errors.at(literal.span, format!("`max_per_owner` is a number of sessions; write `{MAX}`")),
    }
}

/// `on_excess = end_newest`
fn is_known(on_excess: &RawValue, errors: &mut Errors) {
    let Some(literal) = on_excess.known() else { return };
    if !WORDS.contains(&literal.text.as_str()) {
        let hint = suggestion(&literal.text, WORDS);
        errors.at(literal.span, format!("`{}` is not a value of `on_excess`; {hint}", literal.text));
    }
}
