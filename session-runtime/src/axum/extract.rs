//! The extractors that stand in a generated handler's signature, one for each way to take a session.
//!
//! Their names and first parameters, such as `SharedFromRef<Sessions<User>, ..>`, are read by people: they are all that
//! the compiler shows of a handler whose state lacks its sessions.

use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use ::axum::extract::FromRequestParts;
use ::axum::response::Response;
use futures_util::TryFutureExt as _;
use http::request::Parts;

use super::asked::Asked;
use super::member::Member;
use super::members::{ExclusiveMember, OwnedMember, SharedMember, SlotMember, Take as _};
use super::problem::Rejection;
use super::state::HasSessions;
use crate::guard::Access;
use crate::missing::Missing;
use crate::session::{Session, SessionSlot};
use crate::sessions::{SessionData, Sessions};

/// What `#[session(...)]` says of one session type in one handler.
pub trait Spec: Send + Sync + 'static {
    /// The session's type.
    type Data: SessionData;
    /// Who may enter.
    const ACCESS: Access;
    /// Whether the handler is lent the data; `false` where it is only guarded by it.
    const LENDS: bool = true;
    /// How long ago the person may have proved who they are, if the handler says.
    const FRESH: Option<Duration> = None;
    /// How long an exclusive borrow may queue, if the handler says.
    const WAIT: Option<Duration> = None;
    /// Whether requests that another site may have made are refused.
    const CSRF: bool = true;
    /// Whether the handler's own `missing` is a handler.
    const MISSING_HANDLER: bool = false;

    /// The handler's own `missing`.
    fn missing() -> Option<Missing> {
        None
    }

    /// The guard.
    ///
    /// # Errors
    /// The response to give instead.
    fn guard(data: &Self::Data) -> Result<(), Response> {
        let _ = data;
        Ok(())
    }

    /// What a stranger gets under `or_default`.
    fn default() -> Option<Self::Data> {
        None
    }
}

/// An extractor of one handler, which does nothing itself: what is done is compiled once for each session's type.
pub trait Extractor: Send {
    /// What stands behind it.
    type Member: Member;

    /// To ask it.
    fn member(&self) -> &Self::Member;

    /// To enter it.
    fn member_mut(&mut self) -> &mut Self::Member;

    /// To leave it.
    fn into_member(self) -> Self::Member;
}

macro_rules! extractors {
    ($($(#[$doc:meta])* $name:ident is $member:ident;)+) => {$(
        $(#[$doc])*
        pub struct $name<H, M: Spec> {
            member: $member<M::Data>,
            handler: PhantomData<fn() -> (H, M)>,
        }

        impl<M: Spec, S: HasSessions<M::Data> + Send + Sync> FromRequestParts<S> for $name<Sessions<M::Data>, M> {
            type Rejection = Rejection;

            fn from_request_parts(
                parts: &mut Parts,
                state: &S,
            ) -> impl Future<Output = Result<Self, Rejection>> + Send {
                let taken = $member::take(state.sessions(), Asked::by::<M>(), parts);
                taken.map_ok(|member| Self { member, handler: PhantomData })
            }
        }

        impl<M: Spec> Extractor for $name<Sessions<M::Data>, M> {
            type Member = $member<M::Data>;

            fn member(&self) -> &Self::Member {
                &self.member
            }

            fn member_mut(&mut self) -> &mut Self::Member {
                &mut self.member
            }

            fn into_member(self) -> Self::Member {
                self.member
            }
        }
    )+};
}

extractors! {
    /// `&T`, `Option<&T>`, and a type that is guarded without a parameter.
    SharedFromRef is SharedMember;
    /// `&mut T` and `Option<&mut T>`: only the token is checked while extractors run; the session is locked
    /// and loaded after all of them have succeeded.
    ExclusiveFromRef is ExclusiveMember;
    /// `Session<T>` and `Option<Session<T>>`.
    OwnedFromRef is OwnedMember;
    /// `SessionSlot<T>`.
    SlotFromRef is SlotMember;
}

macro_rules! lent {
    ($($name:ident { $($(#[$doc:meta])* $method:ident: $ty:ty;)+ })+) => {$(
        impl<M: Spec> $name<Sessions<M::Data>, M> {
            $(
                $(#[$doc])*
                pub fn $method(&mut self) -> $ty {
                    self.member.$method()
                }
            )+
        }
    )+};
}

lent! {
    SharedFromRef {
        /// The data, for `&T`.
        lend: &M::Data;
        /// The data, for `Option<&T>`.
        lend_optional: Option<&M::Data>;
    }
    ExclusiveFromRef {
        /// The data, for `&mut T`.
        lend: &mut M::Data;
        /// The data, for `Option<&mut T>`.
        lend_optional: Option<&mut M::Data>;
    }
    OwnedFromRef {
        /// The handle, for `Session<T>`.
        lend: Session<M::Data>;
        /// The handle, for `Option<Session<T>>`.
        lend_optional: Option<Session<M::Data>>;
    }
    SlotFromRef {
        /// The slot, for `SessionSlot<T>`.
        lend: SessionSlot<M::Data>;
    }
}
