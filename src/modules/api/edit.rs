//! Changing part of a text file: what `lineinfile`, `blockinfile` and `replace` share.
//!
//! Bytes that are no UTF-8 go through unchanged.

use std::path::{Path, PathBuf};

use super::{
    AttributePlan, Cmd, Diff, Fail, FileAttributes, Look, Map, Touch, Value, follow_links, text_diff,
};

/// Stands for byte 0 where bytes are no UTF-8: characters of the last private plane that nobody uses.
const RAW: u32 = 0x0010_FE00;

/// Bytes as text, invalid ones as characters that [`to_bytes`] turns back.
#[must_use]
pub fn to_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(RAW + u32::from(*byte))));
    }
    out
}

/// The bytes that [`to_text`] made text of.
#[must_use]
pub fn to_bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u8::try_from((c as u32).wrapping_sub(RAW)) {
            Ok(byte) => out.push(byte),
            Err(_) => out.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// A file's old and new contents and attributes.
#[derive(Debug)]
pub struct Edit {
    path: PathBuf,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
    attributes: AttributePlan,
}

impl Edit {
    /// What must change to have these contents in the file; a link is followed. `before`: `None` if there is no file.
    ///
    /// # Errors
    /// An owner or group that does not exist; a path that can't be read.
    pub fn plan(
        host: &dyn Look,
        path: &Path,
        before: Option<Vec<u8>>,
        after: Vec<u8>,
        wanted: &FileAttributes,
    ) -> Result<Edit, Fail> {
        let path = follow_links(host, path)?;
        let attributes = wanted.plan(host, &path, false)?;
        Ok(Edit { path, before, after, attributes })
    }

    /// Whether the contents change.
    #[must_use]
    pub fn rewrites(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }

    /// Whether the attributes change.
    #[must_use]
    pub fn dresses(&self) -> bool {
        !self.attributes.is_empty()
    }

    /// Whether all is as wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.rewrites() && !self.dresses()
    }

    /// A message with a word on the attributes, as Ansible adds it.
    #[must_use]
    pub fn message(&self, text: &str) -> String {
        const CHANGED: &str = "ownership, perms or SE linux context changed";
        match (text, self.dresses()) {
            ("", true) => CHANGED.into(),
            (text, true) => format!("{text} and {CHANGED}"),
            (text, false) => text.into(),
        }
    }

    /// Contents and attributes before and after.
    #[must_use]
    pub fn diff(&self) -> Vec<Diff> {
        let mut diffs = Vec::new();
        let name = self.path.to_string_lossy();
        if self.rewrites() {
            diffs.push(text_diff(&self.path, &name, self.before.as_deref(), &self.after));
        }
        if self.dresses() {
            let (mut before, mut after) = (Map::new(), Map::new());
            before.insert("path".into(), Value::from(&*name));
            after.insert("path".into(), Value::from(&*name));
            self.attributes.diff(&mut before, &mut after);
            diffs.push(Diff { before: Value::map(before), after: Value::map(after), ..Diff::default() });
        }
        diffs
    }

    /// Writes the file, its folder first if there is none; returns the backup if one was asked for.
    ///
    /// # Errors
    /// What the system refuses; contents that do not validate.
    pub fn apply(
        &self,
        host: &mut dyn Touch,
        wanted: &FileAttributes,
        backup: bool,
        validate: Option<Cmd>,
    ) -> Result<Option<PathBuf>, Fail> {
        let mut kept = None;
        if self.rewrites() {
            if self.before.is_none() {
                self.make_parents(host)?;
            }
            let mut how = wanted.write(host.as_look(), &self.path)?;
            how.backup = backup && self.before.is_some();
            how.validate = validate;
            kept = host.write(&self.path, &self.after, &how)?;
        }
        wanted.enforce(host, &self.path, false)?;
        Ok(kept)
    }

    fn make_parents(&self, host: &mut dyn Touch) -> Result<(), Fail> {
        let mut missing = Vec::new();
        for folder in self.path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            if host.stat(folder, true)?.is_some() {
                break;
            }
            missing.push(folder);
        }
        let mode = 0o777 & !host.umask();
        missing.into_iter().rev().try_for_each(|folder| host.make_dir(folder, mode))
    }
}

/// Reads the file that is to be changed: its contents, `None` if there is none.
///
/// # Errors
/// A folder; no file although one is needed (rc 256 and 257, as Ansible says it).
pub fn read_to_edit(host: &dyn Look, path: &Path, create: bool) -> Result<Option<Vec<u8>>, Fail> {
    if host.stat(path, true)?.is_some_and(|stat| stat.kind == super::FileKind::Directory) {
        return Err(Fail::new(format!("Path {} is a directory !", path.display())).with("rc", 256));
    }
    let contents = host.read(path)?;
    if contents.is_none() && !create {
        return Err(Fail::new(format!("Path {} does not exist !", path.display())).with("rc", 257));
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_go_through_text_and_back() {
        let bytes: Vec<u8> = (0..=255).chain(*b"\xc3\xa4\xff").collect();
        assert_eq!(to_bytes(&to_text(&bytes)), bytes);
        assert_eq!(to_text("ä\u{1F600}".as_bytes()), "ä\u{1F600}");
    }
}
