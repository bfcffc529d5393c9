//! YAML out, letter for letter as PyYAML on libyaml writes it: its quoting, folding, indentation and flow style.
//!
//! Not for reading, and not for files of our own. `template` uses it for `to_yaml` and `to_nice_yaml`.

mod scalar;
mod writer;

use crate::value::Value;

use writer::Writer;

/// What is written. Unlike [`Value`] its keys may be anything.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Str(String),
    /// Bytes that are not text: written in base64.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Tree>),
    /// A mapping.
    Map(Vec<(Tree, Tree)>),
}

impl From<&Value> for Tree {
    fn from(value: &Value) -> Tree {
        match value {
            Value::Null | Value::Omit => Tree::Null,
            Value::Bool(it) => Tree::Bool(*it),
            Value::Int(it) => Tree::Int((*it).into()),
            Value::Float(it) => Tree::Float(*it),
            Value::Str(it) => Tree::Str(it.to_string()),
            Value::Bytes(it) => Tree::Bytes(it.to_vec()),
            Value::List(items) => Tree::List(items.iter().map(Tree::from).collect()),
            Value::Map(map) => {
                Tree::Map(map.iter().map(|(key, value)| (Tree::Str(key.to_string()), value.into())).collect())
            }
        }
    }
}

/// Which containers are written in brackets. Empty ones and those inside others in brackets always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// None.
    Never,
    /// Those that hold no other containers.
    Leaves,
    /// All.
    Always,
}

/// How to write.
#[derive(Clone, Debug)]
pub struct Options {
    /// Columns a level; from 2 to 9, else 2.
    pub indent: usize,
    /// Columns after which a line is broken at the next space; none: never.
    pub width: Option<usize>,
    /// Which containers are written in brackets.
    pub flow: Flow,
    /// Whether keys are sorted. Keys that have no order among them never are.
    pub sort_keys: bool,
    /// Whether characters over ASCII stand as they are.
    pub unicode: bool,
    /// Whether the document begins with `---`.
    pub start: bool,
    /// Whether the document ends with `...`.
    pub end: bool,
    /// Whether every scalar stands in quotes of this kind, `'` or `"`.
    pub quotes: Option<char>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            indent: 2,
            width: Some(80),
            flow: Flow::Never,
            sort_keys: true,
            unicode: true,
            start: false,
            end: false,
            quotes: None,
        }
    }
}

/// The text of a document.
#[must_use]
pub fn dump(tree: &Tree, options: &Options) -> String {
    let indent = if (2..10).contains(&options.indent) { options.indent } else { 2 };
    let width = match options.width {
        Some(width) if width > indent * 2 => width,
        Some(_) => 80,
        None => usize::MAX,
    };
    let mut writer = Writer::new(options, indent, width);
    if options.start {
        writer.line(0);
        writer.indicator("---", true, false, false);
    }
    writer.node(tree, false, false);
    writer.line(0);
    if options.end {
        writer.indicator("...", true, false, false);
        writer.line(0);
    }
    writer.into_text()
}
