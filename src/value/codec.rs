//! How a value is written and read: as itself in formats for people (JSON, YAML, module arguments), exactly, with
//! every variant named, in binary ones (the wire).

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Map, Str, Value};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if !to.is_human_readable() {
            return Value::serialize(self, to);
        }
        match self {
            Value::Null | Value::Omit => to.serialize_unit(),
            Value::Bool(it) => to.serialize_bool(*it),
            Value::Int(it) => to.serialize_i64(*it),
            Value::Float(it) => to.serialize_f64(*it),
            Value::Str(it) => to.serialize_str(it),
            Value::Bytes(it) => to.serialize_str(&String::from_utf8_lossy(it)),
            Value::List(items) => {
                let mut seq = to.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Value::Map(map) => {
                let mut out = to.serialize_map(Some(map.len()))?;
                for (key, item) in map.iter() {
                    out.serialize_entry(&**key, item)?;
                }
                out.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
        if from.is_human_readable() { from.deserialize_any(AsItself) } else { Value::deserialize(from) }
    }
}

struct AsItself;

impl<'de> Visitor<'de> for AsItself {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
    fn visit_bool<E>(self, it: bool) -> Result<Value, E> {
        Ok(Value::Bool(it))
    }
    fn visit_i64<E>(self, it: i64) -> Result<Value, E> {
        Ok(Value::Int(it))
    }
    fn visit_u64<E>(self, it: u64) -> Result<Value, E> {
        Ok(Value::from(it))
    }
    fn visit_f64<E>(self, it: f64) -> Result<Value, E> {
        Ok(Value::Float(it))
    }
    fn visit_str<E>(self, it: &str) -> Result<Value, E> {
        Ok(Value::from(it))
    }
    fn visit_bytes<E>(self, it: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(it.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::list(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some((key, item)) = map.next_entry::<Value, Value>()? {
            out.insert(Str::from(key.to_string()), item);
        }
        Ok(Value::map(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_plain_and_the_wire_is_exact() {
        let value = Value::from_pairs([("a", Value::Bytes((*b"\xff").into())), ("b", Value::Omit)]);
        let wire = postcard::to_stdvec(&value).unwrap();
        assert_eq!(postcard::from_bytes::<Value>(&wire).unwrap(), value);
        let plain = Value::from_pairs([("a", Value::list(vec![Value::from(1), Value::Null]))]);
        let json = serde_json::to_string(&plain).unwrap();
        assert_eq!(json, r#"{"a":[1,null]}"#);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), plain);
    }
}
