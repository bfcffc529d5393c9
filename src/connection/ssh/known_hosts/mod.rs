//! What the known_hosts files say about a host, and adding to them. Whether a key is taken in the end, and the words
//! for why not, are in `host_key`.

mod parse;

use std::collections::HashMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::PublicKey;

pub use parse::{Entry, Marker};

/// The files, read once, and the lock for writing them.
#[derive(Default)]
pub(super) struct Store {
    files: Mutex<HashMap<PathBuf, Arc<Vec<Entry>>>>,
}

/// A key that a file has for a host.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) file: PathBuf,
    pub(super) line: usize,
    pub(super) marker: Marker,
    pub(super) key: PublicKey,
}

impl Known {
    /// Where it stands.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}

/// A name as known_hosts has it.
pub(super) fn name_of(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

impl Store {
    /// The keys that the files have for a name. A file that is missing has none.
    pub(super) fn look_up(&self, files: &[PathBuf], name: &str, warn: &dyn Fn(String)) -> Vec<Known> {
        let mut known = Vec::new();
        for path in files {
            for entry in self.entries(path, warn).iter().filter(|entry| entry.is_for(name)) {
                match entry.key() {
                    Some(key) => {
                        known.push(Known { file: path.clone(), line: entry.line, marker: entry.marker, key });
                    }
                    None => {
                        warn(format!("{}:{}: the key can't be read, left out", path.display(), entry.line));
                    }
                }
            }
        }
        known
    }

    fn entries(&self, path: &Path, warn: &dyn Fn(String)) -> Arc<Vec<Entry>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = files.get(path) {
            return entries.clone();
        }
        let entries = Arc::new(read(path, warn));
        files.insert(path.to_owned(), entries.clone());
        entries
    }

    /// Adds a key to a file, unless it has it by now. The folder and the file are made if they are missing.
    pub(super) fn add(&self, path: &Path, name: &str, key: &PublicKey, hash: bool) -> io::Result<()> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        if !file.metadata()?.is_file() {
            return Ok(());
        }
        // Other processes may add at the same time: ours, and ssh itself, which appends whole lines too.
        file.lock()?;
        let old = fs::read_to_string(path).unwrap_or_default();
        let has =
            |entry: Entry| entry.is_for(name) && entry.key().is_some_and(|k| k.key_data() == key.key_data());
        if !old.lines().any(|line| Entry::parse(0, line).ok().flatten().is_some_and(has)) {
            let host = if hash { parse::hashed(name) } else { name.to_owned() };
            let text = PublicKey::new(key.key_data().clone(), "").to_openssh().map_err(io::Error::other)?;
            let newline = if ends_in_newline(&mut file)? { "" } else { "\n" };
            // One write, so that no reader sees half a line.
            file.write_all(format!("{newline}{host} {}\n", text.trim_end()).as_bytes())?;
        }
        files.remove(path);
        Ok(())
    }
}

fn ends_in_newline(file: &mut fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == [b'\n'])
}

fn read(path: &Path, warn: &dyn Fn(String)) -> Vec<Entry> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                warn(format!("{}: {error}", path.display()));
            }
            return Vec::new();
        }
    };
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().enumerate().filter_map(|(index, line)| match Entry::parse(index + 1, line) {
        Ok(entry) => entry,
        Err(problem) => {
            warn(format!("{}:{}: {problem}, left out", path.display(), index + 1));
            None
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ";

    fn key() -> PublicKey {
        PublicKey::from_openssh(KEY).unwrap()
    }

    #[test]
    fn a_key_is_added_once_to_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".ssh/known_hosts");
        let store = Store::default();
        assert!(store.look_up(std::slice::from_ref(&path), "web1", &|w| panic!("{w}")).is_empty());
        store.add(&path, "web1", &key(), false).unwrap();
        store.add(&path, "web1", &key(), false).unwrap();
        store.add(&path, "[web2]:2222", &key(), true).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.starts_with(&format!("web1 {KEY}\n|1|")), "{text}");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let found = store.look_up(&[path], "[web2]:2222", &|w| panic!("{w}"));
        assert_eq!(found.iter().map(|known| known.line).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_last_line_without_newline_is_kept_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        fs::write(&path, format!("old {KEY}")).unwrap();
        Store::default().add(&path, "new", &key(), false).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("old {KEY}\nnew {KEY}\n"));
    }

    #[test]
    fn broken_lines_are_warned_of_and_the_rest_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        fs::write(&path, format!("# mine\nweb1\nweb1 ssh-ed25519 rubbish\nweb1 {KEY}\n")).unwrap();
        let warnings = Mutex::new(Vec::new());
        let found = Store::default()
            .look_up(std::slice::from_ref(&path), "web1", &|w| warnings.lock().unwrap().push(w));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place(), format!("{}:4", path.display()));
        let warnings = warnings.into_inner().unwrap();
        assert!(warnings[0].contains(":2: no key") && warnings[1].contains(":3: the key"), "{warnings:?}");
    }
}
