//! From a mapping of values to an argument struct, with Ansible's coercions and the place of what is wrong.
//!
//! Argument structs are plain serde. A group of arguments that several modules share is a struct of its own in a field
//! that is renamed to begin with `@` (`#[serde(rename = "@file")] #[schemars(flatten)] file: FileAttributes`): its
//! arguments stand among the module's own. (`serde(flatten)` would lose names, coercions and positions.) A field
//! `#[serde(rename = "@others")] others: Others`, the last one, takes every argument that has no field.
//! An alias is `#[serde(alias = "dest")]` and, for the documentation, `#[schemars(extend("x-aliases" = ["dest"]))]`.

mod de;
#[cfg(feature = "controller")]
mod docs;
mod error;
mod path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer};

use super::Map;
use crate::value::Value;

#[cfg(feature = "controller")]
pub use docs::{ArgumentDoc, Choice, arguments};
pub use error::ArgError;
pub use path::{HostPath, expand};

/// Reads an argument struct. `null` and `omit` count as not given.
///
/// # Errors
/// The first argument that is unknown, missing, of the wrong type or not among the choices.
pub fn decode<T: DeserializeOwned>(args: &Map) -> Result<T, ArgError> {
    T::deserialize(de::Given::Arguments(args)).map_err(ArgError::from)
}

/// Every name that an argument struct reads, those of its groups and all other names included.
#[must_use]
pub fn names<T: DeserializeOwned>() -> Vec<&'static str> {
    de::names_of::<T>()
}

/// Reads one value as an argument of type `T` is read.
///
/// # Errors
/// A value of the wrong type.
pub fn decode_value<T: DeserializeOwned>(value: &Value) -> Result<T, ArgError> {
    T::deserialize(de::Given::Value(value.clone())).map_err(ArgError::from)
}

/// Every argument that has no field of its own, as given (`set_fact`, `add_host`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Others(pub Map);

impl<'de> Deserialize<'de> for Others {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Others, D::Error> {
        struct Rest;
        impl<'de> Visitor<'de> for Rest {
            type Value = Others;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("any arguments")
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Others, D::Error> {
                Map::deserialize(from).map(Others)
            }
        }
        from.deserialize_newtype_struct("Others", Rest)
    }
}

impl JsonSchema for Others {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Others".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": true})
    }
}

impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Any".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

impl JsonSchema for crate::secret::Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "writeOnly": true})
    }
}

#[cfg(test)]
mod tests;
