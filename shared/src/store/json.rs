//! `DynamoDB`'s JSON, read straight into what it is. The SDK makes a map of attributes of each item first, and
//! `serde_dynamo` reads that: together more than half of what a list cost.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::body::SdkBody;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IgnoredAny, IntoDeserializer as _,
    MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::value::RawValue;

use super::StoreError;

/// The answer of a call, kept as it came; the SDK is given an empty one. Errors are left to the SDK. That all of it is
/// there by then is the HTTP client's doing (`aws/http.rs`).
#[derive(Debug, Clone, Default)]
pub(super) struct KeptAnswer(Arc<Mutex<Option<SdkBody>>>);

impl KeptAnswer {
    /// What came, for [`read`].
    pub(super) fn take(&self) -> SdkBody {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.unwrap_or_else(|| SdkBody::from("{}"))
    }
}

impl Intercept for KeptAnswer {
    fn name(&self) -> &'static str {
        "KeptAnswer"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            let body = std::mem::replace(response.body_mut(), SdkBody::from("{}"));
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
        Ok(())
    }
}

/// Of an answer, the parts that are read; its items are still JSON.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a SdkBody) -> Result<T, StoreError> {
    Ok(serde_json::from_slice(body.bytes().unwrap_or_default())?)
}

/// An item as a record.
pub(super) fn from_item<T: DeserializeOwned>(item: &RawValue) -> Result<T, StoreError> {
    let mut json = serde_json::Deserializer::from_str(item.get());
    Ok(T::deserialize(Attributes(&mut json))?)
}

/// The types of attributes that are written here.
#[derive(Deserialize, Clone, Copy)]
enum Tag {
    #[serde(rename = "S")]
    Text,
    #[serde(rename = "N")]
    Number,
    #[serde(rename = "BOOL")]
    Bool,
    #[serde(rename = "NULL")]
    Null,
    #[serde(rename = "M")]
    Map,
    #[serde(rename = "L")]
    List,
    #[serde(rename = "SS")]
    Texts,
}

/// A map of attributes, as an item is.
struct Attributes<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Attributes<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Inside(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// One attribute: `{"S": "…"}`.
struct Attribute<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Attribute<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Any(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Optional(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Enum(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

/// The same, once its type has been read.
struct Typed<A> {
    tag: Tag,
    value: A,
}

impl<'de, A: MapAccess<'de>> Typed<A> {
    fn open(mut attribute: A) -> Result<Self, A::Error> {
        let tag = attribute.next_key()?.ok_or_else(|| A::Error::custom("an attribute has no type"))?;
        Ok(Self { tag, value: attribute })
    }
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Typed<A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, A::Error> {
        self.value.next_value_seed(Any((self.tag, visitor)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.value.next_value_seed(Enum((self.tag, visitor)))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

fn expect_attribute(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("an attribute of DynamoDB")
}

/// An attribute as whatever it is.
struct Any<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Any<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_attribute(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, attribute: A) -> Result<V::Value, A::Error> {
        Typed::open(attribute)?.deserialize_any(self.0)
    }
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Any<(Tag, V)> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<V::Value, D::Error> {
        let (tag, visitor) = self.0;
        match tag {
            Tag::Text => json.deserialize_str(visitor),
            Tag::Number => {
                let text = Cow::<str>::deserialize(json)?;
                if let Ok(number) = text.parse::<u64>() {
                    visitor.visit_u64(number)
                } else if let Ok(number) = text.parse::<i64>() {
                    visitor.visit_i64(number)
                } else {
                    visitor.visit_f64(text.parse().map_err(D::Error::custom)?)
                }
            }
            Tag::Bool => json.deserialize_bool(visitor),
            Tag::Null => {
                bool::deserialize(json)?;
                visitor.visit_unit()
            }
            Tag::Map => json.deserialize_map(Inside(visitor)),
            Tag::List => json.deserialize_seq(Inside(visitor)),
            Tag::Texts => json.deserialize_seq(visitor),
        }
    }
}

/// An attribute that may be `NULL`.
struct Optional<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Optional<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_attribute(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, attribute: A) -> Result<V::Value, A::Error> {
        let mut typed = Typed::open(attribute)?;
        if let Tag::Null = typed.tag {
            typed.value.next_value::<IgnoredAny>()?;
            return self.0.visit_none();
        }
        self.0.visit_some(typed)
    }
}

/// An attribute that is one of several: a text, or a map of one.
struct Enum<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Enum<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_attribute(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, attribute: A) -> Result<V::Value, A::Error> {
        Typed::open(attribute)?.deserialize_enum("", &[], self.0)
    }
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Enum<(Tag, V)> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<V::Value, D::Error> {
        let (tag, visitor) = self.0;
        match tag {
            Tag::Text => visitor.visit_enum(Cow::<str>::deserialize(json)?.into_deserializer()),
            Tag::Map => json.deserialize_map(Variant(visitor)),
            _ => Err(D::Error::custom("neither a text nor a map")),
        }
    }
}

/// What an enum's map holds: a variant and its contents.
struct Variant<T>(T);

impl<'de, V: Visitor<'de>> Visitor<'de> for Variant<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expect_attribute(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Inside(map))
    }
}

impl<'de, A: MapAccess<'de>> EnumAccess<'de> for Inside<A> {
    type Error = A::Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<(S::Value, Self), A::Error> {
        let name = self.0.next_key_seed(seed)?.ok_or_else(|| A::Error::custom("an enum without a variant"))?;
        Ok((name, self))
    }
}

impl<'de, A: MapAccess<'de>> VariantAccess<'de> for Inside<A> {
    type Error = A::Error;

    fn unit_variant(mut self) -> Result<(), A::Error> {
        self.0.next_value::<IgnoredAny>().map(drop)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Inside(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(mut self, _: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(Contents(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, A::Error> {
        self.tuple_variant(0, visitor)
    }
}

/// A variant's fields, which are an attribute together.
struct Contents<V>(V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Contents<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<V::Value, D::Error> {
        Attribute(json).deserialize_any(self.0)
    }
}

/// Gives on what is inside: each value of a map, a list or an enum is an attribute.
struct Inside<T>(T);

impl<'de, V: Visitor<'de>> Visitor<'de> for Inside<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Inside(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Inside(list))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Inside<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Inside(seed))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Inside<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Inside(seed))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Inside<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Attribute(json))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;
    use proptest::prelude::*;
    use serde::Serialize;
    use serde_json::{Value, json};

    /// As `DynamoDB` writes it.
    fn on_the_wire(value: &AttributeValue) -> Value {
        match value {
            AttributeValue::S(text) => json!({ "S": text }),
            AttributeValue::N(number) => json!({ "N": number }),
            AttributeValue::Bool(bool) => json!({ "BOOL": bool }),
            AttributeValue::Null(_) => json!({ "NULL": true }),
            AttributeValue::Ss(texts) => json!({ "SS": texts }),
            AttributeValue::L(list) => json!({ "L": list.iter().map(on_the_wire).collect::<Vec<_>>() }),
            AttributeValue::M(map) => {
                json!({ "M": map.iter().map(|(name, value)| (name.clone(), on_the_wire(value))).collect::<BTreeMap<_, _>>() })
            }
            other => panic!("{other:?}"),
        }
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Everything {
        text: String,
        number: i64,
        fraction: f64,
        flag: bool,
        nothing: Option<u64>,
        unit: (),
        pair: (u8, String),
        newtype: Newtype,
        set: BTreeSet<String>,
        map: BTreeMap<u32, Option<Kind>>,
        kinds: Vec<Kind>,
        tagged: Internally,
        any: Value,
        #[serde(flatten)]
        flattened: Flattened,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Newtype(Vec<u8>);

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Flattened {
        inner: Option<Newtype>,
        more: u64,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Unit,
        One(String),
        Two(u64, Option<String>),
        Named { kind: Box<Option<Kind>>, text: Option<String> },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "is", rename_all = "snake_case")]
    enum Internally {
        Unit,
        Named { number: i64, kind: Option<Kind> },
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        let leaf = prop_oneof![
            Just(Kind::Unit),
            ".*".prop_map(Kind::One),
            (any::<u64>(), any::<Option<String>>()).prop_map(|(number, text)| Kind::Two(number, text)),
        ];
        leaf.prop_recursive(3, 8, 2, |inner| {
            (proptest::option::of(inner), any::<Option<String>>())
                .prop_map(|(kind, text)| Kind::Named { kind: Box::new(kind), text })
        })
    }

    fn everything() -> impl Strategy<Value = Everything> {
        let internally = prop_oneof![
            Just(Internally::Unit),
            (any::<i64>(), proptest::option::of(kinds())).prop_map(|(number, kind)| Internally::Named { number, kind }),
        ];
        let simple = (any::<String>(), any::<i64>(), any::<i32>(), any::<bool>(), any::<Option<u64>>());
        let bytes = || any::<Vec<u8>>().prop_map(Newtype);
        let map = proptest::collection::btree_map(any::<u32>(), proptest::option::of(kinds()), 0..3);
        let compound =
            (bytes(), proptest::option::of(bytes()), map, proptest::collection::vec(kinds(), 0..3), internally);
        (simple, compound, any::<BTreeSet<String>>()).prop_map(|(simple, compound, set)| {
            let (text, number, eighths, flag, nothing) = simple;
            let (newtype, inner, map, kinds, tagged) = compound;
            let any = json!({ "a": [text, number, null_or(flag)], "b": { "c": flag } });
            Everything {
                pair: (7, text.clone()),
                text,
                number,
                fraction: f64::from(eighths) / 8.0,
                flag,
                nothing,
                unit: (),
                newtype,
                set,
                map,
                kinds,
                tagged,
                any,
                flattened: Flattened { inner, more: number.unsigned_abs() },
            }
        })
    }

    fn null_or(flag: bool) -> Option<bool> {
        flag.then_some(flag)
    }

    proptest! {
        #[test]
        fn an_item_reads_as_through_the_attributes_of_the_sdk(written in everything()) {
            let item: crate::store::Item = serde_dynamo::to_item(&written).unwrap();
            let wire: BTreeMap<_, _> = item.iter().map(|(name, value)| (name, on_the_wire(value))).collect();
            let wire = serde_json::value::to_raw_value(&wire).unwrap();
            prop_assert_eq!(&from_item::<Everything>(&wire).unwrap(), &written);
            prop_assert_eq!(serde_dynamo::from_item::<_, Everything>(item).unwrap(), written);
        }
    }

    #[test]
    fn what_is_no_item_is_an_error() {
        for broken in [r#"{"text":"plain"}"#, r#"{"text":{}}"#, r#"{"text":{"X":"1"}}"#, r#"{"text":{"N":"x"}}"#, "[]"]
        {
            let raw: Box<RawValue> = serde_json::from_str(broken).unwrap();
            assert!(from_item::<BTreeMap<String, Value>>(&raw).is_err(), "{broken}");
        }
    }
}
