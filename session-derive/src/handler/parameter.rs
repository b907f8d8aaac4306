//! What a parameter's type says: a borrow of a session, its handle, its place, or another extractor.

use syn::{FnArg, GenericArgument, PathArguments, Type, TypeReference};

use crate::{
    options::access::{display, peel},
    paths::SpanRange,
};

/// How a handler takes a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BorrowForm {
    /// `&T`
    Shared,
    /// `&mut T`
    Exclusive,
    /// `Session<T>`
    Owned,
    /// `SessionSlot<T>`
    Slot,
}

/// A session parameter.
pub(crate) struct SessionParameter {
    pub(crate) form: BorrowForm,
    /// Whether it stands in an `Option`.
    pub(crate) optional: bool,
    pub(crate) ty: Type,
    /// The type as it is spelled, which is how the macro tells types apart.
    pub(crate) name: String,
    /// The parameter's whole type.
    pub(crate) place: SpanRange,
}

/// A parameter of the handler.
pub(crate) enum Parameter {
    Session(SessionParameter),
    /// Another extractor, which is left to axum.
    Other(Type),
}

impl Parameter {
    /// Reads a parameter; an error names the form that was probably meant.
    pub(crate) fn read(argument: &FnArg) -> syn::Result<Option<Self>> {
        let FnArg::Typed(typed) = argument else { return Ok(None) };
        let ty = peel(&typed.ty);
        let taken = |form, optional, session: &Type| {
            let (session, place) = (peel(session).clone(), SpanRange::of(ty));
            Some(Self::Session(SessionParameter { form, optional, name: display(&session), ty: session, place }))
        };
        if let Type::Reference(reference) = ty {
            is_a_borrow(reference, ty, false)?;
            return Ok(taken(form(reference), false, &reference.elem));
        }
        if let Some(session) = argument_of(ty, "Session") {
            return Ok(taken(BorrowForm::Owned, false, session));
        }
        if let Some(session) = argument_of(ty, "SessionSlot") {
            return Ok(taken(BorrowForm::Slot, false, session));
        }
        let Some(inner) = argument_of(ty, "Option").map(peel) else { return Ok(Some(Self::Other(ty.clone()))) };
        if let Type::Reference(reference) = inner {
            is_a_borrow(reference, ty, true)?;
            return Ok(taken(form(reference), true, &reference.elem));
        }
        if let Some(session) = argument_of(inner, "SessionSlot") {
            let name = display(session);
            let message = format!("a `SessionSlot` may be empty by itself; write `SessionSlot<{name}>`");
            return Err(syn::Error::new_spanned(ty, message));
        }
        if let Some(session) = argument_of(inner, "Session") {
            return Ok(taken(BorrowForm::Owned, true, session));
        }
        Ok(Some(Self::Other(ty.clone())))
    }
}

/// Whether a parameter is what a middleware runs behind itself: axum's `Next`.
pub(crate) fn is_next(ty: &Type) -> bool {
    let Type::Path(path) = peel(ty) else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "Next" && segment.arguments.is_empty())
}

fn form(reference: &TypeReference) -> BorrowForm {
    if reference.mutability.is_some() { BorrowForm::Exclusive } else { BorrowForm::Shared }
}

/// `&Session<User>`, `&Option<User>`, `&'static User`, `&[u8]`
fn is_a_borrow(reference: &TypeReference, whole: &Type, optional: bool) -> syn::Result<()> {
    let target = peel(&reference.elem);
    for handle in ["Session", "SessionSlot"] {
        if let Some(session) = argument_of(target, handle) {
            let name = format!("{handle}<{}>", display(session));
            let meant = if optional && handle == "Session" { format!("Option<{name}>") } else { name };
            let message = format!("`{handle}` is taken by value; write `{meant}`");
            return Err(syn::Error::new_spanned(whole, message));
        }
    }
    let and = if reference.mutability.is_some() { "&mut " } else { "&" };
    if let Some(session) = argument_of(target, "Option") {
        let name = display(session).trim_start_matches('&').to_owned();
        let message = format!("what is optional is the borrow; write `Option<{and}{name}>`");
        return Err(syn::Error::new_spanned(whole, message));
    }
    if !matches!(target, Type::Path(_) | Type::Macro(_)) {
        let message =
            "a borrow in a handler is its session, a type that derives `SessionData`; take anything else by value";
        return Err(syn::Error::new_spanned(whole, message));
    }
    match &reference.lifetime {
        Some(lifetime) if lifetime.ident == "static" => {
            let message = format!("a session is lent for one request; write `{and}{}`", display(target));
            Err(syn::Error::new_spanned(lifetime, message))
        }
        _ => Ok(()),
    }
}

/// The `T` of `wrapper<T>`.
pub(crate) fn argument_of<'a>(ty: &'a Type, wrapper: &str) -> Option<&'a Type> {
    let Type::Path(path) = peel(ty) else { return None };
    let segment = path.path.segments.last().filter(|segment| path.qself.is_none() && segment.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if arguments.args.len() == 1 => Some(inner),
        _ => None,
    }
}
