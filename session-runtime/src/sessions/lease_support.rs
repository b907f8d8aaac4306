//! Whether a type of backend has leases, told from the type alone.

use std::marker::PhantomData;
use std::ops::Deref;

use crate::backend::Leases;

/// A backend's type. `LeaseSupport::<B>::OF.implemented()` is whether it implements [`Leases`]: a method of this if it does,
/// and of what this dereferences to if it doesn't.
pub struct LeaseSupport<B>(PhantomData<fn(&B)>);

/// A type that implements no [`Leases`].
pub struct Without(());

impl<B> LeaseSupport<B> {
    /// The type `B`.
    pub const OF: Self = Self(PhantomData);
}

impl<B: Leases> LeaseSupport<B> {
    /// It does.
    pub fn implemented(&self) -> bool {
        true
    }
}

impl<B> Deref for LeaseSupport<B> {
    type Target = Without;

    fn deref(&self) -> &Without {
        &Without(())
    }
}

impl Without {
    /// It doesn't.
    pub fn implemented(&self) -> bool {
        false
    }
}
