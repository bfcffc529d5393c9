//! Executable inventories: what they print as JSON is data, never a template.
//!
//! The same shape is read from a file that holds the output of `ansible-inventory --list`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::graph::Graph;
use crate::diag::{Diagnostic, code};
use crate::template::Binding;
use crate::value::{Map, Str, Value};

/// Whether a file is a program: its first bytes say so. A mode bit alone is not enough, since file systems without
/// permissions set it for every file, and a shell would run a list of hosts line by line.
pub(super) fn is_program(path: &Path) -> bool {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;
    let is_executable = path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0);
    let mut start = [0; 4];
    let read = |start: &mut [u8]| std::fs::File::open(path).and_then(|mut file| file.read(start));
    if !is_executable || read(&mut start).is_err() {
        return false;
    }
    const MACH_O: [[u8; 4]; 3] =
        [[0xcf, 0xfa, 0xed, 0xfe], [0xfe, 0xed, 0xfa, 0xcf], [0xca, 0xfe, 0xba, 0xbe]];
    start.starts_with(b"#!") || start == *b"\x7fELF" || MACH_O.contains(&start)
}

/// Runs the script and takes what it prints into the graph.
pub(super) fn read(path: &Arc<Path>, graph: &mut Graph) -> Result<(), Diagnostic> {
    let root = run(path, &["--list"])?;
    let hosts = populate(&root, path, graph)?;
    if root.get("_meta").is_some() {
        return Ok(());
    }
    // Without `_meta` each host has to be asked for.
    for host in hosts {
        let vars = run(path, &["--host", &host])?;
        set_host_vars(graph, &host, &vars);
    }
    Ok(())
}

fn failed(path: &Path, problem: &str) -> Diagnostic {
    Diagnostic::error(code::INVENTORY_SCRIPT, format!("the inventory script {} {problem}", path.display()))
}

/// What the script prints; nothing counts as an empty mapping.
fn run(path: &Path, arguments: &[&str]) -> Result<Value, Diagnostic> {
    // A bare name would be looked for in $PATH.
    let program = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| failed(path, &format!("can't be run: {error}")))?;
    let called = arguments.join(" ");
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let mistake = failed(path, &format!("failed when it was called with `{called}` ({})", output.status));
        let said = said.trim();
        return Err(if said.is_empty() { mistake } else { mistake.note(said) });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    if text.trim().is_empty() {
        return Ok(Value::map(Map::new()));
    }
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        failed(path, &format!("did not print JSON when it was called with `{called}`: {error}"))
    })?;
    if !json.is_object() {
        return Err(failed(path, &format!("did not print a JSON object when it was called with `{called}`")));
    }
    Ok(Value::from(json))
}

/// Takes groups and `_meta` into the graph; the hosts in the order in which they were named.
pub(super) fn populate(root: &Value, path: &Arc<Path>, graph: &mut Graph) -> Result<Vec<Str>, Diagnostic> {
    let mut hosts = Vec::new();
    for (name, group) in root.as_map().into_iter().flatten().filter(|(name, _)| &***name != "_meta") {
        add_group(name, group, path, graph, &mut hosts)?;
    }
    let hostvars = root.get("_meta").and_then(|meta| meta.get("hostvars")).and_then(Value::as_map);
    for (host, vars) in hostvars.into_iter().flatten() {
        set_host_vars(graph, host, vars);
    }
    Ok(hosts)
}

fn add_group(
    name: &Str,
    group: &Value,
    path: &Arc<Path>,
    graph: &mut Graph,
    hosts: &mut Vec<Str>,
) -> Result<(), Diagnostic> {
    let bad = |what: &str| failed(path, &format!("gave `{name}` {what}"));
    graph.add_group(name);
    let mut add_hosts = |names: &Value, graph: &mut Graph| -> Result<(), Diagnostic> {
        let names = names.as_list().ok_or_else(|| bad("hosts that are not a list"))?;
        for host in names {
            let host = Str::from(host.to_string());
            graph.add_host(&host, name, Some(path));
            hosts.push(host);
        }
        Ok(())
    };
    let group = match group {
        Value::List(_) => return add_hosts(group, graph),
        Value::Map(group) => group,
        _ => return Err(bad("a value that is neither a list nor an object")),
    };
    if !["hosts", "vars", "children"].iter().any(|key| group.contains_key(*key)) {
        // An old short form: the name is that of a host, and these are its variables.
        graph.add_host(name, name, Some(path));
        hosts.push(name.clone());
        set_host_vars(graph, name, &Value::Map(group.clone()));
        return Ok(());
    }
    if let Some(names) = group.get("hosts") {
        add_hosts(names, graph)?;
    }
    let vars = group.get("vars").map(|vars| vars.as_map().ok_or_else(|| bad("vars that are not an object")));
    for (key, value) in vars.transpose()?.into_iter().flatten() {
        graph.set_group_var(name, key, Binding::Data(value.clone()));
    }
    let children =
        group.get("children").map(|it| it.as_list().ok_or_else(|| bad("children that are not a list")));
    for child in children.transpose()?.unwrap_or_default() {
        if !graph.add_child(name, &child.to_string()) {
            return Err(bad(&format!("a child `{child}` that contains it")));
        }
    }
    Ok(())
}

fn set_host_vars(graph: &mut Graph, host: &str, vars: &Value) {
    let (Some(host), Some(vars)) = (graph.hosts.get_mut(host), vars.as_map()) else { return };
    if !vars.is_empty() {
        let vars = vars.iter().map(|(key, value)| (key.clone(), Binding::Data(value.clone())));
        Arc::make_mut(&mut host.vars).vars.extend(vars);
    }
}
