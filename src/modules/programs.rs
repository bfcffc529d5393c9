//! Programs of the host that modules can't do without: found, or a failure that says which package brings them; and
//! programs run as another user.

use std::path::PathBuf;

use super::api::{Cmd, Fail, Look, User};

/// The program's command line to add arguments to, in the C locale. `package`: what brings it.
pub(crate) fn program(host: &dyn Look, name: &str, package: &str) -> Result<Cmd, Fail> {
    if host.which(name).is_none() {
        return Err(Fail::new(format!("there is no program {name} on the host: install {package}")));
    }
    Ok(Cmd::new([name]).env("LC_ALL", "C"))
}

/// The command as that user; as it is if this process already is that user.
pub(crate) fn as_user(host: &dyn Look, user: &User, cmd: Cmd) -> Result<Cmd, Fail> {
    if host.ids().0 == user.uid {
        return Ok(cmd);
    }
    let name = user.name.as_str();
    let uid = user.uid.to_string();
    let gid = user.gid.to_string();
    let front: Vec<&str> = if host.which("setpriv").is_some() {
        vec!["setpriv", "--reuid", &uid, "--regid", &gid, "--init-groups", "--"]
    } else if host.which("runuser").is_some() {
        vec!["runuser", "-u", name, "--"]
    } else {
        return Err(Fail::new(format!(
            "working in the home of {name} as that user needs setpriv or runuser (of util-linux) on the host"
        )));
    };
    let argv = front.into_iter().map(Into::into).chain(cmd.argv.iter().cloned()).collect();
    Ok(Cmd { argv, cwd: Some(PathBuf::from("/")), ..cmd })
}
