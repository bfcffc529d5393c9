//! The one dynamic value: finished data, never templated again.
//!
//! Text that may still hold a template is a `yaml::Node`, a different type; see docs/ARCHITECTURE.md.
//! Containers are reference-counted: cloning a value never copies a tree.

mod codec;
mod convert;
mod literal;
mod path;
mod wire;

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

pub use literal::parse_literal;
pub use path::{Path, Step};

/// Shared immutable text.
pub type Str = Arc<str>;

/// A mapping in insertion order. Keys are text: YAML's other scalar keys are kept as Python prints them.
pub type Map = IndexMap<Str, Value>;

/// Finished data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub enum Value {
    /// Python's `None`, YAML's `null`.
    #[default]
    Null,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Str(Str),
    /// Bytes that are not text.
    Bytes(Arc<[u8]>),
    /// A list.
    List(#[serde(deserialize_with = "wire::nested")] Arc<Vec<Value>>),
    /// A mapping.
    Map(#[serde(deserialize_with = "wire::nested")] Arc<Map>),
    /// `omit`: an argument with this value counts as not given.
    Omit,
}

impl Value {
    /// The name that Python's `type()` gives, as `type_debug` prints it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "dict",
            Value::Omit => "omit",
        }
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(it) => Some(*it),
            _ => None,
        }
    }

    /// The number, if it is a whole number.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(it) => Some(*it),
            _ => None,
        }
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The mapping, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// What stands under `key`, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// Whether Python would take the value as true.
    #[must_use]
    pub fn truthy(&self) -> bool {
        match self {
            Value::Null | Value::Omit => false,
            Value::Bool(it) => *it,
            Value::Int(it) => *it != 0,
            Value::Float(it) => *it != 0.0,
            Value::Str(it) => !it.is_empty(),
            Value::Bytes(it) => !it.is_empty(),
            Value::List(it) => !it.is_empty(),
            Value::Map(it) => !it.is_empty(),
        }
    }

    /// A list from its items.
    #[must_use]
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    /// A mapping.
    #[must_use]
    pub fn map(map: Map) -> Value {
        Value::Map(Arc::new(map))
    }

    /// A mapping from pairs.
    pub fn from_pairs<K: Into<Str>, V: Into<Value>>(pairs: impl IntoIterator<Item = (K, V)>) -> Value {
        Value::map(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

/// As Python's `str()` prints it: `None`, `True`, `[1, 'a']`, `{'k': 1.0}`; text stands bare.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Str(text) => f.write_str(text),
            other => write_repr(other, f),
        }
    }
}

fn write_repr(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Null => f.write_str("None"),
        Value::Omit => f.write_str("<<omit>>"),
        Value::Bool(true) => f.write_str("True"),
        Value::Bool(false) => f.write_str("False"),
        Value::Int(it) => write!(f, "{it}"),
        Value::Float(it) => f.write_str(&convert::python_float(*it)),
        Value::Str(it) => f.write_str(&convert::python_repr(it)),
        Value::Bytes(it) => write!(f, "b{}", convert::python_repr(&String::from_utf8_lossy(it))),
        Value::List(items) => {
            f.write_str("[")?;
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                write_repr(item, f)?;
            }
            f.write_str("]")
        }
        Value::Map(map) => {
            f.write_str("{")?;
            for (i, (key, item)) in map.iter().enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                write!(f, "{}: ", convert::python_repr(key))?;
                write_repr(item, f)?;
            }
            f.write_str("}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_python_does() {
        let value = Value::from_pairs([
            ("a", Value::list(vec![Value::from(1), Value::from("it's"), Value::Null])),
            ("b", Value::from(true)),
            ("c", Value::from(1.0)),
        ]);
        assert_eq!(value.to_string(), "{'a': [1, \"it's\", None], 'b': True, 'c': 1.0}");
        assert_eq!(Value::from("bare").to_string(), "bare");
        assert_eq!(Value::from(1e20).to_string(), "1e+20");
    }

    #[test]
    fn truth_is_pythons() {
        assert!(!Value::from("").truthy());
        assert!(Value::from("false").truthy());
        assert!(!Value::list(vec![]).truthy());
        assert!(!Value::from(0).truthy());
    }
}
