//! Inventories in YAML or JSON: groups with `hosts`, `vars` and `children`, each a mapping.
//!
//! Only what stands in such a file; which files are read is decided in `source`.

use std::path::Path;
use std::sync::Arc;

use super::graph::Graph;
use super::range;
use crate::diag::{Diagnostic, Span, code};
use crate::template::Binding;
use crate::value::Str;
use crate::yaml::{Kind, Node, NodeMap};

/// Takes the groups of a document into the graph; the mistakes it finds are warnings, as in Ansible.
pub(super) fn read(root: &NodeMap, path: &Arc<Path>, graph: &mut Graph) -> Vec<Diagnostic> {
    let mut reader = Reader { path, graph, warnings: Vec::new() };
    for (name, (span, group)) in root {
        reader.group(name, *span, group);
    }
    reader.warnings
}

struct Reader<'a> {
    path: &'a Arc<Path>,
    graph: &'a mut Graph,
    warnings: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn warn(&mut self, message: impl Into<String>, span: Span) -> &mut Diagnostic {
        self.warnings.push(Diagnostic::warning(code::INVENTORY_SYNTAX, message).at(span));
        let last = self.warnings.len() - 1;
        &mut self.warnings[last]
    }

    fn group(&mut self, name: &Str, span: Span, group: &Node) {
        let sections = match &group.kind {
            Kind::Map(sections) => sections.clone(),
            Kind::Null => {
                self.graph.add_group(name);
                return;
            }
            _ => {
                let message = format!("the group `{name}` is not a mapping, and is left out");
                self.warn(message, group.span).help =
                    Some("a group has `hosts`, `vars` and `children`".into());
                return;
            }
        };
        self.graph.add_group(name);
        for (section, (section_span, content)) in sections.iter() {
            match &**section {
                "vars" => self.vars(name, content),
                "hosts" => self.hosts(name, content),
                "children" => self.children(name, span, content),
                _ => {
                    let message = format!("the group `{name}` has an entry `{section}`, which is left out");
                    let warning = Diagnostic::warning(code::INVENTORY_SYNTAX, message).at(*section_span);
                    let mut warning = warning.suggest(section, ["hosts", "vars", "children"]);
                    let hint = "only `hosts`, `vars` and `children` are read; variables belong below `vars`";
                    warning.help.get_or_insert_with(|| hint.into());
                    self.warnings.push(warning);
                }
            }
        }
    }

    /// The entries of a section. A single name counts as one entry without a value.
    fn entries(&mut self, group: &str, section: &str, content: &Node) -> Vec<(Str, Span, Node)> {
        match &content.kind {
            Kind::Map(map) => {
                map.iter().map(|(name, (span, node))| (name.clone(), *span, node.clone())).collect()
            }
            Kind::Str(name) if section != "vars" => {
                vec![(name.clone(), content.span, Node::new(Kind::Null, content.span))]
            }
            Kind::Null => Vec::new(),
            _ => {
                let message = format!("`{section}` of the group `{group}` is not a mapping, and is left out");
                let help = match section {
                    "vars" => "write each variable as `name: value`",
                    _ => "write each name as a key, with a colon behind it and no dash before it",
                };
                self.warn(message, content.span).help = Some(help.into());
                Vec::new()
            }
        }
    }

    fn vars(&mut self, group: &str, content: &Node) {
        for (name, _, value) in self.entries(group, "vars", content) {
            self.graph.set_group_var(group, &name, Binding::Source(value));
        }
    }

    fn children(&mut self, group: &Str, span: Span, content: &Node) {
        for (name, child_span, child) in self.entries(group, "children", content) {
            if self.graph.add_child(group, &name) {
                self.group(&name, child_span, &child);
                continue;
            }
            let message = format!("the group `{name}` can't be in `{group}`: it contains `{group}` itself");
            let warning = Diagnostic::warning(code::INVENTORY_CYCLE, message).at(child_span).label(span, "");
            self.warnings.push(warning);
        }
    }

    fn hosts(&mut self, group: &str, content: &Node) {
        for (written, span, vars) in self.entries(group, "hosts", content) {
            let (names, port) = match range::expand(&written) {
                Ok(expanded) => expanded,
                Err(problem) => {
                    self.warnings.push(Diagnostic::warning(code::INVENTORY_RANGE, problem).at(span));
                    continue;
                }
            };
            if !matches!(vars.kind, Kind::Map(_) | Kind::Null) {
                let message =
                    format!("the variables of the host `{written}` are not a mapping, and are left out");
                self.warn(message, vars.span).help = Some("write each variable as `name: value`".into());
            }
            for name in names {
                let host = self.graph.add_host(&name, group, Some(self.path));
                let own = vars.as_map().into_iter().flatten();
                let own = own.map(|(name, (_, value))| (name.clone(), Binding::Source(value.clone())));
                let port = port
                    .map(|port| ("ansible_port".into(), Binding::Source(Node::new(Kind::Int(port), span))));
                let mut all = port.into_iter().chain(own).peekable();
                if all.peek().is_some() {
                    Arc::make_mut(&mut host.vars).vars.extend(all);
                }
            }
        }
    }
}
