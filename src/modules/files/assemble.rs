//! `assemble`: a file from the pieces in a folder. Pieces of the controller are joined there and then go the way of `copy`:
//! [`join`] and [`Pieces`] serve both.

use std::path::PathBuf;

use fancy_regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::copy::{RETURNS, validation, yes};
use crate::modules::api::{
    Diff, Edit, Fail, FileAttributes, FileKind, HostPath, Look, Module, Outcome, Touch, describe, digest_of,
    read_to_edit,
};

/// Make a file of the pieces in a folder, in the order of their names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// The folder with the pieces. Folders in it are left out.
    src: HostPath,
    /// The file to make.
    dest: HostPath,
    /// What stands between two pieces, on a line of its own. `\n` and the like are understood.
    delimiter: Option<String>,
    /// Take only pieces whose names fit this regular expression somewhere.
    regexp: Option<String>,
    /// Leave pieces out whose names begin with a dot.
    #[serde(default)]
    ignore_hidden: bool,
    /// `src` is on the host. Off: on the controller.
    #[serde(default = "yes")]
    #[expect(dead_code, reason = "the controller's half reads it")]
    remote_src: bool,
    /// Keep the old contents under a name with date and time.
    #[serde(default)]
    backup: bool,
    /// A command that must succeed on the new contents before they are put in place; `%s` stands for the file.
    validate: Option<String>,
    /// Decrypt pieces of the controller that are vaults.
    #[serde(default = "yes")]
    #[expect(dead_code, reason = "the controller's half reads it")]
    decrypt: bool,
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    file: FileAttributes,
}

/// Which names of a folder are pieces.
pub(crate) struct Pieces {
    regexp: Option<Regex>,
    ignore_hidden: bool,
}

impl Pieces {
    /// From the arguments of that name.
    ///
    /// # Errors
    /// What is no regular expression.
    pub(crate) fn new(regexp: Option<&str>, ignore_hidden: bool) -> Result<Pieces, String> {
        let regexp = regexp.map(Regex::new).transpose();
        let regexp = regexp.map_err(|error| format!("Invalid Regexp in 'regexp': {error}"))?;
        Ok(Pieces { regexp, ignore_hidden })
    }

    /// Whether a file of this name is one.
    pub(crate) fn has(&self, name: &str) -> bool {
        let hidden = self.ignore_hidden && name.starts_with('.');
        // An expression that takes too long fits nothing.
        !hidden && self.regexp.as_ref().is_none_or(|regexp| regexp.is_match(name).unwrap_or(false))
    }
}

/// The pieces as one text; each begins on a new line.
pub(crate) fn join(pieces: impl IntoIterator<Item = Vec<u8>>, delimiter: Option<&str>) -> Vec<u8> {
    let delimiter = delimiter.map(unescape);
    let mut out = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let begin_line = |out: &mut Vec<u8>| {
            if out.last().is_some_and(|last| *last != b'\n') {
                out.push(b'\n');
            }
        };
        begin_line(&mut out);
        if let Some(delimiter) = delimiter.as_ref().filter(|it| index > 0 && !it.is_empty()) {
            out.extend_from_slice(delimiter);
            begin_line(&mut out);
        }
        out.extend(piece);
    }
    out
}

/// Text with `\n`, `\t` and the like undone, as in a string of Python.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match chars.next() {
            Some('n') => out.push(b'\n'),
            Some('t') => out.push(b'\t'),
            Some('r') => out.push(b'\r'),
            Some('x') => {
                let hex: String = chars.clone().take(2).collect();
                match u8::from_str_radix(&hex, 16) {
                    Ok(byte) if hex.len() == 2 => {
                        out.push(byte);
                        chars.nth(1);
                    }
                    _ => out.extend_from_slice(b"\\x"),
                }
            }
            Some(c @ ('\\' | '\'' | '"')) => out.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Some(other) => {
                out.push(b'\\');
                out.extend(other.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => out.push(b'\\'),
        }
    }
    out
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: A configuration from the pieces that roles have left
  assemble:
    src: /etc/app/conf.d
    dest: /etc/app/app.conf
    mode: \"0644\"

- name: With a line between the pieces, and only if it is valid
  assemble:
    src: /etc/ssh/conf.d/
    dest: /etc/ssh/sshd_config
    delimiter: '### next ###'
    regexp: '\\.conf$'
    validate: /usr/sbin/sshd -t -f %s
";
    const RETURNS: &'static str = RETURNS;
    type Plan = Edit;

    fn plan(&self, host: &dyn Look) -> Result<Option<Edit>, Fail> {
        validation(self.validate.as_deref())?;
        let contents = self.contents(host)?;
        let dest = self.dest.on(host);
        let before = read_to_edit(host, &dest, true)?;
        let edit = Edit::plan(host, &dest, before, contents, &self.file)?;
        Ok((!edit.is_empty()).then_some(edit))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.result(Outcome::unchanged(), host)
    }

    fn predicted(&self, _plan: &Edit, host: &dyn Look) -> Result<Outcome, Fail> {
        self.result(Outcome::changed(), host)
    }

    fn diff(&self, plan: &Edit) -> Vec<Diff> {
        plan.diff()
    }

    fn apply(&self, plan: Edit, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let validate = validation(self.validate.as_deref())?;
        let backup = plan.apply(host, &self.file, self.backup, validate)?;
        Ok(self.result(Outcome::changed(), host.as_look())?.with_backup(backup))
    }
}

impl Args {
    fn contents(&self, host: &dyn Look) -> Result<Vec<u8>, Fail> {
        let src = self.src.on(host);
        match host.stat(&src, true)? {
            None => return Err(Fail::new(format!("Source ({}) does not exist", src.display()))),
            Some(stat) if stat.kind != FileKind::Directory => {
                return Err(Fail::new(format!("Source ({}) is not a directory", src.display())));
            }
            Some(_) => {}
        }
        let pieces = Pieces::new(self.regexp.as_deref(), self.ignore_hidden).map_err(Fail::new)?;
        let mut found = Vec::new();
        for name in host.list(&src)? {
            let path: PathBuf = src.join(&name);
            let is_file = host.stat(&path, true)?.is_some_and(|stat| stat.kind == FileKind::File);
            if is_file && pieces.has(&name.to_string_lossy()) {
                found.push(host.read(&path)?.unwrap_or_default());
            }
        }
        Ok(join(found, self.delimiter.as_deref()))
    }

    fn result(&self, outcome: Outcome, host: &dyn Look) -> Result<Outcome, Fail> {
        let dest = self.dest.on(host);
        let contents = self.contents(host)?;
        let outcome = outcome
            .with("src", self.src.on(host).to_string_lossy().into_owned())
            .with("dest", dest.to_string_lossy().into_owned())
            .with("checksum", digest_of(&contents, "sha1")?)
            .with("md5sum", digest_of(&contents, "md5")?);
        if host.stat(&dest, false)?.is_none() {
            return Ok(outcome);
        }
        describe(outcome, host, &dest)
    }
}

#[cfg(test)]
mod tests {
    use super::{Args, join, unescape};
    use crate::modules::api::Value;
    use crate::modules::api::fake::FakeHost;

    fn host() -> FakeHost {
        FakeHost::new()
            .file("/srv/d/20-b.conf", "b")
            .file("/srv/d/10-a.conf", "a\n")
            .file("/srv/d/.hidden.conf", "h\n")
            .file("/srv/d/30-c.txt", "c\n")
            .dir("/srv/d/folder.conf")
    }

    #[test]
    fn pieces_are_joined_in_order() {
        for (more, text) in [
            ("", "h\na\nb\nc\n"),
            (", ignore_hidden: true", "a\nb\nc\n"),
            (", ignore_hidden: true, regexp: 'conf$'", "a\nb"),
            (", regexp: '^[0-9]+-(?!b)', delimiter: '## \\n'", "a\n## \nc\n"),
            (", regexp: '^(10|20)', delimiter: '#'", "a\n#\nb"),
            (", regexp: nothing", ""),
        ] {
            let mut host = host();
            let outcome =
                host.converge::<Args>(&format!("{{src: /srv/d, dest: /etc/x{more}, mode: '0600'}}"));
            assert_eq!((host.text("/etc/x").as_str(), host.mode("/etc/x")), (text, 0o600), "{more}");
            assert_eq!(outcome.fields["dest"], Value::from("/etc/x"));
        }
    }

    #[test]
    fn a_change_is_shown_kept_and_checked() {
        let mut host = host().file("/etc/x", "old\n").answer("check /new", 0, "");
        let args = "{src: /srv/d, dest: /etc/x, backup: true, validate: check %s}";
        assert_eq!(host.check::<Args>(args).unwrap().diff[0].before, Value::from("old\n"));
        let outcome = host.converge::<Args>(args);
        assert_eq!(host.text(&outcome.fields["backup_file"].to_string()), "old\n");
        let mut host = self::host().answer("check /new", 1, "");
        assert!(host.play::<Args>(args).unwrap_err().msg.contains("failed to validate"));
        assert!(!host.has("/etc/x"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (args, msg) in [
            ("{src: /no/such, dest: /etc/x}", "Source (/no/such) does not exist"),
            ("{src: /srv/d/30-c.txt, dest: /etc/x}", "is not a directory"),
            ("{src: /srv/d, dest: /etc}", "is a directory"),
            ("{src: /srv/d, dest: /etc/x, regexp: '('}", "Invalid Regexp"),
            ("{src: /srv/d, dest: /etc/x, validate: check}", "must contain %s"),
        ] {
            let fail = host().play::<Args>(args).unwrap_err();
            assert!(fail.msg.contains(msg), "{args}: {}", fail.msg);
        }
    }

    #[test]
    fn delimiters_have_escapes() {
        for (text, bytes) in [(r"a\nb", "a\nb"), (r"\x41\t\\\q", "A\t\\\\q"), (r"\x4", r"\x4"), ("\\", "\\")]
        {
            assert_eq!(unescape(text), bytes.as_bytes(), "{text}");
        }
        assert_eq!(join([b"a".to_vec(), b"b".to_vec()], Some("")), b"a\nb");
    }
}
