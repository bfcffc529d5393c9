//! The deserializer behind [`super::decode`]: takes what Ansible takes.

use std::cell::{Cell, RefCell};
use std::slice;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::{Error, closest};
use crate::value::{Map, Str, Value};

const TRUE: [&str; 6] = ["y", "yes", "on", "1", "true", "t"];
const FALSE: [&str; 6] = ["n", "no", "off", "0", "false", "f"];

/// What is read: all arguments, one value, or what belongs to a group among the arguments.
pub(super) enum Given<'a> {
    Arguments(&'a Map),
    Value(Value),
    Group(&'a Map, &'a Known),
}

/// Names seen so far while one mapping is read, by its struct and the groups in it.
#[derive(Default)]
pub(super) struct Known {
    names: RefCell<Vec<&'static str>>,
    open: Cell<bool>,
}

impl Given<'_> {
    /// Text from text, a number or a truth value, as Python's `str()`. Lists and mappings too, as Ansible does.
    fn text(&self) -> Result<Str, Error> {
        match self {
            Given::Value(Value::Str(text)) => Ok(Str::clone(text)),
            Given::Value(value @ (Value::Null | Value::Omit | Value::Bytes(_))) => {
                Err(Error::wrong("text", value))
            }
            Given::Value(value) => Ok(value.to_string().into()),
            Given::Arguments(_) | Given::Group(..) => Err(Error::new("must be text, but is a mapping")),
        }
    }

    fn value(self) -> Value {
        match self {
            Given::Value(value) => value,
            Given::Arguments(map) | Given::Group(map, _) => Value::map(map.clone()),
        }
    }

    fn whole(self, min: i128, max: i128) -> Result<i128, Error> {
        let value = self.value();
        let number = match &value {
            Value::Int(it) => Some(i128::from(*it)),
            Value::Bool(it) => Some(i128::from(*it)),
            Value::Float(it) => from_float(*it),
            Value::Str(text) => {
                let text = text.trim().replace('_', "");
                text.parse().ok().or_else(|| text.parse().ok().and_then(from_float))
            }
            _ => None,
        };
        let number = number.ok_or_else(|| Error::wrong("a whole number", &value))?;
        if number < min || number > max {
            return Err(Error::wrong(&format!("a whole number from {min} to {max}"), &value));
        }
        Ok(number)
    }
}

/// A float without a fraction.
#[expect(clippy::cast_possible_truncation, reason = "checked: it has no fraction and fits")]
fn from_float(it: f64) -> Option<i128> {
    (it.fract() == 0.0 && it.abs() < 9.1e18).then_some(it as i128)
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(it) => Some(*it),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Float(it) if *it == 0.0 => Some(false),
        Value::Float(it) if *it == 1.0 => Some(true),
        Value::Str(text) => {
            let text = text.trim().to_lowercase();
            if TRUE.contains(&&*text) { Some(true) } else { FALSE.contains(&&*text).then_some(false) }
        }
        _ => None,
    }
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $type:ident;)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let number = self.whole(i128::from($type::MIN), i128::from($type::MAX))?;
            let number = $type::try_from(number).map_err(|_| Error::new("must be a smaller number"))?;
            visitor.$visit(number)
        }
    )* };
}

impl<'de> Deserializer<'de> for Given<'_> {
    type Error = Error;

    whole_numbers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value() {
            Value::Null | Value::Omit => visitor.visit_unit(),
            Value::Bool(it) => visitor.visit_bool(it),
            Value::Int(it) => visitor.visit_i64(it),
            Value::Float(it) => visitor.visit_f64(it),
            Value::Str(it) => visitor.visit_str(&it),
            Value::Bytes(it) => visitor.visit_bytes(&it),
            Value::List(items) => visitor.visit_seq(Items::new(&items)),
            Value::Map(map) => visitor.visit_map(Entries::new(&map)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.value();
        visitor.visit_bool(boolean(&value).ok_or_else(|| Error::wrong("true or false", &value))?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.value();
        let number = match &value {
            Value::Str(text) => text.trim().parse().ok(),
            Value::Float(it) => Some(*it),
            Value::Int(_) | Value::Bool(_) => {
                value.to_string().parse().ok().or(boolean(&value).map(f64::from))
            }
            _ => None,
        };
        visitor.visit_f64(number.ok_or_else(|| Error::wrong("a number", &value))?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Given::Value(Value::Null | Value::Omit) => visitor.visit_none(),
            given => visitor.visit_some(given),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Given::Group(map, known) = self else { return visitor.visit_newtype_struct(self) };
        if name != "Others" {
            return visitor.visit_newtype_struct(self);
        }
        known.open.set(true);
        let names = known.names.borrow();
        let rest = map.iter().filter(|(key, value)| !names.contains(&&***key) && **value != Value::Omit);
        let rest: Map = rest.map(|(key, value)| (Str::clone(key), value.clone())).collect();
        visitor.visit_newtype_struct(Given::Value(Value::map(rest)))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.value();
        match &value {
            Value::List(items) => visitor.visit_seq(Items::new(items)),
            Value::Str(text) => visitor.visit_seq(Items::new(&split_list(text))),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                visitor.visit_seq(Items::new(slice::from_ref(&value)))
            }
            _ => Err(Error::wrong("a list", &value)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Entries::new(&mapping(self.value())?))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Given::Arguments(map) => whole_struct(map, fields, visitor),
            Given::Group(map, known) => visitor.visit_map(Fields::new(map, fields, known)),
            Given::Value(value) => whole_struct(&mapping(value)?, fields, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = self.value();
        let choice = choose(&value, variants).ok_or_else(|| {
            let error = Error::wrong(&format!("one of {}", variants.join(", ")), &value);
            let near = value.as_str().and_then(|text| closest(text, variants));
            Error { help: near.map(|near| format!("did you mean `{near}`?")), ..error }
        })?;
        visitor.visit_enum(Variant(choice))
    }

    forward_to_deserialize_any! { char bytes byte_buf unit unit_struct identifier ignored_any i128 u128 }
}

/// The choice that a value names. YAML's `no` has become `false` before it comes here: it names `no`, `off` … if only
/// one of them is a choice.
fn choose(value: &Value, variants: &'static [&'static str]) -> Option<&'static str> {
    let text = match value {
        Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    if let Some(exact) = variants.iter().find(|variant| **variant == text) {
        return Some(exact);
    }
    let words = match (value, &*text) {
        (Value::Bool(true), _) | (_, "True") => TRUE,
        (Value::Bool(false), _) | (_, "False") => FALSE,
        _ => return None,
    };
    let mut fitting = variants.iter().filter(|variant| words.contains(variant));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

struct Variant(&'static str);

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Self;
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name: StrDeserializer<'_, Error> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

/// Choices are bare names.
impl<'de> VariantAccess<'de> for Variant {
    type Error = Error;
    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Error> {
        Err(Error::new(format!("`{}` takes a value", self.0)))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::new(format!("`{}` takes values", self.0)))
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(Error::new(format!("`{}` takes a mapping", self.0)))
    }
}

/// Reads a struct from a mapping of its own: no key may be left over. Complains of an unknown argument rather than of
/// one that is missing: the first is likely the second, misspelt.
fn whole_struct<'de, V: Visitor<'de>>(
    map: &Map,
    fields: &'static [&'static str],
    visitor: V,
) -> Result<V::Value, Error> {
    let known = Known::default();
    let read = visitor.visit_map(Fields::new(map, fields, &known));
    if known.open.get() || read.as_ref().is_err_and(|error| !error.missing) {
        return read;
    }
    let names = known.names.borrow();
    match map.keys().find(|key| !names.contains(&&***key)) {
        Some(key) => Err(Error::unknown(key, &names)),
        None => read,
    }
}

/// The names that a struct and its groups read.
pub(super) fn names_of<T: serde::de::DeserializeOwned>() -> Vec<&'static str> {
    let known = Known::default();
    let nothing = Map::new();
    // Groups are read before anything is missed.
    let _ = T::deserialize(Given::Group(&nothing, &known));
    known.names.into_inner().into_iter().filter(|name| !name.starts_with('@')).collect()
}

/// A struct's fields: first the groups, so that all names are known, then what is given.
struct Fields<'a> {
    map: &'a Map,
    fields: Vec<&'static str>,
    next: usize,
    known: &'a Known,
}

impl<'a> Fields<'a> {
    fn new(map: &'a Map, fields: &'static [&'static str], known: &'a Known) -> Fields<'a> {
        let (mut ordered, own): (Vec<_>, Vec<_>) = fields.iter().partition(|field| field.starts_with('@'));
        known.names.borrow_mut().extend(&own);
        ordered.extend(own);
        Fields { map, fields: ordered, next: 0, known }
    }

    fn given(&self, field: &str) -> bool {
        field.starts_with('@')
            || self.map.get(field).is_some_and(|value| !matches!(value, Value::Null | Value::Omit))
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while let Some(field) = self.fields.get(self.next) {
            self.next += 1;
            if self.given(field) {
                let name: StrDeserializer<'_, Error> = (*field).into_deserializer();
                return seed.deserialize(name).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let field = self.next.checked_sub(1).and_then(|at| self.fields.get(at)).copied().unwrap_or_default();
        if field.starts_with('@') {
            return seed.deserialize(Given::Group(self.map, self.known));
        }
        let value = self.map.get(field).cloned().unwrap_or_default();
        seed.deserialize(Given::Value(value)).map_err(|error| error.in_key(&field.into()))
    }
}

/// A mapping's entries, all of them.
struct Entries<'a> {
    entries: indexmap::map::Iter<'a, Str, Value>,
    current: Option<(&'a Str, &'a Value)>,
}

impl<'a> Entries<'a> {
    fn new(map: &'a Map) -> Entries<'a> {
        Entries { entries: map.iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.current = self.entries.next();
        let Some((key, _)) = self.current else { return Ok(None) };
        let read = seed.deserialize(Given::Value(Value::Str(Str::clone(key))));
        read.map(Some).map_err(|error| Error { at_key: true, ..error.in_key(key) })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((key, value)) = self.current else { return Err(Error::new("has a value without a key")) };
        seed.deserialize(Given::Value(value.clone())).map_err(|error| error.in_key(key))
    }
}

/// A list's items.
struct Items<'a> {
    items: slice::Iter<'a, Value>,
    at: usize,
}

impl<'a> Items<'a> {
    fn new(items: &'a [Value]) -> Items<'a> {
        Items { items: items.iter(), at: 0 }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        // An item that is `omit` is no item.
        let Some(item) = self.items.find(|item| **item != Value::Omit) else { return Ok(None) };
        let at = self.at;
        self.at += 1;
        seed.deserialize(Given::Value(item.clone())).map(Some).map_err(|error| error.in_index(at))
    }
}

/// "a, b" as a list; nothing in an empty text.
fn split_list(text: &str) -> Vec<Value> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    text.split(',').map(|item| Value::from(item.trim())).collect()
}

/// A mapping, or one written as text: JSON or "k=v, k2='v 2'".
fn mapping(value: Value) -> Result<Map, Error> {
    let text = match &value {
        Value::Map(_) => return Ok(value.into_map()),
        Value::Str(text) => text.trim(),
        _ => return Err(Error::wrong("a mapping", &value)),
    };
    if text.starts_with('{') {
        let json: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| Error::new(format!("must be a mapping, but is no valid JSON: {error}")))?;
        return Ok(Value::from(json).into_map());
    }
    pairs(text).ok_or_else(|| Error::wrong("a mapping", &value))
}

/// "k=v, k2='v 2'": pairs parted by commas or spaces, values maybe quoted.
fn pairs(text: &str) -> Option<Map> {
    let mut words = vec![String::new()];
    let (mut quote, mut escaped) = (None, false);
    for c in text.chars() {
        let word = words.last_mut()?;
        match c {
            _ if escaped => {
                word.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            c if quote == Some(c) => quote = None,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            ',' | ' ' | '\t' | '\n' if quote.is_none() => words.push(String::new()),
            c => word.push(c),
        }
    }
    let pairs = words.iter().filter(|word| !word.is_empty()).map(|word| word.split_once('='));
    let pairs: Option<Map> = pairs.map(|pair| pair.map(|(k, v)| (Str::from(k), Value::from(v)))).collect();
    pairs.filter(|map| !map.is_empty() && quote.is_none())
}
