//! A home for an account that has none: what useradd does for new accounts.

use std::path::Path;

use super::Args;
use super::account::Account;
use crate::modules::api::{Cmd, Context, Fail, Touch};

impl Args {
    pub(super) fn make_home(&self, host: &mut dyn Touch, account: &Account) -> Result<(), Fail> {
        let home = Path::new(&account.user.home);
        let mut missing: Vec<_> = Vec::new();
        for parent in home.ancestors().skip(1) {
            if host.stat(parent, true)?.is_some() {
                break;
            }
            missing.push(parent);
        }
        for parent in missing.into_iter().rev() {
            host.make_dir(parent, 0o755)?;
        }
        let umask = match &self.umask {
            Some(text) => u32::from_str_radix(text, 8)
                .map_err(|_| Fail::new(format!("umask must be an octal number, but is {text}")))?,
            None => login_umask(host)?,
        };
        // Closed until its contents belong to the user, and opened as far as wanted only then.
        host.make_dir(home, 0o700)?;
        let skeleton = self.skeleton.as_deref().unwrap_or("/etc/skel");
        if host.stat(Path::new(skeleton), true)?.is_some() {
            let cmd = Cmd::new(["cp", "-R", "--", &format!("{skeleton}/."), &account.user.home]);
            host.run(&cmd)?.success("copying the skeleton of a home")?;
        }
        let owner = format!("{}:{}", account.user.uid, account.user.gid);
        let cmd = Cmd::new(["chown", "-R", "-h", &owner, "--", &account.user.home]);
        host.run(&cmd)?.success("giving the home to its user")?;
        host.chmod(home, 0o777 & !umask).about(|| format!("opening the home {}", account.user.home))
    }
}

/// `HOME_MODE` or `UMASK` of login.defs.
fn login_umask(host: &dyn Touch) -> Result<u32, Fail> {
    let text = host.read(Path::new("/etc/login.defs"))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let value = |name: &str| {
        let mut lines = text.lines().map(|line| line.split_whitespace());
        let number = lines.find_map(|mut words| (words.next() == Some(name)).then(|| words.next()).flatten());
        number.and_then(|it| u32::from_str_radix(it, 8).ok())
    };
    Ok(value("HOME_MODE").map(|mode| !mode & 0o777).or_else(|| value("UMASK")).unwrap_or(0o022))
}
