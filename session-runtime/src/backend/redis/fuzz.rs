//! Answers of any kind from Redis.

use redis::Value;

use super::encoding::{decode, encode, written};

/// The first byte says what Redis answers, with the rest in it. What is read is what would be written.
pub(in crate::backend) fn answer(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    let text = || String::from_utf8_lossy(rest).into_owned();
    let number = || rest.iter().take(8).fold(0, |number, byte| number << 8 | i64::from(*byte));
    let value = match kind % 8 {
        0 => Value::BulkString(rest.to_vec()),
        1 => Value::Nil,
        2 => Value::Int(number()),
        3 => Value::SimpleString(text()),
        4 => Value::Array(rest.iter().map(|byte| Value::BulkString(vec![*byte])).collect()),
        5 => Value::Boolean(rest.is_empty()),
        6 => Value::Okay,
        _ => Value::VerbatimString { format: redis::VerbatimFormat::Text, text: text() },
    };
    let is_bytes = matches!(value, Value::BulkString(_));
    if let Ok(Some(record)) = decode(value) {
        assert!(is_bytes);
        assert_eq!(encode(&record), rest);
    }
    _ = written(number());
}
