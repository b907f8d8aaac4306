//! What a handler returns.

use syn::{GenericArgument, PathArguments, ReturnType, Type};

use super::UncheckedHandler;
use crate::diag::Errors;

/// `async fn home(user: &User) -> &str`
///
/// A response outlives the borrow of the session. axum takes a reference only if it is `'static`, and the compiler says
/// so twice, with lifetimes that the user did not write.
pub(super) fn response_owns_its_data(draft: &UncheckedHandler, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = &draft.function.signature.output else { return };
    if draft.taken().next().is_none() {
        return;
    }
    if let Some(borrowed) = borrowed_text(ty) {
        errors.over(
            borrowed,
            "a response can't borrow from the session; return an owned value, such as `String` instead of `&str`",
        );
    }
}

/// A reference without a lifetime of its own, where axum asks for a `'static` one: by itself, in a tuple, or in a
/// `Result` or `Html`. `Json<&User>` is fine, for example.
fn borrowed_text(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Reference(reference) => reference.lifetime.is_none().then_some(ty),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(borrowed_text),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            if last.ident != "Result" && last.ident != "Html" {
                return None;
            }
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => borrowed_text(ty),
                _ => None,
            })
        }
        _ => None,
    }
}
