//! Python's view of template values: how they print, compare, sort and iterate. No filter is here.
//!
//! Used by the filters, the tests, the methods, and by whoever writes a value into text.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind};

/// What a filter, a test or a method gives.
pub(crate) type Outcome<T = Value> = Result<T, Error>;

/// An error of the kind that wrong operands give.
pub(crate) fn fail(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

thread_local! {
    /// The first value that could not be printed since the innermost [`watched`] began.
    static BROKEN: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Runs a call and fails if a value was printed in it that stands for an error, or that is undefined inside a list.
///
/// # Errors
/// That error, or what the call gives.
pub(crate) fn watched<T>(call: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let before = BROKEN.take();
    let result = call();
    match BROKEN.replace(before) {
        Some(error) => Err(error),
        None => result,
    }
}

fn broken(value: &Value) {
    let error = match valid(value.clone()) {
        Err(error) => error,
        Ok(_) => Error::new(ErrorKind::UndefinedError, "a value is undefined"),
    };
    BROKEN.with_borrow_mut(|first| {
        first.get_or_insert(error);
    });
}

/// As Python's `str()` prints it: text stands bare, everything else as [`repr`].
#[must_use]
pub fn text(value: &Value) -> String {
    match value.kind() {
        ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::Undefined => String::new(),
        _ => repr(value),
    }
}

/// As Python's `repr()` prints it: `None`, `True`, `1e+20`, `'it'`, `{'a': [1, 2.0]}`, `(1,)`.
#[must_use]
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value);
    out
}

fn write_repr(out: &mut String, value: &Value) {
    match value.kind() {
        ValueKind::String => write_quoted(out, value.as_str().unwrap_or_default()),
        ValueKind::Number if !value.is_integer() => out.push_str(&float_text(as_float(value).unwrap_or(0.0))),
        ValueKind::Bytes => {
            out.push('b');
            write_bytes(out, value.as_bytes().unwrap_or_default());
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let tuple = is_tuple(value);
            out.push(if tuple { '(' } else { '[' });
            let mut count = 0;
            for item in value.try_iter().into_iter().flatten() {
                if count > 0 {
                    out.push_str(", ");
                }
                write_repr(out, &item);
                count += 1;
            }
            if tuple && count == 1 {
                out.push(',');
            }
            out.push(if tuple { ')' } else { ']' });
        }
        ValueKind::Map => {
            out.push('{');
            for (i, (key, item)) in pairs(value).into_iter().flatten().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_repr(out, &key);
                out.push_str(": ");
                write_repr(out, &item);
            }
            out.push('}');
        }
        ValueKind::Invalid | ValueKind::Undefined => broken(value),
        _ => out.push_str(&value.to_string()),
    }
}

/// A float as Python prints it: `1.0`, `1e+20`, `inf`.
#[must_use]
pub fn float_text(it: f64) -> String {
    crate::value::Value::Float(it).to_string()
}

fn write_quoted(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
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
            c if is_printable(c) => out.push(c),
            c => match c as u32 {
                code @ 0..=0xff => out.push_str(&format!("\\x{code:02x}")),
                code @ 0x100..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    out.push(quote);
}

fn write_bytes(out: &mut String, bytes: &[u8]) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    out.push(quote);
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b if b as char == quote => {
                out.push('\\');
                out.push(quote);
            }
            0x20..=0x7e => out.push(byte as char),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push(quote);
}

/// Whether Python calls the character printable.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // The standard library escapes by the same Unicode categories; a leading letter keeps combining marks as they are.
    !format!("{:?}", format!("a{c}")).contains("\\u{")
}

/// Whether Python's `str.isspace()` and `str.strip()` take the character as white space.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// Python's `str.splitlines()`: all its line ends; each line with its end if `keep_ends`.
pub(crate) fn split_lines(text: &str, keep_ends: bool) -> Vec<&str> {
    const ENDS: [char; 9] = ['\n', '\r', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}'];
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c| ENDS.contains(&c) || c == '\u{2029}') {
        let end_len = if rest[at..].starts_with("\r\n") {
            2
        } else {
            rest[at..].chars().next().map_or(1, char::len_utf8)
        };
        lines.push(&rest[..if keep_ends { at + end_len } else { at }]);
        rest = &rest[at + end_len..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// The name that Python's `type()` gives.
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "AnsibleUndefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq if is_tuple(value) => "tuple",
        ValueKind::Seq | ValueKind::Iterable => "list",
        ValueKind::Map => "dict",
        _ => "object",
    }
}

/// The number, also of a boolean; none for anything else.
pub(crate) fn as_float(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        _ => None,
    }
}

/// The whole number, also of a boolean; none for floats and anything else.
pub(crate) fn as_int(value: &Value) -> Option<i128> {
    match value.kind() {
        ValueKind::Bool => Some(i128::from(value.is_true())),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok(),
        _ => None,
    }
}

/// A whole number as a value, in the smallest of the engine's representations.
pub(crate) fn int(it: i128) -> Value {
    i64::try_from(it).map_or_else(|_| Value::from(it), Value::from)
}

/// A list.
pub(crate) fn list(items: Vec<Value>) -> Value {
    Value::from(items)
}

/// A tuple of two.
pub(crate) fn pair(a: impl Into<Value>, b: impl Into<Value>) -> Value {
    Value::from((a.into(), b.into()))
}

/// One group of `groupby`: a pair whose parts also have names.
#[derive(Debug)]
pub(crate) struct Group {
    /// What its items have in common.
    pub(crate) grouper: Value,
    /// Its items.
    pub(crate) list: Value,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_usize(), key.as_str()) {
            (Some(0), _) | (_, Some("grouper")) => Some(self.grouper.clone()),
            (Some(1), _) | (_, Some("list")) => Some(self.list.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&repr(&pair(self.grouper.clone(), self.list.clone())))
    }
}

fn is_tuple(value: &Value) -> bool {
    value.is_tuple() || value.downcast_object_ref::<Group>().is_some()
}

/// Whether it is a list, a tuple or an iterator.
pub(crate) fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// What Python's `for` gives: items of a list, keys of a mapping, characters of a text.
///
/// # Errors
/// For what has no items.
pub(crate) fn items(value: &Value) -> Outcome<Vec<Value>> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::String => {
            value.try_iter()?.checked().collect()
        }
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "the value is undefined")),
        _ => Err(fail(format!("'{}' object is not iterable", type_name(value)))),
    }
}

/// The entries of a mapping.
///
/// # Errors
/// For anything else.
pub(crate) fn pairs(value: &Value) -> Outcome<Vec<(Value, Value)>> {
    if value.kind() != ValueKind::Map {
        return Err(fail(format!("expected a dictionary, not '{}'", type_name(value))));
    }
    let keys: Vec<Value> = value.try_iter()?.checked().collect::<Outcome<_>>()?;
    keys.into_iter().map(|key| item(value, &key).map(|item| (key, item))).collect()
}

/// Python's order.
///
/// # Errors
/// For types that Python does not order: `'<' not supported between instances of 'int' and 'str'`.
pub(crate) fn compare(a: &Value, b: &Value) -> Outcome<Ordering> {
    if let (Some(a), Some(b)) = (as_int(a), as_int(b)) {
        return Ok(a.cmp(&b));
    }
    if let (Some(a), Some(b)) = (as_float(a), as_float(b)) {
        return Ok(a.partial_cmp(&b).unwrap_or(Ordering::Equal));
    }
    match (a.kind(), b.kind()) {
        (ValueKind::String, ValueKind::String) | (ValueKind::Bytes, ValueKind::Bytes) => {
            Ok(a.as_bytes().cmp(&b.as_bytes()))
        }
        (ValueKind::Seq | ValueKind::Iterable, ValueKind::Seq | ValueKind::Iterable)
            if a.is_tuple() == b.is_tuple() =>
        {
            let (a, b) = (items(a)?, items(b)?);
            for (x, y) in a.iter().zip(&b) {
                if x != y {
                    return compare(x, y);
                }
            }
            Ok(a.len().cmp(&b.len()))
        }
        _ => Err(fail(format!(
            "'<' not supported between instances of '{}' and '{}'",
            type_name(a),
            type_name(b)
        ))),
    }
}

/// Sorts stably by Python's order of the keys. The standard sort may panic where an order fails midway, this one stops.
///
/// # Errors
/// As [`compare`].
pub(crate) fn sort_by_key<T: Clone>(items: &mut Vec<(Value, T)>) -> Outcome<()> {
    if items.len() < 2 {
        return Ok(());
    }
    let mut right = items.split_off(items.len() / 2);
    sort_by_key(items)?;
    sort_by_key(&mut right)?;
    let mut merged = Vec::with_capacity(items.len() + right.len());
    let (mut i, mut j) = (0, 0);
    while i < items.len() && j < right.len() {
        if compare(&right[j].0, &items[i].0)? == Ordering::Less {
            merged.push(right[j].clone());
            j += 1;
        } else {
            merged.push(items[i].clone());
            i += 1;
        }
    }
    merged.extend_from_slice(&items[i..]);
    merged.extend_from_slice(&right[j..]);
    *items = merged;
    Ok(())
}

/// The value with text in lower case, for orders that ignore case.
pub(crate) fn fold_case(value: &Value) -> Value {
    match value.kind() {
        ValueKind::String => Value::from(value.as_str().unwrap_or_default().to_lowercase()),
        _ => value.clone(),
    }
}

/// What `x.a.0.b` finds; undefined where a step finds nothing. `path` may also be a number.
///
/// # Errors
/// If what is found could not be made, as a variable whose template fails.
pub(crate) fn attribute(value: &Value, path: &Value) -> Outcome {
    let Some(text) = path.as_str().filter(|_| path.kind() == ValueKind::String) else {
        return item(value, path);
    };
    let mut found = value.clone();
    for step in text.split('.') {
        let key = match step.parse::<i64>() {
            Ok(index) if step.bytes().all(|b| b.is_ascii_digit()) => Value::from(index),
            _ => Value::from(step),
        };
        found = item(&found, &key)?;
    }
    Ok(found)
}

/// What stands under a key or an index; undefined if nothing does.
///
/// # Errors
/// If it could not be made, as a variable whose template fails.
pub(crate) fn item(value: &Value, key: &Value) -> Outcome {
    if value.is_undefined() { Ok(Value::UNDEFINED) } else { valid(value.get_item(key).unwrap_or_default()) }
}

/// The value, unless it stands for an error.
///
/// # Errors
/// The error that it stands for.
pub(crate) fn valid(value: Value) -> Outcome {
    if value.kind() != ValueKind::Invalid {
        return Ok(value);
    }
    // Only the engine's own loops give the error out.
    let mut found = Value::from(vec![value]).try_iter()?.checked();
    found.next().unwrap_or_else(|| Err(fail("a value could not be made")))
}

/// Keeps the first of equal values.
pub(crate) fn unique(items: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut seen = Distinct::default();
    items.into_iter().filter(|item| seen.insert(item)).collect()
}

/// The values met so far; quick for scalars, a search for containers.
#[derive(Default)]
pub(crate) struct Distinct {
    scalars: std::collections::HashSet<Value>,
    others: Vec<Value>,
}

impl Distinct {
    /// Notes a value; whether it is new.
    pub(crate) fn insert(&mut self, value: &Value) -> bool {
        if value.as_object().is_none() {
            let key = if value.kind() == ValueKind::Bool {
                Value::from(i64::from(value.is_true()))
            } else {
                value.clone()
            };
            return self.scalars.insert(key);
        }
        if self.others.contains(value) {
            return false;
        }
        self.others.push(value.clone());
        true
    }
}
