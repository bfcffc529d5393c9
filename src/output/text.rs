//! JSON as Python prints it, for the lines that people compare.

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

use crate::value::{Map, Value};

/// Indented by four, as `debug` shows a value.
pub(super) fn pretty(fields: &Map) -> String {
    write(fields, PrettyFormatter::with_indent(b"    "))
}

/// On one line with a space after commas and colons.
pub(super) fn line(fields: &Map) -> String {
    write(fields, Spaced)
}

fn write<F: Formatter>(fields: &Map, formatter: F) -> String {
    let value = serde_json::Value::from(&Value::map(fields.clone()));
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(error) => error.to_string(),
    }
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_pythons_spaces() {
        let fields =
            Map::from_iter([("a".into(), Value::list(vec![1.into(), 2.into()])), ("b".into(), "x".into())]);
        assert_eq!(line(&fields), r#"{"a": [1, 2], "b": "x"}"#);
    }
}
