//! The parameters of a query: all of them are known, or the request is refused. A filter that was misspelt would
//! otherwise show everything.

use std::borrow::Cow;
use std::cell::RefCell;

use serde::de::value::{Error, MapDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::problem::Problem;
use super::wording::field_problem;

/// The pairs of a query. A parameter without a value is as if it were not there: forms send all their fields. Not so a
/// cursor: a script that has lost its place would begin anew for ever.
pub(super) struct Pairs<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What the structs that were read from it know.
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(query: &'a str) -> Self {
        Self { pairs: form_urlencoded::parse(query.as_bytes()).collect(), known: RefCell::default() }
    }

    /// One struct of parameters; another one may read the others.
    pub(super) fn read<T: Deserialize<'a>>(&self) -> Result<T, Problem> {
        serde_path_to_error::deserialize(Part(self))
            .map_err(|error| field_problem(&error.path().to_string(), &error.inner().to_string()))
    }

    /// Refuses what nobody has read.
    pub(super) fn finish(&self) -> Result<(), Problem> {
        let known = self.known.borrow();
        let unknown = self.pairs.iter().find(|(name, _)| !known.contains(&name.as_ref()));
        unknown.map_or(Ok(()), |(name, _)| Err(Problem::invalid_field(name.as_ref(), "is not known here")))
    }
}

/// The pairs that one struct knows: serde's derive names its fields.
struct Part<'p, 'a>(&'p Pairs<'a>);

impl<'de> Deserializer<'de> for Part<'_, 'de> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.known.borrow_mut().extend(fields);
        let own = self
            .0
            .pairs
            .iter()
            .filter(|(name, value)| fields.contains(&name.as_ref()) && (!value.is_empty() || name == "cursor"));
        visitor.visit_map(MapDeserializer::new(own.map(|(name, value)| (name.clone(), Value(value.clone())))))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_struct("", &[], visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The value of a parameter: a text, whatever it stands for.
struct Value<'a>(Cow<'a, str>);

impl<'de> IntoDeserializer<'de, Error> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.into_deserializer().deserialize_any(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &*self.0 {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(serde::de::Error::custom("must be true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.into_deserializer().deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}
