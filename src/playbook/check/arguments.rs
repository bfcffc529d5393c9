//! A task's arguments against the module's struct. Values that are templates are not known yet: their names are
//! checked, and a stand-in of the right kind takes their place while the others are read.

use std::sync::Arc;

use crate::diag::{Diagnostic, Span, code};
use crate::modules::api::{ArgError, ArgumentDoc, Entry, arguments};
use crate::playbook::Task;
use crate::value::{Map, Path, Step, Str, Value};
use crate::yaml::{Kind, Node, NodeMap, Tag};

use super::Checker;

impl Checker<'_> {
    fn docs(&mut self, entry: &'static Entry) -> Arc<Vec<ArgumentDoc>> {
        self.docs.entry(entry.name).or_insert_with(|| Arc::new(arguments(entry))).clone()
    }

    pub(super) fn arguments(&mut self, task: &Task, entry: &'static Entry) {
        let docs = self.docs(entry);
        let open = takes_others(entry);
        let known = |name: &str| docs.iter().any(|doc| doc.names().any(|known| known == name));
        let mut given = Map::new();
        for (name, (span, node)) in &*task.args.named {
            if !open && !known(name) {
                self.found.push(unknown(&task.action_name, name, *span, &docs));
                continue;
            }
            if node.is_null() {
                continue;
            }
            let doc = docs.iter().find(|doc| doc.names().any(|known| known == &**name));
            given.insert(name.clone(), if is_open(node) { stand_in(doc) } else { node.to_value() });
        }
        if task.args.whole.is_some() || !task.common.module_defaults.is_empty() {
            // More arguments come when it runs: what is missing now may be among them.
            return;
        }
        let mut complete = true;
        for doc in docs.iter().filter(|doc| doc.required) {
            if !doc.names().any(|name| task.args.named.get(name).is_some_and(|(_, node)| !node.is_null())) {
                complete = false;
                let wrong = format!("`{}` needs the argument `{}`", task.action_name, doc.name);
                self.found.push(Diagnostic::error(code::MISSING_ARGUMENT, wrong).at(task.action_span));
            }
        }
        if complete {
            self.values(task, entry, &docs, given);
        }
    }

    /// Reads the arguments as the module will, until no literal one is wrong.
    fn values(&mut self, task: &Task, entry: &Entry, docs: &[ArgumentDoc], mut given: Map) {
        let all_known = task.args.named.values().all(|(_, node)| !is_open(node));
        for _ in 0..=given.len() {
            let Err(error) = (entry.manual.validate)(&given) else { return };
            let Some(Step::Key(name)) = error.path.0.first().cloned() else {
                // About several arguments together: only sure if none of them is a stand-in.
                if all_known {
                    self.found.push(shown(&error, task.action_span, code::CONFLICTING_ARGUMENTS));
                }
                return;
            };
            let doc = docs.iter().find(|doc| doc.names().any(|known| known == &*name));
            let names = doc
                .map(|doc| doc.names().map(str::to_owned).collect())
                .unwrap_or_else(|| vec![name.to_string()]);
            let Some((written, (span, node))) =
                names.iter().find_map(|name| task.args.named.get_key_value(name.as_str()))
            else {
                return;
            };
            if !is_open(node) {
                let choice = doc.is_some_and(|doc| !doc.choices.is_empty());
                let code = match error.at_key {
                    true => code::UNKNOWN_ARGUMENT,
                    false if choice => code::BAD_CHOICE,
                    false => code::BAD_ARGUMENT,
                };
                let place = place(&error.path, error.at_key, *span, node);
                self.found.push(shown(&error, place, code));
            }
            let written = written.clone();
            match doc.filter(|doc| doc.required) {
                Some(doc) => given.insert(written, stand_in(Some(doc))),
                None => given.shift_remove(&*written),
            };
        }
    }
}

fn shown(error: &ArgError, place: Span, code: &'static str) -> Diagnostic {
    let diagnostic = Diagnostic::error(code, error.sentence()).at(place);
    match &error.help {
        Some(help) => diagnostic.help(help.clone()),
        None => diagnostic,
    }
}

fn unknown(module: &str, name: &Str, span: Span, docs: &[ArgumentDoc]) -> Diagnostic {
    let wrong =
        Diagnostic::error(code::UNKNOWN_ARGUMENT, format!("`{module}` has no argument `{name}`")).at(span);
    if crate::playbook::keywords::is(name, crate::playbook::keywords::Place::Task) {
        return wrong.help(format!("`{name}` is a keyword of the task: indent it as far as `{module}`"));
    }
    let names: Vec<&str> =
        docs.iter().flat_map(ArgumentDoc::names).filter(|name| !name.starts_with(['_', '@'])).collect();
    let all = format!("it has {}", names.join(", "));
    let wrong = wrong.suggest(name, names.iter().copied());
    if wrong.help.is_none() && names.len() <= 12 && !names.is_empty() { wrong.note(all) } else { wrong }
}

/// Whether the module takes arguments that it does not name: one that none can have is the test of it.
fn takes_others(entry: &Entry) -> bool {
    let probe = Map::from_iter([("no such argument".into(), Value::from("x"))]);
    !(entry.manual.validate)(&probe).is_err_and(|error| error.at_key)
}

/// Whether the value is known only when the task runs.
fn is_open(node: &Node) -> bool {
    let vault = |node: &Node| node.tag == Some(Tag::Vault);
    let inside = match &node.kind {
        Kind::Seq(items) => items.iter().any(is_open),
        Kind::Map(map) => map.values().any(|(_, node)| is_open(node)),
        _ => false,
    };
    inside || vault(node) || node.has_template()
}

/// A value that the argument can have.
fn stand_in(doc: Option<&ArgumentDoc>) -> Value {
    let Some(doc) = doc else { return Value::from("x") };
    if let Some(choice) = doc.choices.first().filter(|_| !doc.kind.starts_with("list")) {
        return Value::from(choice.value.as_str());
    }
    match doc.kind.as_str() {
        "bool" => Value::Bool(false),
        "int" => Value::Int(1),
        "float" => Value::Float(1.0),
        "mode" => Value::from("0644"),
        "path" => Value::from("/x"),
        "dict" => Value::map(Map::new()),
        kind if kind.starts_with("list") => Value::list(Vec::new()),
        _ => Value::from("x"),
    }
}

/// Where in an argument's node a path leads; the deepest part that is there.
fn place(path: &Path, at_key: bool, key: Span, node: &Node) -> Span {
    let steps = path.0.get(1..).unwrap_or_default();
    if steps.is_empty() {
        return if at_key { key } else { node.span };
    }
    let mut here = node;
    let mut span = node.span;
    for (i, step) in steps.iter().enumerate() {
        let last = i + 1 == steps.len();
        let next = match step {
            Step::Key(name) => {
                here.as_map().and_then(|map: &NodeMap| map.get(name)).map(|(at, node)| (*at, node))
            }
            Step::Index(index) => {
                here.as_seq().and_then(|items| items.get(*index)).map(|node| (node.span, node))
            }
        };
        let Some((at, node)) = next else { break };
        span = if last && at_key { at } else { node.span };
        here = node;
    }
    span
}
