//! Parser events to [`Node`] trees: places, anchors, merge keys, duplicate keys, limits.
//!
//! Scalars are resolved in `scalar`, tags in `tags`; what the parser can't read is explained in `mistakes`. `load`
//! and everyone with a text in [`Sources`] calls [`parse`].

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::tags::{self, Meaning};
use super::view::View;
use super::{Kind, Node, NodeMap, Tag, extent, mistakes, scalar};
use crate::diag::{Diagnostic, FileId, Severity, Sources, Span, code};
use crate::value::Str;

/// Deeper than any real file; walks over trees may recurse.
const MAX_DEPTH: usize = 128;
/// How many nodes the aliases and merge keys of one file may stand for.
const MAX_ALIASED: usize = 1_000_000;
/// How often a text is read again with deeper lines; each time is for another quoted or bracketed value.
const MAX_REPAIRS: usize = 500;

/// What a text holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The documents that are complete.
    pub documents: Vec<Node>,
    /// Mistakes and warnings, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Whether there is a mistake, not only warnings.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|it| it.severity == Severity::Error)
    }
}

/// Reads all documents of a text.
#[must_use]
pub fn parse(file: FileId, sources: &Sources) -> Parsed {
    let text = sources.text(file);
    let mut view = View::new(&text);
    let mut repairs = 0;
    loop {
        let mut composer = Composer::new(file, &text);
        let Err(error) = composer.run(&view) else { break composer.parsed };
        let mistake = mistakes::Mistake {
            file,
            text: &text,
            at: view.byte(error.marker().index()),
            info: error.info(),
            read_to: composer.last_end,
            brackets: composer.open_brackets(),
        };
        if repairs < MAX_REPAIRS && mistake.under_indented().is_some_and(|start| view.indent_value_at(start))
        {
            repairs += 1;
            continue;
        }
        composer.add_mistake(mistake.explain());
        break composer.parsed;
    }
}

/// A list or mapping that is not complete yet.
struct Frame {
    span: Span,
    /// Its opening bracket, if it has one.
    bracket: Option<usize>,
    meaning: Meaning,
    anchor: usize,
    /// Under a `!unsafe`, its own or an outer one.
    is_unsafe: bool,
    weight: Weight,
    content: Content,
}

enum Content {
    Seq(Vec<Node>),
    Map { entries: NodeMap, merged: NodeMap, key: Option<Key> },
}

/// A key whose value is still to come.
enum Key {
    Entry(Str, Span),
    Merge(Span),
    /// Not usable, and reported; its value is dropped.
    Bad,
}

/// A scalar as it was written.
struct Scalar<'a> {
    text: &'a str,
    plain: bool,
    span: Span,
}

/// How much a finished node stands for.
#[derive(Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    depth: usize,
}

struct Composer<'a> {
    file: FileId,
    text: &'a str,
    parsed: Parsed,
    frames: Vec<Frame>,
    anchors: HashMap<usize, (Node, Weight)>,
    aliased: usize,
    /// Where the last value ended.
    last_end: usize,
    /// Set when reading on makes no sense; the reason is reported.
    stopped: bool,
}

impl<'a> Composer<'a> {
    fn new(file: FileId, text: &'a str) -> Composer<'a> {
        Composer {
            file,
            text,
            parsed: Parsed { documents: Vec::new(), diagnostics: Vec::new() },
            frames: Vec::new(),
            anchors: HashMap::new(),
            aliased: 0,
            last_end: 0,
            stopped: false,
        }
    }

    fn run(&mut self, view: &View<'_>) -> Result<(), ScanError> {
        for event in Parser::new_from_str(view.text()) {
            let (event, marks) = event?;
            let (start, end) = (view.byte(marks.start.index()), view.byte(marks.end.index()));
            self.event(event, start, end.max(start));
            if self.stopped {
                break;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, start: usize, end: usize) {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let has_properties = anchor > 0 || tag.is_some();
                let span = self.scalar_span(&text, style, has_properties, (start, end));
                let scalar = Scalar { text: &text, plain: style == ScalarStyle::Plain, span };
                self.scalar(&scalar, anchor, &tags::meaning(tag.as_deref()));
            }
            Event::SequenceStart(anchor, tag) => {
                let content = Content::Seq(Vec::new());
                self.open(content, anchor, tags::meaning(tag.as_deref()), start, end);
            }
            Event::MappingStart(anchor, tag) => {
                let content = Content::Map { entries: NodeMap::new(), merged: NodeMap::new(), key: None };
                self.open(content, anchor, tags::meaning(tag.as_deref()), start, end);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(start, end),
            Event::Alias(id) => self.alias(id, self.span(start, end)),
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let offset = |at: usize| u32::try_from(at.min(self.text.len())).unwrap_or(u32::MAX);
        Span { file: self.file, start: offset(start), end: offset(end.max(start)) }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.parsed.diagnostics.push(diagnostic);
    }

    /// Reports what the parser stumbled over, unless it is the consequence of a mistake that is reported already.
    fn add_mistake(&mut self, mistake: Diagnostic) {
        let line = |span: Option<Span>| {
            let before = span.and_then(|span| self.text.get(..span.start as usize));
            before.map(|before| before.matches('\n').count())
        };
        let is_known = |known: &Diagnostic| {
            known.code == code::YAML_UNQUOTED_TEMPLATE && line(known.span()) == line(mistake.span())
        };
        if !self.parsed.diagnostics.iter().any(is_known) {
            self.report(mistake);
        }
    }

    /// The opening brackets of the flow collections that are not closed yet, outermost first.
    fn open_brackets(&self) -> Vec<usize> {
        self.frames.iter().filter_map(|frame| frame.bracket).collect()
    }

    /// Where a scalar stands: its text with quotes, the content of a block; without tag, anchor and comment.
    fn scalar_span(
        &self,
        text: &str,
        style: ScalarStyle,
        has_properties: bool,
        marks: (usize, usize),
    ) -> Span {
        let (start, end) = marks;
        let from = if has_properties { extent::skip_properties(self.text, start, end) } else { start };
        let to = match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => extent::quoted_end(self.text, from),
            ScalarStyle::Plain if text.is_empty() => Some(from),
            // Without properties the mark is already that of the content.
            ScalarStyle::Literal | ScalarStyle::Folded if has_properties => {
                return self.block_content(from, end);
            }
            _ => None,
        };
        let to = to.unwrap_or_else(|| from + self.text.get(from..end).map_or(0, |it| it.trim_end().len()));
        self.span(from, to)
    }

    /// The content of a block scalar whose header is at `header`.
    fn block_content(&self, header: usize, end: usize) -> Span {
        let block = self.text.get(header..end).unwrap_or_default();
        let Some(content) = block.find('\n').and_then(|line| block.get(line..)) else {
            return self.span(header, header + block.trim_end().len());
        };
        let start = end - content.trim_start().len();
        self.span(start, start + content.trim().len())
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, anchor: usize, tag: &Meaning) {
        let Scalar { text, plain, span } = *scalar;
        self.last_end = self.last_end.max(span.end as usize);
        if plain && text == "<<" && *tag == Meaning::Plain && self.wants_key() {
            return self.set_key(Key::Merge(span));
        }
        let mut node = tags::scalar(text, plain, tag, span).unwrap_or_else(|mistake| {
            self.report(mistake);
            Node::new(Kind::Null, span)
        });
        if self.frames.last().is_some_and(|frame| frame.is_unsafe) {
            node.tag.get_or_insert(Tag::Unsafe);
        }
        self.add(node, anchor, Weight { nodes: 1, depth: 0 });
    }

    fn open(&mut self, content: Content, anchor: usize, meaning: Meaning, start: usize, end: usize) {
        let from = extent::skip_properties(self.text, start, end);
        let at = self.text.as_bytes().get(from);
        let bracket = (from < end && matches!(at, Some(b'[' | b'{'))).then_some(from);
        if bracket.is_some() && self.text.get(from..).is_some_and(|rest| rest.starts_with("{{")) {
            let template = mistakes::unquoted_template(self.file, self.text, from);
            self.report(template);
        }
        let span = self.span(from, end);
        if self.frames.len() >= MAX_DEPTH {
            self.report(Diagnostic::error(code::YAML_TOO_DEEP, "the nesting is too deep here").at(span));
            self.stopped = true;
        }
        let is_unsafe =
            meaning == Meaning::Ours(Tag::Unsafe) || self.frames.last().is_some_and(|frame| frame.is_unsafe);
        self.frames.push(Frame {
            span,
            bracket,
            meaning,
            anchor,
            is_unsafe,
            weight: Weight::default(),
            content,
        });
    }

    fn close(&mut self, start: usize, end: usize) {
        let Some(mut frame) = self.frames.pop() else { return };
        if frame.bracket.is_some() {
            self.last_end = self.last_end.max(end.min(start + 1));
        }
        let end = self.last_end.max(frame.span.start as usize);
        frame.span = self.span(frame.span.start as usize, end);
        let kind = match frame.content {
            Content::Seq(items) => Kind::Seq(items.into()),
            Content::Map { entries, merged, .. } => Kind::Map(Arc::new(with_merged(merged, entries))),
        };
        let node = tags::collection(kind, &frame.meaning, frame.span).unwrap_or_else(|mistake| {
            self.report(mistake);
            Node::new(Kind::Null, frame.span)
        });
        let weight = Weight { nodes: frame.weight.nodes + 1, depth: frame.weight.depth + 1 };
        self.add(node, frame.anchor, weight);
    }

    fn alias(&mut self, id: usize, span: Span) {
        self.last_end = self.last_end.max(span.end as usize);
        let Some((node, weight)) = self.anchors.get(&id).cloned() else {
            let message = "this alias stands for a value that it is a part of";
            self.report(Diagnostic::error(code::YAML_UNKNOWN_ALIAS, message).at(span));
            return self.add(Node::new(Kind::Null, span), 0, Weight::default());
        };
        self.aliased = self.aliased.saturating_add(weight.nodes);
        let limit = if self.aliased > MAX_ALIASED {
            Some((code::YAML_ALIAS_LIMIT, "the aliases up to here stand for more than a million values"))
        } else if self.frames.len() + weight.depth > MAX_DEPTH {
            Some((code::YAML_TOO_DEEP, "with what this alias stands for the nesting is too deep"))
        } else {
            None
        };
        if let Some((code, message)) = limit {
            self.report(Diagnostic::error(code, message).at(span));
            self.stopped = true;
            return;
        }
        self.add(node, 0, weight);
    }

    /// Whether the next node is a key.
    fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { content: Content::Map { key: None, .. }, .. }))
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Frame { content: Content::Map { key, .. }, .. }) = self.frames.last_mut() {
            *key = Some(new);
        }
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, anchor: usize, weight: Weight) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        let Some(frame) = self.frames.last_mut() else {
            self.parsed.documents.push(node);
            return;
        };
        frame.weight.nodes = frame.weight.nodes.saturating_add(weight.nodes);
        frame.weight.depth = frame.weight.depth.max(weight.depth);
        let (entries, merged, key) = match &mut frame.content {
            Content::Seq(items) => return items.push(node),
            Content::Map { entries, merged, key } => (entries, merged, key),
        };
        let problem = match key.take() {
            None => {
                let (new, problem) = as_key(&node, frame.bracket);
                *key = Some(new);
                problem
            }
            Some(Key::Entry(name, span)) => insert(entries, name, span, node),
            Some(Key::Merge(span)) => merge(merged, &node, span),
            Some(Key::Bad) => None,
        };
        if let Some(problem) = problem {
            self.report(problem);
        }
    }
}

fn as_key(node: &Node, bracket: Option<usize>) -> (Key, Option<Diagnostic>) {
    if let Some(text) = scalar::key_text(&node.kind) {
        return (Key::Entry(text, node.span), None);
    }
    // `{{ x }}` is a mapping whose key is a mapping; that was reported where it began.
    if bracket.is_some_and(|at| at + 1 == node.span.start as usize) {
        return (Key::Bad, None);
    }
    let mistake = Diagnostic::error(code::YAML_KEY, "a key can't be a list or a mapping").at(node.span);
    (Key::Bad, Some(mistake))
}

/// Adds an entry; the warning if the key was there already.
fn insert(entries: &mut NodeMap, name: Str, span: Span, node: Node) -> Option<Diagnostic> {
    let message = format!("the key `{name}` is given twice; the last one counts");
    let (first, _) = entries.insert(name, (span, node))?;
    Some(
        Diagnostic::warning(code::YAML_DUPLICATE_KEY, message)
            .label(span, "this one counts")
            .label(first, "this one is lost"),
    )
}

/// Takes over the entries of what `<<` stands for: a mapping, or several of which the first wins.
fn merge(merged: &mut NodeMap, value: &Node, key: Span) -> Option<Diagnostic> {
    let maps = match &value.kind {
        Kind::Map(_) => std::slice::from_ref(value),
        Kind::Seq(items) => items.as_slice(),
        _ => &[],
    };
    let is_fit =
        matches!(value.kind, Kind::Map(_) | Kind::Seq(_)) && maps.iter().all(|map| map.as_map().is_some());
    for map in maps.iter().rev().filter_map(Node::as_map) {
        for (name, entry) in map {
            merged.insert(name.clone(), entry.clone());
        }
    }
    let mistake = || {
        Diagnostic::error(code::YAML_MERGE, "`<<` needs a mapping or a list of mappings")
            .label(value.span, "this is neither")
            .label(key, "")
    };
    (!is_fit).then(mistake)
}

/// As PyYAML orders them: merged entries first, then the mapping's own, which win.
fn with_merged(mut merged: NodeMap, own: NodeMap) -> NodeMap {
    if merged.is_empty() {
        return own;
    }
    merged.extend(own);
    merged
}
