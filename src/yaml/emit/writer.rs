//! The cursor: where it stands, when a line is broken, how nodes nest.

use super::scalar::{Analysis, Scalar, Style, analyse, escape, is_break, is_printable, scalar};
use super::{Flow, Options, Tree};

/// The state of writing: where the cursor is and what stands before it.
pub(super) struct Writer<'a> {
    out: String,
    options: &'a Options,
    best: usize,
    width: usize,
    column: usize,
    /// The column of the current level; none before the first.
    indent: Option<usize>,
    /// How many brackets are open.
    flow: usize,
    /// Whether the last thing written was white space.
    blank: bool,
    /// Whether only indentation and indicators stand on this line.
    indented: bool,
}

impl<'a> Writer<'a> {
    /// A writer at the beginning of a document.
    pub(super) fn new(options: &'a Options, best: usize, width: usize) -> Writer<'a> {
        let (out, column, indent, flow) = (String::new(), 0, None, 0);
        Writer { out, options, best, width, column, indent, flow, blank: true, indented: true }
    }

    /// What was written.
    pub(super) fn into_text(self) -> String {
        self.out
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column = if is_break(c) { 0 } else { self.column + 1 };
    }

    /// Goes to the level's column, on a new line if need be.
    pub(super) fn line(&mut self, indent: usize) {
        if !self.indented || self.column > indent || (self.column == indent && !self.blank) {
            self.put('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        (self.blank, self.indented) = (true, true);
    }

    fn new_line(&mut self) {
        self.line(self.indent.unwrap_or(0));
    }

    /// Writes punctuation; `blank` and `indents` say what it counts as for what follows.
    pub(super) fn indicator(&mut self, text: &str, spaced: bool, blank: bool, indents: bool) {
        if spaced && !self.blank {
            self.put(' ');
        }
        text.chars().for_each(|c| self.put(c));
        self.blank = blank;
        self.indented &= indents;
    }

    /// Opens a level and gives the one before it, to come back to.
    fn deeper(&mut self, flow: bool, same_column: bool) -> Option<usize> {
        let before = self.indent;
        self.indent = match before {
            None => Some(if flow { self.best } else { 0 }),
            Some(column) if same_column => Some(column),
            Some(column) => Some(column + self.best),
        };
        before
    }

    /// Writes a node; `as_key`: before a colon, on one line.
    pub(super) fn node(&mut self, tree: &Tree, in_mapping: bool, as_key: bool) {
        match tree {
            Tree::List(items) => {
                if self.in_brackets(items.iter()) {
                    self.flow_list(items);
                } else {
                    self.block_list(items, in_mapping);
                }
            }
            Tree::Map(entries) => {
                let entries = self.sorted(entries);
                if self.in_brackets(entries.iter().flat_map(|(key, value)| [*key, *value])) {
                    self.flow_map(&entries);
                } else {
                    self.block_map(&entries);
                }
            }
            leaf => {
                let before = self.deeper(true, false);
                if let Some(scalar) = scalar(leaf) {
                    self.scalar(&scalar, as_key);
                }
                self.indent = before;
            }
        }
    }

    fn in_brackets<'t>(&self, mut children: impl Iterator<Item = &'t Tree>) -> bool {
        let plain = |tree: &Tree| !matches!(tree, Tree::List(_) | Tree::Map(_) | Tree::Bytes(_));
        match self.options.flow {
            _ if self.flow > 0 => true,
            Flow::Always => true,
            Flow::Leaves => children.all(|child| plain(child) && self.options.quotes.is_none()),
            Flow::Never => children.next().is_none(),
        }
    }

    fn sorted<'t>(&self, entries: &'t [(Tree, Tree)]) -> Vec<(&'t Tree, &'t Tree)> {
        let mut sorted: Vec<(&Tree, &Tree)> = entries.iter().map(|(key, value)| (key, value)).collect();
        if !self.options.sort_keys {
            return sorted;
        }
        let texts = sorted.iter().all(|(key, _)| matches!(key, Tree::Str(_)));
        if texts || sorted.iter().all(|(key, _)| number(key).is_some()) {
            sorted.sort_by(|(a, _), (b, _)| match (a, b) {
                (Tree::Str(a), Tree::Str(b)) => a.cmp(b),
                (a, b) => number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)),
            });
        }
        sorted
    }

    fn block_list(&mut self, items: &[Tree], in_mapping: bool) {
        let before = self.deeper(false, in_mapping && !self.indented);
        for item in items {
            self.new_line();
            self.indicator("-", true, false, true);
            self.node(item, false, false);
        }
        self.indent = before;
    }

    fn block_map(&mut self, entries: &[(&Tree, &Tree)]) {
        let before = self.deeper(false, false);
        for (key, value) in entries {
            self.new_line();
            if self.is_simple(key) {
                self.node(key, true, true);
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.node(key, true, false);
                self.new_line();
                self.indicator(":", true, false, true);
            }
            self.node(value, true, false);
        }
        self.indent = before;
    }

    /// Between the items in brackets: a comma, and a new line if this one is full.
    fn next_in_brackets(&mut self, first: bool) {
        if !first {
            self.indicator(",", false, false, false);
        }
        if self.column > self.width {
            self.new_line();
        }
    }

    fn flow_list(&mut self, items: &[Tree]) {
        self.indicator("[", true, true, false);
        let before = self.deeper(true, false);
        self.flow += 1;
        for (i, item) in items.iter().enumerate() {
            self.next_in_brackets(i == 0);
            self.node(item, false, false);
        }
        self.flow -= 1;
        self.indent = before;
        self.indicator("]", false, false, false);
    }

    fn flow_map(&mut self, entries: &[(&Tree, &Tree)]) {
        self.indicator("{", true, true, false);
        let before = self.deeper(true, false);
        self.flow += 1;
        for (i, (key, value)) in entries.iter().enumerate() {
            self.next_in_brackets(i == 0);
            if self.is_simple(key) {
                self.node(key, true, true);
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, false);
                self.node(key, true, false);
                if self.column > self.width {
                    self.new_line();
                }
                self.indicator(":", true, false, false);
            }
            self.node(value, true, false);
        }
        self.flow -= 1;
        self.indent = before;
        self.indicator("}", false, false, false);
    }

    /// Whether a key may stand before its colon on one line.
    fn is_simple(&self, key: &Tree) -> bool {
        match key {
            Tree::List(items) => items.is_empty(),
            Tree::Map(entries) => entries.is_empty(),
            leaf => scalar(leaf).is_some_and(|scalar| {
                let tag = scalar.tag.filter(|_| !scalar.plain).map_or(0, str::len);
                scalar.text.len() + tag <= 128 && !analyse(&scalar.text, self.options.unicode).multi_line
            }),
        }
    }

    fn style(&self, scalar: &Scalar, allowed: &Analysis, as_key: bool) -> Style {
        if scalar.tag == Some("!!binary") && self.options.quotes.is_none() {
            let block = self.flow == 0 && !as_key && !scalar.text.is_empty();
            return if block { Style::Literal } else { Style::Double };
        }
        let plain = match self.options.quotes {
            Some('"') => return Style::Double,
            Some(_) => false,
            None => scalar.plain && if self.flow > 0 { allowed.flow_plain } else { allowed.block_plain },
        };
        match plain {
            true if !(as_key && allowed.multi_line) => Style::Plain,
            _ if allowed.single && !(as_key && allowed.multi_line) => Style::Single,
            _ => Style::Double,
        }
    }

    fn scalar(&mut self, scalar: &Scalar, as_key: bool) {
        let allowed = analyse(&scalar.text, self.options.unicode);
        let style = self.style(scalar, &allowed, as_key);
        if let Some(tag) = scalar.tag.filter(|_| style != Style::Plain) {
            self.indicator(tag, true, false, false);
        }
        let chars: Vec<char> = scalar.text.chars().collect();
        match style {
            Style::Plain => self.plain(&chars, !as_key),
            Style::Single => self.single(&chars, !as_key),
            Style::Double => self.double(&chars, !as_key),
            Style::Literal => self.literal(&chars),
        }
    }

    fn plain(&mut self, chars: &[char], folds: bool) {
        if !self.blank && (!chars.is_empty() || self.flow > 0) {
            self.put(' ');
        }
        let mut space = false;
        for (i, &c) in chars.iter().enumerate() {
            if c == ' ' && folds && !space && self.column > self.width && chars.get(i + 1) != Some(&' ') {
                self.new_line();
            } else {
                self.put(c);
                self.indented &= c == ' ';
            }
            space = c == ' ';
        }
        (self.blank, self.indented) = (false, false);
    }

    fn single(&mut self, chars: &[char], folds: bool) {
        self.indicator("'", true, false, false);
        let (mut space, mut broke) = (false, false);
        for (i, &c) in chars.iter().enumerate() {
            let inside = i > 0 && i + 1 < chars.len();
            if c == ' ' {
                if folds && !space && self.column > self.width && inside && chars.get(i + 1) != Some(&' ') {
                    self.new_line();
                } else {
                    self.put(c);
                }
                space = true;
                continue;
            }
            if is_break(c) {
                if !broke && c == '\n' {
                    self.put('\n');
                }
                self.put(c);
                (self.indented, broke) = (true, true);
                continue;
            }
            if broke {
                self.new_line();
            }
            if c == '\'' {
                self.put('\'');
            }
            self.put(c);
            (self.indented, space, broke) = (false, false, false);
        }
        if broke {
            self.new_line();
        }
        self.indicator("'", false, false, false);
    }

    fn double(&mut self, chars: &[char], folds: bool) {
        self.indicator("\"", true, false, false);
        let mut space = false;
        for (i, &c) in chars.iter().enumerate() {
            if c == ' ' {
                if folds && !space && self.column > self.width && i > 0 && i + 1 < chars.len() {
                    self.new_line();
                    if chars.get(i + 1) == Some(&' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                space = true;
                continue;
            }
            space = false;
            let stands = is_printable(c) && !is_break(c) && !matches!(c, '"' | '\\');
            if stands && (self.options.unicode || c.is_ascii()) {
                self.put(c);
            } else {
                escape(c).chars().for_each(|c| self.put(c));
            }
        }
        self.indicator("\"", false, false, false);
        (self.blank, self.indented) = (false, false);
    }

    fn literal(&mut self, chars: &[char]) {
        self.indicator("|", true, false, false);
        self.put('\n');
        let mut broke = true;
        (self.blank, self.indented) = (true, true);
        for &c in chars {
            if is_break(c) {
                self.put(c);
                (self.indented, broke) = (true, true);
                continue;
            }
            if broke {
                self.new_line();
            }
            self.put(c);
            (self.indented, broke) = (false, false);
        }
    }
}

/// The number that a key is, for sorting.
#[expect(clippy::cast_precision_loss, reason = "keys that differ only beyond 2^53 keep their order")]
fn number(tree: &Tree) -> Option<f64> {
    match tree {
        Tree::Bool(it) => Some(f64::from(u8::from(*it))),
        Tree::Int(it) => Some(*it as f64),
        Tree::Float(it) => Some(*it),
        _ => None,
    }
}
