//! The host this process runs on: the one place in the modules that touches files, processes and the environment.
//!
//! The worker makes one [`RealHost`] per call; what leaves the host goes through its [`Controller`].

mod files;
mod run;
mod write;

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{Access, XattrFlags};
use rustix::io::Errno;

use super::{Blob, Cmd, Context, Fail, FileKind, Group, Look, Ran, Stat, Touch, User, Write};

/// The hex digest of bytes.
///
/// # Errors
/// An algorithm that is not there.
pub fn digest_of(mut bytes: &[u8], algorithm: &str) -> Result<String, Fail> {
    files::digest(&mut bytes, algorithm, &mut || Ok(()))
}

/// What leaves the host during a call: the worker implements it.
pub trait Controller {
    /// A running command printed a line. Called only if the call is live.
    fn line(&self, stderr: bool, text: &str);
    /// Whether a running command's lines are wanted.
    fn live(&self) -> bool;
    /// Brings the contents of blob number `blob` of the call into `sink`.
    ///
    /// # Errors
    /// The controller can't read it any more, the call was cancelled, or the file can't be written.
    fn receive(&self, blob: usize, sink: &mut dyn io::Write) -> Result<(), Fail>;
    /// Sends a piece of contents (`fetch`); an empty piece is the end. May wait until there is room.
    ///
    /// # Errors
    /// The call was cancelled.
    fn piece(&self, data: &[u8]) -> Result<(), Fail>;
    /// Whether the call is to stop: commands are killed, writes given up.
    fn cancelled(&self) -> bool;
}

/// The real host.
pub struct RealHost<'a> {
    controller: &'a dyn Controller,
    blobs: &'a [Blob],
    environment: &'a [(String, String)],
    temporary: Vec<PathBuf>,
    /// What [`Look::private_file`] made: open as long as the call lasts.
    private: RefCell<Vec<File>>,
    /// The last small blob that was looked at: it need not come twice.
    seen: RefCell<Option<(usize, Vec<u8>)>>,
}

impl<'a> RealHost<'a> {
    /// A host for one call, with its blobs and what its task adds to the environment.
    #[must_use]
    pub fn new(
        controller: &'a dyn Controller,
        blobs: &'a [Blob],
        environment: &'a [(String, String)],
    ) -> RealHost<'a> {
        RealHost {
            controller,
            blobs,
            environment,
            temporary: Vec::new(),
            private: RefCell::default(),
            seen: RefCell::default(),
        }
    }

    fn go_on(&self) -> Result<(), Fail> {
        if self.controller.cancelled() { Err(Fail::new("stopped before it was done")) } else { Ok(()) }
    }
}

/// Temporary folders go with the call.
impl Drop for RealHost<'_> {
    fn drop(&mut self) {
        for path in &self.temporary {
            // Nobody is left to tell; the folder is private.
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// A name nobody can foresee.
fn random_name() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// `None` where nothing is.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(it) => Ok(Some(it)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a time in seconds is exact enough as a float")]
fn seconds(whole: i64, nanos: i64) -> f64 {
    whole as f64 + nanos as f64 / 1e9
}

fn stat_of(meta: &fs::Metadata) -> Stat {
    let kind = meta.file_type();
    let kind = if kind.is_symlink() {
        FileKind::Symlink
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_fifo() {
        FileKind::Fifo
    } else if kind.is_socket() {
        FileKind::Socket
    } else if kind.is_block_device() {
        FileKind::BlockDevice
    } else if kind.is_char_device() {
        FileKind::CharDevice
    } else {
        FileKind::File
    };
    Stat {
        kind,
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        size: meta.size(),
        inode: meta.ino(),
        dev: meta.dev(),
        rdev: meta.rdev(),
        nlink: meta.nlink(),
        blocks: meta.blocks(),
        block_size: meta.blksize(),
        atime: seconds(meta.atime(), meta.atime_nsec()),
        mtime: seconds(meta.mtime(), meta.mtime_nsec()),
        ctime: seconds(meta.ctime(), meta.ctime_nsec()),
    }
}

impl Look for RealHost<'_> {
    fn stat(&self, path: &Path, follow: bool) -> Result<Option<Stat>, Fail> {
        let meta = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
        Ok(present(meta).about(|| format!("looking at {}", path.display()))?.map(|meta| stat_of(&meta)))
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Fail> {
        present(fs::read(path)).about(|| format!("reading {}", path.display()))
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, Fail> {
        fs::read_link(path).about(|| format!("reading the link {}", path.display()))
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, Fail> {
        let names = fs::read_dir(path).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>()
        });
        let mut names = names.about(|| format!("listing {}", path.display()))?;
        names.sort();
        Ok(names)
    }

    fn digest(&self, path: &Path, algorithm: &str) -> Result<Option<String>, Fail> {
        let what = || format!("reading {}", path.display());
        let Some(mut file) = present(File::open(path)).about(what)? else { return Ok(None) };
        files::digest(&mut file, algorithm, &mut || self.go_on()).about(what).map(Some)
    }

    fn access(&self, path: &Path, what: u32) -> bool {
        let mut wanted = Access::EXISTS;
        for (bit, access) in [(4, Access::READ_OK), (2, Access::WRITE_OK), (1, Access::EXEC_OK)] {
            wanted.set(access, what & bit != 0);
        }
        rustix::fs::access(path, wanted).is_ok()
    }

    fn xattr(&self, path: &Path, name: &str, follow: bool) -> Result<Option<Vec<u8>>, Fail> {
        let mut value = vec![0; 64 << 10];
        let read = if follow {
            rustix::fs::getxattr(path, name, &mut *value)
        } else {
            rustix::fs::lgetxattr(path, name, &mut *value)
        };
        match read {
            Ok(len) => {
                value.truncate(len);
                Ok(Some(value))
            }
            Err(Errno::NODATA | Errno::NOTSUP | Errno::NOENT) => Ok(None),
            Err(error) => {
                Err(io::Error::from(error)).about(|| format!("reading {name} of {}", path.display()))
            }
        }
    }

    fn umask(&self) -> u32 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o022)
    }

    fn query(&self, cmd: &Cmd) -> Result<Ran, Fail> {
        let mut cmd = cmd.clone();
        if !cmd.env.iter().any(|(name, _)| name == "LC_ALL") {
            cmd.env.push(("LC_ALL".into(), "C".into()));
        }
        run::run(self, &cmd, false)
    }

    fn private_file(&self, contents: &[u8]) -> Result<PathBuf, Fail> {
        let (file, path) = files::private(contents).about(|| "keeping a secret in memory".into())?;
        self.private.borrow_mut().push(file);
        Ok(path)
    }

    fn which(&self, program: &str) -> Option<PathBuf> {
        files::which(program, &self.env("PATH").unwrap_or_default())
    }

    fn user(&self, name_or_uid: &str) -> Result<Option<User>, Fail> {
        files::account(self, "passwd", name_or_uid, files::user)
    }

    fn group(&self, name_or_gid: &str) -> Result<Option<Group>, Fail> {
        files::account(self, "group", name_or_gid, files::group)
    }

    fn ids(&self) -> (u32, u32) {
        (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
    }

    fn env(&self, name: &str) -> Option<String> {
        let own = self.environment.iter().rev().find(|(key, _)| key == name);
        own.map(|(_, value)| value.clone()).or_else(|| std::env::var(name).ok())
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn blobs(&self) -> &[Blob] {
        self.blobs
    }

    fn blob(&self, number: usize) -> Result<Vec<u8>, Fail> {
        if let Some((seen, contents)) = &*self.seen.borrow()
            && *seen == number
        {
            return Ok(contents.clone());
        }
        let mut contents = Vec::new();
        self.controller.receive(number, &mut contents)?;
        *self.seen.borrow_mut() = Some((number, contents.clone()));
        Ok(contents)
    }
}

impl Touch for RealHost<'_> {
    fn as_look(&self) -> &dyn Look {
        self
    }

    fn write(&mut self, path: &Path, contents: &[u8], how: &Write) -> Result<Option<PathBuf>, Fail> {
        self.write_with(
            path,
            &mut |file| io::Write::write_all(file, contents).about(|| "writing".into()),
            how,
        )
    }

    fn receive(&mut self, blob: usize, path: &Path, how: &Write) -> Result<Option<PathBuf>, Fail> {
        write::receive(self, blob, path, how)
    }

    fn write_with(
        &mut self,
        path: &Path,
        fill: &mut dyn FnMut(&mut File) -> Result<(), Fail>,
        how: &Write,
    ) -> Result<Option<PathBuf>, Fail> {
        write::write(self, path, fill, how)
    }

    fn copy(&mut self, from: &Path, path: &Path, how: &Write) -> Result<Option<PathBuf>, Fail> {
        let mut source = File::open(from).about(|| format!("reading {}", from.display()))?;
        let mut fill = |file: &mut File| {
            io::copy(&mut source, file).map(drop).about(|| format!("copying {}", from.display()))
        };
        write::write(self, path, &mut fill, how)
    }

    fn send(&mut self, path: &Path) -> Result<(), Fail> {
        let what = || format!("reading {}", path.display());
        let mut file = File::open(path).about(what)?;
        let mut piece = vec![0; 64 << 10];
        loop {
            self.go_on()?;
            let len = file.read(&mut piece).about(what)?;
            self.controller.piece(&piece[..len])?;
            if len == 0 {
                return Ok(());
            }
        }
    }

    fn make_dir(&mut self, path: &Path, mode: u32) -> Result<(), Fail> {
        let made = fs::DirBuilder::new().mode(mode & 0o700).create(path);
        made.about(|| format!("making the folder {}", path.display()))?;
        self.chmod(path, mode)
    }

    fn remove_file(&mut self, path: &Path) -> Result<(), Fail> {
        fs::remove_file(path).about(|| format!("removing {}", path.display()))
    }

    fn remove_tree(&mut self, path: &Path) -> Result<(), Fail> {
        fs::remove_dir_all(path).about(|| format!("removing {}", path.display()))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<(), Fail> {
        fs::rename(from, to).about(|| format!("renaming {} to {}", from.display(), to.display()))
    }

    fn symlink(&mut self, target: &Path, link: &Path, replace: bool) -> Result<(), Fail> {
        write::link(link, replace, |at| std::os::unix::fs::symlink(target, at))
    }

    fn hard_link(&mut self, target: &Path, link: &Path, replace: bool) -> Result<(), Fail> {
        write::link(link, replace, |at| fs::hard_link(target, at))
    }

    fn chmod(&mut self, path: &Path, mode: u32) -> Result<(), Fail> {
        rustix::fs::chmod(path, rustix::fs::Mode::from_raw_mode(mode))
            .map_err(io::Error::from)
            .about(|| format!("changing the mode of {}", path.display()))
    }

    fn chown(&mut self, path: &Path, uid: Option<u32>, gid: Option<u32>, follow: bool) -> Result<(), Fail> {
        let done = if follow {
            std::os::unix::fs::chown(path, uid, gid)
        } else {
            std::os::unix::fs::lchown(path, uid, gid)
        };
        done.about(|| format!("changing the owner of {}", path.display()))
    }

    fn set_times(
        &mut self,
        path: &Path,
        atime: Option<f64>,
        mtime: Option<f64>,
        follow: bool,
    ) -> Result<(), Fail> {
        files::set_times(path, atime, mtime, follow)
            .about(|| format!("changing the times of {}", path.display()))
    }

    fn set_xattr(&mut self, path: &Path, name: &str, value: &[u8], follow: bool) -> Result<(), Fail> {
        let done = if follow {
            rustix::fs::setxattr(path, name, value, XattrFlags::empty())
        } else {
            rustix::fs::lsetxattr(path, name, value, XattrFlags::empty())
        };
        done.map_err(io::Error::from).about(|| format!("changing {name} of {}", path.display()))
    }

    fn temp_dir(&mut self) -> Result<PathBuf, Fail> {
        let parent = self.env("TMPDIR").filter(|dir| dir.starts_with('/')).unwrap_or_else(|| "/tmp".into());
        let path = Path::new(&parent).join(format!("regatta-{}", random_name()));
        // Fails if the name is taken, whoever took it.
        fs::DirBuilder::new().mode(0o700).create(&path).about(|| format!("making {}", path.display()))?;
        self.temporary.push(path.clone());
        Ok(path)
    }

    fn run(&mut self, cmd: &Cmd) -> Result<Ran, Fail> {
        run::run(self, cmd, self.controller.live() && !cmd.quiet)
    }
}

#[cfg(test)]
mod tests;
