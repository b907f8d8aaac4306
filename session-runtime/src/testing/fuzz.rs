//! What reads bytes that nobody vouches for, fed with any: each function panics if a promise is broken. The fuzz targets
//! and the tests on stable Rust call the same ones.

pub use crate::backend::fuzz::stored_rows;
#[cfg(feature = "device-bound")]
pub use crate::device::fuzz::device_proofs;
pub use crate::sessions::fuzz::stored_records;
pub use crate::token::fuzz::tokens;
pub use crate::web::fuzz::cookie_headers;
