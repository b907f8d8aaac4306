//! Who may enter a handler, and what a guard may answer.

use ::axum::response::{IntoResponse, Response};

/// Who may enter: `protected`, `optional` or `or_default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A session is needed.
    Protected,
    /// Strangers are admitted.
    Optional,
    /// Strangers get the type's default; a session starts with the first write.
    OrDefault,
}

/// What a guard may return: `bool` (`false` is 403), or `Result<(), R>` with the response to give.
#[diagnostic::on_unimplemented(
    message = "a guard can't return `{Self}`",
    label = "expected `bool` or `Result<(), impl IntoResponse>`",
    note = "a guard is a function or closure of `&T`, such as `|user| user.is_admin`; `false` answers 403"
)]
pub trait Verdict {
    /// `Ok` lets the request pass; `Err(None)` is the plain 403.
    #[doc(hidden)]
    fn verdict(self) -> Result<(), Option<Response>>;
}

impl Verdict for bool {
    fn verdict(self) -> Result<(), Option<Response>> {
        if self { Ok(()) } else { Err(None) }
    }
}

impl<R: IntoResponse> Verdict for Result<(), R> {
    fn verdict(self) -> Result<(), Option<Response>> {
        self.map_err(|response| Some(response.into_response()))
    }
}
