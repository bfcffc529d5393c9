//! JSON as Python's `json` module writes and reads it. Not for the wire: that is serde_json's own.

use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::python::{self, fail, float_text, list, sort_by_key};
use super::{Args, Filter, Outcome, filter};

const OPTIONS: &str = "a, indent=, sort_keys=, ensure_ascii=, separators=, skipkeys=, allow_nan=, preprocess_unsafe=, vault_to_text=";

pub(super) const FILTERS: &[Filter] = &[
    filter("to_json", OPTIONS, to_json, "the value as JSON on one line"),
    filter("to_nice_json", OPTIONS, to_nice_json, "the value as indented JSON with sorted keys"),
    filter("tojson", "value, indent=", tojson, "the value as JSON that is safe inside HTML"),
    filter("from_json", "s", from_json, "the value that a JSON text says"),
];

/// How `json.dumps` is told to write.
pub(crate) struct Style {
    /// What one level is indented by; none: all on one line.
    pub(crate) indent: Option<String>,
    /// Whether keys are sorted.
    pub(crate) sort_keys: bool,
    /// Whether everything over ASCII is escaped.
    pub(crate) ascii: bool,
    /// Between items, and between key and value.
    pub(crate) separators: (String, String),
}

impl Style {
    fn from_args(args: &Args, indent: Option<usize>, sort_keys: bool) -> Outcome<Style> {
        let indent = match args.get("indent") {
            None => indent.map(|it| " ".repeat(it)),
            Some(value) if value.is_none() => None,
            Some(value) if value.kind() == ValueKind::String => Some(python::text(value)),
            Some(_) => args.size("indent")?.map(|it| " ".repeat(it)),
        };
        let separators = match args.some("separators").map(python::items).transpose()?.as_deref() {
            Some([item, key]) => (python::text(item), python::text(key)),
            Some(_) => return Err(args.fail("'separators' are two texts")),
            None if indent.is_some() => (",".into(), ": ".into()),
            None => (", ".into(), ": ".into()),
        };
        let (sort_keys, ascii) = (args.flag("sort_keys", sort_keys), args.flag("ensure_ascii", true));
        Ok(Style { indent, sort_keys, ascii, separators })
    }

    /// The value as JSON.
    ///
    /// # Errors
    /// For what JSON cannot say: bytes that are no text, undefined values, keys that are containers.
    pub(crate) fn dump(&self, value: &Value) -> Outcome<String> {
        let mut out = String::new();
        self.write(&mut out, value, 0)?;
        Ok(out)
    }

    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Outcome<()> {
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&number(value)),
            ValueKind::String => self.quote(out, value.as_str().unwrap_or_default()),
            ValueKind::Bytes => {
                let bytes = value.as_bytes().unwrap_or_default();
                let text =
                    std::str::from_utf8(bytes).map_err(|_| fail("bytes that are no text have no JSON"))?;
                self.quote(out, text);
            }
            ValueKind::Seq | ValueKind::Iterable => {
                let items = python::items(value)?;
                self.block(out, ('[', ']'), items.len(), depth, |this, out, at| {
                    this.write(out, &items[at], depth + 1)
                })?;
            }
            ValueKind::Map => {
                let entries = self.entries(value)?;
                self.block(out, ('{', '}'), entries.len(), depth, |this, out, at| {
                    let (key, item) = &entries[at];
                    this.quote(out, key);
                    out.push_str(&this.separators.1);
                    this.write(out, item, depth + 1)
                })?;
            }
            ValueKind::Undefined => return Err(fail("an undefined value has no JSON")),
            _ => self.quote(out, &value.to_string()),
        }
        Ok(())
    }

    fn block(
        &self,
        out: &mut String,
        (open, close): (char, char),
        count: usize,
        depth: usize,
        item: impl Fn(&Style, &mut String, usize) -> Outcome<()>,
    ) -> Outcome<()> {
        out.push(open);
        for at in 0..count {
            if at > 0 {
                out.push_str(&self.separators.0);
            }
            self.new_line(out, depth + 1);
            item(self, out, at)?;
        }
        if count > 0 {
            self.new_line(out, depth);
        }
        out.push(close);
        Ok(())
    }

    fn new_line(&self, out: &mut String, depth: usize) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    }

    fn entries(&self, map: &Value) -> Outcome<Vec<(String, Value)>> {
        let mut pairs = python::pairs(map)?;
        if self.sort_keys {
            let mut keyed: Vec<(Value, (Value, Value))> =
                pairs.into_iter().map(|(key, value)| (key.clone(), (key, value))).collect();
            sort_by_key(&mut keyed)?;
            pairs = keyed.into_iter().map(|(_, pair)| pair).collect();
        }
        pairs.into_iter().map(|(key, value)| Ok((key_text(&key)?, value))).collect()
    }

    fn quote(&self, out: &mut String, text: &str) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                c if (c as u32) < 0x20 || (self.ascii && c as u32 > 0x7e) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

fn number(value: &Value) -> String {
    match python::as_int(value) {
        Some(whole) => whole.to_string(),
        None => match python::as_float(value).unwrap_or(f64::NAN) {
            it if it.is_nan() => "NaN".into(),
            it if it.is_infinite() => {
                if it > 0.0 {
                    "Infinity".into()
                } else {
                    "-Infinity".into()
                }
            }
            it => float_text(it),
        },
    }
}

fn key_text(key: &Value) -> Outcome<String> {
    Ok(match key.kind() {
        ValueKind::String => python::text(key),
        ValueKind::None => "null".into(),
        ValueKind::Bool => {
            if key.is_true() {
                "true".into()
            } else {
                "false".into()
            }
        }
        ValueKind::Number => number(key),
        _ => {
            return Err(fail(format!(
                "keys must be str, int, float, bool or None, not {}",
                python::type_name(key)
            )));
        }
    })
}

fn to_json(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = Style::from_args(args, None, false)?.dump(&args.value("a"));
    Ok(text.map_err(|error| args.fail(error.detail().unwrap_or_default()))?.into())
}

fn to_nice_json(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = Style::from_args(args, Some(4), true)?.dump(&args.value("a"));
    Ok(text.map_err(|error| args.fail(error.detail().unwrap_or_default()))?.into())
}

fn tojson(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let indent = args.size("indent")?.map(|it| " ".repeat(it));
    let between = if indent.is_some() { "," } else { ", " };
    let style = Style { indent, sort_keys: true, ascii: true, separators: (between.into(), ": ".into()) };
    let text = style.dump(&args.value("value")).map_err(|e| args.fail(e.detail().unwrap_or_default()))?;
    let safe =
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
    Ok(safe.into())
}

fn from_json(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let json =
        serde_json::from_str(&args.text("s")).map_err(|error| args.fail(format!("no JSON: {error}")))?;
    Ok(from_serde(json))
}

/// A value as JSON on one line, as Python's `json.dumps` writes it.
pub(super) fn text(value: &Value) -> Outcome<String> {
    let separators = (", ".into(), ": ".into());
    Style { indent: None, sort_keys: false, ascii: true, separators }.dump(value)
}

/// A value from what serde_json read.
pub(crate) fn from_serde(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(it) => it.into(),
        serde_json::Value::Number(it) => match (it.as_i64(), it.as_u64()) {
            (Some(it), _) => it.into(),
            (None, Some(it)) => it.into(),
            (None, None) => it.as_f64().unwrap_or(f64::NAN).into(),
        },
        serde_json::Value::String(it) => it.into(),
        serde_json::Value::Array(items) => list(items.into_iter().map(from_serde).collect()),
        serde_json::Value::Object(map) => Value::from_pairs(map.into_iter().map(|(k, v)| (k, from_serde(v)))),
    }
}

/// A value as serde_json has it.
///
/// # Errors
/// For what JSON cannot say, and for values that could not be made.
pub(crate) fn to_serde(value: &Value) -> Outcome<serde_json::Value> {
    Ok(match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            python::items(value)?.iter().map(to_serde).collect::<Outcome<_>>()?
        }
        ValueKind::Map => {
            let entry = |(key, item): (Value, Value)| Ok((key_text(&key)?, to_serde(&item)?));
            serde_json::Value::Object(python::pairs(value)?.into_iter().map(entry).collect::<Outcome<_>>()?)
        }
        ValueKind::Undefined => return Err(fail("an undefined value has no JSON")),
        _ => serde_json::to_value(value).map_err(|error| fail(error.to_string()))?,
    })
}
