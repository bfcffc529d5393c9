//! The texts that spans point into.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use super::Span;

/// A text that was added to [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A place as people count: from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file as it was named when it was read.
    pub path: Arc<Path>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

struct Source {
    path: Arc<Path>,
    text: Arc<str>,
    line_starts: Vec<u32>,
    /// Decrypted: messages name places in it and show none of it.
    hidden: bool,
}

/// All texts of a run. Only ever grows; shared by all that reads files.
#[derive(Default)]
pub struct Sources {
    // A lock and not a single owner: files are also read while hosts run (include_vars, include_tasks).
    files: RwLock<Vec<Arc<Source>>>,
}

impl Sources {
    /// Adds a text under a name for messages (a path, or something like `<-e>`).
    pub fn add(&self, path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> FileId {
        self.insert(path.into(), text.into(), false)
    }

    /// As [`Sources::add`], for a text that was decrypted: messages show no line of it.
    pub fn add_hidden(&self, path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> FileId {
        self.insert(path.into(), text.into(), true)
    }

    /// Whether no line of a text may be shown.
    #[must_use]
    pub fn is_hidden(&self, file: FileId) -> bool {
        self.get(file).is_some_and(|source| source.hidden)
    }

    fn insert(&self, path: PathBuf, text: Arc<str>, hidden: bool) -> FileId {
        let starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1));
        let line_starts = starts.map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect();
        let source = Arc::new(Source { path: Arc::from(path), text, line_starts, hidden });
        let mut files = self.files.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        files.push(source);
        FileId(u32::try_from(files.len() - 1).unwrap_or(u32::MAX))
    }

    fn get(&self, file: FileId) -> Option<Arc<Source>> {
        let files = self.files.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        files.get(file.0 as usize).cloned()
    }

    /// The whole text of a file; empty for one that is not known.
    #[must_use]
    pub fn text(&self, file: FileId) -> Arc<str> {
        self.get(file).map_or_else(|| Arc::from(""), |source| source.text.clone())
    }

    /// The name of a file.
    #[must_use]
    pub fn path(&self, file: FileId) -> Arc<Path> {
        self.get(file).map_or_else(|| Arc::from(Path::new("")), |source| source.path.clone())
    }

    /// The text that a span covers.
    #[must_use]
    pub fn slice(&self, span: Span) -> String {
        self.text(span.file).get(span.start as usize..span.end as usize).unwrap_or_default().to_owned()
    }

    /// Where a span starts, as people count.
    #[must_use]
    pub fn position(&self, span: Span) -> Position {
        let Some(source) = self.get(span.file) else {
            return Position { path: Arc::from(Path::new("")), line: 1, column: 1 };
        };
        let line = source.line_starts.partition_point(|start| *start <= span.start).max(1);
        let start = source.line_starts.get(line - 1).copied().unwrap_or(0) as usize;
        let before = source.text.get(start..span.start as usize).unwrap_or_default();
        Position {
            path: source.path.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let sources = Sources::default();
        let file = sources.add("a.yml", "é: 1\nfoo: bär x\n");
        let at = |start: usize| {
            let start = u32::try_from(start).unwrap();
            let place = sources.position(Span { file, start, end: start });
            (place.line, place.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at("é: 1\n".len()), (2, 1));
        assert_eq!(at("é: 1\nfoo: bär ".len()), (2, 10));
    }
}
