//! From a file's path to its node. The one place where YAML files are opened.

use std::path::Path;

use super::{Kind, Node, Parsed, parse};
use crate::diag::{Diagnostic, FileId, Sources, Span, code};

/// Offsets are 32 bits wide, and everything read stays in memory.
const MAX_SIZE: u64 = 256 << 20;

/// Reads a text file into `sources`. Errors: not there, not readable, not UTF-8, too large.
pub fn read(path: &Path, sources: &Sources) -> Result<FileId, Diagnostic> {
    let unreadable = |error: &std::io::Error| {
        Diagnostic::error(code::FILE_UNREADABLE, format!("can't read {}: {error}", path.display()))
    };
    let size = std::fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if size > MAX_SIZE {
        let message = format!("{} is larger than {} MiB", path.display(), MAX_SIZE >> 20);
        return Err(Diagnostic::error(code::FILE_TOO_LARGE, message));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(sources.add(path, text)),
        Err(error) => {
            let (bytes, good) = (error.as_bytes(), error.utf8_error().valid_up_to());
            let line = bytes.iter().take(good).filter(|b| **b == b'\n').count() + 1;
            let message = format!("{} is not UTF-8 text (line {line})", path.display());
            Err(Diagnostic::error(code::FILE_ENCODING, message)
                .help("convert it, for example with `iconv -f latin1 -t utf-8`"))
        }
    }
}

/// The node and warnings of a text with one document, or all mistakes.
pub type Document = Result<(Node, Vec<Diagnostic>), Vec<Diagnostic>>;

/// Reads a file with one document: its node (null if there is none) and the warnings, or all mistakes.
pub fn load(path: &Path, sources: &Sources) -> Document {
    document(read(path, sources).map_err(|error| vec![error])?, sources)
}

/// The one document of a text that was read.
pub fn document(file: FileId, sources: &Sources) -> Document {
    let Parsed { mut documents, mut diagnostics } = parse(file, sources);
    if let Some(second) = documents.get(1) {
        let message = "a second document starts here; only one is expected";
        diagnostics.push(Diagnostic::error(code::YAML_DOCUMENTS, message).at(second.span));
    }
    let parsed = Parsed { documents: Vec::new(), diagnostics };
    if parsed.has_errors() {
        return Err(parsed.diagnostics);
    }
    documents.truncate(1);
    let start = Span { file, start: 0, end: 0 };
    Ok((documents.pop().unwrap_or_else(|| Node::new(Kind::Null, start)), parsed.diagnostics))
}

/// Reads all documents of a text that is not a file's; `name` stands for it in messages.
#[must_use]
pub fn parse_text(name: &str, text: &str, sources: &Sources) -> Parsed {
    let file = sources.add(name, text);
    parse(file, sources)
}
