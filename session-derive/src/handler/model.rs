//! What only a valid use can become.

use proc_macro2::Ident;
use quote::{ToTokens, format_ident};
use syn::{Attribute, FnArg, GenericParam, Generics, Type, ext::IdentExt};

use super::{
    checks::has_word,
    generics::KeptGenerics,
    parameter::{BorrowForm, Parameter, SessionParameter, is_next},
    parse::{Function, HandlerOptions},
    rules::{self, AccessWords},
};
use crate::{
    diag::Errors,
    options::{
        access::Access,
        device_bound,
        guard::{self, Guard},
        missing::{self, Missing},
        timeouts,
    },
    paths::SpanRange,
};

/// The most parameters that axum gives a handler.
pub(crate) const MOST_PARAMETERS: usize = 16;
/// The most session types that one handler takes.
pub(crate) const MOST_SESSIONS: usize = 4;

/// A handler with everything known of its sessions.
pub(crate) struct Handler {
    pub(crate) marker: Ident,
    /// The wrapper's generics.
    pub(crate) generics: KeptGenerics,
    /// The generics of what the marker implements: none, unless a session or an option of it names one.
    pub(crate) bounds: KeptGenerics,
    /// Attributes that describe the item, and those that transform it.
    pub(crate) outer: Vec<Attribute>,
    pub(crate) inner: Vec<Attribute>,
    /// In the order of the signature, those that only guard first.
    pub(crate) sessions: Vec<Session>,
    /// In the order of the signature.
    pub(crate) arguments: Vec<CallArgument>,
}

/// One session type of a handler.
pub(crate) struct Session {
    pub(crate) ty: Type,
    pub(crate) form: BorrowForm,
    /// Whether it is handed over in an `Option`.
    pub(crate) optional: bool,
    pub(crate) access: Access,
    pub(crate) place: SpanRange,
    pub(crate) guard: Option<Guard>,
    pub(crate) missing: Option<Missing>,
    pub(crate) fresh: Option<u64>,
    /// How old the proof of the device may be.
    pub(crate) device: Option<u64>,
    pub(crate) wait: Option<u64>,
    /// Whether other sites' requests are refused.
    pub(crate) csrf: bool,
    /// Whether a request is a use of the session.
    pub(crate) touches: bool,
    /// Whether a change is stored even if the handler fails.
    pub(crate) saves_always: bool,
    /// What its guard and its `missing` take of the application's state.
    pub(crate) state: Option<Type>,
    /// Whether the handler takes it, rather than being guarded by it alone.
    pub(crate) lent: bool,
    /// Whether the handler is a middleware, with others behind it in the same request.
    pub(crate) passes_on: bool,
}

/// What the user's function is called with.
pub(crate) enum CallArgument {
    /// The session of this number.
    Session(usize),
    Extractor(Box<Type>),
}

/// A handler before it is checked as a whole.
pub(crate) struct UncheckedHandler<'a> {
    pub(crate) function: &'a Function,
    pub(crate) options: &'a HandlerOptions,
    pub(crate) words: AccessWords<'a>,
    pub(crate) parameters: Vec<Parameter>,
    /// Whether a parameter was refused, so that nothing can be said about what is there.
    pub(crate) broken_parameter: bool,
}

impl UncheckedHandler<'_> {
    pub(crate) fn taken(&self) -> impl Iterator<Item = &SessionParameter> {
        self.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Session(taken) => Some(taken),
            Parameter::Other(_) => None,
        })
    }

    pub(crate) fn others(&self) -> impl Iterator<Item = &Type> {
        self.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Session(_) => None,
            Parameter::Other(ty) => Some(ty),
        })
    }
}

/// The handler if every rule holds, else every rule that doesn't.
pub(crate) fn check(options: &HandlerOptions, function: &Function, mut errors: Errors) -> syn::Result<Handler> {
    let mut draft = UncheckedHandler {
        function,
        options,
        words: AccessWords::of(options),
        parameters: Vec::new(),
        broken_parameter: false,
    };
    for argument in &function.signature.inputs {
        match errors.take(Parameter::read(argument)) {
            Some(parameter) => draft.parameters.extend(parameter),
            None => draft.broken_parameter = true,
        }
    }
    rules::check(&draft, &mut errors);
    let handler = build(&draft, &mut errors);
    errors.finish(handler)
}

fn build(draft: &UncheckedHandler, errors: &mut Errors) -> Handler {
    let UncheckedHandler { function, options, words, parameters, broken_parameter: _ } = draft;
    let HandlerOptions {
        protected: _,
        optional: _,
        or_default: _,
        guard,
        missing,
        fresh,
        device,
        wait,
        csrf,
        touch,
        save,
        state,
        runtime: _,
        unknown: _,
    } = options;
    let mut guard = guard.as_ref().written().and_then(|guard| guard::check(guard, errors));
    let missing = missing.as_ref().written().and_then(|missing| missing::check(missing, errors));
    let fresh = fresh.as_ref().written().and_then(|fresh| timeouts::check_constant(fresh, errors));
    let device = device.as_ref().written().and_then(|device| device_bound::check_recent(device, errors));
    let wait = wait.as_ref().written().and_then(|wait| timeouts::check_constant(wait, errors));

    let state = state.as_ref().written().map(|state| state.ty.clone());
    let guarded = rules::guarded(draft);
    let passes_on = matches!(parameters.last(), Some(Parameter::Other(ty)) if is_next(ty));
    let mut session = |taken: &SessionParameter, access: Access, lent: bool| {
        with_state(
            &state,
            Session {
                ty: taken.ty.clone(),
                form: taken.form,
                optional: taken.optional,
                access,
                place: taken.place,
                guard: if guarded.as_deref() == Some(&taken.name) { guard.take() } else { None },
                missing: missing.clone().filter(|_| access == Access::Protected),
                fresh: fresh.filter(|_| guarded.as_deref() == Some(&taken.name)),
                device: device.filter(|_| guarded.as_deref() == Some(&taken.name)),
                wait: wait.filter(|_| taken.form == BorrowForm::Exclusive),
                csrf: csrf.is_absent(),
                touches: touch.is_absent(),
                saves_always: taken.form == BorrowForm::Exclusive && !save.is_absent(),
                state: None,
                lent,
                passes_on,
            },
        )
    };
    let mut sessions: Vec<Session> =
        rules::guards_only(draft).iter().map(|taken| session(taken, Access::Protected, false)).collect();
    let mut arguments = Vec::new();
    for parameter in parameters {
        arguments.push(match parameter {
            Parameter::Other(ty) => CallArgument::Extractor(Box::new(ty.clone())),
            Parameter::Session(taken) => {
                let access = words.access(&taken.name).unwrap_or(Access::Protected);
                sessions.push(session(taken, access, true));
                CallArgument::Session(sessions.len() - 1)
            }
        });
    }

    let others: Vec<&Type> = draft.others().collect();
    let none = Generics::default();
    let generic = sessions.iter().any(|session| names_a_parameter(session, &function.signature.generics));
    let (outer, inner) = function.attributes.iter().cloned().partition(describes_the_item);
    Handler {
        marker: format_ident!("__session_{}", function.signature.ident.unraw(), span = proc_macro2::Span::mixed_site()),
        generics: KeptGenerics::of(&function.signature.generics, &others),
        bounds: KeptGenerics::of(if generic { &function.signature.generics } else { &none }, &[]),
        outer,
        inner,
        sessions,
        arguments,
    }
}

/// The session with the state, if an option of it takes that.
fn with_state(state: &Option<Type>, session: Session) -> Session {
    let guard = session.guard.as_ref().is_some_and(|guard| guard.asynchronous);
    let missing = session.missing.as_ref().is_some_and(Missing::is_handler);
    Session { state: state.clone().filter(|_| guard || missing), ..session }
}

/// Whether a session or an option of it names a type or a constant that the function is generic over.
fn names_a_parameter(session: &Session, generics: &Generics) -> bool {
    let written = [
        Some(session.ty.to_token_stream()),
        session.guard.as_ref().map(ToTokens::to_token_stream),
        session.missing.as_ref().map(ToTokens::to_token_stream),
        session.state.as_ref().map(ToTokens::to_token_stream),
    ];
    let parameters = generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(ty) => Some(ty.ident.to_string()),
        GenericParam::Const(constant) => Some(constant.ident.to_string()),
        GenericParam::Lifetime(_) => None,
    });
    let names = |name: String| written.iter().flatten().any(|tokens| has_word(tokens.clone(), &name));
    parameters.into_iter().any(names)
}

/// Attributes that say something about the item: these go on what axum and the module see. All others transform or
/// observe the function itself and stay on it.
pub(crate) fn describes_the_item(attribute: &Attribute) -> bool {
    const OUTSIDE: [&str; 12] = [
        "allow",
        "cfg",
        "cfg_attr",
        "debug_handler",
        "deny",
        "deprecated",
        "doc",
        "expect",
        "forbid",
        "must_use",
        "path",
        "warn",
    ];
    let name = attribute.path().segments.last().map(|segment| segment.ident.to_string());
    name.is_some_and(|name| OUTSIDE.contains(&name.as_str()))
}

/// The attributes by which an item is there or not: they go for the marker as well.
pub(crate) fn is_conditional(attribute: &&Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}

/// Whether the parameter is there only sometimes.
pub(crate) fn conditional_parameter(argument: &FnArg) -> Option<&Attribute> {
    let (FnArg::Receiver(syn::Receiver { attrs, .. }) | FnArg::Typed(syn::PatType { attrs, .. })) = argument;
    attrs.iter().find(is_conditional)
}
