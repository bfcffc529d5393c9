//! Keywords that pass from the outside to the inside: what a play, role, block or task says, on top of what is around it.

use std::sync::Arc;

use crate::diag::{Diagnostic, code};
use crate::yaml::{Kind, Node, NodeMap};

use super::Common;

/// The effective keywords of what says `map` and stands in `outer`.
pub(super) fn inherit(map: &NodeMap, outer: &Common, diagnostics: &mut Vec<Diagnostic>) -> Common {
    let own = |key: &str| map.get(key).map(|(_, node)| node).filter(|node| !node.is_null());
    let nearest = |key: &str, outer: &Option<Node>| own(key).cloned().or_else(|| outer.clone());
    Common {
        name: own("name").cloned(),
        when: appended(&outer.when, own("when")),
        vars: own("vars")
            .map_or_else(|| outer.vars.clone(), |node| over(&outer.vars, vars(node, diagnostics))),
        params: outer.params.clone(),
        notify: own("notify").map_or_else(|| outer.notify.clone(), items),
        tags: own("tags").map_or_else(|| outer.tags.clone(), |node| union(&outer.tags, words(node))),
        environment: appended(&outer.environment, own("environment")),
        module_defaults: appended(&outer.module_defaults, own("module_defaults")),
        become_: nearest("become", &outer.become_),
        become_user: nearest("become_user", &outer.become_user),
        become_method: nearest("become_method", &outer.become_method),
        become_flags: nearest("become_flags", &outer.become_flags),
        become_exe: nearest("become_exe", &outer.become_exe),
        connection: nearest("connection", &outer.connection),
        remote_user: nearest("remote_user", &outer.remote_user),
        port: nearest("port", &outer.port),
        delegate_to: nearest("delegate_to", &outer.delegate_to),
        delegate_facts: nearest("delegate_facts", &outer.delegate_facts),
        run_once: nearest("run_once", &outer.run_once),
        ignore_errors: nearest("ignore_errors", &outer.ignore_errors),
        ignore_unreachable: nearest("ignore_unreachable", &outer.ignore_unreachable),
        any_errors_fatal: nearest("any_errors_fatal", &outer.any_errors_fatal),
        check_mode: nearest("check_mode", &outer.check_mode),
        diff: nearest("diff", &outer.diff),
        no_log: nearest("no_log", &outer.no_log),
        timeout: nearest("timeout", &outer.timeout),
        throttle: nearest("throttle", &outer.throttle),
        collections: own("collections").map_or_else(
            || outer.collections.clone(),
            |node| items(node).iter().filter_map(Node::as_str).map(Into::into).collect(),
        ),
    }
}

/// A node that may be one value or a list of them, as a list; nothing is an empty one.
pub(super) fn items(node: &Node) -> Vec<Node> {
    match &node.kind {
        Kind::Null => Vec::new(),
        Kind::Seq(items) => items.iter().filter(|item| !item.is_null()).cloned().collect(),
        _ => vec![node.clone()],
    }
}

fn appended(outer: &[Node], own: Option<&Node>) -> Vec<Node> {
    outer.iter().cloned().chain(own.map(items).unwrap_or_default()).collect()
}

/// Words given as a list or with commas between them. Templates stay as they are: what they yield is parted later.
pub(super) fn words(node: &Node) -> Vec<Node> {
    let mut words = Vec::new();
    for item in items(node) {
        match item.as_str() {
            Some(text) if !item.has_template() => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                words.extend(parts.map(|part| Node { kind: Kind::Str(part.into()), ..item.clone() }));
            }
            _ => words.push(item),
        }
    }
    words
}

fn union(outer: &[Node], own: Vec<Node>) -> Vec<Node> {
    let mut all = outer.to_vec();
    for word in own {
        if all.iter().all(|known| known.kind != word.kind) {
            all.push(word);
        }
    }
    all
}

/// The entries of `outer` with those of `own` in their place or after them.
pub(super) fn over(outer: &Arc<NodeMap>, own: NodeMap) -> Arc<NodeMap> {
    if own.is_empty() {
        return outer.clone();
    }
    let mut merged = NodeMap::clone(outer);
    merged.extend(own);
    Arc::new(merged)
}

/// A `vars` keyword: a mapping or a list of mappings.
pub(super) fn vars(node: &Node, diagnostics: &mut Vec<Diagnostic>) -> NodeMap {
    let mut all = NodeMap::new();
    for part in items(node) {
        let Some(map) = part.as_map() else {
            let wrong = Diagnostic::error(code::BAD_KEYWORD, "`vars` must be a mapping of names and values");
            diagnostics.push(wrong.at(part.span));
            continue;
        };
        for (name, (span, value)) in map {
            if !is_variable_name(name) {
                let wrong = Diagnostic::error(
                    code::BAD_VARIABLE_NAME,
                    format!("`{name}` can't be a variable's name"),
                );
                diagnostics
                    .push(wrong.at(*span).help("use letters, digits and `_`, and no digit at the start"));
            }
            all.insert(name.clone(), (*span, value.clone()));
        }
    }
    all
}

/// Words with a meaning in Python, which no variable can be named after.
const RESERVED: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Whether a variable can have this name.
pub(super) fn is_variable_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !RESERVED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables_are_pythons() {
        for (name, good) in
            [("a", true), ("_a1", true), ("1a", false), ("a-b", false), ("as", false), ("", false)]
        {
            assert_eq!(is_variable_name(name), good, "{name}");
        }
    }
}
