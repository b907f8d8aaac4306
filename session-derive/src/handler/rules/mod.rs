//! The rules that a handler keeps: one function each, in one list.

mod by_value;
mod options;
mod response;

use syn::{FnArg, Safety, Type};

use self::by_value::{by_value, could_be_a_session};
use super::{
    model::{MOST_PARAMETERS, MOST_SESSIONS, UncheckedHandler, conditional_parameter},
    parameter::{BorrowForm, Parameter, SessionParameter, argument_of, is_next},
    parse::HandlerOptions,
};
use crate::{
    diag::{Errors, listing},
    options::{
        Slot,
        access::{Access, AccessWord, display, peel},
    },
    paths::SpanRange,
};

const RULES: &[fn(&UncheckedHandler, &mut Errors)] = &[
    is_async,
    is_free,
    has_a_body,
    is_plain_rust,
    is_wrapped_once,
    parameters_are_always_there,
    axum_can_call_it,
    someone_may_enter,
    words_do_not_overlap,
    takes_a_session,
    each_session_is_named,
    each_form_fits_its_word,
    each_type_once,
    not_too_many_sessions,
    no_session_by_value,
    each_named_type_is_taken,
    next_is_last,
    options::guard_has_one_session,
    options::freshness_is_of_one_session,
    options::device_is_of_one_session,
    options::missing_is_possible,
    options::wait_is_for_a_borrow,
    options::save_is_for_a_borrow,
    options::state_is_taken,
    options::a_default_replaces_no_session,
    options::touch_is_not_for_a_change,
    response::response_owns_its_data,
];

/// Reports every rule that doesn't hold.
pub(crate) fn check(draft: &UncheckedHandler, errors: &mut Errors) {
    for rule in RULES {
        rule(draft, errors);
    }
}

/// The words `protected`, `optional` and `or_default` that were written.
pub(crate) struct AccessWords<'a> {
    words: Vec<&'a AccessWord>,
    broken: bool,
}

impl<'a> AccessWords<'a> {
    pub(crate) fn of(options: &'a HandlerOptions) -> Self {
        let all = [&options.protected, &options.optional, &options.or_default];
        Self {
            broken: options.unknown || all.iter().any(|slot| matches!(slot, Slot::Broken)),
            words: all.into_iter().filter_map(|slot| slot.as_ref().written()).collect(),
        }
    }

    /// What the words say about a type: the one that names it, or the one that is for all.
    pub(crate) fn access(&self, name: &str) -> Option<Access> {
        let names_it = |word: &&&AccessWord| word.types.iter().flatten().any(|ty| display(ty) == name);
        let word = self.words.iter().find(names_it).or_else(|| self.words.iter().find(|word| word.types.is_none()));
        word.map(|word| word.access)
    }

    /// Every type that a word names.
    fn named(&self) -> impl Iterator<Item = (&AccessWord, &Type)> {
        self.words.iter().flat_map(|word| word.types.iter().flatten().map(|ty| (*word, ty)))
    }

    /// Whether nothing can be said about what isn't there.
    fn unclear(&self) -> bool {
        self.broken || self.words.is_empty()
    }
}

/// The types that `protected(T)` names and no parameter takes: they only guard.
pub(crate) fn guards_only(draft: &UncheckedHandler) -> Vec<SessionParameter> {
    let taken = |name: &str| draft.taken().any(|taken| taken.name == name);
    let named = draft.words.named().filter(|(word, ty)| word.access == Access::Protected && !taken(&display(ty)));
    named
        .map(|(_, ty)| SessionParameter {
            form: BorrowForm::Shared,
            optional: false,
            ty: peel(ty).clone(),
            name: display(ty),
            place: SpanRange::of(ty),
        })
        .collect()
}

/// The types of which `guard` may be the guard: what `protected` names, or all that it is for.
fn protected_types(draft: &UncheckedHandler) -> Vec<String> {
    let named = draft.words.named().filter(|(word, _)| word.access == Access::Protected);
    let mut types: Vec<String> = named.map(|(_, ty)| display(ty)).collect();
    if types.is_empty() {
        let protected = |taken: &&SessionParameter| draft.words.access(&taken.name) == Some(Access::Protected);
        types = draft.taken().filter(protected).map(|taken| taken.name.clone()).collect();
    }
    types
}

/// The type that the guard looks at.
pub(crate) fn guarded(draft: &UncheckedHandler) -> Option<String> {
    protected_types(draft).pop()
}

/// `fn visit(..)`
fn is_async(draft: &UncheckedHandler, errors: &mut Errors) {
    let signature = &draft.function.signature;
    if signature.asyncness.is_none() {
        let name = &signature.ident;
        errors.at(signature.fn_token.span, format!("a handler is async; write `async fn {name}`"));
    }
}

/// `async fn visit(&self)`
fn is_free(draft: &UncheckedHandler, errors: &mut Errors) {
    if let Some(FnArg::Receiver(receiver)) = draft.function.signature.inputs.first() {
        let message = "a handler is a free function, without `self`; take what it needs from axum's `State`";
        errors.over(receiver, message);
    }
}

/// `async fn visit(user: &User);`
fn has_a_body(draft: &UncheckedHandler, errors: &mut Errors) {
    if draft.function.body.is_empty() {
        errors.at(draft.function.signature.ident.span(), "a handler has a body; write it in `{ .. }`");
    }
}

/// `unsafe`, `extern "C"`, `...`
fn is_plain_rust(draft: &UncheckedHandler, errors: &mut Errors) {
    let signature = &draft.function.signature;
    if let Some(constness) = signature.constness {
        errors.at(constness.span, "a handler runs for each request; remove `const`");
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        errors.at(unsafety.span, "axum calls a handler as safe code; remove `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        errors.over(abi, "axum calls a handler as Rust does; remove `extern`");
    }
    if let Some(variadic) = &signature.variadic {
        errors.over(variadic, "axum gives a handler a fixed number of parameters; remove `...`");
    }
}

/// `#[session(protected)] #[session(guard = is_root)]`
fn is_wrapped_once(draft: &UncheckedHandler, errors: &mut Errors) {
    for attribute in draft.function.attributes.iter().filter(|attribute| is_session(attribute)) {
        errors.over(attribute, "`#[session]` is given twice; write all options in one list");
    }
}

/// `#[cfg(feature = "admin")] admin: &Admin`
fn parameters_are_always_there(draft: &UncheckedHandler, errors: &mut Errors) {
    for attribute in draft.function.signature.inputs.iter().filter_map(conditional_parameter) {
        errors.over(
            attribute,
            "a handler's parameters are always there; put the condition on two versions of the handler",
        );
    }
}

/// The seventeenth parameter
fn axum_can_call_it(draft: &UncheckedHandler, errors: &mut Errors) {
    if let Some(argument) = draft.function.signature.inputs.iter().nth(MOST_PARAMETERS) {
        errors.over(
            argument,
            format!("axum gives a handler at most {MOST_PARAMETERS} parameters; take several as a tuple"),
        );
    }
}

/// `#[session]`
fn someone_may_enter(draft: &UncheckedHandler, errors: &mut Errors) {
    if draft.words.unclear() && !draft.words.broken {
        errors.at(
            proc_macro2::Span::call_site(),
            "say which requests are allowed: `#[session(protected)]` needs a session, `#[session(optional)]` allows \
             anonymous requests, `#[session(or_default)]` allows them and starts a session on the first write",
        );
    }
}

/// `protected, optional`, `protected(User), optional(User)`
fn words_do_not_overlap(draft: &UncheckedHandler, errors: &mut Errors) {
    let words = &draft.words.words;
    if let Some(bare) = words.iter().find(|word| word.types.is_none()).filter(|_| words.len() > 1) {
        let others = listing(words.iter().filter(|word| word.access != bare.access).map(|word| word.access.word()));
        let word = bare.access.word();
        let message = format!(
            "`{word}` alone is for every session, which leaves none to {others}; name its types: `{word}(User)`"
        );
        errors.at(bare.span, message);
    }
    let mut seen: Vec<(String, &Type)> = Vec::new();
    for (_, ty) in draft.words.named() {
        let name = display(ty);
        if let Some((_, first)) = seen.iter().find(|(seen, _)| *seen == name) {
            errors.over(ty, format!("`{name}` is named twice; keep one of the two"));
            errors.over(first, format!("`{name}` is first named here"));
        } else {
            seen.push((name, ty));
        }
    }
}

/// `#[session(protected)] async fn about() -> ..`
fn takes_a_session(draft: &UncheckedHandler, errors: &mut Errors) {
    let guards = draft.words.named().next().is_some();
    if draft.words.unclear() || draft.broken_parameter || guards || draft.taken().next().is_some() {
        return;
    }
    let signature = &draft.function.signature;
    for ty in draft.others() {
        match argument_of(ty, "Option").filter(|inner| could_be_a_session(inner)) {
            Some(inner) => {
                let name = display(inner);
                let message = format!("a session is borrowed; write `Option<&{name}>` or `Option<&mut {name}>`");
                return errors.over(ty, message);
            }
            None if could_be_a_session(ty) => return errors.over(ty, by_value(&display(ty))),
            None => {}
        }
    }
    errors.at(
        signature.ident.span(),
        "this handler takes no session; add `user: &User` to read it, `user: &mut User` to change it or \
         `session: Session<User>` to rotate or end it, or guard without a parameter: `protected(User)`",
    );
}

/// `protected(User)` beside `cart: &Cart`
fn each_session_is_named(draft: &UncheckedHandler, errors: &mut Errors) {
    if draft.words.unclear() {
        return;
    }
    for taken in draft.taken().filter(|taken| draft.words.access(&taken.name).is_none()) {
        // A slot is for both kinds of requests: `protected` would be refused in the next round.
        let optional = taken.optional || taken.form == BorrowForm::Slot;
        let (name, word) = (&taken.name, if optional { "optional" } else { "protected" });
        errors.over(&taken.ty, format!("`{name}` is not named in `#[session(...)]`; add `{word}({name})`"));
    }
}

/// `#[session(protected)] .. Option<&User>`, `#[session(optional)] .. &User`
fn each_form_fits_its_word(draft: &UncheckedHandler, errors: &mut Errors) {
    for taken in draft.taken() {
        let Some(access) = draft.words.access(&taken.name) else { continue };
        if let Some(message) = misfit(taken, access) {
            errors.push(taken.place.error(message));
        }
    }
}

fn misfit(taken: &SessionParameter, access: Access) -> Option<String> {
    let SessionParameter { form, optional, name, .. } = taken;
    let plain = match form {
        BorrowForm::Shared => format!("&{name}"),
        BorrowForm::Exclusive => format!("&mut {name}"),
        BorrowForm::Owned => format!("Session<{name}>"),
        BorrowForm::Slot => format!("SessionSlot<{name}>"),
    };
    match (access, form, optional) {
        (Access::Optional, BorrowForm::Slot, _) | (Access::Optional, _, true) => None,
        (Access::Protected | Access::OrDefault, BorrowForm::Slot, _) => Some(format!(
            "a `SessionSlot` is for requests with and without a session; write `optional`, or take `Session<{name}>`"
        )),
        (Access::Optional, _, false) => Some(format!(
            "with `optional` there may be no session; write `Option<{plain}>`, or `protected` to refuse anonymous requests"
        )),
        (Access::Protected, _, true) => Some(format!(
            "with `protected` there is always a session; write `{plain}`, or `optional` to allow anonymous requests"
        )),
        (Access::OrDefault, BorrowForm::Owned, _) => Some(format!(
            "`or_default` lends a session that may not have been started yet; write `&{name}` or `&mut {name}`"
        )),
        (Access::OrDefault, _, true) => {
            Some(format!("with `or_default` there is always a session; write `{plain}`, or `optional` instead"))
        }
        (Access::Protected | Access::OrDefault, _, false) => None,
    }
}

/// `a: &User, b: &mut User`
fn each_type_once(draft: &UncheckedHandler, errors: &mut Errors) {
    let mut seen: Vec<&SessionParameter> = Vec::new();
    for taken in draft.taken() {
        if let Some(first) = seen.iter().find(|first| first.name == taken.name) {
            let name = &taken.name;
            errors.push(taken.place.error(format!("the session `{name}` is taken twice; one parameter is enough")));
            errors.push(first.place.error(format!("`{name}` is first taken here")));
        } else {
            seen.push(taken);
        }
    }
}

/// The fifth session type
fn not_too_many_sessions(draft: &UncheckedHandler, errors: &mut Errors) {
    let all: Vec<SpanRange> =
        draft.taken().map(|taken| taken.place).chain(guards_only(draft).iter().map(|taken| taken.place)).collect();
    if let Some(place) = all.get(MOST_SESSIONS) {
        errors.push(place.error(format!("one handler takes at most {MOST_SESSIONS} session types")));
    }
}

/// `#[session(protected(User))] .. user: User`
fn no_session_by_value(draft: &UncheckedHandler, errors: &mut Errors) {
    for ty in draft.others() {
        let name = display(ty);
        let named = draft.words.named().any(|(_, named)| display(named) == name);
        if draft.taken().any(|taken| taken.name == name) {
            errors.over(ty, format!("the session `{name}` is taken already; one parameter is enough"));
        } else if named {
            errors.over(ty, by_value(&name));
        }
    }
}

/// `optional(Cart)` with nothing that takes a `Cart`
fn each_named_type_is_taken(draft: &UncheckedHandler, errors: &mut Errors) {
    if draft.broken_parameter {
        return;
    }
    let takes =
        |name: &str| draft.taken().any(|taken| taken.name == name) || draft.others().any(|ty| display(ty) == name);
    for (word, ty) in draft.words.named() {
        let name = display(ty);
        if word.access != Access::Protected && !takes(&name) {
            let parameter =
                if word.access == Access::Optional { format!("Option<&{name}>") } else { format!("&mut {name}") };
            errors.over(ty, format!("no parameter takes `{name}`; add one of type `{parameter}`, or remove it here"));
        }
    }
}

/// `async fn visits(user: &mut User, next: Next, request: Request)`
fn next_is_last(draft: &UncheckedHandler, errors: &mut Errors) {
    let before = draft.parameters.split_last().map_or(&[][..], |(_, before)| before);
    for parameter in before {
        if let Parameter::Other(ty) = parameter
            && is_next(ty)
        {
            errors.over(ty, "`Next` is the last parameter of a middleware; move it behind the request");
        }
    }
}

pub(crate) fn is_session(attribute: &syn::Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == "session")
}
