//! From a place inside a scalar's value back to the place in the file, through quotes, escapes and folding.
//!
//! `template` calls it to point at a name inside of a template. Values are walked as the parser reads them, but
//! nothing is built: only lengths are counted.

use std::ops::Range;

use crate::diag::{Sources, Span};

/// The place in the file of `range`, bytes of the value of the scalar that stands at `scalar`.
///
/// `scalar` is the span of the scalar's node. A range beyond the value gives the end of the scalar.
#[must_use]
pub fn locate(scalar: Span, sources: &Sources, range: Range<usize>) -> Span {
    let text = sources.text(scalar.file);
    let end = (scalar.end as usize).min(text.len());
    let start = (scalar.start as usize).min(end);
    let mut finder = Finder { range: range.start..range.end.max(range.start), at: 0, found: None };
    let Some(written) = text.get(start..end) else { return scalar };
    match written.as_bytes().first() {
        Some(b'"') => finder.quoted(&text, start + 1, end.saturating_sub(1), Some('"')),
        Some(b'\'') => finder.quoted(&text, start + 1, end.saturating_sub(1), Some('\'')),
        _ => match block_style(&text, start) {
            Some(style) => finder.block(&text, start, end, &style),
            None => finder.quoted(&text, start, end, None),
        },
    }
    let (from, to) = finder.found.unwrap_or((end, end));
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file: scalar.file, start: offset(from), end: offset(to.max(from)) }
}

/// Counts the bytes of the value and notes where those of `range` come from.
struct Finder {
    range: Range<usize>,
    /// The length of the value so far.
    at: usize,
    found: Option<(usize, usize)>,
}

impl Finder {
    /// The next `len` bytes of the value come from `from..to` of the file. Whether that is far enough.
    fn piece(&mut self, len: usize, from: usize, to: usize) -> bool {
        let next = self.at + len;
        // Pieces of the same length as their source are copies, so that places within them are exact.
        let inside = |at: usize| if len == to - from { from + (at - self.at) } else { from };
        if self.found.is_none() && self.range.start < next {
            self.found = Some((inside(self.range.start), to));
        }
        if let Some(found) = &mut self.found {
            found.1 =
                if self.range.end < next && self.range.end > self.at { inside(self.range.end) } else { to };
            if self.range.is_empty() {
                found.1 = found.0;
            }
        }
        self.at = next;
        self.found.is_some() && self.range.end <= next
    }

    /// A quoted or plain scalar: the content at `at..end`.
    fn quoted(&mut self, text: &str, mut at: usize, end: usize, quote: Option<char>) {
        while at < end {
            let rest = text.get(at..end).unwrap_or_default();
            let Some(c) = rest.chars().next() else { return };
            let (len, used) = match c {
                ' ' | '\t' | '\r' | '\n' => blanks(rest),
                '\'' if quote == Some('\'') => (1, 2),
                '\\' if quote == Some('"') => escape(rest),
                _ => (c.len_utf8(), c.len_utf8()),
            };
            let used = used.clamp(1, end - at);
            if self.piece(len, at, at + used) {
                return;
            }
            at += used;
        }
    }

    /// A block scalar whose first line with content starts at `start`.
    fn block(&mut self, text: &str, start: usize, end: usize, style: &BlockStyle) {
        if style.blank_lines > 0 && self.piece(style.blank_lines, start, start) {
            return;
        }
        let mut at = start;
        let mut lines = text.get(start..end).unwrap_or_default().split_inclusive('\n');
        let mut line = lines.next();
        while let Some(current) = line {
            let content = current.trim_end_matches(['\n', '\r']);
            if self.piece(content.len(), at, at + content.len()) {
                return;
            }
            let content_end = at + content.len();
            at += current.len();
            let mut empty_lines = 0;
            line = lines.next();
            while let Some(next) = line.filter(|next| is_empty_line(next, style.indent)) {
                empty_lines += 1;
                at += next.len();
                line = lines.next();
            }
            let next = line.map(|next| next.get(style.indent.min(next.len())..).unwrap_or(next));
            at += line.map_or(0, str::len) - next.map_or(0, str::len);
            let is_text = |line: &str| !line.starts_with([' ', '\t']);
            let folds = style.folded && is_text(content) && next.is_some_and(is_text);
            // A fold makes one blank of a break, or drops it where empty lines follow.
            let breaks = if folds && empty_lines > 0 { empty_lines } else { 1 + empty_lines };
            if self.piece(breaks, content_end, content_end) {
                return;
            }
            line = next;
        }
    }
}

/// The bytes of the value, and those of the file, for a run of blanks and line breaks.
fn blanks(rest: &str) -> (usize, usize) {
    let used = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let run = rest.get(..used).unwrap_or_default();
    match run.matches('\n').count() {
        0 => (used, used),
        1 => (1, used),
        breaks => (breaks - 1, used),
    }
}

/// The same for an escape sequence of a double-quoted scalar.
fn escape(rest: &str) -> (usize, usize) {
    let hex = |digits: usize| {
        let point = rest.get(2..2 + digits).and_then(|it| u32::from_str_radix(it, 16).ok());
        (point.and_then(char::from_u32).map_or(1, char::len_utf8), 2 + digits)
    };
    let after = rest.get(1..).unwrap_or_default();
    match after.chars().next() {
        Some('x') => hex(2),
        Some('u') => hex(4),
        Some('U') => hex(8),
        Some('N' | '_') => (2, 2),
        Some('L' | 'P') => (3, 2),
        // An escaped line break joins the lines; empty lines after it are kept.
        Some('\n' | '\r') => {
            let used = after.len() - after.trim_start_matches([' ', '\t', '\r', '\n']).len();
            (after.get(..used).unwrap_or_default().matches('\n').count().saturating_sub(1), 1 + used)
        }
        Some(c) => (1, 1 + c.len_utf8()),
        None => (0, 1),
    }
}

struct BlockStyle {
    folded: bool,
    /// The column of the content.
    indent: usize,
    /// Empty lines between the header and the content.
    blank_lines: usize,
}

/// How the block scalar with content at `start` is written; `None` if it is not a block scalar.
fn block_style(text: &str, start: usize) -> Option<BlockStyle> {
    let before = text.get(..start)?;
    let line_start = before.rfind('\n')? + 1;
    let indent = before.get(line_start..)?;
    if !indent.bytes().all(|b| b == b' ') {
        return None;
    }
    let mut above = before.get(..line_start - 1)?;
    let mut blank_lines = 0;
    let header = loop {
        let at = above.rfind('\n').map_or(0, |at| at + 1);
        let line = above.get(at..)?;
        if !line.trim().is_empty() {
            break line;
        }
        blank_lines += 1;
        above = above.get(..at.checked_sub(1)?)?;
    };
    let folded = header_style(header)?;
    Some(BlockStyle { folded, indent: indent.len(), blank_lines })
}

/// Whether a line ends in the header of a folded block scalar; `None` if it ends in no header.
fn header_style(line: &str) -> Option<bool> {
    if line.trim_start().starts_with('#') {
        return None;
    }
    let mut words = line.rsplit([' ', '\t', '\r']).filter(|word| !word.is_empty());
    // The header is the last word, or the last one before a comment.
    let header = if let Some(comment) = line.find(" #") {
        line.get(..comment)?.rsplit([' ', '\t']).find(|word| !word.is_empty())?
    } else {
        words.next()?
    };
    let indicators = header.strip_prefix('|').or_else(|| header.strip_prefix('>'))?;
    let is_header =
        indicators.len() <= 2 && indicators.bytes().all(|b| b.is_ascii_digit() || b == b'+' || b == b'-');
    is_header.then(|| header.starts_with('>'))
}

fn is_empty_line(line: &str, indent: usize) -> bool {
    let content = line.trim_end_matches(['\n', '\r']);
    content.len() <= indent && content.trim().is_empty()
}
