//! Key files: what key is in them, without a passphrase where that is possible, and opening them with one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::{Certificate, PrivateKey, PublicKey, decode_secret_key};

use super::super::clock::Clock;
use super::super::context::SshContext;
use super::super::questions;
use crate::secret::Secret;

/// How often a passphrase is asked for.
const TRIES: usize = 3;

/// What a key file holds.
pub(super) struct KeyFile {
    pub(super) public: PublicKey,
    /// Whether the private half is there too, so that it can sign without an agent.
    pub(super) private: bool,
}

/// Why a file is of no use.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum FileError {
    /// It is not there.
    #[error("no such file")]
    Missing,
    /// It can't be read.
    #[error("{0}")]
    Read(String),
    /// It is not a key of a known kind.
    #[error("it is not a private key of a known kind")]
    Broken,
    /// It is protected and the passphrase is not known.
    #[error("its passphrase is not known")]
    Locked,
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<String>, FileError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(zeroize::Zeroizing::new(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(FileError::Missing),
        Err(error) => Err(FileError::Read(super::super::link::reason(&error))),
    }
}

/// With `suffix` at the end of the whole name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Which key a file holds.
pub(super) fn inspect(path: &Path) -> Result<KeyFile, FileError> {
    let public = |path: &Path| read(path).ok().and_then(|text| PublicKey::from_openssh(text.trim()).ok());
    let text = match read(path) {
        Ok(text) => text,
        // The private half may be in the agent alone.
        Err(FileError::Missing) => {
            let public = public(&beside(path, ".pub")).ok_or(FileError::Missing)?;
            return Ok(KeyFile { public, private: false });
        }
        Err(error) => return Err(error),
    };
    if let Ok(public) = PublicKey::from_openssh(text.trim()) {
        return Ok(KeyFile { public, private: false });
    }
    // The format of OpenSSH has the public half in clear; older ones need the file beside it, or opening.
    let found = match PrivateKey::from_openssh(text.as_bytes()) {
        Ok(key) => Some(key.public_key().clone()),
        Err(_) => public(&beside(path, ".pub")),
    };
    let found = match found {
        Some(public) => public,
        None if protected(&text) => return Err(FileError::Locked),
        None => decode_secret_key(&text, None).map_err(|_| FileError::Broken)?.public_key().clone(),
    };
    Ok(KeyFile { public: found, private: true })
}

/// A certificate.
pub(super) fn certificate(path: &Path) -> Result<Certificate, FileError> {
    Certificate::from_openssh(read(path)?.trim()).map_err(|_| FileError::Broken)
}

/// The private key of a file. Asks for the passphrase if there is one, once in a run.
pub(super) async fn open(
    path: &Path,
    context: &Arc<SshContext>,
    clock: &Clock,
) -> Result<Arc<PrivateKey>, FileError> {
    let text = Arc::new(read(path)?);
    if !protected(&text) {
        return decode_secret_key(&text, None).map(Arc::new).map_err(|_| FileError::Broken);
    }
    let what = format!("passphrase for {}", path.display());
    let mut passphrase: Option<Secret> = None;
    for _ in 0..TRIES {
        let answer =
            questions::ask(context, clock, &what, passphrase.as_ref()).await.ok_or(FileError::Locked)?;
        // Deriving a key from a passphrase takes long by intention, so it is done once for all hosts.
        let mut opened = context.opened.lock().await;
        if let Some(key) = opened.get(path) {
            return Ok(key.clone());
        }
        let (text, secret) = (text.clone(), answer.clone());
        let decoded =
            tokio::task::spawn_blocking(move || decode_secret_key(&text, Some(secret.expose()))).await;
        if let Ok(Ok(key)) = decoded {
            let key = Arc::new(key);
            opened.insert(path.to_owned(), key.clone());
            return Ok(key);
        }
        passphrase = Some(answer);
    }
    Err(FileError::Locked)
}

/// Whether a private key needs a passphrase, as far as its text shows.
fn protected(text: &str) -> bool {
    match PrivateKey::from_openssh(text) {
        Ok(key) => key.is_encrypted(),
        Err(_) => text.contains("ENCRYPTED") || text.lines().any(|line| line.starts_with("Encryption: aes")),
    }
}
