//! Diagnostics as text with source lines and carets, and as JSON. The outputs and `regatta check` call it.
//!
//! Not the words themselves: whoever finds a mistake writes them into the [`Diagnostic`].

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str,
};
use serde_json::Value;

use super::{Diagnostic, FileId, Severity, Sources, Span};

/// Instead of lines of a decrypted file.
const HIDDEN: &str = "the file is encrypted, so its lines are not shown";

/// The text of one diagnostic, ending in a newline. `color`: with ANSI colors.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &Sources, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&diagnostic.message)).id(diagnostic.code);
    let mut group = Group::with_title(title);
    for excerpt in excerpts(diagnostic, sources) {
        group = match excerpt.hidden {
            true => group.element(excerpt.origin()).element(Level::NOTE.message(HIDDEN)),
            false => group.element(excerpt.element()),
        };
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(printable(note)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

/// For editors and CI: code, severity, message, file, line, column, end positions, labels, notes, help.
///
/// Lines and columns count from 1, columns in characters, ends are exclusive; without a place they are `null`.
#[must_use]
pub fn to_json(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let labels = diagnostic.labels.iter().map(|(span, text)| {
        let mut label = place(Some(*span), sources);
        label.insert("message".into(), text.as_str().into());
        Value::Object(label)
    });
    let labels: Vec<Value> = labels.collect();
    let mut json = serde_json::Map::new();
    json.insert("code".into(), diagnostic.code.into());
    json.insert("severity".into(), severity.into());
    json.insert("message".into(), diagnostic.message.as_str().into());
    json.extend(place(diagnostic.span(), sources));
    json.insert("labels".into(), labels.into());
    json.insert("notes".into(), diagnostic.notes.as_slice().into());
    json.insert("help".into(), diagnostic.help.as_deref().into());
    Value::Object(json)
}

fn place(span: Option<Span>, sources: &Sources) -> serde_json::Map<String, Value> {
    let start = span.map(|span| sources.position(span));
    let end = span.map(|span| sources.position(Span { start: span.end.max(span.start), ..span }));
    let mut place = serde_json::Map::new();
    place.insert("file".into(), start.as_ref().map(|at| at.path.display().to_string()).into());
    place.insert("line".into(), start.as_ref().map(|at| at.line).into());
    place.insert("column".into(), start.as_ref().map(|at| at.column).into());
    place.insert("end_line".into(), end.as_ref().map(|at| at.line).into());
    place.insert("end_column".into(), end.as_ref().map(|at| at.column).into());
    place
}

/// The text without what would let it act on a terminal.
fn printable(text: &str) -> String {
    normalize_untrusted_str(text.trim_end())
}

/// The lines of one file that a diagnostic points into.
struct Excerpt {
    path: Arc<Path>,
    text: Arc<str>,
    first_line: usize,
    lines: Range<usize>,
    marks: Vec<(Range<usize>, String, AnnotationKind)>,
    /// Decrypted: only the place may be shown.
    hidden: bool,
}

impl Excerpt {
    fn origin(&self) -> Element<'static> {
        let start = self.marks.first().map_or(self.lines.start, |(range, ..)| range.start);
        let before = self.text.get(..start).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let line = before.matches('\n').count() + 1;
        Origin::path(printable(&self.path.display().to_string())).line(line).char_column(column).into()
    }

    fn element(&self) -> Element<'static> {
        let source = self.text.get(self.lines.clone()).unwrap_or_default().to_owned();
        let marks = self.marks.iter().map(|(range, text, kind)| -> Annotation<'static> {
            let mark = kind.span(range.start - self.lines.start..range.end - self.lines.start);
            if text.is_empty() { mark } else { mark.label(printable(text)) }
        });
        Snippet::source(source)
            .line_start(self.first_line)
            .path(printable(&self.path.display().to_string()))
            .annotations(marks.collect::<Vec<_>>())
            .into()
    }
}

/// One excerpt per file, in the order in which the labels name the files.
fn excerpts(diagnostic: &Diagnostic, sources: &Sources) -> Vec<Excerpt> {
    let mut excerpts: Vec<(FileId, Excerpt)> = Vec::new();
    for (i, (span, text)) in diagnostic.labels.iter().enumerate() {
        let kind = if i == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let source = sources.text(span.file);
        let range = visible(*span, &source);
        let lines = line_start(&source, range.start)..line_end(&source, range.end);
        let first_line = source.get(..lines.start).unwrap_or_default().matches('\n').count() + 1;
        let mark = (range, text.clone(), kind);
        match excerpts.iter_mut().find(|(file, _)| *file == span.file) {
            Some((_, excerpt)) => {
                excerpt.first_line = excerpt.first_line.min(first_line);
                excerpt.lines.start = excerpt.lines.start.min(lines.start);
                excerpt.lines.end = excerpt.lines.end.max(lines.end);
                excerpt.marks.push(mark);
            }
            None => {
                let path = sources.path(span.file);
                let (marks, hidden) = (vec![mark], sources.is_hidden(span.file));
                excerpts.push((span.file, Excerpt { path, text: source, first_line, lines, marks, hidden }));
            }
        }
    }
    excerpts.into_iter().map(|(_, excerpt)| excerpt).collect()
}

/// The part of a span that carets are drawn under: within the text, on character boundaries, on its first line.
///
/// A span of a whole mapping would else draw a frame around half of the file.
fn visible(span: Span, text: &str) -> Range<usize> {
    let mut start = floor(text, span.start as usize);
    if start == text.len() {
        // Past the last line break there is no line to show: point behind the last text instead.
        start = text.trim_end().len();
    }
    let end = floor(text, span.end as usize).clamp(start, line_end(text, start));
    start..end.max(start)
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |i| i + 1)
}

/// The end of the line without its line break.
fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.find('\n').map_or(rest, |i| &rest[..i]);
    at + line.strip_suffix('\r').unwrap_or(line).len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn span(file: FileId, start: usize, end: usize) -> Span {
        Span { file, start: u32::try_from(start).unwrap(), end: u32::try_from(end).unwrap() }
    }

    #[test]
    fn a_message_shows_line_carets_labels_notes_and_help() {
        let sources = Sources::default();
        let file = sources.add("site.yml", "- hosts: web\n  tasks:\n    - coppy:\n        src: a\n");
        let other = sources.add("roles/x/tasks/main.yml", "- copy:\n");
        let diagnostic = Diagnostic::error("R101", "unknown module `coppy`")
            .label(span(file, 28, 33), "not a module")
            .label(span(file, 2, 7), "in this play")
            .label(span(other, 2, 6), "")
            .note("searched in library/")
            .help("did you mean `copy`?");
        let expected = "\
error[R101]: unknown module `coppy`
 --> site.yml:3:7
  |
1 | - hosts: web
  |   ----- in this play
2 |   tasks:
3 |     - coppy:
  |       ^^^^^ not a module
  |
 ::: roles/x/tasks/main.yml:1:3
  |
1 | - copy:
  |   ----
  |
  = note: searched in library/
  = help: did you mean `copy`?
";
        assert_eq!(render(&diagnostic, &sources, false), expected);
        assert!(render(&diagnostic, &sources, true).contains("\u{1b}["));
    }

    #[test]
    fn a_message_without_a_place_has_only_words() {
        let diagnostic = Diagnostic::warning("R313", "no inventory").note("only localhost").help("use `-i`");
        let text = render(&diagnostic, &Sources::default(), false);
        let expected = "warning[R313]: no inventory\n |\n = note: only localhost\n = help: use `-i`\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_span_over_several_lines_is_drawn_on_its_first() {
        let sources = Sources::default();
        let file = sources.add("a.yml", "a: 1\nb:\n  c: 2\n  d: 3\n");
        let text = render(&Diagnostic::error("R001", "x").at(span(file, 5, 21)), &sources, false);
        assert_eq!(text, "error[R001]: x\n --> a.yml:2:1\n  |\n2 | b:\n  | ^^\n");
    }

    #[test]
    fn ends_of_files_and_line_breaks_have_a_line_to_point_at() {
        for (text, at, shown) in [
            ("a: [1,\n", 7, "1 | a: [1,\n  |       ^\n"),
            ("a: [1,\r\nb", 6, "1 | a: [1,\n  |       ^\n"),
            ("", 0, "1 |\n  | ^\n"),
            ("é: 'x", 99, "1 | é: 'x\n  |      ^\n"),
        ] {
            let sources = Sources::default();
            let file = sources.add("a.yml", text);
            let rendered = render(&Diagnostic::error("R001", "x").at(span(file, at, at)), &sources, false);
            assert!(rendered.ends_with(shown), "{text:?}: {rendered}");
        }
    }

    #[test]
    fn a_message_can_not_act_on_the_terminal() {
        let sources = Sources::default();
        let file = sources.add("a\u{1b}[2J.yml", "\u{1b}[31mred: \u{202e}x\n");
        let diagnostic =
            Diagnostic::error("R001", "\u{1b}[1m").note("\u{1b}]0;t").label(span(file, 0, 4), "\u{7}");
        let diagnostic = diagnostic.help("\u{8}");
        let text = render(&diagnostic, &sources, false);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{text:?}");
    }

    #[test]
    fn json_counts_as_editors_do() {
        let sources = Sources::default();
        let file = sources.add("a.yml", "é: 1\nfoo: bär\n");
        let diagnostic =
            Diagnostic::warning("R004", "m").label(span(file, 11, 15), "here").note("n").help("h");
        let place = json!({ "file": "a.yml", "line": 2, "column": 6, "end_line": 2, "end_column": 9 });
        let mut label = place.as_object().unwrap().clone();
        label.insert("message".into(), "here".into());
        let mut expected = json!({ "code": "R004", "severity": "warning", "message": "m" });
        expected.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        let tail = json!({ "labels": [label], "notes": ["n"], "help": "h" });
        expected.as_object_mut().unwrap().extend(tail.as_object().unwrap().clone());
        assert_eq!(to_json(&diagnostic, &sources), expected);
        assert_eq!(to_json(&Diagnostic::error("R001", "x"), &sources)["line"], Value::Null);
    }

    proptest! {
        #[test]
        fn any_span_in_any_text_can_be_rendered(
            text in "[a \t\r\n'é漢\u{1b}\u{202e}\u{301}]{0,60}",
            marks in proptest::collection::vec((0usize..140, 0usize..140), 0..4),
        ) {
            let sources = Sources::default();
            let file = sources.add("a.yml", text);
            let mut diagnostic = Diagnostic::error("R001", "x");
            for (start, end) in marks {
                diagnostic = diagnostic.label(span(file, start, end), "l");
            }
            prop_assert!(render(&diagnostic, &sources, false).ends_with('\n'));
            prop_assert!(to_json(&diagnostic, &sources).is_object());
        }
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_place() {
        let sources = Sources::default();
        let file = sources.add("a.yml", format!("{}: x{}\n", "a".repeat(5000), "b\t漢".repeat(100_000)));
        let text = render(&Diagnostic::error("R001", "x").at(span(file, 5000, 5001)), &sources, false);
        assert!(text.len() < 1000 && text.contains("aaaa: xb"), "{} bytes", text.len());
    }
}
