//! An application's state, as far as sessions go.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::sessions::Sessions;

/// `Router<Arc<App>>` holds the sessions that `App` holds: the orphan rule would let no application write this itself.
impl<T, S> FromRef<Arc<S>> for Sessions<T>
where
    Self: FromRef<S>,
{
    fn from_ref(state: &Arc<S>) -> Self {
        Self::from_ref(state.as_ref())
    }
}

/// A state that holds the sessions of `T`: every state with `Sessions<T>: FromRef<State>`.
///
/// A trait of its own, so that the compiler names what is missing where a router gets its state.
#[diagnostic::on_unimplemented(
    message = "the state `{Self}` has no `Sessions<{T}>`: `Sessions<{T}>: FromRef<{Self}>` is not satisfied",
    label = "takes its session from `Sessions<{T}>`, which `{Self}` doesn't hold",
    note = "give the router `.with_state({T}::sessions().await?)`, or the state's struct a field of type `Sessions<{T}>` and \
            `#[derive(Clone, axum::extract::FromRef)]` (axum's cargo feature `macros`); of a state `Arc<App>`, the struct is \
            `App`"
)]
pub trait HasSessions<T> {
    /// The sessions.
    #[doc(hidden)]
    fn sessions_held(&self) -> Sessions<T>;
}

#[diagnostic::do_not_recommend]
impl<S, T> HasSessions<T> for S
where
    Sessions<T>: FromRef<S>,
{
    fn sessions_held(&self) -> Sessions<T> {
        Sessions::from_ref(self)
    }
}
