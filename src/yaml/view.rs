//! The text as the parser gets it, and the way back from its character counts to byte offsets.
//!
//! The parser knows YAML 1.2, where the later lines of a quoted or bracketed value must be indented. PyYAML does not
//! mind, and playbooks rely on it. Leading blanks mean nothing in those places, so they are put in for the parser
//! alone. `compose` calls it; nobody else sees the changed text.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::extent;

/// A text for the parser.
pub(super) struct View<'a> {
    original: &'a str,
    /// Offsets of the lines (in the original) that are indented further.
    deeper: BTreeSet<usize>,
    text: Cow<'a, str>,
    /// The original's byte offset of each character; none while both are the same.
    offsets: Option<Vec<u32>>,
}

impl<'a> View<'a> {
    pub(super) fn new(original: &'a str) -> View<'a> {
        let mut view =
            View { original, deeper: BTreeSet::new(), text: Cow::Borrowed(original), offsets: None };
        if !original.is_ascii() {
            view.offsets = Some(original.char_indices().map(|(at, _)| offset(at)).collect());
        }
        view
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The byte offset in the original of the parser's character `index`.
    pub(super) fn byte(&self, index: usize) -> usize {
        let end = self.original.len();
        match &self.offsets {
            Some(offsets) => offsets.get(index).map_or(end, |at| *at as usize),
            None => index.min(end),
        }
    }

    /// Indents what follows the first line of the quoted or bracketed value at `start`.
    ///
    /// Whether that changed something: if not, trying again makes no sense.
    pub(super) fn indent_value_at(&mut self, start: usize) -> bool {
        let quoted = matches!(self.original.as_bytes().get(start), Some(b'"' | b'\''));
        let end = if quoted {
            extent::quoted_end(self.original, start)
        } else {
            extent::flow_end(self.original, start)
        };
        let Some(value) = end.and_then(|end| self.original.get(start..end)) else { return false };
        let before = self.deeper.len();
        self.deeper.extend(value.match_indices('\n').map(|(at, _)| start + at + 1));
        if self.deeper.len() > before {
            self.rebuild();
        }
        self.deeper.len() > before
    }

    fn rebuild(&mut self) {
        // No block can start further to the right than the indicators and blanks that open a line.
        let opening = |line: &str| line.bytes().take_while(|b| b" -?:".contains(b)).count();
        let columns = self.original.lines().map(opening).max().unwrap_or(0) + 2;
        let mut text = String::with_capacity(self.original.len() + columns * self.deeper.len());
        let mut offsets = Vec::with_capacity(self.original.len());
        for (at, c) in self.original.char_indices() {
            if self.deeper.contains(&at) {
                text.extend(std::iter::repeat_n(' ', columns));
                offsets.extend(std::iter::repeat_n(offset(at), columns));
            }
            text.push(c);
            offsets.push(offset(at));
        }
        self.text = Cow::Owned(text);
        self.offsets = Some(offsets);
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
