//! The inventory for people and other programs, as `ansible-inventory` prints it. `regatta inventory` calls it.
//!
//! The variables of a host come from the caller, who can render them; here they are only put in place.

use indexmap::IndexSet;

use super::Inventory;
use crate::template::Binding;
use crate::value::{Map, Str, Value};
use crate::yaml::emit;

/// Gives the finished variables of a host.
pub type Vars<'a> = &'a dyn Fn(&str) -> Map;

/// `--list`: JSON with the groups, their hosts and children, and the variables of all hosts under `_meta`.
///
/// `shown`: the hosts that a limit leaves.
#[must_use]
pub fn list(inventory: &Inventory, shown: Option<&[Str]>, hostvars: Vars<'_>) -> String {
    json(&listed(inventory, shown, hostvars))
}

fn listed(inventory: &Inventory, shown: Option<&[Str]>, hostvars: Vars<'_>) -> Value {
    let shown: Option<IndexSet<&Str>> = shown.map(|shown| shown.iter().collect());
    let is_shown = |host: &Str| shown.as_ref().is_none_or(|shown| shown.contains(host));
    let names =
        |names: &mut dyn Iterator<Item = &Str>| names.map(|name| Value::Str(name.clone())).collect::<Value>();
    let mut root = Map::new();
    for group in inventory.groups().values() {
        let mut entry = Map::new();
        if !group.children.is_empty() {
            entry.insert("children".into(), names(&mut group.children.iter()));
        }
        let mut hosts = group.hosts.iter().filter(|host| is_shown(host)).peekable();
        if &*group.name != "all" && hosts.peek().is_some() {
            entry.insert("hosts".into(), names(&mut hosts));
        }
        if !entry.is_empty() {
            root.insert(group.name.clone(), Value::map(entry));
        }
    }
    let hosts = inventory.all_hosts().keys().filter(|host| is_shown(host));
    let vars = hosts.map(|host| (host.clone(), hostvars(host))).filter(|(_, vars)| !vars.is_empty());
    let vars: Map = vars.map(|(host, vars)| (host, Value::map(vars))).collect();
    root.insert("_meta".into(), Value::from_pairs([("hostvars", Value::map(vars))]));
    sorted(&Value::map(root))
}

/// `--host`: the variables of one host as JSON or YAML.
#[must_use]
pub fn host(vars: &Map, as_yaml: bool) -> String {
    let vars = Value::map(vars.clone());
    if as_yaml { yaml_text(&vars) } else { json(&sorted(&vars)) }
}

/// `--list --yaml`: the groups as a tree, in the shape that a YAML inventory has.
///
/// The variables of a host stand at its first place only.
#[must_use]
pub fn yaml(inventory: &Inventory, shown: Option<&[Str]>, hostvars: Vars<'_>) -> String {
    let shown = shown.map(|shown| shown.iter().collect());
    let mut tree = Tree { inventory, shown, hostvars, seen: IndexSet::new() };
    let all = tree.group("all");
    yaml_text(&Value::from_pairs([("all", all)]))
}

struct Tree<'a> {
    inventory: &'a Inventory,
    shown: Option<IndexSet<&'a Str>>,
    hostvars: Vars<'a>,
    seen: IndexSet<Str>,
}

impl Tree<'_> {
    fn group(&mut self, name: &str) -> Value {
        let inventory = self.inventory;
        let Some(group) = inventory.groups().get(name) else { return Value::map(Map::new()) };
        let mut entry = Map::new();
        let children = group.children.iter().map(|child| (child.clone(), self.group(child)));
        let children: Map = children.filter(|(_, child)| child.truthy()).collect();
        if !children.is_empty() {
            entry.insert("children".into(), Value::map(children));
        }
        let mut hosts = Map::new();
        for host in group.hosts.iter().filter(|_| &*group.name != "all") {
            if self.shown.as_ref().is_some_and(|shown| !shown.contains(host)) {
                continue;
            }
            let is_first = self.seen.insert(host.clone());
            let vars = if is_first { (self.hostvars)(host) } else { Map::new() };
            hosts.insert(host.clone(), Value::map(vars));
        }
        if !hosts.is_empty() {
            entry.insert("hosts".into(), Value::map(hosts));
        }
        Value::map(entry)
    }
}

/// `--graph`: a tree of groups and hosts below `root`; none if there is no such group.
///
/// `with_vars`: those of hosts, and those of groups as they are written.
#[must_use]
pub fn graph(inventory: &Inventory, root: &str, with_vars: bool, hostvars: Vars<'_>) -> Option<String> {
    inventory.groups().get(root)?;
    let mut out = format!("@{root}:\n");
    branch(inventory, root, with_vars.then_some(hostvars), 1, &mut out);
    Some(out)
}

fn branch(inventory: &Inventory, group: &str, hostvars: Option<Vars<'_>>, depth: usize, out: &mut String) {
    let Some(group) = inventory.groups().get(group) else { return };
    let line = |out: &mut String, depth: usize, text: &str| {
        out.push_str(&"  |".repeat(depth));
        out.push_str("--");
        out.push_str(text);
        out.push('\n');
    };
    let list_vars = |out: &mut String, depth: usize, vars: Map| {
        let mut vars: Vec<(Str, Value)> = vars.into_iter().collect();
        vars.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, value) in vars {
            line(out, depth, &format!("{{{name} = {value}}}"));
        }
    };
    for child in &group.children {
        line(out, depth, &format!("@{child}:"));
        branch(inventory, child, hostvars, depth + 1, out);
    }
    for host in group.hosts.iter().filter(|_| &*group.name != "all") {
        line(out, depth, host);
        if let Some(hostvars) = hostvars {
            list_vars(out, depth + 1, hostvars(host));
        }
    }
    if hostvars.is_some() {
        let layers = inventory.layers_of_group(&group.name);
        let vars = layers.iter().flat_map(|layer| &layer.vars);
        list_vars(out, depth, vars.map(|(name, binding)| (name.clone(), written(binding))).collect());
    }
}

fn written(binding: &Binding) -> Value {
    match binding {
        Binding::Source(node) => node.to_value(),
        Binding::Data(value) => value.clone(),
        Binding::Lazy(_) => Value::Null,
    }
}

fn json(value: &Value) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    // Writing to memory can't fail.
    let _ = serde::Serialize::serialize(&serde_json::Value::from(value), &mut serializer);
    out.push(b'\n');
    String::from_utf8_lossy(&out).into_owned()
}

fn yaml_text(value: &Value) -> String {
    emit::dump(&emit::Tree::from(value), &emit::Options::default())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::List(items) => items.iter().map(sorted).collect(),
        Value::Map(map) => {
            let mut entries: Vec<(Str, Value)> =
                map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::map(entries.into_iter().collect())
        }
        other => other.clone(),
    }
}
