//! A task's arguments on one host: defaults of the module, the task's own, templates rendered, `omit` dropped.

use super::call;
use super::keywords::Keywords;
use super::task::HostTask;
use crate::diag::{Diagnostic, Span, code};
use crate::modules::api::{ArgError, Entry, Step};
use crate::template::TemplateError;
use crate::value::{Map, Str, Value};
use crate::vars::TaskScope;
use crate::yaml::{Kind, Node};

/// The finished arguments, validated if the module is one of ours.
pub(super) fn render(
    task: &HostTask,
    scope: &TaskScope,
    entry: Option<&'static Entry>,
) -> Result<Map, TemplateError> {
    let keywords = Keywords::new(&task.shared, scope);
    let mut args = match entry {
        Some(entry) => defaults(task, &keywords, entry)?,
        None => Map::new(),
    };
    if let Some(whole) = &task.task.args.whole {
        match task.shared.templates.render(whole, &keywords.scope)? {
            Value::Map(map) => args.extend(map.iter().map(|(key, value)| (key.clone(), value.clone()))),
            Value::Null | Value::Omit => {}
            other => return Err(not_a_mapping(whole, &other)),
        }
    }
    let names_are_data = entry.is_some_and(|entry| matches!(entry.name, "set_fact"));
    for (name, (at, node)) in task.task.args.named.iter() {
        let name = if names_are_data && name.contains("{{") {
            let written = Node::new(Kind::Str(name.clone()), *at);
            Str::from(task.shared.templates.render(&written, &keywords.scope)?.to_string())
        } else {
            name.clone()
        };
        args.insert(name, task.shared.templates.render(node, &keywords.scope)?);
    }
    args.retain(|_, value| !matches!(value, Value::Omit));
    if let Some(entry) = entry {
        call::validate(task, entry, &args)?;
    }
    Ok(args)
}

/// `module_defaults` for a module: under its short or full name.
fn defaults(task: &HostTask, keywords: &Keywords<'_>, entry: &'static Entry) -> Result<Map, TemplateError> {
    let mut args = Map::new();
    for layer in &task.task.common.module_defaults {
        let layers = layer.as_seq().unwrap_or(std::slice::from_ref(layer));
        for (name, (_, node)) in layers.iter().filter_map(Node::as_map).flatten() {
            if crate::modules::find(name).is_some_and(|found| found.name == entry.name)
                && let Value::Map(map) = task.shared.templates.render(node, &keywords.scope)?
            {
                args.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
        }
    }
    Ok(args)
}

/// The place in the user's file that an argument error is about.
pub(super) fn place_of(task: &HostTask, error: &ArgError) -> Span {
    let mut steps = error.path.0.iter();
    let Some(Step::Key(first)) = steps.next() else { return task.task.action_span };
    let Some((key_span, mut node)) = task.task.args.named.get(first).map(|(span, node)| (*span, node)) else {
        return task.task.args.whole.as_ref().map_or(task.task.action_span, |node| node.span);
    };
    if error.at_key && error.path.0.len() == 1 {
        return key_span;
    }
    for step in steps {
        let inner = match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.as_seq().and_then(|items| items.get(*index)),
        };
        match inner {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node.span
}

/// The node of an argument as written.
pub(super) fn node<'a>(task: &'a HostTask, name: &str) -> Option<&'a Node> {
    task.task.args.named.get(name).map(|(_, node)| node)
}

/// A text argument that is already rendered.
pub(super) fn text(args: &Map, name: &str) -> Option<Str> {
    match args.get(name)? {
        Value::Null | Value::Omit => None,
        other => Some(Str::from(other.to_string())),
    }
}

/// A boolean argument that is already rendered.
pub(super) fn flag(args: &Map, name: &str, default: bool) -> bool {
    args.get(name).and_then(super::keywords::as_bool).unwrap_or(default)
}

fn not_a_mapping(node: &Node, value: &Value) -> TemplateError {
    let diagnostic = Diagnostic::error(code::BAD_ARGUMENT, "arguments must be a mapping")
        .label(node.span, format!("this is a {}", value.type_name()));
    TemplateError::new(diagnostic)
}
