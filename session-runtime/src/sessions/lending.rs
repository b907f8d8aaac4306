//! Whether a type of backend has leases, told from the type alone.

use std::marker::PhantomData;
use std::ops::Deref;

use crate::backend::Leases;

/// A backend's type. `Lending::<B>::OF.known()` is whether it implements [`Leases`]: a method of this if it does,
/// and of what this dereferences to if it doesn't.
pub struct Lending<B>(PhantomData<fn(&B)>);

/// A type that implements no [`Leases`].
pub struct Without(());

impl<B> Lending<B> {
    /// The type `B`.
    pub const OF: Self = Self(PhantomData);
}

impl<B: Leases> Lending<B> {
    /// It does.
    pub fn known(&self) -> bool {
        true
    }
}

impl<B> Deref for Lending<B> {
    type Target = Without;

    fn deref(&self) -> &Without {
        &Without(())
    }
}

impl Without {
    /// It doesn't.
    pub fn known(&self) -> bool {
        false
    }
}
