//! The inventory plugin `constructed`: variables and groups made of what the sources before it say.
//!
//! Sees the variables of hosts and groups that stand in inventories, not those of `group_vars` and `host_vars`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::graph::Graph;
use crate::diag::{Diagnostic, code};
use crate::template::{Binding, Engine, Known, Scope, TemplateError};
use crate::value::{Str, Value};
use crate::yaml::{Kind, Node, NodeMap};

/// Names of the plugin.
pub(super) const NAMES: [&str; 2] = ["constructed", "ansible.builtin.constructed"];

/// What such a file may say.
const OPTIONS: [&str; 9] = [
    "plugin",
    "strict",
    "compose",
    "groups",
    "keyed_groups",
    "leading_separator",
    "use_vars_plugins",
    "use_extra_vars",
    "cache",
];

/// Adds what the file describes. Gives warnings; an error ends it where it is.
pub(super) fn read(
    options: &NodeMap,
    graph: &mut Graph,
    engine: &Engine,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let mut warnings = Vec::new();
    for (name, (span, value)) in options {
        if !OPTIONS.contains(&&**name) {
            let message = format!("the plugin constructed has no option `{name}`");
            warnings
                .push(Diagnostic::warning(code::INVENTORY_PLUGIN, message).at(*span).suggest(name, OPTIONS));
        } else if matches!(&**name, "use_vars_plugins" | "use_extra_vars") && flag(Some(value), false) {
            let message = format!("`{name}` has no effect: only variables of inventories are seen here");
            warnings.push(Diagnostic::warning(code::INVENTORY_PLUGIN, message).at(*span));
        }
    }
    graph.settle();
    let option = |name: &str| options.get(name).map(|(_, node)| node).filter(|node| !node.is_null());
    let plan = Plan {
        engine,
        strict: flag(option("strict"), false),
        compose: option("compose").and_then(Node::as_map),
        groups: option("groups").and_then(Node::as_map),
        keyed: option("keyed_groups").and_then(Node::as_seq).unwrap_or_default(),
        leading: flag(option("leading_separator"), true),
    };
    let hosts: Vec<Str> = graph.hosts.keys().cloned().collect();
    for host in &hosts {
        plan.host(host, graph).map_err(|mistake| vec![mistake])?;
    }
    Ok(warnings)
}

struct Plan<'a> {
    engine: &'a Engine,
    strict: bool,
    compose: Option<&'a NodeMap>,
    groups: Option<&'a NodeMap>,
    keyed: &'a [Node],
    leading: bool,
}

impl Plan<'_> {
    fn host(&self, host: &Str, graph: &mut Graph) -> Result<(), Diagnostic> {
        for (name, (_, node)) in self.compose.into_iter().flatten() {
            let scope = scope(host, graph);
            if let Some(value) = self.tolerate(self.engine.expression(node, &scope))?
                && let Some(host) = graph.hosts.get_mut(host)
            {
                Arc::make_mut(&mut host.vars).vars.insert(name.clone(), Binding::Data(value));
            }
        }
        let scope = scope(host, graph);
        for (name, (_, node)) in self.groups.into_iter().flatten() {
            if self.tolerate(self.engine.condition(node, &scope))?.unwrap_or(false) {
                graph.add_host(host, &safe(name), None);
            }
        }
        for entry in self.keyed {
            self.keyed_group(entry, host, &scope, graph)?;
        }
        Ok(())
    }

    /// With `strict` a failing expression is a mistake, else it says nothing.
    fn tolerate<T>(&self, result: Result<T, TemplateError>) -> Result<Option<T>, Diagnostic> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.strict => Err(*error.diagnostic),
            Err(_) => Ok(None),
        }
    }

    fn keyed_group(
        &self,
        entry: &Node,
        host: &Str,
        scope: &Arc<dyn Scope>,
        graph: &mut Graph,
    ) -> Result<(), Diagnostic> {
        let Some(key) = entry.get("key") else {
            let mistake =
                Diagnostic::error(code::INVENTORY_PLUGIN, "an entry of `keyed_groups` needs a `key`");
            return Err(mistake.at(entry.span));
        };
        let text = |name: &str| -> Result<Option<String>, Diagnostic> {
            let Some(node) = entry.get(name).filter(|node| !node.is_null()) else { return Ok(None) };
            self.tolerate(self.engine.text(node, scope))
        };
        let (prefix, separator) = (text("prefix")?.unwrap_or_default(), text("separator")?);
        let separator = separator.unwrap_or_else(|| "_".into());
        let default = text("default_value")?;
        let trailing = flag(entry.get("trailing_separator"), true);
        let Some(value) = self.tolerate(self.engine.expression(key, scope))? else { return Ok(()) };
        let or_default = |text: String| if text.is_empty() { default.clone().unwrap_or(text) } else { text };
        let names: Vec<String> = match &value {
            Value::Str(text) if text.is_empty() && default.is_none() => Vec::new(),
            Value::Str(text) => vec![or_default(text.to_string())],
            Value::List(items) => items.iter().map(|item| or_default(item.to_string())).collect(),
            Value::Map(map) => map
                .iter()
                .map(|(name, value)| match or_default(value.to_string()) {
                    text if text.is_empty() && !trailing => name.to_string(),
                    text => format!("{name}{separator}{text}"),
                })
                .collect(),
            Value::Null | Value::Omit | Value::Bool(false) => Vec::new(),
            _ => {
                let message = format!("the key of a group must be text, a list or a mapping, not `{value}`");
                return Err(Diagnostic::error(code::INVENTORY_PLUGIN, message).at(key.span));
            }
        };
        let between = if prefix.is_empty() && !self.leading { "" } else { &separator };
        let parent = text("parent_group")?;
        for name in names {
            let group = safe(&format!("{prefix}{between}{name}"));
            graph.add_host(host, &group, None);
            if let Some(parent) = &parent {
                graph.add_child(&safe(parent), &group);
            }
        }
        Ok(())
    }
}

/// A name that a group may have: what is not a letter, digit or underscore becomes one.
fn safe(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

fn flag(node: Option<&Node>, default: bool) -> bool {
    match node.map(|node| &node.kind) {
        Some(Kind::Bool(it)) => *it,
        _ => default,
    }
}

/// What a host's expressions see: the variables of its groups, its own, and its name.
fn scope(host: &Str, graph: &Graph) -> Arc<dyn Scope> {
    let mut known: IndexMap<Str, Binding> = IndexMap::new();
    if let Some(found) = graph.hosts.get(host) {
        let groups = graph.groups_above(&found.groups);
        for layer in
            graph.groups.get("all").into_iter().chain(groups.iter().copied()).map(|group| &group.vars)
        {
            known.extend(layer.vars.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        known.extend(found.vars.vars.iter().map(|(name, value)| (name.clone(), value.clone())));
        let mut names: Vec<Str> = groups.iter().map(|group| group.name.clone()).collect();
        names.sort();
        let names = names.into_iter().map(Value::Str).collect();
        known.insert("group_names".into(), Binding::Data(names));
    }
    known.insert("inventory_hostname".into(), Binding::Data(Value::Str(host.clone())));
    let short = host.split('.').next().unwrap_or_default();
    known.insert("inventory_hostname_short".into(), Binding::Data(Value::from(short)));
    Arc::new(Known(known))
}
