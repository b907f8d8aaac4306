//! The rules that an option keeps beside the words and the parameters.

use proc_macro2::Span;

use super::{
    super::{
        model::UncheckedHandler,
        parameter::{BorrowForm, SessionParameter},
    },
    protected_types,
};
use crate::{
    diag::{Errors, listing},
    options::{Slot, access::Access, missing::RawMissing},
};

/// Whether it is clear which session an option at `span` is about. `without` is said where anonymous requests enter,
/// `about` begins what is said where there are several.
fn is_about_one_session(
    draft: &UncheckedHandler,
    span: Span,
    without: &str,
    about: &str,
    wanted: &str,
    errors: &mut Errors,
) {
    if draft.words.unclear() || draft.broken_parameter {
        return;
    }
    let types = protected_types(draft);
    match types.as_slice() {
        [_] => {}
        [] if draft.taken().next().is_none() => {}
        [] => errors.at(span, without),
        [first, ..] => {
            let types = listing(types.iter().map(String::as_str));
            errors.at(
                span,
                format!("{about} {types}; name the one {wanted} in `protected(..)`, as in `protected({first})`"),
            );
        }
    }
}

/// `#[session(optional, guard = ..)]`, `#[session(protected, guard = ..)]` with two sessions
pub(super) fn guard_has_one_session(draft: &UncheckedHandler, errors: &mut Errors) {
    let Slot::Written(guard) = &draft.options.guard else { return };
    let without = "a guard checks a session, and this handler allows anonymous requests; add `protected`";
    is_about_one_session(draft, guard.key, without, "this guard may be for", "it checks", errors);
}

/// `#[session(optional, fresh = ..)]`, `#[session(protected, fresh = ..)]` with two sessions
pub(super) fn freshness_is_of_one_session(draft: &UncheckedHandler, errors: &mut Errors) {
    let Slot::Written(fresh) = &draft.options.fresh else { return };
    let without =
        "`fresh` needs a session, and this handler allows anonymous requests; add `protected`, or remove `fresh`";
    is_about_one_session(draft, fresh.span, without, "this may be about", "that is to be fresh", errors);
}

/// `#[session(optional, device = ..)]`, `#[session(protected, device = ..)]` with two sessions
pub(super) fn device_is_of_one_session(draft: &UncheckedHandler, errors: &mut Errors) {
    let Slot::Written(device) = &draft.options.device else { return };
    let without =
        "`device` needs a session, and this handler allows anonymous requests; add `protected`, or remove `device`";
    is_about_one_session(draft, device.span, without, "this may be about", "whose device is asked", errors);
}

/// `#[session(optional, missing = ..)]`
pub(super) fn missing_is_possible(draft: &UncheckedHandler, errors: &mut Errors) {
    let Slot::Written(missing) = &draft.options.missing else { return };
    if draft.words.unclear() || draft.words.words.iter().any(|word| word.access == Access::Protected) {
        return;
    }
    errors.at(
        missing.span(),
        "this handler allows anonymous requests, so it never sends this response; remove it, or write `protected`",
    );
}

/// `#[session(protected, wait = "2s")] .. user: &User`
pub(super) fn wait_is_for_a_borrow(draft: &UncheckedHandler, errors: &mut Errors) {
    let Slot::Written(wait) = &draft.options.wait else { return };
    let queues = draft.taken().any(|taken| taken.form == BorrowForm::Exclusive);
    if draft.words.unclear() || draft.broken_parameter || queues {
        return;
    }
    errors.at(
        wait.span,
        "`wait` is for `&mut` borrows, which wait for each other; remove it, or take the session by `&mut`",
    );
}

/// `#[session(protected, save = always)] .. user: &User`
pub(super) fn save_is_for_a_borrow(draft: &UncheckedHandler, errors: &mut Errors) {
    let Slot::Written(save) = &draft.options.save else { return };
    let changes = draft.taken().any(|taken| taken.form == BorrowForm::Exclusive);
    if draft.words.unclear() || draft.broken_parameter || changes {
        return;
    }
    errors.at(
        save.span,
        "`save` is about what a `&mut` borrow changes, and this handler has none; remove it, or take the session by \
         `&mut`",
    );
}

/// `#[session(protected, state = App)]`
pub(super) fn state_is_taken(draft: &UncheckedHandler, errors: &mut Errors) {
    let Slot::Written(state) = &draft.options.state else { return };
    let (guard, missing) = (&draft.options.guard, &draft.options.missing);
    let broken = matches!(guard, Slot::Broken) || matches!(missing, Slot::Broken) || draft.options.unknown;
    let asked = matches!(guard, Slot::Written(guard) if guard.asynchronous);
    let answers = matches!(missing, Slot::Written(RawMissing::Handler(_)));
    if !broken && !asked && !answers {
        errors.at(
            state.key,
            "an async guard and a `missing` handler take the state, and this handler has neither; remove `state`, or \
             write `guard = async may_enter`",
        );
    }
}

/// `#[session(or_default, csrf = off)] .. cart: &mut Cart`
pub(super) fn a_default_replaces_no_session(draft: &UncheckedHandler, errors: &mut Errors) {
    let Slot::Written(off) = &draft.options.csrf else { return };
    let starts = |taken: &&SessionParameter| {
        taken.form == BorrowForm::Exclusive && draft.words.access(&taken.name) == Some(Access::OrDefault)
    };
    if let Some(SessionParameter { name, .. }) = draft.taken().find(starts) {
        errors.at(
            off.span,
            format!(
                "browsers send no `Lax` cookie with a form of another site, so this handler would change the default and \
                 replace the visitor's `{name}` with it; remove `csrf = off`, or write `optional` with \
                 `Option<&mut {name}>`, which starts no session"
            ),
        );
    }
}

/// `#[session(protected, touch = off)] .. user: &mut User`
pub(super) fn touch_is_not_for_a_change(draft: &UncheckedHandler, errors: &mut Errors) {
    let Slot::Written(off) = &draft.options.touch else { return };
    if let Some(SessionParameter { name, .. }) = draft.taken().find(|taken| taken.form == BorrowForm::Exclusive) {
        errors.at(
            off.span,
            format!(
                "a `&mut` borrow is a use of the session, and `touch = off` is for handlers that only look at it; remove \
                 `touch = off`, or take `&{name}`"
            ),
        );
    }
}
