//! Which values Ansible takes for which type of argument, and what it makes of them.

use crate::playbook::keywords;
use crate::value::{Str, Value};

/// A value as a type wants it; none if it can't be that. An unknown type takes nothing.
pub(super) fn to(kind: &str, value: &Value) -> Option<Value> {
    match kind {
        "raw" => Some(value.clone()),
        "str" | "path" => (!matches!(value, Value::Null)).then(|| Value::from(value.to_string())),
        "int" => integer(value),
        "float" => float(value),
        "bool" => truth(value).map(Value::Bool),
        "list" => match value {
            Value::List(_) => Some(value.clone()),
            Value::Str(text) => Some(text.split(',').map(|part| Value::from(part.trim())).collect()),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                Some(std::iter::once(Value::from(value.to_string())).collect())
            }
            _ => None,
        },
        "dict" => dict(value),
        "json" | "jsonarg" => match value {
            Value::Str(_) | Value::List(_) | Value::Map(_) => Some(value.clone()),
            _ => None,
        },
        "bytes" => size(value, "B"),
        "bits" => size(value, "b"),
        _ => None,
    }
}

/// Python's name of a value's type.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Omit => "NoneType",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        Value::Str(_) => "str",
        Value::Bytes(_) => "bytes",
        Value::List(_) => "list",
        Value::Map(_) => "dict",
    }
}

/// Whether a choice is meant by a value: the same value, or the same text.
pub(super) fn same(choice: &Value, value: &Value) -> bool {
    choice == value
        || matches!(value, Value::Str(_)) && choice.to_string() == value.to_string()
        || matches!((choice, value), (Value::Bool(a), other) if truth(other) == Some(*a))
}

/// A truth value as arguments have it.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(it) => Some(*it),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Str(text) => keywords::truth(text.trim()),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) => Some(value.clone()),
        Value::Bool(it) => Some(Value::Int(i64::from(*it))),
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        Value::Float(it) if it.fract() == 0.0 && it.abs() < 9e15 => Some(Value::Int(*it as i64)),
        Value::Str(text) => text.trim().parse().ok().map(Value::Int),
        _ => None,
    }
}

fn float(value: &Value) -> Option<Value> {
    match value {
        Value::Float(_) => Some(value.clone()),
        #[expect(clippy::cast_precision_loss, reason = "Python does the same")]
        Value::Int(it) => Some(Value::Float(*it as f64)),
        Value::Str(text) => text.trim().parse().ok().map(Value::Float),
        _ => None,
    }
}

/// A mapping, JSON of one, or `key=value` pairs.
fn dict(value: &Value) -> Option<Value> {
    let text = match value {
        Value::Map(_) => return Some(value.clone()),
        Value::Str(text) => text.trim(),
        _ => return None,
    };
    if text.starts_with('{') {
        let parsed = serde_json::from_str::<serde_json::Value>(text).ok()?;
        return Some(Value::from(parsed));
    }
    let pairs = text.split([' ', ',']).filter(|part| !part.is_empty());
    let pairs: Option<Vec<(Str, Value)>> = pairs
        .map(|pair| pair.split_once('=').map(|(key, it)| (Str::from(key.trim()), Value::from(it.trim()))))
        .collect();
    pairs.filter(|pairs| !pairs.is_empty()).map(Value::from_pairs)
}

/// `10`, `1K`, `1.5 GB`: a number with a unit that ends in `unit` or leaves it out.
fn size(value: &Value, unit: &str) -> Option<Value> {
    let text = match value {
        Value::Int(_) => return Some(value.clone()),
        Value::Str(text) => text.trim(),
        _ => return None,
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = (text[..end].parse::<f64>().ok()?, text[end..].trim());
    let mut letters = suffix.chars();
    let power = match letters.next().map(|letter| letter.to_ascii_uppercase()) {
        None => 0,
        Some('B') if suffix.len() == 1 && (unit == "B" || suffix == "b") => 0,
        Some(letter) => "KMGTPEZY".find(letter)? + 1,
    };
    let rest = letters.as_str();
    if !rest.is_empty()
        && rest != unit
        && !matches!((rest, unit), ("bytes" | "byte", "B") | ("bits" | "bit", "b"))
    {
        return None;
    }
    Some(Value::Float(number * 1024f64.powi(i32::try_from(power).ok()?)))
}
