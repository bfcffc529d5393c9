//! Where a user's authorized_keys are, and how they are read and written there.
//!
//! In the home of another user everything is done as that user: a link that the user has put there leads nowhere that
//! the user could not go. Anywhere else only root can have put links.

use std::path::{Path, PathBuf};

use crate::modules::api::{Cmd, Fail, FileKind, Look, Touch, User, Write, follow_links};
use crate::modules::programs::as_user;

/// A file of keys.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub path: PathBuf,
    user: User,
    /// Whether it is in the home of a user that this process is not.
    foreign: bool,
    /// Follow a link at the path instead of replacing it.
    follow: bool,
}

impl Place {
    /// The file of a user; by default the one that sshd reads by default.
    pub(super) fn new(
        host: &dyn Look,
        user: User,
        path: Option<PathBuf>,
        follow: bool,
    ) -> Result<Place, Fail> {
        let home = Path::new(&user.home);
        let path = path.unwrap_or_else(|| home.join(".ssh/authorized_keys"));
        let inside = home != Path::new("/") && path.starts_with(home);
        let foreign = inside && host.ids().0 != user.uid;
        let path = if follow { follow_links(host, &path)? } else { path };
        Ok(Place { path, user, foreign, follow })
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// What is in it.
    pub(super) fn read(&self, host: &dyn Look) -> Result<Option<Vec<u8>>, Fail> {
        if !self.foreign {
            return host.read(&self.path);
        }
        if host.stat(&self.path, false)?.is_none() {
            return Ok(None);
        }
        let cmd = as_user(host, &self.user, Cmd::new(["cat", "--"]).arg(&self.path))?;
        let ran = host.query(&cmd)?;
        Ok(Some(ran.success(&format!("reading {} as {}", self.path.display(), self.user.name))?.stdout))
    }

    /// Puts contents in place at once. `manage`: its folder is made, and is the user's alone.
    pub(super) fn write(&self, host: &mut dyn Touch, contents: &[u8], manage: bool) -> Result<(), Fail> {
        if self.foreign {
            self.write_as_user(host, contents, manage)
        } else {
            self.write_as_self(host, contents, manage)
        }
    }

    fn write_as_self(&self, host: &mut dyn Touch, contents: &[u8], manage: bool) -> Result<(), Fail> {
        let (uid, gid) = (Some(self.user.uid), Some(self.user.gid));
        let folder = self.folder();
        let mut missing = Vec::new();
        for place in folder.ancestors() {
            if host.stat(place, true)?.is_some() {
                break;
            }
            missing.push(place);
        }
        let mode = 0o777 & !host.umask();
        for place in missing.into_iter().rev() {
            host.make_dir(place, if manage && place == folder { 0o700 } else { mode })?;
        }
        if manage {
            host.chown(folder, uid, gid, true)?;
            host.chmod(folder, 0o700)?;
        }
        let how = Write { mode: Some(0o600), uid, gid, replace_link: !self.follow, ..Write::default() };
        host.write(&self.path, contents, &how).map(drop)
    }

    fn write_as_user(&self, host: &mut dyn Touch, contents: &[u8], manage: bool) -> Result<(), Fail> {
        let folder = self.folder();
        let stat = host.stat(folder, false)?;
        match &stat {
            None => self.run(host, Cmd::new(["mkdir", "-m", "700", "-p", "--"]).arg(folder))?,
            Some(stat) if manage && stat.kind == FileKind::Directory => {
                if stat.uid != self.user.uid {
                    // A link that has come in the meantime is not followed.
                    host.chown(folder, Some(self.user.uid), Some(self.user.gid), false)?;
                }
                if stat.mode != 0o700 {
                    self.run(host, Cmd::new(["chmod", "700", "--"]).arg(folder))?;
                }
            }
            Some(_) => {}
        }
        let mut name = self.path.as_os_str().to_owned();
        name.push(".regatta");
        let new = PathBuf::from(name);
        self.run(host, Cmd::new(["rm", "-f", "--"]).arg(&new))?;
        let cmd = Cmd { quiet: true, umask: Some(0o177), ..Cmd::new(["tee", "--"]) };
        self.run(host, cmd.arg(&new).stdin(contents))?;
        self.run(host, Cmd::new(["mv", "-f", "-T", "--"]).arg(&new).arg(&self.path))
    }

    fn run(&self, host: &mut dyn Touch, cmd: Cmd) -> Result<(), Fail> {
        let cmd = as_user(host.as_look(), &self.user, cmd)?;
        host.run(&cmd)?.success(&format!("writing {} as {}", self.path.display(), self.user.name)).map(drop)
    }
}
