//! Which module a task calls, and with what: the forms in which Ansible lets one write it.

use std::ops::Range;
use std::sync::Arc;

use crate::diag::{Diagnostic, Span, code};
use crate::value::Str;
use crate::yaml::{Kind, Node, NodeMap, locate};

use super::keywords::{self, Place};
use super::reader::{Reader, Scene};
use super::resolve::{self, Target};
use super::{Args, freeform};

/// A task's call.
pub(super) struct Call {
    /// The module's name as written.
    pub name: Str,
    /// Its place.
    pub span: Span,
    /// What it stands for.
    pub target: Target,
    /// The arguments.
    pub args: Args,
    /// Written as `local_action`.
    pub local: bool,
    /// The key that is no keyword: the module's name, if it is written as one.
    pub key: Option<Str>,
}

/// A name and what stands with it, not yet looked at.
struct Written {
    name: Str,
    span: Span,
    value: Node,
    /// Where the value's text starts in the text that stands in the file.
    skipped: usize,
    key: Option<Str>,
    local: bool,
}

impl Reader<'_> {
    /// The call of a task; none if there is none, which is noted.
    pub(super) fn call(
        &mut self,
        map: &NodeMap,
        span: Span,
        scene: &Scene,
        collections: &[Str],
    ) -> Option<Call> {
        let written = self.written(map, span, scene, collections)?;
        let target = if written.name.contains("{{") {
            Target::Templated(Node::new(Kind::Str(written.name.clone()), written.span))
        } else {
            match resolve::module(&written.name, collections, scene, self.loader) {
                Ok(target) => target,
                Err(notes) => {
                    let wrong = unknown_module(&written.name, written.span, written.key.is_some());
                    self.diagnostics.push(notes.into_iter().fold(wrong, Diagnostic::note));
                    return None;
                }
            }
        };
        if let Target::Module(super::Action::Custom(path)) = &target {
            self.diagnostics.extend(resolve::python(path, written.span));
        }
        let args = self.args(&written, &target, map.get("args").map(|(_, node)| node));
        Some(Call {
            name: written.name,
            span: written.span,
            target,
            args,
            local: written.local,
            key: written.key,
        })
    }

    fn written(&mut self, map: &NodeMap, span: Span, scene: &Scene, collections: &[Str]) -> Option<Written> {
        let mut found: Vec<Written> = Vec::new();
        for (key, local) in [("action", false), ("local_action", true)] {
            if let Some((at, node)) = map.get(key) {
                found.extend(self.written_as_action(node, *at, local));
            }
        }
        let others: Vec<(&Str, &(Span, Node))> =
            map.iter().filter(|(key, _)| !task_word(key) && keywords::replaced(key).is_none()).collect();
        let known = |name: &str| {
            name.contains("{{") || resolve::module(name, collections, scene, self.loader).is_ok()
        };
        let modules: Vec<_> = others.iter().filter(|(key, _)| known(key)).collect();
        let chosen =
            if modules.is_empty() && found.is_empty() { others.iter().take(1).collect() } else { modules };
        found.extend(chosen.into_iter().map(|(key, (at, node))| Written {
            name: (*key).clone(),
            span: *at,
            value: node.clone(),
            skipped: 0,
            key: Some((*key).clone()),
            local: false,
        }));
        if found.len() > 1 {
            let both =
                format!("a task calls one module, this one has `{}` and `{}`", found[0].name, found[1].name);
            let wrong = Diagnostic::error(code::TWO_MODULES, both)
                .at(found[1].span)
                .label(found[0].span, "the first");
            self.diagnostics.push(wrong);
            return None;
        }
        let first = found.pop();
        // A broken `action` has been reported.
        if first.is_none() && !map.contains_key("action") && !map.contains_key("local_action") {
            let wrong = Diagnostic::error(code::NO_MODULE, "the task has no module").at(span);
            self.diagnostics.push(wrong);
        }
        first
    }

    /// `action: name k=v`, or `action: {module: name, k: v}`.
    fn written_as_action(&mut self, node: &Node, at: Span, local: bool) -> Option<Written> {
        if let Some(text) = node.as_str() {
            let (name, rest) = first_word(text);
            if !name.is_empty() {
                let kind = if rest.is_empty() { Kind::Null } else { Kind::Str(rest.into()) };
                let value = Node { kind, ..node.clone() };
                let skipped = text.trim_end().len() - rest.len();
                let span =
                    locate(node.span, &self.loader.sources, text.len() - text.trim_start().len()..skipped);
                return Some(Written { name: name.into(), span, value, skipped, key: None, local });
            }
        }
        if let Some(map) = node.as_map()
            && let Some((_, module)) = map.get("module")
            && let Some(text) = module.as_str()
        {
            let (name, rest) = first_word(text);
            let mut named = NodeMap::clone(map);
            named.shift_remove("module");
            for pair in freeform::parse(rest, false).map(|line| line.pairs).unwrap_or_default() {
                named.entry(pair.key).or_insert((module.span, Node::new(Kind::Str(pair.value), module.span)));
            }
            let value = Node::new(Kind::Map(Arc::new(named)), node.span);
            return Some(Written {
                name: name.into(),
                span: module.span,
                value,
                skipped: 0,
                key: None,
                local,
            });
        }
        let help = "write `action: module argument=value`, or a mapping with `module: name`";
        self.diagnostics
            .push(Diagnostic::error(code::NO_MODULE, "`action` names no module").at(at).help(help));
        None
    }

    fn args(&mut self, written: &Written, target: &Target, more: Option<&Node>) -> Args {
        let free = target.free_form();
        let mut args = Args::default();
        let mut named = NodeMap::new();
        match &written.value.kind {
            Kind::Null => {}
            Kind::Map(map) => named = NodeMap::clone(map),
            Kind::Str(text) => {
                let (pairs, raw) = self.line(written, text, target.is_command());
                named = pairs;
                if let Some(raw) = raw {
                    match free {
                        Some(name) => {
                            named.insert(name.into(), (raw.span, raw));
                        }
                        None if raw.has_template() && named.is_empty() => args.whole = Some(raw),
                        None => self.diagnostics.push(takes_no_text(&written.name, raw.span)),
                    }
                }
            }
            _ => {
                let wrong = format!("`{}` can't take {}", written.name, keywords::describe(&written.value));
                let help = "give a mapping of arguments";
                self.diagnostics
                    .push(Diagnostic::error(code::BAD_FREE_FORM, wrong).at(written.value.span).help(help));
            }
        }
        if let Some((at, raw)) = named.shift_remove("_raw_params") {
            named.insert(free.unwrap_or("_raw_params").into(), (at, raw));
        }
        if written.key.is_none()
            && let Some((_, inner)) = named.get("args").cloned()
            && let Some(inner) = inner.as_map()
        {
            named.shift_remove("args");
            named.extend(inner.clone());
        }
        match more {
            Some(node) if node.as_str().is_some() && node.has_template() => args.whole = Some(node.clone()),
            Some(node) => {
                for (key, entry) in node.as_map().into_iter().flatten() {
                    let key = if &**key == "_raw_params" {
                        free.unwrap_or("_raw_params").into()
                    } else {
                        key.clone()
                    };
                    named.entry(key).or_insert(entry.clone());
                }
            }
            None => {}
        }
        args.named = Arc::new(named);
        args
    }

    /// The arguments in a line of text, and the text that is left.
    fn line(&mut self, written: &Written, text: &str, command: bool) -> (NodeMap, Option<Node>) {
        let node = &written.value;
        let within = |part: &Range<usize>| {
            let part = part.start + written.skipped..part.end + written.skipped;
            locate(node.span, &self.loader.sources, part)
        };
        let line = match freeform::parse(text, command) {
            Ok(line) => line,
            Err(open) => {
                let wrong = Diagnostic::error(
                    code::BAD_FREE_FORM,
                    format!("`{}` is opened and never closed", open.what),
                );
                let at = within(&(open.at..open.at + open.what.len()));
                let help = "quote the whole value as YAML text, and the value of an argument inside of it";
                self.diagnostics.push(wrong.at(at).help(help));
                return (NodeMap::new(), None);
            }
        };
        let mut named = NodeMap::new();
        for pair in line.pairs {
            let (key_at, at) = (within(&pair.key_at), within(&pair.value_at));
            named.insert(pair.key, (key_at, Node { kind: Kind::Str(pair.value), span: at, tag: node.tag }));
        }
        let raw = (!line.raw.is_empty()).then(|| {
            let whole = line.raw == text;
            let span = if whole { node.span } else { within(&line.raw_at) };
            Node { kind: Kind::Str(line.raw.into()), span, tag: node.tag }
        });
        (named, raw)
    }
}

fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    // A template as the module's name holds blanks.
    let end = match text.strip_prefix("{{").and_then(|rest| rest.find("}}")) {
        Some(close) => close + 4,
        None => text.find([' ', '\n', '\t']).unwrap_or(text.len()),
    };
    (&text[..end], text[end..].trim())
}

/// Whether the word is for the task itself, or for what else a list of tasks holds.
fn task_word(key: &str) -> bool {
    let places = [Place::Task, Place::Handler, Place::Block];
    places.iter().any(|place| keywords::is(key, *place))
}

fn takes_no_text(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(code::BAD_FREE_FORM, format!("`{name}` takes no free text"))
        .at(span)
        .help("write its arguments as `name=value`, or better as a mapping below it")
}

fn unknown_module(name: &str, span: Span, is_key: bool) -> Diagnostic {
    if is_key && (keywords::find(name).is_some() || keywords::replaced(name).is_some()) {
        return keywords::unknown(name, span, Place::Task);
    }
    let wrong = Diagnostic::error(code::UNKNOWN_MODULE, format!("there is no module `{name}`")).at(span);
    wrong.suggest(name, resolve::names().chain(keywords::names(Place::Task).filter(|_| is_key)))
}
