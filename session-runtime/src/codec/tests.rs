use std::collections::HashMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::{decode, same_but_for_order};

#[test]
fn order_is_all_that_may_differ() {
    for (one, other) in [
        (r#"{"a":1,"b":[1,2]}"#, r#"{"b":[2,1],"a":1}"#),
        (r#"[{"x":[2,1]},{"x":[1,1]}]"#, r#"[{"x":[1,1]},{"x":[1,2]}]"#),
    ] {
        assert!(same_but_for_order(one.as_bytes(), other.as_bytes()), "{one} {other}");
    }
    for (one, other) in [("[1,1]", "[1]"), ("[1,2]", "[1,1]"), (r#"{"a":1}"#, r#"{"a":2}"#), ("1", "x"), ("x", "x")] {
        assert!(!same_but_for_order(one.as_bytes(), other.as_bytes()), "{one} {other}");
    }
}

/// Why this is no `T`.
fn why<T: DeserializeOwned>(json: &str) -> String {
    decode::<T>(json.as_bytes()).err().map(|error| error.to_string()).unwrap_or_default()
}

#[expect(dead_code, reason = "it is read, or not")]
#[derive(Deserialize)]
struct Person {
    #[serde(alias = "title")]
    name: String,
    home: Option<Home>,
    #[serde(default)]
    visits: Vec<Visit>,
    #[serde(default)]
    by_mail: HashMap<String, Visit>,
    #[serde(default)]
    by_number: HashMap<u8, bool>,
    #[serde(default)]
    role: Role,
}

#[expect(dead_code, reason = "it is read, or not")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Home {
    street: String,
}

#[expect(dead_code, reason = "it is read, or not")]
#[derive(Deserialize)]
struct Visit {
    count: u8,
}

#[expect(dead_code, reason = "it is read, or not")]
#[derive(Deserialize, Default)]
enum Role {
    #[default]
    Guest,
    Staff {
        level: u8,
    },
    Owner(u8, u8),
    Named(String),
}

#[test]
fn the_field_and_the_reason_are_named() {
    for (json, expected) in [
        ("{}", "missing field `name`"),
        (r#"{"name":7}"#, "name: expected a string, found: integer"),
        (r#"{"title":7}"#, "title: expected a string, found: integer"),
        (r#"{"name":"a","title":"b"}"#, "duplicate field `name`"),
        (r#"{"name":"a","home":"b"}"#, "home: expected struct Home, found: string"),
        (r#"{"name":"a","home":{"city":"b"}}"#, "home: unknown field, expected one of `street`"),
        (r#"{"name":"a","home":{"street":null}}"#, "home.street: expected a string, found: null"),
        (
            r#"{"name":"a","visits":[{"count":1},{"count":300}]}"#,
            "visits[1].count: expected u8, found: another integer",
        ),
        (r#"{"name":"a","visits":[{"count":1.5}]}"#, "visits[0].count: expected u8, found: number with a fraction"),
        (r#"{"name":"a","by_mail":{"ann@example.org":{"count":"x"}}}"#, "by_mail.*.count: expected u8, found: string"),
        (r#"{"name":"a","by_number":{"7":1}}"#, "by_number.*: expected a boolean, found: integer"),
        (r#"{"name":"a","by_number":{"x":true}}"#, "by_number: expected u8, found: string"),
        (r#"{"name":"a","role":"Admin"}"#, "role: unknown variant, expected one of `Guest`, `Staff`, `Owner`, `Named`"),
        (r#"{"name":"a","role":"Staff"}"#, "role.Staff: expected a variant with data, found: variant"),
        (r#"{"name":"a","role":{"Guest":1}}"#, "role.Guest: expected a variant without data, found: variant"),
        (r#"{"name":"a","role":{"Staff":{"level":"x"}}}"#, "role.Staff.level: expected u8, found: string"),
        (
            r#"{"name":"a","role":{"Owner":[1]}}"#,
            "role.Owner: expected tuple variant Role::Owner with 2 elements, found: 1 elements",
        ),
        (r#"{"name":"a","role":{"Named":1}}"#, "role.Named: expected a string, found: integer"),
        (r#"{"name":"a","role":7}"#, "role: expected a variant, found: value of another kind"),
        ("7", "expected struct Person, found: integer"),
        ("{", "not valid JSON"),
    ] {
        assert_eq!(why::<Person>(json), expected, "{json}");
    }
}

#[expect(dead_code, reason = "it is read, or not")]
#[derive(Deserialize)]
struct Open {
    count: u8,
    #[serde(flatten)]
    rest: HashMap<String, Value>,
}

/// It repeats what it read, as a check of a user's own may.
#[derive(Debug)]
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(format!("missing field `{text}`, expected {text}")))
    }
}

#[test]
fn nothing_of_the_data_is_quoted() {
    const SECRET: &str = "anna@example.org";
    let quoted = format!("{SECRET:?}");
    for (why, expected) in [
        (why::<Vec<u8>>(&format!(r#"["{SECRET}, expected {SECRET}"]"#)), "[0]: expected u8, found: string"),
        (why::<Checked>(&quoted), "refused by its `Deserialize`"),
        (why::<Role>(&quoted), "unknown variant, expected one of `Guest`, `Staff`, `Owner`, `Named`"),
        (
            why::<Role>(&format!("{{{quoted}:1}}")),
            "unknown variant, expected one of `Guest`, `Staff`, `Owner`, `Named`",
        ),
        (why::<Home>(&format!("{{{quoted}:1}}")), "unknown field, expected one of `street`"),
        (why::<HashMap<String, u8>>(&format!("{{{quoted}:{quoted}}}")), "*: expected u8, found: string"),
        // With `flatten` serde reads a map, whose keys may be data.
        (why::<Open>(&format!(r#"{{"count":{quoted}}}"#)), "*: expected u8, found: string"),
        (why::<Open>("{}"), "missing field `count`"),
        (why::<char>(&quoted), "expected a character, found: another string"),
        (why::<Person>(&format!("{{{SECRET}")), "not valid JSON"),
    ] {
        assert_eq!(why, expected);
        assert!(!why.contains("anna"), "{why}");
    }
}

#[test]
fn what_is_no_text_can_be_read_from_keys() {
    assert_eq!(why::<HashMap<bool, u8>>(r#"{"true":"x"}"#), "*: expected u8, found: string");
    assert_eq!(why::<HashMap<Option<i64>, u8>>(r#"{"1":"x"}"#), "*: expected u8, found: string");
}

#[test]
fn bytes_that_are_no_text_are_no_data() {
    for damaged in [&b"\"\xff\""[..], b"{\"street\":\"\xc3\"}", b"\xfe"] {
        assert_eq!(decode::<Value>(damaged).unwrap_err().to_string(), "not valid JSON");
        assert_eq!(decode::<Home>(damaged).err().unwrap().to_string(), "not valid JSON");
    }
}
