//! Changing a host.

use std::path::{Path, PathBuf};

use super::{Cmd, Fail, Look, Ran};

/// How to write a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Write {
    /// The file's permission bits from the first moment on. None: an existing file keeps its own, a new one gets
    /// 0666 less the umask.
    pub mode: Option<u32>,
    /// Its owner. None: an existing file keeps its own, a new one belongs to this process.
    pub uid: Option<u32>,
    /// Its group, likewise.
    pub gid: Option<u32>,
    /// A command that must succeed on the new contents before they are put in place; `%s` stands for the file.
    pub validate: Option<Cmd>,
    /// Keep the old contents under a name with date and time.
    pub backup: bool,
    /// A symbolic link at the path gives way to the file instead of being followed.
    pub replace_link: bool,
    /// Write in place where a rename is refused (a bind-mounted file). Off: only ever old or new, never torn.
    pub unsafe_writes: bool,
}

/// A host as a module changes it.
pub trait Touch: Look {
    /// The looking half.
    fn as_look(&self) -> &dyn Look;
    /// Puts contents in place at once: a temporary file beside it, synced, then renamed. A link is followed.
    /// Returns the path of the backup, if one was asked for and there was something to keep.
    fn write(&mut self, path: &Path, contents: &[u8], how: &Write) -> Result<Option<PathBuf>, Fail>;
    /// The same with contents from the controller: blob number `blob` of the call, streamed and verified.
    fn receive(&mut self, blob: usize, path: &Path, how: &Write) -> Result<Option<PathBuf>, Fail>;
    /// The same with contents that a function streams into the temporary file.
    fn write_with(
        &mut self,
        path: &Path,
        fill: &mut dyn FnMut(&mut std::fs::File) -> Result<(), Fail>,
        how: &Write,
    ) -> Result<Option<PathBuf>, Fail>;
    /// The same with the contents of another file of the host.
    fn copy(&mut self, from: &Path, path: &Path, how: &Write) -> Result<Option<PathBuf>, Fail>;
    /// Sends a file's contents to the controller (`fetch`).
    fn send(&mut self, path: &Path) -> Result<(), Fail>;
    /// Makes one folder; its parent must be there.
    fn make_dir(&mut self, path: &Path, mode: u32) -> Result<(), Fail>;
    /// Removes a file or link.
    fn remove_file(&mut self, path: &Path) -> Result<(), Fail>;
    /// Removes a folder and all in it; links in it are not followed.
    fn remove_tree(&mut self, path: &Path) -> Result<(), Fail>;
    /// Renames.
    fn rename(&mut self, from: &Path, to: &Path) -> Result<(), Fail>;
    /// Makes a symbolic link, replacing what is there at once if `replace`.
    fn symlink(&mut self, target: &Path, link: &Path, replace: bool) -> Result<(), Fail>;
    /// Makes a hard link, replacing what is there at once if `replace`.
    fn hard_link(&mut self, target: &Path, link: &Path, replace: bool) -> Result<(), Fail>;
    /// Sets the twelve permission bits. A symbolic link is followed.
    fn chmod(&mut self, path: &Path, mode: u32) -> Result<(), Fail>;
    /// Sets owner and group; a symbolic link itself unless `follow`.
    fn chown(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> Result<(), Fail>;
    /// Sets the times, seconds since 1970; `None` leaves one as it is.
    fn set_times(
        &mut self,
        path: &Path,
        atime: Option<f64>,
        mtime: Option<f64>,
        follow: bool,
    ) -> Result<(), Fail>;
    /// Sets an extended attribute.
    fn set_xattr(&mut self, path: &Path, name: &str, value: &[u8], follow: bool) -> Result<(), Fail>;
    /// A new folder of mode 0700 that is removed when the call ends.
    fn temp_dir(&mut self) -> Result<PathBuf, Fail>;
    /// Runs a command. Its lines are shown live if the run asked for that.
    fn run(&mut self, cmd: &Cmd) -> Result<Ran, Fail>;
}
