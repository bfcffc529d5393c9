//! What the parser could not read, in words that help: the classic mistakes are recognized and named.
//!
//! `compose` calls it with the parser's error and what it knew at that point.

use super::extent;
use crate::diag::{Diagnostic, FileId, Span, code};

/// A place where the parser gave up.
pub(super) struct Mistake<'a> {
    pub file: FileId,
    pub text: &'a str,
    /// Where the parser says it is, as a byte offset.
    pub at: usize,
    /// What the parser says it is.
    pub info: &'a str,
    /// Where the last complete value ended.
    pub read_to: usize,
    /// Where the brackets that are not closed yet were opened, outermost first.
    pub brackets: Vec<usize>,
}

/// A value such as `{{ x }}` without quotes; `at` is the first brace.
pub(super) fn unquoted_template(file: FileId, text: &str, at: usize) -> Diagnostic {
    let line = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or("");
    let value = line.split(" #").next().unwrap_or(line).trim_end();
    let span = span(file, at, at + value.len());
    let quoted = if value.contains('"') { format!("'{value}'") } else { format!("\"{value}\"") };
    let mistake =
        Diagnostic::error(code::YAML_UNQUOTED_TEMPLATE, "a value that starts with a template needs quotes")
            .label(span, "YAML takes the brace for the start of a mapping");
    if quoted.matches('\'').count() > 2 && quoted.starts_with('\'') {
        return mistake.help("put the whole value in quotes");
    }
    mistake.help(format!("put the whole value in quotes: {quoted}"))
}

impl Mistake<'_> {
    /// The start of the quoted or bracketed value whose later lines are too far to the left for the parser.
    pub(super) fn under_indented(&self) -> Option<usize> {
        match self.info {
            "invalid indentation in quoted scalar" => Some(self.at),
            "invalid indentation" | "invalid indentation in flow construct" => {
                self.brackets.first().copied().or_else(|| extent::next_bracket(self.text, self.read_to))
            }
            _ => None,
        }
    }

    /// The message for the user.
    pub(super) fn explain(&self) -> Diagnostic {
        if let Some(tab) = self.leading_tab() {
            return Diagnostic::error(code::YAML_TAB, "a tab can't be used for indentation")
                .label(self.span(tab, tab + 1), "this is a tab")
                .help("use spaces");
        }
        let info = self.info;
        if info.contains("unknown anchor") {
            return self.unknown_alias();
        }
        if info.contains("end of stream") && info.contains("quoted") || info.contains("in quoted scalar") {
            return self.unclosed_quote(self.at);
        }
        if info.contains("document indicator") {
            return self.unclosed_quote(self.at);
        }
        if info.contains("unknown escape")
            || info.contains("hexadecimal")
            || info.contains("Unicode character")
        {
            return self.bad_escape();
        }
        if info.contains("trailing content after") {
            return self.after_quote();
        }
        if info.contains("recursion limit") {
            return Diagnostic::error(code::YAML_TOO_DEEP, "the nesting is too deep here").at(self.here());
        }
        if info.contains("handle wasn't declared") {
            return Diagnostic::error(code::YAML_TAG, "unknown tag").at(self.here());
        }
        self.structure()
    }

    /// Mistakes in how values are put together.
    fn structure(&self) -> Diagnostic {
        let info = self.info;
        if let Some(bracket) = self.unclosed_bracket() {
            let close = if self.text.as_bytes().get(bracket) == Some(&b'[') { ']' } else { '}' };
            return Diagnostic::error(code::YAML_SYNTAX, format!("expected `,` or `{close}` here"))
                .at(self.here())
                .label(self.span(bracket, bracket + 1), "for the bracket that is opened here");
        }
        if info.contains("mapping values are not allowed") {
            return self.colon();
        }
        if info.contains("sequence entries are not allowed") {
            return Diagnostic::error(code::YAML_SYNTAX, "a list can't start on this line")
                .at(self.here())
                .help("put each item on a line of its own below the key, or quote the text if it is none");
        }
        if info.contains("unexpected character") {
            let found = self.text.get(self.at..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
            return Diagnostic::error(
                code::YAML_SYNTAX,
                format!("an unquoted text can't start with `{found}`"),
            )
            .at(self.here())
            .help("put the whole value in quotes");
        }
        if info.contains("simple key expect") {
            let end = self.text.get(..self.at).map_or(0, |before| before.trim_end().len());
            let start = self.text.get(..end).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
            let start =
                start + self.text.get(start..end).map_or(0, |line| line.len() - line.trim_start().len());
            return Diagnostic::error(code::YAML_SYNTAX, "expected a `:` after this key")
                .at(self.span(start, end));
        }
        if info.contains("did not find expected key")
            || info.contains("expected '-'")
            || info.contains("indent")
        {
            return self.indentation();
        }
        let words = info.rsplit("did not find ").next().filter(|rest| rest.len() < info.len());
        let message = words.map_or_else(
            || format!("this is not valid YAML: {info}"),
            |it| format!("this is not valid YAML: did not find {it}"),
        );
        Diagnostic::error(code::YAML_SYNTAX, message).at(self.here())
    }

    fn span(&self, start: usize, end: usize) -> Span {
        span(self.file, start, end.min(self.text.len()))
    }

    /// The word at the place of the error.
    fn here(&self) -> Span {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
        self.span(self.at, self.at + word)
    }

    fn line_start(&self, at: usize) -> usize {
        self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
    }

    /// A tab that opens the line of the error, or a later line of the text that the error is about.
    fn leading_tab(&self) -> Option<usize> {
        let line = self.line_start(self.at);
        let lines = if self.info.contains("found a tab") { usize::MAX } else { 1 };
        let mut at = line;
        for line in self.text.get(line..)?.split_inclusive('\n').take(lines) {
            let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
            if let Some(tab) = line.get(..blanks)?.find('\t') {
                return Some(at + tab);
            }
            at += line.len();
        }
        None
    }

    fn unknown_alias(&self) -> Diagnostic {
        let span = self.here();
        let name = self.text.get(span.start as usize..span.end as usize).unwrap_or("*");
        Diagnostic::error(code::YAML_UNKNOWN_ALIAS, format!("there is no anchor for the alias `{name}`"))
            .at(span)
            .help("a plain text that begins with an asterisk must be quoted")
    }

    fn unclosed_quote(&self, at: usize) -> Diagnostic {
        Diagnostic::error(code::YAML_UNCLOSED_QUOTE, "this quote is never closed")
            .label(self.span(at, at + 1), "opened here")
    }

    fn bad_escape(&self) -> Diagnostic {
        let end = extent::quoted_end(self.text, self.at).unwrap_or(self.text.len());
        let value = self.text.get(self.at..end).unwrap_or_default();
        let mut at = 0;
        while let Some(next) = value.get(at..).and_then(|rest| rest.find('\\')) {
            at += next;
            let escaped = value.get(at + 1..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
            if !"0abtnvfre \"/\\N_LPxuU\t\r\n".contains(escaped)
                || self.info.contains("hexa") && "xuU".contains(escaped)
            {
                let start = self.at + at;
                let message = format!("`\\{escaped}` is not an escape sequence of YAML");
                return Diagnostic::error(code::YAML_SYNTAX, message)
                    .at(self.span(start, start + 1 + escaped.len_utf8()))
                    .help("double the backslash, or use single quotes, in which it has no meaning");
            }
            at += 1 + escaped.len_utf8();
        }
        Diagnostic::error(code::YAML_SYNTAX, "an escape sequence in this text is not valid")
            .at(self.span(self.at, end))
    }

    /// Text after a closing quote: either the quotes cover only a part of the value, or one was never closed.
    fn after_quote(&self) -> Diagnostic {
        let opened = self.quote_before();
        let mistake = |code, message: &str| Diagnostic::error(code, message).at(self.here());
        match opened {
            Some(quote) if self.line_start(quote) < self.line_start(self.at) => mistake(
                code::YAML_UNCLOSED_QUOTE,
                "the text goes on after its closing quote",
            )
            .label(self.span(quote, quote + 1), "the text begins here: is its quote missing further up?"),
            Some(quote) => mistake(code::YAML_SYNTAX, "the text goes on after its closing quote")
                .label(self.span(quote, quote + 1), "opened here")
                .help("put the whole value in quotes of the other kind: 'say \"hello\" twice'"),
            None => mistake(code::YAML_SYNTAX, "the text goes on after its closing quote"),
        }
    }

    /// The opening quote of the text that ends just before the error.
    fn quote_before(&self) -> Option<usize> {
        let mut from = self.read_to;
        loop {
            let quote = from + self.text.get(from..self.at)?.find(['"', '\''])?;
            let end = extent::quoted_end(self.text, quote)?;
            if end + 1 >= self.at || self.text.get(end..self.at)?.trim().is_empty() {
                return Some(quote);
            }
            from = end;
        }
    }

    fn unclosed_bracket(&self) -> Option<usize> {
        let info = self.info;
        let in_flow =
            info.contains("flow") || info.contains("':' indicator") || info.contains("node content");
        if !in_flow && self.at < self.text.trim_end().len() {
            return None;
        }
        let opened = self.brackets.last().copied();
        opened.or_else(|| extent::next_bracket(self.text, self.read_to).filter(|at| *at < self.at))
    }

    /// A colon where no mapping can start.
    fn colon(&self) -> Diagnostic {
        let line = self.line_start(self.at);
        let before = self.text.get(line..self.at).unwrap_or_default();
        let colon = self.span(self.at, self.at + 1);
        let Some(key) = before.find(": ") else {
            return Diagnostic::error(code::YAML_INDENTATION, "no mapping can start here")
                .label(self.span(line + before.len() - before.trim_start().len(), self.at + 1), "")
                .note("the line above has a value already, and this line is indented further than its key")
                .help("indent it as the line above, or remove the value above");
        };
        let value = line + key + 2;
        let rest = self.text.get(value..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim();
        let mistake = Diagnostic::error(code::YAML_COLON, "no mapping can start inside a text")
            .label(colon, "a colon followed by a blank starts a mapping");
        if rest.contains(['"', '\\']) || rest.len() > 60 {
            return mistake.help("put the whole value in quotes");
        }
        mistake.help(format!("put the whole value in quotes: \"{rest}\""))
    }

    fn indentation(&self) -> Diagnostic {
        let line = self.line_start(self.at);
        let before = self.text.get(line..self.at).unwrap_or_default();
        if !before.trim().is_empty() {
            return Diagnostic::error(code::YAML_SYNTAX, "the value ended before this")
                .at(self.here())
                .help("put the whole value in quotes, or start a new line");
        }
        let message = "the indentation of this line fits no line above";
        Diagnostic::error(code::YAML_INDENTATION, message)
            .at(self.here())
            .help("entries of one mapping, and items of one list, start in the same column")
    }
}

fn span(file: FileId, start: usize, end: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file, start: offset(start), end: offset(end.max(start)) }
}
