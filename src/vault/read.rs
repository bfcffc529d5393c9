//! Reading files that may be encrypted: their bytes, their text for messages to point into, their YAML.
//!
//! Decrypted texts are kept in memory only, and messages show no line of them.

use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Keyring, Plain, is_encrypted};
use crate::diag::{Diagnostic, FileId, Sources, Span, code};
use crate::yaml::{self, Document, Kind, Node, Tag};

/// The bytes of a file, decrypted if it is a vault; and whether it was one.
///
/// # Errors
/// The file can't be read or decrypted, as a sentence that names it.
pub fn open(path: &Path, keyring: &Keyring) -> Result<(Plain, bool), String> {
    let bytes = std::fs::read(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
    if !is_encrypted(&bytes) {
        return Ok((Arc::new(Zeroizing::new(bytes)), false));
    }
    let plain = keyring.decrypt(&bytes).map_err(|why| format!("can't decrypt {}: {why}", path.display()))?;
    Ok((plain, true))
}

/// Reads a text file into `sources`, decrypted if it is a vault.
///
/// # Errors
/// As [`yaml::read`], or if it can't be decrypted.
pub fn text(path: &Path, sources: &Sources, keyring: &Keyring) -> Result<FileId, Diagnostic> {
    let file = yaml::read(path, sources)?;
    let text = sources.text(file);
    if !is_encrypted(text.as_bytes()) {
        return Ok(file);
    }
    let refused = |why: String| {
        let message = format!("can't decrypt {}: {why}", path.display());
        Diagnostic::error(code::VAULT_UNREADABLE, message).at(Span { file, start: 0, end: 0 })
    };
    let plain = keyring.decrypt(text.as_bytes()).map_err(|why| refused(why.to_string()))?;
    let plain = std::str::from_utf8(&plain).map_err(|_| refused("its plain text is not UTF-8".into()))?;
    Ok(sources.add_hidden(path, plain))
}

/// Reads a YAML file as [`yaml::load`] does, decrypted if it is a vault.
///
/// # Errors
/// All mistakes; also a `!vault` value that its password does not decrypt.
pub fn load(path: &Path, sources: &Sources, keyring: &Keyring) -> Document {
    let file = text(path, sources, keyring).map_err(|mistake| vec![mistake])?;
    let (node, warnings) = yaml::document(file, sources)?;
    let mut mistakes = Vec::new();
    probe(&node, keyring, &mut mistakes);
    if mistakes.is_empty() { Ok((node, warnings)) } else { Err(mistakes) }
}

fn probe(node: &Node, keyring: &Keyring, mistakes: &mut Vec<Diagnostic>) {
    match &node.kind {
        Kind::Str(text) if node.tag == Some(Tag::Vault) => {
            if let Err(why) = keyring.probe(text) {
                let message = format!("can't decrypt this value: {why}");
                mistakes.push(Diagnostic::error(code::VAULT_UNREADABLE, message).at(node.span));
            }
        }
        Kind::Seq(items) => items.iter().for_each(|item| probe(item, keyring, mistakes)),
        Kind::Map(map) => map.values().for_each(|(_, value)| probe(value, keyring, mistakes)),
        _ => {}
    }
}
