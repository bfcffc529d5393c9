//! The tree that the composer makes: every value with its place. Cloning a node never copies a tree.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::diag::Span;
use crate::value::{Map, Str, Value};

/// A mapping's entries in order. The key is a node too: messages point at it.
pub type NodeMap = IndexMap<Str, (Span, Node)>;

/// A value from a text, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// Its tag, if it has one of those that mean something here.
    pub tag: Option<Tag>,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text, perhaps a template.
    Str(Str),
    /// Bytes (`!!binary`).
    Bytes(Arc<[u8]>),
    /// A list.
    Seq(Arc<Vec<Node>>),
    /// A mapping.
    Map(Arc<NodeMap>),
}

/// The tags that mean something to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// `!unsafe`: never a template, however it looks.
    Unsafe,
    /// `!vault`: encrypted text.
    Vault,
}

impl Node {
    /// A node without a tag.
    #[must_use]
    pub fn new(kind: Kind, span: Span) -> Node {
        Node { kind, span, tag: None }
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    #[must_use]
    pub fn as_map(&self) -> Option<&NodeMap> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// What stands under `key`, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key).map(|(_, node)| node)
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Whether any text in it may be a template.
    #[must_use]
    pub fn has_template(&self) -> bool {
        if self.tag == Some(Tag::Unsafe) {
            return false;
        }
        match &self.kind {
            Kind::Str(text) => text.contains("{{") || text.contains("{%") || text.contains("{#"),
            Kind::Seq(items) => items.iter().any(Node::has_template),
            Kind::Map(map) => map.iter().any(|(key, (_, node))| key.contains("{{") || node.has_template()),
            _ => self.tag == Some(Tag::Vault),
        }
    }

    /// The node as finished data, its texts taken as they stand.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(it) => Value::Bool(*it),
            Kind::Int(it) => Value::Int(*it),
            Kind::Float(it) => Value::Float(*it),
            Kind::Str(text) => Value::Str(text.clone()),
            Kind::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Kind::Seq(items) => items.iter().map(Node::to_value).collect(),
            Kind::Map(map) => {
                Value::map(map.iter().map(|(key, (_, node))| (key.clone(), node.to_value())).collect::<Map>())
            }
        }
    }
}
