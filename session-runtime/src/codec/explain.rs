//! Why stored data cannot be read, said without the data.
//!
//! What a session holds is somebody's, and logs are read by others. serde's own errors quote the value that they met, and a
//! text cannot be cleaned reliably afterwards. So data that could not be read is read once more, as JSON whose every
//! error is made here: of what was found it keeps the kind, of the path the names that the types themselves have. The key
//! of a map can be anything, an address for instance, and shows as `*`.

use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer as _, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, map, value::Number};

/// What is wrong with data that is no `T`; `None` if this finds nothing.
pub(super) fn explain<T: DeserializeOwned>(json: &[u8]) -> Option<String> {
    let Ok(value) = serde_json::from_slice::<Value>(json) else { return Some("not valid JSON".into()) };
    T::deserialize(Stored(&value)).err().map(|failure| failure.to_string())
}

/// What is wrong, and where, from the inside out.
#[derive(Debug)]
struct Failure {
    reason: String,
    path: Vec<Step>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A field or a variant, by the name that its type has.
    Named(&'static str),
    /// Something in a map, or in a struct that is read as one since it flattens another.
    Key,
    Index(usize),
}

impl Failure {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), path: Vec::new() }
    }

    fn at(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.path.iter().rev().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Named(name) => write!(f, "{}{name}", if at == 0 { "" } else { "." })?,
                Step::Key => write!(f, "{}*", if at == 0 { "" } else { "." })?,
            }
        }
        write!(f, "{}{}", if self.path.is_empty() { "" } else { ": " }, self.reason)
    }
}

impl std::error::Error for Failure {}

/// What was found, without its value.
fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "integer",
        Unexpected::Float(_) => "number with a fraction",
        Unexpected::Char(_) | Unexpected::Str(_) => "string",
        Unexpected::Bytes(_) => "byte array",
        Unexpected::Unit => "null",
        Unexpected::Seq => "array",
        Unexpected::Map | Unexpected::StructVariant => "object",
        Unexpected::Enum | Unexpected::UnitVariant | Unexpected::NewtypeVariant | Unexpected::TupleVariant => "variant",
        Unexpected::Option | Unexpected::NewtypeStruct | Unexpected::Other(_) => "value of another kind",
    }
}

/// The names that a type has, as serde lists them.
fn one_of(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Error for Failure {
    /// The text may quote the data.
    fn custom<T: Display>(_: T) -> Self {
        Self::new("refused by its `Deserialize`")
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found: {}", kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found: another {}", kind(found)))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found: {length} elements"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("unknown variant, expected one of {}", one_of(expected)))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("unknown field, expected one of {}", one_of(expected)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("missing field `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("duplicate field `{field}`"))
    }
}

/// Stored data, or a part of it.
#[derive(Clone, Copy)]
struct Stored<'a>(&'a Value);

impl<'a> Stored<'a> {
    fn number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Failure> {
        if let Some(unsigned) = number.as_u64() {
            visitor.visit_u64(unsigned)
        } else if let Some(signed) = number.as_i64() {
            visitor.visit_i64(signed)
        } else {
            visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
        }
    }

    fn unexpected(self) -> Unexpected<'a> {
        match self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(_) => Unexpected::Other("number"),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        }
    }
}

impl<'de> Deserializer<'de> for Stored<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => Self::number(number, visitor),
            Value::String(text) => visitor.visit_str(text),
            Value::Array(elements) => visitor.visit_seq(Elements { elements, next: 0 }),
            Value::Object(members) => visitor.visit_map(Members::new(members, &[])),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(Members::new(members, fields)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Variant { name, content: None, variants }),
            Value::Object(members) if members.len() == 1 => {
                let (name, content) = members.iter().next().map_or(("", None), |(name, value)| (name, Some(value)));
                visitor.visit_enum(Variant { name, content, variants })
            }
            _ => Err(Failure::invalid_type(self.unexpected(), &"a variant")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Elements<'a> {
    elements: &'a [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some(element) = self.elements.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Stored(element)).map(Some).map_err(|failure| failure.at(Step::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.elements.len() - self.next)
    }
}

struct Members<'a> {
    members: map::Iter<'a>,
    /// Those of the struct that is read.
    fields: &'static [&'static str],
    current: Option<(Step, &'a Value)>,
}

impl<'a> Members<'a> {
    fn new(members: &'a Map<String, Value>, fields: &'static [&'static str]) -> Self {
        Self { members: members.iter(), fields, current: None }
    }
}

/// The name as its type has it, if it is one of these.
fn named(name: &str, names: &'static [&'static str]) -> Step {
    names.iter().find(|known| **known == name).map_or(Step::Key, |known| Step::Named(known))
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        let Some((key, value)) = self.members.next() else { return Ok(None) };
        self.current = Some((named(key, self.fields), value));
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let (step, value) = self.current.take().ok_or_else(|| Failure::new("a value without its key"))?;
        seed.deserialize(Stored(value)).map_err(|failure| failure.at(step))
    }
}

/// The key of a member: text, or a number or a truth value that was written as text.
#[derive(Clone, Copy)]
struct Key<'a>(&'a str);

macro_rules! parsed {
    ($($method:ident => $visit:ident;)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            match self.0.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => visitor.visit_str(self.0),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let key: StrDeserializer<'_, Failure> = self.0.into_deserializer();
        key.deserialize_enum(name, variants, visitor)
    }

    parsed! {
        deserialize_bool => visit_bool;
        deserialize_i8 => visit_i8;
        deserialize_i16 => visit_i16;
        deserialize_i32 => visit_i32;
        deserialize_i64 => visit_i64;
        deserialize_i128 => visit_i128;
        deserialize_u8 => visit_u8;
        deserialize_u16 => visit_u16;
        deserialize_u32 => visit_u32;
        deserialize_u64 => visit_u64;
        deserialize_u128 => visit_u128;
        deserialize_f32 => visit_f32;
        deserialize_f64 => visit_f64;
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Variant<'a> {
    name: &'a str,
    content: Option<&'a Value>,
    variants: &'static [&'static str],
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Failure;
    type Variant = Content<'a>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Content<'a>), Failure> {
        let variant = seed.deserialize(Key(self.name))?;
        Ok((variant, Content { step: named(self.name, self.variants), content: self.content }))
    }
}

struct Content<'a> {
    step: Step,
    content: Option<&'a Value>,
}

impl<'a> Content<'a> {
    fn read<T>(&self, read: impl FnOnce(Stored<'a>) -> Result<T, Failure>) -> Result<T, Failure> {
        let content =
            self.content.ok_or_else(|| Failure::invalid_type(Unexpected::UnitVariant, &"a variant with data"));
        content.and_then(|content| read(Stored(content))).map_err(|failure| failure.at(self.step))
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.content {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Failure::invalid_type(Unexpected::NewtypeVariant, &"a variant without data").at(self.step)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        self.read(|content| seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Failure> {
        self.read(|content| content.deserialize_any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Failure> {
        self.read(|content| content.deserialize_struct("", fields, visitor))
    }
}
