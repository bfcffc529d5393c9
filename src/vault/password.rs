//! Where vault passwords come from: files, programs that print them, the user.
//!
//! Who asks the user is the caller's business; a password is never an argument and never in the environment.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::{Keyring, is_encrypted};
use crate::secret::Secret;

/// The vault id of a password that was given without one.
pub const DEFAULT_ID: &str = "default";

/// With which a `-client` program says that it has no password for a vault id.
const UNKNOWN_ID: i32 = 2;

/// Asks the user for a password; none when nobody is there.
pub type Ask<'a> = &'a dyn Fn(&str) -> Option<Secret>;

/// Where a password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The user, asked with the vault id (`label@prompt`).
    Prompt,
    /// The user, asked as `--ask-vault-pass` does.
    AskPass,
    /// A file with the password, or a program that prints it.
    Path(PathBuf),
}

/// What a password is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To decrypt, or to encrypt with one that is in use.
    Known,
    /// A new one: the user types it twice.
    New,
}

impl Source {
    /// Takes `label@source` apart; without a label it is `default`. `~` is the home folder.
    #[must_use]
    pub fn parse(text: &str) -> (String, Source) {
        let (id, source) = match text.split_once('@') {
            Some((id, source)) if !id.is_empty() => (id, source),
            Some((_, source)) => (DEFAULT_ID, source),
            None => (DEFAULT_ID, text),
        };
        let source = match source {
            "prompt" => Source::Prompt,
            "prompt_ask_vault_pass" => Source::AskPass,
            path => Source::Path(match (path.strip_prefix("~/"), std::env::home_dir()) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => PathBuf::from(path),
            }),
        };
        (id.to_owned(), source)
    }
}

/// Gets the password for a vault id. A password file may itself be encrypted with a password of `keyring`.
/// None: the program knows nothing of this vault id.
///
/// # Errors
/// A sentence that says why there is no password.
pub fn password(
    id: &str,
    source: &Source,
    purpose: Purpose,
    keyring: &Keyring,
    ask: Ask<'_>,
) -> Result<Option<Secret>, String> {
    let found = match source {
        Source::Prompt | Source::AskPass => Some(prompt(id, *source == Source::AskPass, purpose, ask)?),
        Source::Path(path) if is_program(path) => program(id, path)?,
        Source::Path(path) => Some(file(path, keyring)?),
    };
    match found {
        Some(password) if password.expose().is_empty() => Err(match source {
            Source::Path(path) => format!("{} holds no password", path.display()),
            _ => format!("the vault password for `{id}` is empty"),
        }),
        other => Ok(other),
    }
}

fn prompt(id: &str, plain: bool, purpose: Purpose, ask: Ask<'_>) -> Result<Secret, String> {
    let (first, again) = match (purpose, plain) {
        (Purpose::Known, true) => ("Vault password: ".to_owned(), None),
        (Purpose::Known, false) => (format!("Vault password ({id}): "), None),
        (Purpose::New, true) => {
            ("New Vault password: ".to_owned(), Some("Confirm New Vault password: ".to_owned()))
        }
        (Purpose::New, false) => {
            (format!("New vault password ({id}): "), Some(format!("Confirm new vault password ({id}): ")))
        }
    };
    let nobody = || "there is nobody to ask for the vault password".to_owned();
    let password = ask(&first).ok_or_else(nobody)?;
    if let Some(again) = again
        && ask(&again).ok_or_else(nobody)? != password
    {
        return Err("the two passwords are not the same".into());
    }
    Ok(password)
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn file(path: &Path, keyring: &Keyring) -> Result<Secret, String> {
    let read = std::fs::read(path)
        .map_err(|error| format!("can't read the vault password file {}: {error}", path.display()))?;
    let bytes = Zeroizing::new(read);
    let plain = if is_encrypted(&bytes) {
        keyring.key_and_plain(&bytes).map_err(|why| format!("can't decrypt {}: {why}", path.display()))?.1
    } else {
        bytes
    };
    let text = std::str::from_utf8(&plain).map_err(|_| format!("{} is not UTF-8 text", path.display()))?;
    Ok(Secret::new(text.trim()))
}

/// What a program prints. One whose name ends in `-client` is told the vault id.
fn program(id: &str, path: &Path) -> Result<Option<Secret>, String> {
    let is_client = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("-client"));
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut command = Command::new(absolute);
    if is_client {
        command.args(["--vault-id", id]);
    }
    let output = command
        .stdin(Stdio::inherit())
        .output()
        .map_err(|error| format!("can't run the vault password program {}: {error}", path.display()))?;
    let stdout = Zeroizing::new(output.stdout);
    if is_client && output.status.code() == Some(UNKNOWN_ID) {
        return Ok(None);
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the vault password program {} failed: {}", path.display(), said.trim()));
    }
    let text = std::str::from_utf8(&stdout)
        .map_err(|_| format!("what {} prints is not UTF-8 text", path.display()))?;
    Ok(Some(Secret::new(text.trim_matches(['\r', '\n']))))
}
