//! The changing half of the host in memory.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use super::FakeHost;
use crate::modules::api::{Cmd, Context, Fail, FileKind, Look, Ran, Touch, Write};

impl Touch for FakeHost {
    fn as_look(&self) -> &dyn Look {
        self
    }

    fn write(&mut self, path: &Path, contents: &[u8], how: &Write) -> Result<Option<PathBuf>, Fail> {
        self.put(path, contents, how)
    }

    fn receive(&mut self, blob: usize, path: &Path, how: &Write) -> Result<Option<PathBuf>, Fail> {
        let contents = self.contents[blob].clone();
        self.put(path, &contents, how)
    }

    fn write_with(
        &mut self,
        path: &Path,
        fill: &mut dyn FnMut(&mut File) -> Result<(), Fail>,
        how: &Write,
    ) -> Result<Option<PathBuf>, Fail> {
        let mut file = tempfile::tempfile().unwrap();
        fill(&mut file)?;
        let mut contents = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut contents)).about(|| "test".into())?;
        self.put(path, &contents, how)
    }

    fn copy(&mut self, from: &Path, path: &Path, how: &Write) -> Result<Option<PathBuf>, Fail> {
        let contents = self.read(from)?.ok_or_else(|| FakeHost::missing(from))?;
        self.put(path, &contents, how)
    }

    fn send(&mut self, path: &Path) -> Result<(), Fail> {
        self.sent = self.read(path)?.ok_or_else(|| FakeHost::missing(path))?;
        Ok(())
    }

    fn make_dir(&mut self, path: &Path, mode: u32) -> Result<(), Fail> {
        if self.stat(path, false)?.is_some() {
            return Err(Fail::new(format!("making the folder {}: File exists", path.display())));
        }
        self.make(path, FileKind::Directory, mode, b"")
    }

    fn remove_file(&mut self, path: &Path) -> Result<(), Fail> {
        self.touches += 1;
        let at = self.resolve(path, false);
        match self.inode(&at, false).map(|inode| inode.kind) {
            None => Err(FakeHost::missing(path)),
            Some(FileKind::Directory) => Err(Fail::new(format!("{}: Is a directory", path.display()))),
            Some(_) => {
                self.paths.remove(&at);
                Ok(())
            }
        }
    }

    fn remove_tree(&mut self, path: &Path) -> Result<(), Fail> {
        self.touches += 1;
        let at = self.resolve(path, false);
        if !self.paths.contains_key(&at) {
            return Err(FakeHost::missing(path));
        }
        self.paths.retain(|other, _| !other.starts_with(&at));
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<(), Fail> {
        self.touches += 1;
        let (from, to) = (self.resolve(from, false), self.resolve(to, false));
        let moved: Vec<PathBuf> = self.paths.keys().filter(|path| path.starts_with(&from)).cloned().collect();
        if moved.is_empty() {
            return Err(FakeHost::missing(&from));
        }
        for path in moved {
            let id = self.paths.remove(&path).unwrap();
            let rest = path.strip_prefix(&from).unwrap();
            let new = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
            self.paths.insert(new, id);
        }
        Ok(())
    }

    fn symlink(&mut self, target: &Path, link: &Path, replace: bool) -> Result<(), Fail> {
        if !replace && self.stat(link, false)?.is_some() {
            return Err(Fail::new(format!("linking {}: File exists", link.display())));
        }
        self.make(link, FileKind::Symlink, 0o777, target.to_string_lossy().as_bytes())
    }

    fn hard_link(&mut self, target: &Path, link: &Path, replace: bool) -> Result<(), Fail> {
        if !replace && self.stat(link, false)?.is_some() {
            return Err(Fail::new(format!("linking {}: File exists", link.display())));
        }
        let id = *self.paths.get(&self.resolve(target, true)).ok_or_else(|| FakeHost::missing(target))?;
        self.make(link, FileKind::File, 0o644, b"")?;
        self.paths.insert(self.resolve(link, false), id);
        Ok(())
    }

    fn chmod(&mut self, path: &Path, mode: u32) -> Result<(), Fail> {
        self.change(path, true)?.mode = mode;
        Ok(())
    }

    fn chown(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> Result<(), Fail> {
        let inode = self.change(path, follow)?;
        (inode.uid, inode.gid) = (uid.unwrap_or(inode.uid), gid.unwrap_or(inode.gid));
        Ok(())
    }

    fn set_times(
        &mut self,
        path: &Path,
        atime: Option<f64>,
        mtime: Option<f64>,
        follow: bool,
    ) -> Result<(), Fail> {
        let inode = self.change(path, follow)?;
        (inode.atime, inode.mtime) = (atime.unwrap_or(inode.atime), mtime.unwrap_or(inode.mtime));
        Ok(())
    }

    fn set_xattr(&mut self, path: &Path, name: &str, value: &[u8], follow: bool) -> Result<(), Fail> {
        self.change(path, follow)?.xattrs.insert(name.into(), value.into());
        Ok(())
    }

    fn temp_dir(&mut self) -> Result<PathBuf, Fail> {
        self.temporary += 1;
        let path = PathBuf::from(format!("/tmp/regatta-{}", self.temporary));
        self.make(&path, FileKind::Directory, 0o700, b"")?;
        Ok(path)
    }

    fn run(&mut self, cmd: &Cmd) -> Result<Ran, Fail> {
        self.touches += 1;
        self.ran.push(cmd.display());
        self.stdin = cmd.stdin.clone().unwrap_or_default();
        let found = self.find_answer(cmd)?;
        let ran = self.answers[found].ran.clone();
        if let Some(effect) = self.answers[found].effect.take() {
            effect(self);
            self.answers[found].effect = Some(effect);
        }
        Ok(ran)
    }
}
