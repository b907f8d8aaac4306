//! The data of a session as bytes: JSON, so that a record reads in any tool and fields can come and go.

mod explain;
#[cfg(test)]
mod tests;

use std::{error, fmt};

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;

/// Data that can't be read: where, and why. It quotes nothing of the data, so that it can be logged.
#[derive(Debug)]
pub struct DecodeError(String);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for DecodeError {}

impl From<DecodeError> for serde_json::Error {
    fn from(error: DecodeError) -> Self {
        Self::custom(error)
    }
}

/// Appends the data to `out`.
pub(crate) fn encode<T: Serialize + ?Sized>(data: &T, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    serde_json::to_writer(out, data)
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    // Looked at once as a whole, so that serde_json need not look at each text.
    let read = str::from_utf8(bytes).ok().and_then(|text| serde_json::from_str(text).ok());
    read.ok_or_else(|| {
        DecodeError(explain::explain::<T>(bytes).unwrap_or_else(|| "not what its `Deserialize` reads".to_owned()))
    })
}

/// Whether two JSON texts say the same up to the order of members and elements: what a hash map or a hash set reads back
/// as is written in another order.
pub(crate) fn same_but_for_order(one: &[u8], other: &[u8]) -> bool {
    let sorted = |json: &[u8]| serde_json::from_slice(json).map(sorted).ok();
    matches!((sorted(one), sorted(other)), (Some(one), Some(other)) if one == other)
}

/// The elements of each array in the order of their texts. Objects compare without regard to order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.into_iter().map(sorted).collect();
            elements.sort_by_cached_key(Value::to_string);
            Value::Array(elements)
        }
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        other => other,
    }
}
