//! What tests of applications and of backends need: a client of a router, a clock to turn by hand, the events that were
//! told, and the suite that every backend has to pass.

mod client;
mod clock;
pub mod conformance;
mod events;
#[doc(hidden)]
pub mod fuzz;
mod jar;

pub use self::client::{Client, ClientResponse};
pub use self::clock::ManualClock;
pub use self::conformance::Pair;
pub use self::events::{Events, ToldEvent};
#[doc(inline)]
pub use crate::__conformance as conformance;
