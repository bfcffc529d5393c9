//! Inventories in INI style: hosts with variables on their lines, `[group]`, `[group:children]`, `[group:vars]`.
//!
//! A bad line ends the reading of its file; what was read before stays, as in Ansible.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::graph::Graph;
use super::range;
use super::words::{self, Word};
use crate::diag::{Diagnostic, FileId, Sources, Span, code};
use crate::template::Binding;
use crate::value::{Str, Value, parse_literal};
use crate::yaml::{Kind, Node, NodeMap};

/// Reads an INI text into the graph. Error: the first bad line.
pub(super) fn read(
    file: FileId,
    sources: &Sources,
    path: &Arc<Path>,
    graph: &mut Graph,
) -> Result<(), Diagnostic> {
    let text = sources.text(file);
    let mut reader =
        Reader { file, path, graph, section: Section::Hosts("ungrouped".into()), pending: IndexMap::new() };
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        // A byte order mark may open the file.
        let content = content.trim_start_matches('\u{feff}');
        let start = offset + line.find(content).unwrap_or(0);
        offset += line.len();
        if !content.is_empty() && !content.starts_with([';', '#']) {
            reader.line(content, start)?;
        }
    }
    reader.finish()
}

enum Section {
    Hosts(Str),
    Children(Str),
    Vars(Str),
}

/// A group that is spoken of and must be defined before the file ends.
struct Pending {
    span: Span,
    /// Its parents, where it was named as a child; none where `[name:vars]` named it.
    parents: Vec<(Str, Span)>,
}

struct Reader<'a> {
    file: FileId,
    path: &'a Arc<Path>,
    graph: &'a mut Graph,
    section: Section,
    pending: IndexMap<Str, Pending>,
}

impl Reader<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: self.file, start: offset(start), end: offset(end) }
    }

    fn line(&mut self, line: &str, start: usize) -> Result<(), Diagnostic> {
        let span = self.span(start, start + line.len());
        if line.starts_with('[') {
            let comment = line.find(" #").unwrap_or(line.len());
            let header = line.get(..comment).unwrap_or(line).trim_end();
            if let Some(name) = header.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
                return self.header(name, span);
            }
        }
        match &self.section {
            Section::Hosts(group) => {
                let group = group.clone();
                self.host(line, start, &group)
            }
            Section::Children(group) => {
                let group = group.clone();
                self.child(line, start, &group)
            }
            Section::Vars(group) => {
                let group = group.clone();
                self.variable(line, start, &group)
            }
        }
    }

    fn header(&mut self, header: &str, span: Span) -> Result<(), Diagnostic> {
        let (name, kind) = header.split_once(':').unwrap_or((header, "hosts"));
        let mistake = |message: String| Diagnostic::error(code::INVENTORY_SYNTAX, message).at(span);
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == ']') {
            return Err(mistake(format!("`[{header}]` is not the header of a section")));
        }
        let name = Str::from(name);
        self.section = match kind {
            "hosts" => Section::Hosts(name.clone()),
            "children" => Section::Children(name.clone()),
            "vars" => Section::Vars(name.clone()),
            _ => {
                let mistake = mistake(format!("a section can't be of the kind `{kind}`"));
                return Err(mistake.suggest(kind, ["children", "hosts", "vars"]));
            }
        };
        if kind != "vars" {
            self.graph.add_group(&name);
            if let Some(pending) = self.pending.shift_remove(&name) {
                for (parent, span) in pending.parents {
                    self.link(&parent, &name, span)?;
                }
            }
        } else if !self.graph.groups.contains_key(&name) {
            self.pending.entry(name).or_insert_with(|| Pending { span, parents: Vec::new() });
        }
        Ok(())
    }

    fn link(&mut self, parent: &str, child: &str, span: Span) -> Result<(), Diagnostic> {
        if self.graph.add_child(parent, child) {
            return Ok(());
        }
        let message = format!("the group `{child}` can't be in `{parent}`: it contains `{parent}` itself");
        Err(Diagnostic::error(code::INVENTORY_CYCLE, message).at(span))
    }

    fn child(&mut self, line: &str, start: usize, parent: &Str) -> Result<(), Diagnostic> {
        let name = line.split_once(" #").map_or(line, |(name, _)| name).trim_end();
        let span = self.span(start, start + name.len());
        if name.contains(|c: char| c.is_whitespace() || matches!(c, ':' | ']')) {
            let message = format!("expected the name of a group, found `{name}`");
            return Err(Diagnostic::error(code::INVENTORY_SYNTAX, message).at(span));
        }
        if self.graph.groups.contains_key(name) {
            return self.link(parent, name, span);
        }
        let pending =
            self.pending.entry(name.into()).or_insert_with(|| Pending { span, parents: Vec::new() });
        pending.parents.push((parent.clone(), span));
        Ok(())
    }

    fn host(&mut self, line: &str, start: usize, group: &str) -> Result<(), Diagnostic> {
        let words = words::split(line).map_err(|at| {
            let span = self.span(start + at, start + at + 1);
            Diagnostic::error(code::INVENTORY_SYNTAX, "this quote is never closed on this line").at(span)
        })?;
        let Some((name, settings)) = words.split_first() else { return Ok(()) };
        let name_span = self.span(start, start + name.end());
        if name.text.ends_with(':') || name.text == "---" {
            let message = format!("`{}` can't be the name of a host", name.text);
            return Err(Diagnostic::error(code::INVENTORY_SYNTAX, message)
                .at(name_span)
                .help("if this is YAML, let the name of the file end in `.yml`"));
        }
        let (hosts, port) = range::expand(&name.text)
            .map_err(|problem| Diagnostic::error(code::INVENTORY_RANGE, problem).at(name_span))?;
        let mut vars = IndexMap::new();
        if let Some(port) = port {
            vars.insert(Str::from("ansible_port"), Binding::Source(Node::new(Kind::Int(port), name_span)));
        }
        for word in settings {
            let (key, value) = self.setting(word, start)?;
            vars.insert(key, Binding::Source(value));
        }
        for host in &hosts {
            let host = self.graph.add_host(host, group, Some(self.path));
            if !vars.is_empty() {
                Arc::make_mut(&mut host.vars).vars.extend(vars.clone());
            }
        }
        Ok(())
    }

    fn setting(&self, word: &Word, start: usize) -> Result<(Str, Node), Diagnostic> {
        let end = start + word.end();
        let Some((key, value)) = word.text.split_once('=') else {
            let span = self.span(start + word.place(0), end);
            let message = format!("expected a variable as `name=value`, found `{}`", word.text);
            return Err(Diagnostic::error(code::INVENTORY_SYNTAX, message)
                .at(span)
                .help("a value with blanks needs quotes, and a comment starts with `#`"));
        };
        let at = if value.is_empty() { end } else { start + word.place(key.len() + 1) };
        Ok((key.into(), typed(value, self.span(at, end))))
    }

    fn variable(&mut self, line: &str, start: usize, group: &str) -> Result<(), Diagnostic> {
        let Some((key, value)) = line.split_once('=') else {
            let message = format!("expected a variable as `name=value`, found `{line}`");
            let span = self.span(start, start + line.len());
            return Err(Diagnostic::error(code::INVENTORY_SYNTAX, message).at(span));
        };
        let value = value.trim();
        let end = start + line.len();
        let node = typed(value, self.span(end - value.len(), end));
        self.graph.set_group_var(group, &key.trim().into(), Binding::Source(node));
        Ok(())
    }

    /// Groups that are only spoken of are a mistake.
    fn finish(self) -> Result<(), Diagnostic> {
        let Some((name, Pending { span, parents })) = self.pending.into_iter().next() else { return Ok(()) };
        let message = match parents.first() {
            Some((parent, _)) => format!("the group `{parent}` has a child `{name}`, which is not defined"),
            None => format!("there are variables for the group `{name}`, which is not defined"),
        };
        let known = self.graph.groups.keys().map(|group| &**group);
        let mistake = Diagnostic::error(code::INVENTORY_GROUP, message).at(span).suggest(&name, known);
        if mistake.help.is_some() {
            return Err(mistake);
        }
        Err(mistake.help(format!("define it with `[{name}]`")))
    }
}

/// A value with the type that it has as a Python literal; text otherwise.
fn typed(text: &str, span: Span) -> Node {
    match parse_literal(text) {
        Some(value) => node(&value, span),
        None => Node::new(Kind::Str(text.into()), span),
    }
}

fn node(value: &Value, span: Span) -> Node {
    let kind = match value {
        Value::Null | Value::Omit => Kind::Null,
        Value::Bool(it) => Kind::Bool(*it),
        Value::Int(it) => Kind::Int(*it),
        Value::Float(it) => Kind::Float(*it),
        Value::Str(it) => Kind::Str(it.clone()),
        Value::Bytes(it) => Kind::Bytes(it.clone()),
        Value::List(items) => Kind::Seq(Arc::new(items.iter().map(|item| node(item, span)).collect())),
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), (span, node(value, span))));
            Kind::Map(Arc::new(entries.collect::<NodeMap>()))
        }
    };
    Node::new(kind, span)
}
