//! Where facts come from: small readings of a host that give `None` for whatever can't be had.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::modules::api::{Cmd, Look, Map, Str, Value};

/// A host to read facts from.
pub(super) struct Source<'a> {
    /// The host itself.
    pub host: &'a dyn Look,
    timeout: Duration,
}

impl<'a> Source<'a> {
    pub fn new(host: &'a dyn Look, timeout: Duration) -> Source<'a> {
        Source { host, timeout }
    }

    /// A file as text.
    pub fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let bytes = self.host.read(path.as_ref()).ok()??;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A file that holds one value, without white space around it; `None` if it is empty.
    pub fn line(&self, path: impl AsRef<Path>) -> Option<String> {
        let text = self.text(path)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A file that holds a number.
    pub fn number(&self, path: impl AsRef<Path>) -> Option<i64> {
        self.line(path)?.parse().ok()
    }

    /// The names in a folder, sorted; none if there is no folder.
    pub fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let names = self.host.list(path.as_ref()).unwrap_or_default();
        names.into_iter().filter_map(|name| name.into_string().ok()).collect()
    }

    /// Whether something is there.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.host.stat(path.as_ref(), true).ok().flatten().is_some()
    }

    /// The last part of what a link points to.
    pub fn link_name(&self, path: impl AsRef<Path>) -> Option<String> {
        let target: PathBuf = self.host.read_link(path.as_ref()).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }

    /// What a command prints, if the program is there and ends well in time.
    pub fn output(&self, argv: &[&str]) -> Option<String> {
        self.output_within(argv, self.timeout)
    }

    /// The same with a time limit of its own.
    pub fn output_within(&self, argv: &[&str], limit: Duration) -> Option<String> {
        self.host.which(argv.first()?)?;
        let cmd = Cmd { timeout: Some(limit.min(self.timeout)), ..Cmd::new(argv.iter().copied()) };
        let cmd = cmd.env("LC_ALL", "C").env("LANG", "C");
        let ran = self.host.query(&cmd).ok()?;
        ran.ok().then(|| ran.out())
    }

    /// The longest that a command may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// Adds a fact.
pub(super) fn put(facts: &mut Map, name: &str, value: impl Into<Value>) {
    facts.insert(Str::from(name), value.into());
}

/// Lines of the form `KEY=value`, values unquoted as a shell would: `os-release`, `/etc/lsb-release`.
pub(super) fn assignments(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), unquoted(value.trim())))
        .collect()
}

fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some(inside) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inside
                .replace("\\\"", "\"")
                .replace("\\$", "$")
                .replace("\\`", "`")
                .replace("\\\\", "\\");
        }
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_unquoted() {
        let text = "# comment\nNAME=\"Debian GNU/Linux\"\nID=debian\nEMPTY=\n X='a b'\nnot one\n";
        let expected = [("NAME", "Debian GNU/Linux"), ("ID", "debian"), ("EMPTY", ""), ("X", "a b")];
        let expected: Vec<_> = expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        assert_eq!(assignments(text), expected);
    }
}
