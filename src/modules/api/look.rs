//! Looking at a host. Nothing here can change it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Blob, Cmd, Fail, Ran};

/// What kind of thing a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A block device.
    BlockDevice,
    /// A character device.
    CharDevice,
}

/// What `stat(2)` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// The twelve permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Inode number.
    pub inode: u64,
    /// Device it is on.
    pub dev: u64,
    /// Device it is, for device files.
    pub rdev: u64,
    /// Hard links.
    pub nlink: u64,
    /// Allocated blocks of 512 bytes.
    pub blocks: u64,
    /// Preferred block size.
    pub block_size: u64,
    /// Last read, seconds since 1970.
    pub atime: f64,
    /// Last written, seconds since 1970.
    pub mtime: f64,
    /// Last changed, seconds since 1970.
    pub ctime: f64,
}

/// A line of passwd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Number.
    pub uid: u32,
    /// Number of the primary group.
    pub gid: u32,
    /// The comment field.
    pub gecos: String,
    /// Home.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// A line of group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Number.
    pub gid: u32,
    /// Members named in it.
    pub members: Vec<String>,
}

/// A host as a module sees it while it decides. The methods never change anything.
pub trait Look {
    /// What is at `path`; `follow`: what a link points to. `None`: nothing there.
    fn stat(&self, path: &Path, follow: bool) -> Result<Option<Stat>, Fail>;
    /// A file's contents, `None` if there is none. For files that fit in memory.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Fail>;
    /// Where a symbolic link points, as written in it.
    fn read_link(&self, path: &Path) -> Result<PathBuf, Fail>;
    /// The names in a folder, sorted.
    fn list(&self, path: &Path) -> Result<Vec<std::ffi::OsString>, Fail>;
    /// The hex digest of a file's contents. `algorithm`: md5, sha1, sha224, sha256, sha384, sha512.
    fn digest(&self, path: &Path, algorithm: &str) -> Result<Option<String>, Fail>;
    /// Whether this process may read (4), write (2) or execute (1) it.
    fn access(&self, path: &Path, what: u32) -> bool;
    /// An extended attribute; `None` if it or the file is not there, or the file system has none.
    fn xattr(&self, path: &Path, name: &str, follow: bool) -> Result<Option<Vec<u8>>, Fail>;
    /// This process's file mode creation mask.
    fn umask(&self) -> u32;
    /// Runs a command that only reads, in the C locale unless it says otherwise. Only such: contract tests record it.
    fn query(&self, cmd: &Cmd) -> Result<Ran, Fail>;
    /// A path where commands of this call, and nobody else, read these contents: for a secret that a program takes from
    /// files alone. It is in memory, never on a disk, and goes with the call.
    fn private_file(&self, contents: &[u8]) -> Result<PathBuf, Fail>;
    /// Where a program is, searched in `PATH` and the sbin folders.
    fn which(&self, program: &str) -> Option<PathBuf>;
    /// A user by name or number, from passwd and what else the host asks (`getent`).
    fn user(&self, name_or_uid: &str) -> Result<Option<User>, Fail>;
    /// A group by name or number.
    fn group(&self, name_or_gid: &str) -> Result<Option<Group>, Fail>;
    /// The user and group this process acts as.
    fn ids(&self) -> (u32, u32);
    /// A variable of the environment.
    fn env(&self, name: &str) -> Option<String>;
    /// The time.
    fn now(&self) -> SystemTime;
    /// Files of the controller that came with the call; contents through `Touch::receive`.
    fn blobs(&self) -> &[Blob];
    /// The contents of blob number `number`, to look at. For files that fit in memory.
    fn blob(&self, number: usize) -> Result<Vec<u8>, Fail>;
}
