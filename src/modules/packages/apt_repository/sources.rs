//! apt's source files of the one-line form: `/etc/apt/sources.list` and `/etc/apt/sources.list.d/*.list`.

use std::path::{Path, PathBuf};

use crate::modules::api::{Fail, Look};

/// A line, perhaps commented out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Whether it has the form of a source at all.
    pub valid: bool,
    enabled: bool,
    /// The source with single spaces.
    source: String,
    comment: String,
}

impl Line {
    /// `None` for an empty line.
    pub fn parse(text: &str) -> Option<Line> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let (enabled, rest) = match text.strip_prefix('#') {
            Some(rest) => (false, rest.trim_start_matches(['#', ' ', '\t'])),
            None => (true, text),
        };
        // A comment after the source; a fragment of a URL has no space before it.
        let (source, comment) = match rest.find(" #") {
            Some(at) => (&rest[..at], rest[at + 2..].trim()),
            None => (rest, ""),
        };
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        let valid = is_source(&source);
        Some(Line { valid, enabled, source, comment: comment.to_owned() })
    }

    fn text(&self) -> String {
        let off = if self.enabled { "" } else { "# " };
        let comment = if self.comment.is_empty() { String::new() } else { format!(" # {}", self.comment) };
        format!("{off}{}{comment}", self.source)
    }

    /// The URL without its scheme, letters and digits only, joined by underscores.
    pub fn file_name(&self) -> String {
        let after_options = match self.source.split_once(" [").and_then(|(_, rest)| rest.split_once(']')) {
            Some((_, rest)) => rest.trim().to_owned(),
            None => self.source.split(' ').skip(1).collect::<Vec<_>>().join(" "),
        };
        let uri = after_options.split(' ').next().unwrap_or_default();
        let bare = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        // Passwords have no place in the name of a file.
        let bare = match bare.split_once('/').map_or(bare, |(host, _)| host).rfind('@') {
            Some(at) => &bare[at + 1..],
            None => bare,
        };
        let spaced: String = bare.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
        spaced.split_whitespace().collect::<Vec<_>>().join("_")
    }
}

fn is_source(source: &str) -> bool {
    let Some((kind, rest)) = source.split_once(' ') else { return false };
    // Options stand in brackets behind the type.
    let rest = match rest.strip_prefix('[') {
        Some(options) => match options.split_once(']') {
            Some((_, rest)) => format!("{kind} {}", rest.trim()),
            None => return false,
        },
        None => source.to_owned(),
    };
    let words: Vec<_> = rest.split(' ').collect();
    match words[..] {
        // A suite that ends with a slash is a path and has no components.
        ["deb" | "deb-src", uri, suite] => uri.contains(':') && suite.ends_with('/'),
        ["deb" | "deb-src", uri, _, _, ..] => uri.contains(':'),
        _ => false,
    }
}

/// A file before and after; `None`: it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub path: PathBuf,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// The files with their contents.
pub(super) struct Files(Vec<(PathBuf, String)>);

impl Files {
    pub fn read(host: &dyn Look) -> Result<Files, Fail> {
        let mut paths = vec![PathBuf::from("/etc/apt/sources.list")];
        let folder = Path::new("/etc/apt/sources.list.d");
        let names = host.list(folder).unwrap_or_default();
        paths.extend(
            names.iter().filter(|it| it.to_string_lossy().ends_with(".list")).map(|it| folder.join(it)),
        );
        let mut files = Vec::new();
        for path in paths {
            if let Some(bytes) = host.read(&path)? {
                files.push((path, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        Ok(Files(files))
    }

    /// What makes a source be there and enabled: a commented one is enabled, else it goes to `file`.
    pub fn adding(&self, wanted: &Line, file: &Path) -> Vec<Change> {
        let same = |line: &Line| line.valid && line.source == wanted.source;
        let mut lines = self.0.iter().flat_map(|(_, text)| text.lines().filter_map(Line::parse));
        if lines.any(|line| same(&line) && line.enabled) {
            return Vec::new();
        }
        let enabled = self.changed(|line| match Line::parse(line) {
            Some(found) if same(&found) => Some(Line { enabled: true, ..found }.text()),
            _ => Some(line.to_owned()),
        });
        if !enabled.is_empty() {
            return enabled;
        }
        let before = self.0.iter().find(|(path, _)| path == file).map(|(_, text)| text.clone());
        let mut after = before.clone().unwrap_or_default();
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        after.push_str(&wanted.text());
        after.push('\n');
        vec![Change { path: file.to_owned(), before, after: Some(after) }]
    }

    /// What takes a source away everywhere. A file without any source left goes.
    pub fn removing(&self, wanted: &Line) -> Vec<Change> {
        let mut changes = self.changed(|line| match Line::parse(line) {
            Some(found) if found.valid && found.enabled && found.source == wanted.source => None,
            _ => Some(line.to_owned()),
        });
        for change in &mut changes {
            let left = change.after.iter().flat_map(|text| text.lines()).any(|line| !line.trim().is_empty());
            if !left && change.path.starts_with("/etc/apt/sources.list.d") {
                change.after = None;
            }
        }
        changes
    }

    /// The files in which a function changes (or drops) lines.
    fn changed(&self, each: impl Fn(&str) -> Option<String>) -> Vec<Change> {
        let changes = self.0.iter().map(|(path, before)| {
            let after: String = before.lines().filter_map(&each).map(|line| line + "\n").collect();
            Change { path: path.clone(), before: Some(before.clone()), after: Some(after) }
        });
        let ended = |text: &Option<String>| text.as_deref().map(|text| text.trim_end().to_owned());
        changes.filter(|it| ended(&it.before) != ended(&it.after)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sources_or_not() {
        for (text, valid) in [
            ("deb http://h/debian stable main", true),
            ("deb-src http://h/debian stable main contrib", true),
            ("# deb [arch=amd64 signed-by=/k] https://h stable main # note", true),
            ("deb cdrom:[Debian 12]/ stable main", true),
            ("deb http://h ./", true),
            ("deb http://h stable", false),
            ("rpm http://h stable main", false),
            ("deb [arch=amd64 https://h stable main", false),
            ("# just words", false),
        ] {
            assert_eq!(Line::parse(text).unwrap().valid, valid, "{text}");
        }
        assert_eq!(Line::parse("  "), None);
    }

    #[test]
    fn names_of_files_come_from_the_url() {
        for (text, name) in [
            (
                "deb [arch=amd64] https://download.docker.com/linux/debian bookworm stable",
                "download_docker_com_linux_debian",
            ),
            ("deb http://u:pw@h.org:8080/x-y/ s m", "h_org_8080_x_y"),
        ] {
            assert_eq!(Line::parse(text).unwrap().file_name(), name);
        }
    }
}
