//! Between [`Value`] and Rust's own types, and to and from JSON. Python's way to print numbers and text.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Map, Str, Value};

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(Str::from(text))
    }
}
impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Str(Str::from(text))
    }
}
impl From<Str> for Value {
    fn from(text: Str) -> Value {
        Value::Str(text)
    }
}
impl From<bool> for Value {
    fn from(it: bool) -> Value {
        Value::Bool(it)
    }
}
impl From<i32> for Value {
    fn from(it: i32) -> Value {
        Value::Int(i64::from(it))
    }
}
impl From<u32> for Value {
    fn from(it: u32) -> Value {
        Value::Int(i64::from(it))
    }
}
impl From<i64> for Value {
    fn from(it: i64) -> Value {
        Value::Int(it)
    }
}
impl From<u64> for Value {
    /// Numbers over `i64::MAX` become floats, as JSON readers do.
    #[expect(clippy::cast_precision_loss, reason = "documented: too large for a whole number here")]
    fn from(it: u64) -> Value {
        i64::try_from(it).map_or(Value::Float(it as f64), Value::Int)
    }
}
impl From<usize> for Value {
    fn from(it: usize) -> Value {
        Value::from(it as u64)
    }
}
impl From<f64> for Value {
    fn from(it: f64) -> Value {
        Value::Float(it)
    }
}
impl From<Map> for Value {
    fn from(map: Map) -> Value {
        Value::map(map)
    }
}
impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        Value::list(items.into_iter().map(Into::into).collect())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(it: Option<T>) -> Value {
        it.map_or(Value::Null, Into::into)
    }
}
impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Value {
        Value::list(items.into_iter().collect())
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(it) => Value::Bool(it),
            Json::Number(it) => match (it.as_i64(), it.as_f64()) {
                (Some(whole), _) => Value::Int(whole),
                (None, Some(float)) => Value::Float(float),
                (None, None) => Value::from(it.to_string()),
            },
            Json::String(it) => Value::from(it),
            Json::Array(items) => items.into_iter().map(Value::from).collect(),
            Json::Object(map) => {
                Value::map(map.into_iter().map(|(k, v)| (Str::from(k), Value::from(v))).collect())
            }
        }
    }
}

impl From<&Value> for Json {
    /// Bytes become text (with replacement characters), `omit` becomes null, a float that JSON cannot say becomes text.
    fn from(value: &Value) -> Json {
        match value {
            Value::Null | Value::Omit => Json::Null,
            Value::Bool(it) => Json::Bool(*it),
            Value::Int(it) => Json::from(*it),
            Value::Float(it) => {
                serde_json::Number::from_f64(*it).map_or_else(|| Json::from(python_float(*it)), Json::Number)
            }
            Value::Str(it) => Json::from(&**it),
            Value::Bytes(it) => Json::from(String::from_utf8_lossy(it).into_owned()),
            Value::List(items) => Json::Array(items.iter().map(Json::from).collect()),
            Value::Map(map) => {
                Json::Object(map.iter().map(|(k, v)| (k.to_string(), Json::from(v))).collect())
            }
        }
    }
}

impl Value {
    /// The mapping itself, copied only when somebody else holds it too; anything else gives an empty one.
    #[must_use]
    pub fn into_map(self) -> Map {
        match self {
            Value::Map(map) => Arc::try_unwrap(map).unwrap_or_else(|shared| (*shared).clone()),
            _ => Map::new(),
        }
    }
}

/// A float as Python's `repr` writes it: `1.0`, `1e+20`, `0.1`, `inf`, `nan`.
pub(super) fn python_float(it: f64) -> String {
    if it.is_nan() {
        return "nan".into();
    }
    if it.is_infinite() {
        return if it > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let magnitude = it.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{it:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    let text = format!("{it}");
    if text.contains('.') { text } else { text + ".0" }
}

/// Text as Python's `repr` writes it: single quotes unless it has one and no double quote.
pub(super) fn python_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_python() {
        for (it, text) in [
            (0.0, "0.0"),
            (1.5, "1.5"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (-2.5e-7, "-2.5e-07"),
        ] {
            assert_eq!(python_float(it), text);
        }
    }

    #[test]
    fn json_goes_there_and_back() {
        let json: Json = serde_json::json!({"a": [1, 2.5, null, true, "x"], "b": {}});
        assert_eq!(Json::from(&Value::from(json.clone())), json);
    }
}
