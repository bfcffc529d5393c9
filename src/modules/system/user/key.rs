//! SSH keys of users. Everything in the user's home is done as that user: a link that the user has put there leads
//! nowhere that the user could not go.

use std::path::{Path, PathBuf};

use super::Args;
use super::account::Account;
use crate::modules::api::{Cmd, Fail, Look, Outcome, Touch, Write};
use crate::modules::programs::as_user;

/// Answers both of ssh-keygen's questions from its standard input, one line for each.
const ASKPASS: &[u8] = b"#!/bin/sh\nIFS= read -r line\nprintf '%s\\n' \"$line\"\n";

impl Args {
    /// The private key's file.
    pub(super) fn key_path(&self, home: &str) -> PathBuf {
        let file = self.ssh_key_file.clone().unwrap_or_else(|| format!(".ssh/id_{}", self.ssh_key_type));
        Path::new(home).join(file)
    }

    pub(super) fn make_key(&self, host: &mut dyn Touch, account: &Account) -> Result<(), Fail> {
        let path = self.key_path(&account.user.home);
        let known = ["rsa", "dsa", "ecdsa", "ed25519", "rsa1", "ecdsa-sk", "ed25519-sk"];
        if !known.contains(&self.ssh_key_type.as_str()) {
            return Err(Fail::new(format!("ssh_key_type {:?} is no algorithm for keys", self.ssh_key_type)));
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        if host.stat(folder, false)?.is_none() {
            let cmd =
                as_user(host.as_look(), &account.user, Cmd::new(["mkdir", "-m", "700", "--"]).arg(folder))?;
            host.run(&cmd)?.success(&format!("making {}", folder.display()))?;
        }
        if self.force {
            let cmd = Cmd::new(["rm", "-f", "--"]).arg(&path).arg(public(&path));
            let cmd = as_user(host.as_look(), &account.user, cmd)?;
            host.run(&cmd)?.success("removing the old key")?;
        }
        let mut cmd = Cmd::new(["ssh-keygen", "-q", "-t", &self.ssh_key_type]);
        if self.ssh_key_bits > 0 {
            cmd = cmd.args(["-b", &self.ssh_key_bits.to_string()]);
        }
        cmd = cmd.args(["-C", &self.key_comment(host.as_look())]).arg("-f").arg(&path);
        let cmd = match &self.ssh_key_passphrase {
            None => as_user(host.as_look(), &account.user, cmd.args(["-N", ""]))?,
            Some(passphrase) => {
                let askpass = askpass(host, account)?;
                let line = format!("{0}\n{0}\n", passphrase.expose());
                let cmd = cmd
                    .env("SSH_ASKPASS", &askpass.to_string_lossy())
                    .env("SSH_ASKPASS_REQUIRE", "force")
                    .env("DISPLAY", ":0")
                    .stdin(line);
                Cmd { quiet: true, ..as_user(host.as_look(), &account.user, cmd)? }
            }
        };
        host.run(&cmd)?.success(&format!("making the SSH key {}", path.display()))?;
        Ok(())
    }

    fn key_comment(&self, host: &dyn Look) -> String {
        self.ssh_key_comment.clone().unwrap_or_else(|| {
            let name = host.read(Path::new("/proc/sys/kernel/hostname")).ok().flatten().unwrap_or_default();
            format!("ansible-generated on {}", String::from_utf8_lossy(&name).trim())
        })
    }

    /// Adds the key's file, public half and fingerprint to a result.
    pub(super) fn describe_key(
        &self,
        host: &dyn Look,
        account: &Account,
        outcome: Outcome,
    ) -> Result<Outcome, Fail> {
        let path = self.key_path(&account.user.home);
        let mut outcome = outcome.with("ssh_key_file", path.to_string_lossy().into_owned());
        let file = public(&path);
        // What a link points to might be anyone's.
        let own =
            host.stat(&file, false)?.is_some_and(|stat| stat.kind == crate::modules::api::FileKind::File);
        if !own {
            return Ok(outcome);
        }
        if let Some(text) = host.read(&file)? {
            outcome = outcome.with("ssh_public_key", String::from_utf8_lossy(&text).trim().to_owned());
        }
        let ran = host.query(&Cmd::new(["ssh-keygen", "-l", "-f"]).arg(&file).env("LC_ALL", "C"))?;
        if ran.ok() {
            outcome = outcome.with("ssh_fingerprint", ran.out().trim().to_owned());
        }
        Ok(outcome)
    }
}

fn public(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

/// The program that answers for the passphrase: it holds no secret, and the user must be able to run it.
fn askpass(host: &mut dyn Touch, account: &Account) -> Result<PathBuf, Fail> {
    let folder = host.temp_dir()?;
    let path = folder.join("askpass");
    host.write(&path, ASKPASS, &Write { mode: Some(0o700), ..Write::default() })?;
    for path in [&path, &folder] {
        host.chown(path, Some(account.user.uid), Some(account.user.gid), false)?;
    }
    Ok(path)
}
