//! INI as Python's configparser reads it: `#` and `;` comments, ` ;` comments behind a value, indented lines that go on
//! with a value. Keeps the place of everything.

use std::path::Path;

use crate::diag::{Diagnostic, FileId, Sources, Span, code};
use crate::yaml;

/// One `key = value`.
#[derive(Debug)]
pub(super) struct Entry {
    /// The section, as written.
    pub section: String,
    /// The key, in lower case.
    pub key: String,
    /// The key's place.
    pub key_at: Span,
    /// The value without quotes.
    pub value: String,
    /// The value's place.
    pub value_at: Span,
}

impl Entry {
    /// Whether it is this setting.
    pub(super) fn is(&self, section: &str, key: &str) -> bool {
        self.section == section && self.key == key
    }
}

/// The entries of a file. What can't be read is said and passed over.
pub(super) fn read(path: &Path, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) -> Vec<Entry> {
    match yaml::read(path, sources) {
        Ok(file) => parse(file, &sources.text(file), diagnostics),
        Err(unreadable) => {
            diagnostics.push(unreadable);
            Vec::new()
        }
    }
}

fn parse(file: FileId, text: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Entry> {
    let span = |start: usize, end: usize| {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file, start: offset(start), end: offset(end) }
    };
    let mut entries: Vec<Entry> = Vec::new();
    let mut section: Option<String> = None;
    let mut open = false;
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let at = start;
        start += whole.len();
        let line = without_comment(whole).trim_end();
        let bare = line.trim_start();
        if bare.is_empty() {
            // A comment inside a value does not end it, an empty line does not either.
            continue;
        }
        let indent = line.len() - bare.len();
        if indent > 0 && open {
            if let Some(entry) = entries.last_mut() {
                entry.value.push('\n');
                entry.value.push_str(bare);
            }
        } else if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = Some(name.trim().to_owned());
            open = false;
        } else if let (Some(section), Some(mark)) = (&section, bare.find(['=', ':'])) {
            let key = bare[..mark].trim_end();
            let value = bare[mark + 1..].trim();
            let value_start =
                at + indent + mark + 1 + (bare[mark + 1..].len() - bare[mark + 1..].trim_start().len());
            entries.push(Entry {
                section: section.clone(),
                key: key.to_lowercase(),
                key_at: span(at + indent, at + indent + key.len()),
                value: value.to_owned(),
                value_at: span(value_start.min(at + line.len()), at + line.len()),
            });
            open = true;
        } else {
            let message =
                if section.is_none() { "a section must come first" } else { "this is no `key = value`" };
            let wrong =
                Diagnostic::error(code::SETTING_VALUE, message).at(span(at + indent, at + line.len()));
            diagnostics.push(if section.is_none() {
                wrong.help("write `[defaults]` above it")
            } else {
                wrong
            });
            open = false;
        }
    }
    for entry in &mut entries {
        entry.value = unquoted(&entry.value).to_owned();
    }
    entries
}

/// The line without a comment: a whole one, or one behind a `;` that follows a blank.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with(['#', ';']) {
        return "";
    }
    let found = line.char_indices().find(|(at, char)| *char == ';' && line[..*at].ends_with([' ', '\t']));
    found.map_or(line, |(at, _)| &line[..at])
}

fn unquoted(text: &str) -> &str {
    let inside = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_configparser_reads_them() {
        let text = "# c\n[defaults]\nForks = 5 ; five\nroles_path: a:b\nssh = -o x=y;z\nlong = a\n  b\n\n  # c\n  c\n\
                    empty =\n[ tags ]\nrun = \"x,y\"\n";
        let sources = Sources::default();
        let mut diagnostics = Vec::new();
        let entries = parse(sources.add("ansible.cfg", text), text, &mut diagnostics);
        let shown: Vec<String> =
            entries.iter().map(|entry| format!("{}.{}={}", entry.section, entry.key, entry.value)).collect();
        let expected = [
            "defaults.forks=5",
            "defaults.roles_path=a:b",
            "defaults.ssh=-o x=y;z",
            "defaults.long=a\nb\nc",
            "defaults.empty=",
            "tags.run=x,y",
        ];
        assert_eq!(shown, expected);
        assert_eq!(diagnostics, []);
        assert_eq!(
            (&*sources.slice(entries[0].key_at), &*sources.slice(entries[0].value_at)),
            ("Forks", "5")
        );
    }

    #[test]
    fn what_is_no_entry_is_said() {
        for (text, message) in
            [("a = 1\n", "a section must come first"), ("[x]\nnonsense\n", "this is no `key = value`")]
        {
            let mut diagnostics = Vec::new();
            parse(Sources::default().add("x", text), text, &mut diagnostics);
            assert_eq!(diagnostics[0].message, message);
        }
    }
}
