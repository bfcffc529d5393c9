//! From minijinja's values back to finished data, and how values print in text.

use std::sync::Arc;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use crate::value::{Map, Str, Value as Data};

use super::error::TemplateError;
use super::object::{Dict, List, NodeDict, NodeList, Omit, Variables};

/// The finished data of a value. `omit` in a source node's containers is dropped, elsewhere it is kept.
///
/// # Errors
/// If something in it is undefined or fails to render.
pub(super) fn to_data(value: &Value) -> Result<Data, Error> {
    convert(value, 0)
}

/// How deep data may be nested: a list that holds itself is deeper.
const DEPTH: usize = 150;

fn convert(value: &Value, depth: usize) -> Result<Data, Error> {
    if depth > DEPTH {
        return Err(Error::new(ErrorKind::InvalidOperation, "the value is nested too deeply"));
    }
    match value.kind() {
        ValueKind::None => Ok(Data::Null),
        ValueKind::Bool => Ok(Data::Bool(value.is_true())),
        ValueKind::Number => Ok(number(value)),
        ValueKind::String => Ok(value.to_str().map_or(Data::Null, Data::Str)),
        ValueKind::Bytes => Ok(Data::Bytes(Arc::from(value.as_bytes().unwrap_or_default()))),
        ValueKind::Seq | ValueKind::Iterable => list(value, depth + 1),
        ValueKind::Map => map(value, depth + 1),
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "a value is undefined")),
        ValueKind::Invalid => Err(invalid(value)),
        _ if value.downcast_object_ref::<Omit>().is_some() => Ok(Data::Omit),
        _ => Ok(Data::from(value.to_string())),
    }
}

/// Whether a list or mapping that a template made holds something undefined. Finished data and source nodes are not
/// looked into: the one never does, the other tell it themselves.
pub(super) fn holds_undefined(value: &Value) -> bool {
    undefined_within(value, 0)
}

fn undefined_within(value: &Value, depth: usize) -> bool {
    let within = |item: Value| depth < DEPTH && undefined_within(&item, depth + 1);
    let ours = || {
        value.downcast_object_ref::<List>().is_some()
            || value.downcast_object_ref::<Dict>().is_some()
            || value.downcast_object_ref::<NodeList>().is_some()
            || value.downcast_object_ref::<NodeDict>().is_some()
            || value.downcast_object_ref::<Variables>().is_some()
    };
    match value.kind() {
        ValueKind::Undefined => true,
        ValueKind::Seq if !ours() => value.try_iter().is_ok_and(|mut items| items.any(within)),
        ValueKind::Map if !ours() => value
            .as_object()
            .and_then(minijinja::value::DynObject::try_iter_pairs)
            .is_some_and(|mut pairs| pairs.any(|(_, item)| within(item))),
        _ => false,
    }
}

/// The error inside an invalid value.
fn invalid(value: &Value) -> Error {
    // minijinja gives it out only where an evaluation starts with such a value.
    let fallback = || Error::new(ErrorKind::InvalidOperation, value.to_string());
    let environment = Environment::empty();
    match environment.compile_expression("0") {
        Ok(expression) => expression.eval(value.clone()).err().unwrap_or_else(fallback),
        Err(_) => fallback(),
    }
}

fn number(value: &Value) -> Data {
    if value.is_integer() {
        if let Some(whole) = value.as_i64() {
            return Data::Int(whole);
        }
        return f64::try_from(value.clone()).map_or_else(|_| Data::from(value.to_string()), Data::Float);
    }
    f64::try_from(value.clone()).map_or(Data::Null, Data::Float)
}

fn list(value: &Value, depth: usize) -> Result<Data, Error> {
    if let Some(list) = value.downcast_object_ref::<List>() {
        return Ok(Data::List(list.0.clone()));
    }
    if let Some(list) = value.downcast_object_ref::<NodeList>() {
        return list.context.list(&list.items).map_err(TemplateError::into_jinja);
    }
    let mut items = Vec::with_capacity(value.len().unwrap_or(0).min(1024));
    for item in value.try_iter()? {
        items.push(convert(&item, depth)?);
    }
    Ok(Data::list(items))
}

fn map(value: &Value, depth: usize) -> Result<Data, Error> {
    if let Some(dict) = value.downcast_object_ref::<Dict>() {
        return Ok(Data::Map(dict.0.clone()));
    }
    if let Some(dict) = value.downcast_object_ref::<NodeDict>() {
        return dict.context.dict(&dict.map).map_err(TemplateError::into_jinja);
    }
    let Some(object) = value.as_object() else { return Ok(Data::Null) };
    let mut map = Map::with_capacity(value.len().unwrap_or(0).min(1024));
    for (key, item) in object.try_iter_pairs().into_iter().flatten() {
        let key = match key.to_str() {
            Some(text) if key.kind() == ValueKind::String => text,
            _ => match convert(&key, depth)? {
                Data::Str(text) => text,
                other => Str::from(other.to_string()),
            },
        };
        map.insert(key, convert(&item, depth)?);
    }
    Ok(Data::map(map))
}

/// How a value prints in text: as Python's `str()`, but nothing for `None`.
///
/// # Errors
/// If something in it is undefined or fails to render.
pub(super) fn print(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => Ok(String::new()),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map if !value.is_tuple() => {
            Ok(to_data(value)?.to_string())
        }
        ValueKind::Number if !value.is_integer() => Ok(number(value).to_string()),
        ValueKind::Invalid => Err(invalid(value)),
        _ => Ok(value.to_string()),
    }
}

/// A value as Python's `str()` gives it.
///
/// # Errors
/// If something in it is undefined or fails to render.
pub(super) fn text(value: &Value) -> Result<String, Error> {
    if value.is_none() { Ok("None".into()) } else { print(value) }
}

/// A value as Python's `repr()` gives it.
///
/// # Errors
/// If something in it is undefined or fails to render.
pub(super) fn repr(value: &Value) -> Result<String, Error> {
    if value.kind() == ValueKind::String { Ok(format!("{value:?}")) } else { text(value) }
}

/// The name that Python's `type()` gives.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "undefined",
        ValueKind::None => "None",
        ValueKind::Bool => "a bool",
        ValueKind::Number if value.is_integer() => "an int",
        ValueKind::Number => "a float",
        ValueKind::String => "text",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a mapping",
        _ => "an object",
    }
}
