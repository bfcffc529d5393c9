//! Python's methods on values: `'a,b'.split(',')`, `d.items()`, `l.index(x)`.
//!
//! Those that change a list or a dictionary in place are not here: finished values never change.

mod format;
mod text;

#[cfg(test)]
mod tests;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::filters::{Args, Outcome, python};

/// A method: its name, its signature (as a filter's; the value comes first), the function.
struct Method(&'static str, &'static str, fn(&Args) -> Outcome);

const DICTIONARY: &[Method] = &[
    Method("keys", "value", |a| Ok(a.pairs("value")?.into_iter().map(|(key, _)| key).collect())),
    Method("values", "value", |a| Ok(a.pairs("value")?.into_iter().map(|(_, value)| value).collect())),
    Method("items", "value", |a| {
        Ok(a.pairs("value")?.into_iter().map(|(k, v)| python::pair(k, v)).collect())
    }),
    Method("get", "value, key, default=", get),
    Method("copy", "value", |a| Ok(Value::from_pairs(a.pairs("value")?))),
];

const LIST: &[Method] = &[
    Method("index", "value, item, start=, stop=", index),
    Method("count", "value, item", count),
    Method("copy", "value", |a| Ok(python::list(a.items("value")?))),
];

const NUMBER: &[Method] = &[
    Method("is_integer", "value", |a| Ok(whole(a).is_some().into())),
    Method("bit_length", "value", |a| Ok(python::as_int(&a.value("value")).map_or(0, bits).into())),
];

const BYTES: &[Method] = &[
    Method("decode", "value, encoding=, errors=", text::decode),
    Method("hex", "value", |a| {
        Ok(bytes(&a.value("value")).iter().map(|b| format!("{b:02x}")).collect::<String>().into())
    }),
];

/// The methods of lists and mappings that a template makes itself, of dates and of loops; and those of the engine.
const OTHERS: &[&str] = &[
    "__delitem__",
    "__setitem__",
    "append",
    "changed",
    "clear",
    "cycle",
    "extend",
    "insert",
    "isoformat",
    "isoweekday",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "strftime",
    "timestamp",
    "total_seconds",
    "update",
    "weekday",
];

/// The names of all methods.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let tables = [text::METHODS, BYTES, DICTIONARY, LIST, NUMBER];
    tables.into_iter().flatten().map(|method| method.0).chain(OTHERS.iter().copied())
}

/// Whether some value has a method of this name.
pub(crate) fn exists(name: &str) -> bool {
    names().any(|known| known == name)
}

/// Calls a method that the engine does not know.
///
/// # Errors
/// `UnknownMethod` if the value has no such method; what the method says otherwise.
pub fn call(_: &mut State<'_, '_>, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    let methods = match value.kind() {
        ValueKind::String => text::METHODS,
        ValueKind::Bytes => BYTES,
        ValueKind::Map => DICTIONARY,
        ValueKind::Seq | ValueKind::Iterable => LIST,
        ValueKind::Number | ValueKind::Bool => NUMBER,
        _ => &[],
    };
    match methods.iter().find(|method| method.0 == name) {
        Some(Method(name, signature, call)) => {
            let values = std::iter::once(value).chain(args).cloned().collect();
            let args = Args::bind(name, signature, values)?;
            python::watched(|| call(&args))
        }
        None => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn bytes(value: &Value) -> &[u8] {
    value.as_bytes().unwrap_or_default()
}

fn get(args: &Args) -> Outcome {
    let found = python::item(&args.value("value"), &args.value("key"))?;
    Ok(if found.is_undefined() { args.value("default") } else { found })
}

/// A position as Python's slices take it: negative ones count from the end, and none is beyond the ends.
fn position(args: &Args, name: &str, length: usize, default: usize) -> Outcome<usize> {
    let Some(at) = args.int(name)? else { return Ok(default) };
    let from_end = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(if at < 0 { length.saturating_sub(from_end) } else { from_end.min(length) })
}

fn index(args: &Args) -> Outcome {
    let items = args.items("value")?;
    let wanted = args.value("item");
    let start = position(args, "start", items.len(), 0)?;
    let stop = position(args, "stop", items.len(), items.len())?;
    let found = items.iter().take(stop).skip(start).position(|item| *item == wanted);
    match found {
        Some(at) => Ok((start + at).into()),
        None => Err(args.fail(format!("{} is not in list", python::repr(&wanted)))),
    }
}

fn count(args: &Args) -> Outcome {
    let wanted = args.value("item");
    Ok(args.items("value")?.iter().filter(|item| **item == wanted).count().into())
}

fn whole(args: &Args) -> Option<f64> {
    python::as_float(&args.value("value")).filter(|it| it.fract() == 0.0)
}

fn bits(number: i128) -> u32 {
    i128::BITS - number.unsigned_abs().leading_zeros()
}
