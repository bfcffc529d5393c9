//! What all ssh connections of a run share: where the user's files are, the questions to the user and their answers,
//! warnings, files read once, and the sessions to jump hosts. Made once per run by the engine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use russh::keys::PrivateKey;

use super::config;
use super::known_hosts;
use super::proxy::Jumps;
use crate::secret::Secret;

/// Asks the user.
pub trait Prompt: Send + Sync {
    /// Asks for something secret, such as `passphrase for /home/x/.ssh/id_ed25519`. None: nobody is there, or
    /// the user gave up. May block: it is called from a thread of its own, one question at a time.
    fn secret(&self, what: &str) -> Option<Secret>;
}

/// Where the things of the user who runs us are.
#[derive(Clone, Debug)]
pub struct SshEnvironment {
    /// The home folder, with `.ssh` in it.
    pub home: PathBuf,
    /// The folder of `ssh_config` and `ssh_known_hosts` for all users.
    pub system: PathBuf,
    /// The name of the user, which is also the name to log in with when nothing says another.
    pub user: String,
    /// The socket of the key agent.
    pub agent: Option<PathBuf>,
}

impl SshEnvironment {
    /// As the environment variables of this process say.
    #[must_use]
    pub fn of_process() -> SshEnvironment {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let entry = own_entry(&passwd, rustix::process::getuid().as_raw());
        let home = variable("HOME").map(PathBuf::from).or_else(|| entry.map(|(_, home)| PathBuf::from(home)));
        let user = entry.map(|(name, _)| name.to_owned());
        let user = user.or_else(|| variable("USER").and_then(|name| name.into_string().ok()));
        SshEnvironment {
            home: home.unwrap_or_else(|| PathBuf::from("/")),
            system: PathBuf::from("/etc/ssh"),
            user: user.unwrap_or_else(|| "root".to_owned()),
            agent: variable("SSH_AUTH_SOCK").map(PathBuf::from),
        }
    }
}

/// The name and the home of a user in the text of `/etc/passwd`.
fn own_entry(passwd: &str, uid: u32) -> Option<(&str, &str)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id: u32 = fields.nth(1)?.parse().ok()?;
        (id == uid).then_some(()).and_then(|()| fields.nth(2)).map(|home| (name, home))
    })
}

/// What all ssh connections of a run share.
pub struct SshContext {
    pub(super) environment: SshEnvironment,
    pub(super) prompt: Option<Box<dyn Prompt>>,
    /// Secrets that were asked for, by what they are for; none when the user gave up. Its lock is held while the user
    /// is asked, so there is one question at a time and none is asked twice.
    pub(super) answers: tokio::sync::Mutex<HashMap<String, Option<Secret>>>,
    /// Key files that were opened with a passphrase.
    pub(super) opened: tokio::sync::Mutex<HashMap<PathBuf, Arc<PrivateKey>>>,
    pub(super) known_hosts: known_hosts::Store,
    pub(super) jumps: Jumps,
    /// Configuration files, read once.
    files: Mutex<HashMap<PathBuf, Arc<config::File>>>,
    /// Every warning once; true when it was handed out.
    warnings: Mutex<IndexMap<String, bool>>,
}

impl SshContext {
    /// For a run. Without a prompt nobody is asked for anything.
    #[must_use]
    pub fn new(environment: SshEnvironment, prompt: Option<Box<dyn Prompt>>) -> Arc<SshContext> {
        Arc::new(SshContext {
            environment,
            prompt,
            answers: tokio::sync::Mutex::default(),
            opened: tokio::sync::Mutex::default(),
            known_hosts: known_hosts::Store::default(),
            jumps: Jumps::default(),
            files: Mutex::default(),
            warnings: Mutex::default(),
        })
    }

    /// The warnings that came up since the last call. Each is said once in a run.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let new =
            warnings.iter_mut().filter_map(|(text, said)| (!std::mem::replace(said, true)).then_some(text));
        new.cloned().collect()
    }

    /// Says goodbye to the jump hosts. Connections through them end.
    pub async fn close(&self) {
        self.jumps.close().await;
    }

    pub(super) fn warn(&self, text: impl Into<String>) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.entry(text.into()).or_insert(false);
    }

    /// A configuration file; none when it can't be read.
    pub(super) fn config_file(&self, path: &Path) -> Option<Arc<config::File>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(path) {
            return Some(file.clone());
        }
        let text = std::fs::read(path).ok()?;
        let file = Arc::new(config::File::parse(path, &String::from_utf8_lossy(&text)));
        files.insert(path.to_owned(), file.clone());
        Some(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_entry_of_passwd_is_found_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1000:1000:Ann,,,:/home/ann:/bin/bash\n";
        assert_eq!(own_entry(passwd, 1000), Some(("ann", "/home/ann")));
        assert_eq!(own_entry(passwd, 0), Some(("root", "/root")));
        assert_eq!(own_entry(passwd, 7), None);
    }

    #[test]
    fn a_warning_is_handed_out_once() {
        let environment =
            SshEnvironment { home: "/".into(), system: "/".into(), user: "ann".into(), agent: None };
        let context = SshContext::new(environment, None);
        context.warn("a");
        context.warn("b");
        context.warn("a");
        assert_eq!(context.take_warnings(), ["a", "b"]);
        context.warn("b");
        context.warn("c");
        assert_eq!(context.take_warnings(), ["c"]);
    }
}
