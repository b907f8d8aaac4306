//! The data of a session as bytes: JSON, so that a record reads in any tool and fields can come and go.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Appends the data to `out`.
pub(crate) fn encode<T: Serialize + ?Sized>(data: &T, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    serde_json::to_writer(out, data)
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(bytes)
}
