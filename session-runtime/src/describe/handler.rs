//! What the macro says of a described handler, and what becomes of it.

use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::Path;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{HttpMethod, RefOr};

use super::{answers, problem, requirement};
use crate::guard::{Access, GuardFunction, Verdict};
use crate::missing::Missing;
use crate::scheme::DescribedSession;
use crate::sessions::SessionData;

/// One session type of a handler, as far as an answer depends on it.
pub struct SessionUse {
    pub(super) schemes: &'static [&'static str],
    pub(super) access: Access,
    /// Whether it is lent exclusively.
    pub(super) exclusive: bool,
    /// Whether the handler can start or end it.
    pub(super) changes_token: bool,
    /// Whether a guard may answer 403.
    pub(super) forbids: bool,
    pub(super) fresh: bool,
    /// Whether the type is bound to devices, and whether the handler asks for a proof.
    pub(super) bound: bool,
    pub(super) device: bool,
    /// Whether each request's host chooses the domain.
    pub(super) domains: bool,
    /// Whether other sites' requests are refused.
    pub(super) csrf: bool,
    /// The handler's own `missing`.
    pub(super) own_missing: bool,
    pub(super) missing: Missing,
    pub(super) stored: bool,
    pub(super) validates: bool,
    pub(super) rejects: bool,
    pub(super) transports: Vec<crate::declaration::Transport>,
}

impl SessionUse {
    fn of<T: SessionData + DescribedSession>(access: Access) -> Self {
        Self {
            schemes: T::SCHEMES,
            access,
            exclusive: false,
            changes_token: false,
            forbids: false,
            fresh: false,
            #[cfg(feature = "device-bound")]
            bound: T::declaration().is_device_bound(),
            #[cfg(not(feature = "device-bound"))]
            bound: false,
            device: false,
            domains: T::declaration().has_domain_by_request(),
            csrf: true,
            own_missing: false,
            missing: T::missing(),
            stored: T::STORED,
            validates: T::VALIDATES,
            rejects: T::REJECTS,
            transports: T::declaration().transports_in_force().to_vec(),
        }
    }

    /// `protected`
    pub fn protected<T: SessionData + DescribedSession>() -> Self {
        Self::of::<T>(Access::Protected)
    }

    /// `optional`
    pub fn optional<T: SessionData + DescribedSession>() -> Self {
        Self::of::<T>(Access::Optional)
    }

    /// `or_default`
    pub fn or_default<T: SessionData + DescribedSession>() -> Self {
        Self::of::<T>(Access::OrDefault)
    }

    /// `&mut T`. Under `or_default` the first change starts the session.
    #[must_use]
    pub fn exclusive(self) -> Self {
        Self { exclusive: true, changes_token: self.access == Access::OrDefault, ..self }
    }

    /// `Session<T>`, `SessionSlot<T>`
    #[must_use]
    pub fn owned(self) -> Self {
        Self { changes_token: true, ..self }
    }

    /// `guard = ...`
    #[must_use]
    pub fn guard(self, forbids: bool) -> Self {
        Self { forbids, ..self }
    }

    /// `fresh = ...`
    #[must_use]
    pub fn fresh(self) -> Self {
        Self { fresh: true, ..self }
    }

    /// `device = ...`
    #[must_use]
    pub fn device(self) -> Self {
        Self { device: true, ..self }
    }

    /// `csrf = off`
    #[must_use]
    pub fn from_any_site(self) -> Self {
        Self { csrf: false, ..self }
    }

    /// `missing = ...`
    #[must_use]
    pub fn missing(self, missing: Missing) -> Self {
        Self { missing, own_missing: true, ..self }
    }
}

/// Whether a guard's `false` is the plain 403. The guard is not called.
pub fn forbids<T, R: Verdict>(_: impl FnOnce(&T) -> R) -> bool {
    R::FORBIDS
}

/// The same of a guard that looks at the device as well.
#[cfg(feature = "device-bound")]
pub fn device_forbids<T, R: Verdict>(_: impl FnOnce(&T, crate::sessions::Device) -> R) -> bool {
    R::FORBIDS
}

/// The same of a guard that is a function.
pub fn function_forbids<T, F: GuardFunction<T, M, Returned: Verdict>, M>(_: F) -> bool {
    <F::Returned as Verdict>::FORBIDS
}

/// A handler with its sessions, and what utoipa made of its `#[utoipa::path(...)]`.
pub trait DescribedHandler {
    /// What utoipa made.
    type Operation: Path + SchemaReferences + for<'t> Tags<'t>;

    /// Its sessions, in the order of its signature.
    fn session_uses() -> Vec<SessionUse>;
}

/// The route's path.
pub fn path<H: DescribedHandler>() -> String {
    H::Operation::path()
}

/// The route's methods.
pub fn methods<H: DescribedHandler>() -> Vec<HttpMethod> {
    H::Operation::methods()
}

/// The tags of the operation.
pub fn tags<'t, H: DescribedHandler>() -> Vec<&'t str> {
    <H::Operation as Tags<'t>>::tags()
}

/// The operation as utoipa has it, with what its sessions add.
pub fn operation<H: DescribedHandler>() -> Operation {
    let (mut operation, sessions) = (H::Operation::operation(), H::session_uses());
    requirement::require(&mut operation, &sessions);
    answers::add(&mut operation, &sessions, &H::Operation::methods());
    operation
}

/// The schemas that the operation refers to.
pub fn schemas<H: DescribedHandler>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    H::Operation::schemas(schemas);
    schemas.push((problem::NAME.into(), problem::schema()));
}

/// The type of what utoipa sees in a handler's place; it is never called.
pub fn unreachable<R>() -> R {
    std::process::abort()
}

/// What stands where no `#[utoipa::path]` has been expanded before `#[session]`.
#[diagnostic::on_unimplemented(
    message = "`#[utoipa::path]` stands above `#[session]`, so the description would not tell of the session",
    label = "move `#[session(...)]` above `#[utoipa::path(...)]`",
    note = "an attribute sees what stands below it: `#[session]` adds the security requirement and its answers to the \
            description"
)]
pub trait StandsAbovePath {}

#[diagnostic::do_not_recommend]
impl<H: DescribedHandler> StandsAbovePath for H {}

/// Asserts it.
pub const fn stands_above_path<T: StandsAbovePath>() {}
