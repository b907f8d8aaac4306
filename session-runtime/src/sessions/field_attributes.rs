//! What the derive makes of fields marked `privilege` and `secret`.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// What the `privilege` fields of a session are, to tell whether they have changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Privileges(Vec<u8>);

impl Privileges {
    /// Those of a type without any.
    pub const fn new() -> Self {
        Self(Vec::new())
    }
}

/// Adds a field. JSON holds no zero byte, so that none ends where another begins.
///
/// # Errors
/// It can't be written as JSON.
pub fn add_privilege<V: Serialize>(all: &mut Privileges, value: &V) -> Result<(), serde_json::Error> {
    all.0.push(0);
    serde_json::to_writer(&mut all.0, value)
}

/// A struct without its secrets: an object, or an array for a tuple.
#[derive(Default)]
pub struct Public {
    fields: Map<String, Value>,
    items: Option<Vec<Value>>,
}

impl Public {
    /// Without any field yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A named field.
    ///
    /// # Errors
    /// It can't be written as JSON.
    pub fn field<V: Serialize>(&mut self, name: &str, value: &V) -> Result<(), serde_json::Error> {
        self.fields.insert(name.to_owned(), serde_json::to_value(value)?);
        Ok(())
    }

    /// The fields of a field.
    ///
    /// # Errors
    /// It can't be written as JSON.
    pub fn flattened<V: Serialize>(&mut self, value: &V) -> Result<(), serde_json::Error> {
        if let Value::Object(fields) = serde_json::to_value(value)? {
            self.fields.extend(fields);
        }
        Ok(())
    }

    /// A tuple's field.
    ///
    /// # Errors
    /// It can't be written as JSON.
    pub fn item<V: Serialize>(&mut self, value: &V) -> Result<(), serde_json::Error> {
        self.items.get_or_insert_default().push(serde_json::to_value(value)?);
        Ok(())
    }

    /// A tuple's field that isn't shown: its place is kept.
    pub fn hidden(&mut self) {
        self.items.get_or_insert_default().push(Value::Null);
    }

    /// The JSON.
    pub fn done(self) -> Value {
        self.items.map_or(Value::Object(self.fields), Value::Array)
    }
}

/// What `Debug` shows of a secret.
pub struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::{Privileges, add_privilege};

    fn of(fields: &[u32]) -> Privileges {
        let mut all = Privileges::new();
        for field in fields {
            add_privilege(&mut all, field).unwrap();
        }
        all
    }

    #[test]
    fn privileges_differ_whatever_field_a_change_is_in() {
        assert_eq!(of(&[1, 23]), of(&[1, 23]));
        assert_ne!(of(&[1, 23]), of(&[12, 3]));
        assert_ne!(of(&[1, 23]), of(&[1, 24]));
    }
}
