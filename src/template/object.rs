//! Our data as minijinja's objects: finished values without copies, source nodes rendered when they are touched.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

use crate::value::{Map, Str, Value as Data};
use crate::yaml::{Kind, Node, NodeMap};

use super::context::Context;
use super::scope::LazyMap;

/// A finished list.
#[derive(Debug)]
pub(super) struct List(pub(super) Arc<Vec<Data>>);

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_usize()?).map(from_data)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Data::List(self.0.clone()))
    }
}

/// A finished mapping.
#[derive(Debug)]
pub(super) struct Dict(pub(super) Arc<Map>);

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some(key) => self.get_value_by_str(key),
            None => self.get_value_by_str(&key_text(key)?),
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.get(key).map(from_data)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|key| Value::from(key.clone())).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Data::Map(self.0.clone()))
    }
}

/// The text that a key that is not text is kept under: YAML's `80:` is `'80'`.
pub(super) fn key_text(key: &Value) -> Option<String> {
    (key.is_number() || key.is_none() || matches!(key.kind(), minijinja::value::ValueKind::Bool))
        .then(|| key.to_string())
}

/// `omit`.
#[derive(Debug)]
pub(super) struct Omit;

impl Object for Omit {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("__omit_place_holder__")
    }
}

/// A list from a file.
pub(super) struct NodeList {
    pub(super) items: Arc<Vec<Node>>,
    pub(super) context: Context,
}

impl fmt::Debug for NodeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<list of {}>", self.items.len())
    }
}

impl Object for NodeList {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.items.get(key.as_usize()?).map(|node| self.context.node(node))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.items.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(&Value::from_dyn_object(self.clone()), &self.context, f)
    }
}

/// A mapping from a file.
pub(super) struct NodeDict {
    pub(super) map: Arc<NodeMap>,
    pub(super) context: Context,
}

impl fmt::Debug for NodeDict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<mapping of {}>", self.map.len())
    }
}

impl NodeDict {
    /// The entry's key as it is written: keys may be templates.
    fn written(&self, key: &str) -> Option<&Node> {
        if let Some((_, node)) = self.map.get(key) {
            return Some(node);
        }
        self.map
            .iter()
            .find(|(written, (span, _))| {
                written.contains("{{") && self.context.key(written, *span).is_ok_and(|it| *it == *key)
            })
            .map(|(_, (_, node))| node)
    }
}

impl Object for NodeDict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some(key) => self.get_value_by_str(key),
            None => self.get_value_by_str(&key_text(key)?),
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.written(key).map(|node| self.context.node(node))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys = self.map.iter().map(|(key, (span, _))| match self.context.key(key, *span) {
            Ok(key) => Value::from(key),
            Err(error) => Value::from(error.into_jinja()),
        });
        Enumerator::Values(keys.collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.map.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(&Value::from_dyn_object(self.clone()), &self.context, f)
    }
}

/// A mapping of variables that is never built as a whole: `hostvars`, `vars`.
pub(super) struct Variables {
    pub(super) map: Arc<dyn LazyMap>,
    pub(super) context: Context,
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<variables>")
    }
}

impl Object for Variables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.map.get(key).map(|binding| self.context.binding(key, binding))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.map.keys().into_iter().map(Value::from).collect())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(&Value::from_dyn_object(self.clone()), &self.context, f)
    }
}

/// The variables of the scope itself, by name: what a template's plain names are looked up in.
pub(super) struct Root(pub(super) Context);

/// The name under which functions find the evaluation that they run in. No template can write it.
pub(super) const SELF: &str = "\0context";

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<scope>")
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == SELF {
            return Some(Value::from_dyn_object(self.clone()));
        }
        self.0.variable(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.scope().names().into_iter().map(Value::from).collect())
    }
}

/// Prints what must be rendered first. Formatting must not fail, so a failure is kept for the evaluation's end.
fn print(value: &Value, context: &Context, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match super::native::to_data(value) {
        Ok(data) => write!(f, "{data}"),
        Err(error) => {
            context.note_failure(&error);
            Ok(())
        }
    }
}

/// Finished data for templates. Containers are shared, not copied.
pub(super) fn from_data(data: &Data) -> Value {
    match data {
        Data::Null => Value::from(()),
        Data::Bool(it) => Value::from(*it),
        Data::Int(it) => Value::from(*it),
        Data::Float(it) => Value::from(*it),
        Data::Str(it) => Value::from(Str::clone(it)),
        Data::Bytes(it) => Value::from_bytes(it.to_vec()),
        Data::List(it) => Value::from_object(List(it.clone())),
        Data::Map(it) => Value::from_object(Dict(it.clone())),
        Data::Omit => Value::from_object(Omit),
    }
}

/// A node for templates: containers stay lazy, text is not rendered here.
pub(super) fn container(node: &Node, context: &Context) -> Option<Value> {
    match &node.kind {
        Kind::Seq(items) => {
            Some(Value::from_object(NodeList { items: items.clone(), context: context.clone() }))
        }
        Kind::Map(map) => Some(Value::from_object(NodeDict { map: map.clone(), context: context.clone() })),
        _ => None,
    }
}
