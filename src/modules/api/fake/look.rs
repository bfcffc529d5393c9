//! The looking half of the host in memory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::FakeHost;
use crate::modules::api::{Blob, Cmd, Fail, FileKind, Group, Look, Ran, Stat, User, digest_of};

impl Look for FakeHost {
    fn stat(&self, path: &Path, follow: bool) -> Result<Option<Stat>, Fail> {
        let at = self.resolve(path, follow);
        let Some(id) = self.paths.get(&at) else { return Ok(None) };
        let inode = &self.inodes[*id];
        let size = inode.data.len() as u64;
        Ok(Some(Stat {
            kind: inode.kind,
            mode: inode.mode,
            uid: inode.uid,
            gid: inode.gid,
            size,
            inode: *id as u64,
            dev: 1,
            rdev: 0,
            nlink: self.paths.values().filter(|other| *other == id).count() as u64,
            blocks: size.div_ceil(512),
            block_size: 4096,
            atime: inode.atime,
            mtime: inode.mtime,
            ctime: inode.mtime,
        }))
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Fail> {
        match self.inode(path, true) {
            Some(inode) if inode.kind == FileKind::Directory => {
                Err(Fail::new(format!("reading {}: Is a directory", path.display())))
            }
            other => Ok(other.map(|inode| inode.data.clone())),
        }
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, Fail> {
        let inode = self.inode(path, false).filter(|inode| inode.kind == FileKind::Symlink);
        inode
            .map(|inode| PathBuf::from(String::from_utf8_lossy(&inode.data).into_owned()))
            .ok_or_else(|| Fail::new(format!("reading the link {}: Invalid argument", path.display())))
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, Fail> {
        let at = self.resolve(path, true);
        if !self.paths.contains_key(&at) {
            return Err(FakeHost::missing(path));
        }
        let inside = self.paths.keys().filter(|other| other.parent() == Some(&at));
        Ok(inside.filter_map(|path| path.file_name().map(OsString::from)).collect())
    }

    fn digest(&self, path: &Path, algorithm: &str) -> Result<Option<String>, Fail> {
        let Some(bytes) = self.read(path)? else { return Ok(None) };
        digest_of(&bytes, algorithm).map(Some)
    }

    fn access(&self, path: &Path, what: u32) -> bool {
        self.inode(path, true).is_some_and(|inode| {
            what & 1 == 0 || inode.kind == FileKind::Directory || inode.mode & 0o111 != 0
        })
    }

    fn xattr(&self, path: &Path, name: &str, follow: bool) -> Result<Option<Vec<u8>>, Fail> {
        Ok(self.inode(path, follow).and_then(|inode| inode.xattrs.get(name).cloned()))
    }

    fn umask(&self) -> u32 {
        0o022
    }

    fn query(&self, cmd: &Cmd) -> Result<Ran, Fail> {
        self.queries.borrow_mut().push(cmd.display());
        Ok(self.answers[self.find_answer(cmd)?].ran.clone())
    }

    fn private_file(&self, contents: &[u8]) -> Result<PathBuf, Fail> {
        let mut private = self.private.borrow_mut();
        private.push(contents.to_vec());
        Ok(PathBuf::from(format!("/proc/1/fd/{}", private.len())))
    }

    fn which(&self, program: &str) -> Option<PathBuf> {
        if program.contains('/') {
            return self.has(program).then(|| program.into());
        }
        self.programs.contains(program).then(|| Path::new("/usr/bin").join(program))
    }

    fn user(&self, name_or_uid: &str) -> Result<Option<User>, Fail> {
        let mut users = self.users.iter();
        Ok(users.find(|it| it.name == name_or_uid || it.uid.to_string() == name_or_uid).cloned())
    }

    fn group(&self, name_or_gid: &str) -> Result<Option<Group>, Fail> {
        let mut groups = self.groups.iter();
        Ok(groups.find(|it| it.name == name_or_gid || it.gid.to_string() == name_or_gid).cloned())
    }

    fn ids(&self) -> (u32, u32) {
        (0, 0)
    }

    fn env(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_767_225_600)
    }

    fn blobs(&self) -> &[Blob] {
        &self.blobs
    }

    fn blob(&self, number: usize) -> Result<Vec<u8>, Fail> {
        Ok(self.contents[number].clone())
    }
}
