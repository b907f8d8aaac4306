//! The data of a session as bytes: JSON, so that a record reads in any tool and fields can come and go.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Appends the data to `out`.
pub(crate) fn encode<T: Serialize + ?Sized>(data: &T, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    serde_json::to_writer(out, data)
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(bytes)
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

/// What an error of reading says without the data: what was expected, or which field is missing. Texts quote what they met.
pub(crate) fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let known = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant ", "unknown field "];
    if text.starts_with("missing field `") {
        text.to_owned()
    } else if known.iter().any(|known| text.starts_with(known))
        && let Some((_, expected)) = text.rsplit_once(", expected ")
    {
        format!("expected {expected}")
    } else {
        format!("{:?}", error.classify())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_all_that_may_differ() {
        for (one, other) in [
            (r#"{"a":1,"b":[1,2]}"#, r#"{"b":[2,1],"a":1}"#),
            (r#"[{"x":[2,1]},{"x":[1,1]}]"#, r#"[{"x":[1,1]},{"x":[1,2]}]"#),
        ] {
            assert!(same_but_for_order(one.as_bytes(), other.as_bytes()), "{one} {other}");
        }
        for (one, other) in [("[1,1]", "[1]"), ("[1,2]", "[1,1]"), (r#"{"a":1}"#, r#"{"a":2}"#), ("1", "x"), ("x", "x")]
        {
            assert!(!same_but_for_order(one.as_bytes(), other.as_bytes()), "{one} {other}");
        }
    }

    #[test]
    fn a_cause_names_what_was_expected_and_quotes_nothing() {
        let number = cause(&decode::<Vec<f64>>(b"[null]").unwrap_err());
        assert_eq!(number, "expected f64");
        let text = cause(&decode::<Vec<u8>>(br#"["secret, expected secret"]"#).unwrap_err());
        assert_eq!(text, "expected u8");
        #[derive(serde::Deserialize)]
        struct Data {
            #[expect(dead_code, reason = "it is missing")]
            name: String,
        }
        assert_eq!(cause(&decode::<Data>(b"{}").err().unwrap()), "missing field `name`");
        let custom = <serde_json::Error as serde::de::Error>::custom("secret");
        assert_eq!(cause(&custom), "Data");
    }
}
