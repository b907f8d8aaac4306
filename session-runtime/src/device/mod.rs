//! Device-bound sessions: what a browser's proof says, and who made it.
//!
//! A browser that speaks Device Bound Session Credentials keeps a private key for a session in hardware. It hands over the
//! public key once, and signs a challenge every few minutes. Nothing here knows HTTP or a store: a proof is a text, and
//! what is wrong with it is one of two things, since a browser is answered differently for each.

mod proof;

pub(crate) use self::proof::{DeviceKey, Flaw, bound_to, registers};

#[cfg(feature = "testing")]
pub(crate) mod fuzz;
