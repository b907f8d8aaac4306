//! What tests of applications and of backends need: a clock to turn by hand, and the suite that every
//! backend has to pass.

mod clock;
pub mod conformance;
#[doc(hidden)]
pub mod fuzz;

pub use self::clock::ManualClock;
pub use self::conformance::Pair;
#[doc(inline)]
pub use crate::__conformance as conformance;
