//! Parameters that may be sessions and are not borrowed.

use syn::Type;

/// Whether a plain type might be a session that its author forgot to borrow.
pub(super) fn could_be_a_session(ty: &Type) -> bool {
    const EXTRACTORS: [&str; 13] = [
        "Body",
        "Bytes",
        "Extensions",
        "HeaderMap",
        "MatchedPath",
        "Method",
        "Multipart",
        "Next",
        "Parts",
        "Request",
        "String",
        "Uri",
        "Version",
    ];
    let Type::Path(path) = ty else { return false };
    let plain = path.path.segments.last().filter(|segment| segment.arguments.is_empty());
    plain.is_some_and(|segment| !EXTRACTORS.iter().any(|extractor| segment.ident == extractor))
}

/// What is said of a session by value.
pub(super) fn by_value(name: &str) -> String {
    if matches!(name, "Session" | "SessionSlot") {
        return format!(
            "`{name}` does not say whose session it is; write `{name}<User>`, with your type. A type of your own of that \
             name is lent as `&{name}` or `&mut {name}`, and that of another library is taken without `#[session]`"
        );
    }
    format!(
        "a session is not an extractor by itself; write `&{name}` to read it, `&mut {name}` to change it, or \
         `Session<{name}>` to rotate or end it"
    )
}
