//! The commands of `regatta vault` that work on files.
//!
//! A file is replaced as a whole or not at all, and what was plain on the disk is overwritten before it goes.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{FileArgs, Tool, editor};
use crate::cli::terminal;
use crate::vault::{Key, is_encrypted};

/// The mode of what was just encrypted or decrypted.
const PRIVATE: u32 = 0o600;

pub(super) fn encrypt(tool: &Tool, args: &FileArgs) -> Result<(), String> {
    let key = tool.key_to_encrypt(args.encrypt_vault_id.as_deref())?;
    for path in inputs(args)? {
        let plain = read(path, "Reading plaintext input from stdin")?;
        if is_encrypted(&plain) {
            return Err(format!("{} is encrypted already", name(path)));
        }
        write(args.output.as_deref().or(path), tool.seal(&plain, key)?.as_bytes(), PRIVATE)?;
    }
    terminal::remark("Encryption successful");
    Ok(())
}

pub(super) fn decrypt(tool: &Tool, args: &FileArgs) -> Result<(), String> {
    for path in inputs(args)? {
        let plain = open(tool, path)?.1;
        write(args.output.as_deref().or(path), &plain, PRIVATE)?;
    }
    terminal::remark("Decryption successful");
    Ok(())
}

pub(super) fn view(tool: &Tool, args: &FileArgs) -> Result<(), String> {
    for path in inputs(args)? {
        write(None, &open(tool, path)?.1, PRIVATE)?;
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the old key goes with the call")]
pub(super) fn rekey(tool: &Tool, args: &FileArgs, key: Key) -> Result<(), String> {
    let paths = inputs(args)?;
    if paths.contains(&None) {
        return Err("say which files get another password".into());
    }
    // All are decrypted before the first is written: a wrong password leaves none half done.
    let mut plains = Vec::new();
    for path in &paths {
        plains.push(open(tool, *path)?.1);
    }
    for (path, plain) in paths.into_iter().zip(&plains) {
        write(path, tool.seal(plain, &key)?.as_bytes(), mode_of(path))?;
    }
    terminal::remark("Rekey successful");
    Ok(())
}

pub(super) fn create(tool: &Tool, args: &FileArgs) -> Result<(), String> {
    let path = one(args)?;
    if path.exists() {
        return Err(format!("{} exists already: use `regatta vault edit`", path.display()));
    }
    let key = tool.key_to_encrypt(args.encrypt_vault_id.as_deref())?;
    let plain = editor::edit(path, b"", args.skip_tty_check)?;
    write(Some(path), tool.seal(&plain, key)?.as_bytes(), PRIVATE)
}

pub(super) fn edit(tool: &Tool, args: &FileArgs) -> Result<(), String> {
    for path in &args.files {
        let (key, before) = open(tool, Some(path))?;
        let key = match &args.encrypt_vault_id {
            Some(id) => tool.key_to_encrypt(Some(id))?,
            None => key,
        };
        let after = editor::edit(path, &before, args.skip_tty_check)?;
        if *after != *before {
            write(Some(path), tool.seal(&after, key)?.as_bytes(), mode_of(Some(path)))?;
        }
    }
    if args.files.is_empty() { Err("say which file to edit".into()) } else { Ok(()) }
}

/// The files that are given; none stands for standard input.
fn inputs(args: &FileArgs) -> Result<Vec<Option<&Path>>, String> {
    if args.output.is_some() && args.files.len() > 1 {
        return Err("--output is for one file at a time".into());
    }
    if args.files.is_empty() {
        return Ok(vec![None]);
    }
    let dash = |path: &PathBuf| path.as_os_str() == "-";
    Ok(args.files.iter().map(|path| (!dash(path)).then_some(path.as_path())).collect())
}

fn one(args: &FileArgs) -> Result<&Path, String> {
    match args.files.as_slice() {
        [path] => Ok(path),
        _ => Err("say which one file to create".into()),
    }
}

fn name(path: Option<&Path>) -> String {
    path.map_or_else(|| "standard input".into(), |path| path.display().to_string())
}

fn read(path: Option<&Path>, prompt: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    let done = match path {
        Some(path) => fs::read(path).map(|read| bytes = Zeroizing::new(read)),
        None => {
            terminal::remark(prompt);
            io::stdin().lock().read_to_end(&mut bytes).map(drop)
        }
    };
    done.map_err(|error| format!("can't read {}: {error}", name(path)))?;
    Ok(bytes)
}

/// The key of an encrypted file, and its plain contents.
fn open<'a>(tool: &'a Tool, path: Option<&Path>) -> Result<(&'a Key, Zeroizing<Vec<u8>>), String> {
    let text = read(path, "Reading ciphertext input from stdin")?;
    if !is_encrypted(text.trim_ascii_start()) {
        return Err(format!("{} is not encrypted", name(path)));
    }
    tool.keyring.key_and_plain(&text).map_err(|why| format!("can't decrypt {}: {why}", name(path)))
}

fn mode_of(path: Option<&Path>) -> u32 {
    path.and_then(|path| fs::metadata(path).ok()).map_or(PRIVATE, |meta| meta.mode() & 0o7777)
}

/// Replaces a file, or prints. Links are followed; what the file held before is overwritten.
pub(super) fn write(path: Option<&Path>, contents: &[u8], mode: u32) -> Result<(), String> {
    let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
        let mut out = io::stdout().lock();
        return out
            .write_all(contents)
            .and_then(|()| out.flush())
            .map_err(|error| format!("can't print: {error}"));
    };
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&path, contents, mode).map_err(|error| format!("can't write {}: {error}", path.display()))
}

fn replace(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(contents)?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    // Another name of the old file keeps its contents.
    let old = OpenOptions::new().write(true).open(path).ok();
    let old = old.filter(|old| old.metadata().is_ok_and(|meta| meta.is_file() && meta.nlink() == 1));
    file.persist(path).map_err(|error| error.error)?;
    if let Some(mut old) = old {
        let length = old.metadata()?.len();
        io::copy(&mut io::repeat(0).take(length), &mut old)?;
        old.sync_all()?;
    }
    Ok(())
}
