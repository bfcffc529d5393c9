//! Getting content: git clones, downloads, archives, folders; each becomes a folder.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archive;
use super::requirements::{Origin, Requirement};
use crate::cli::common::private_folder;
use crate::cli::terminal;
use crate::modules::http::without_password;

/// What a download may hold.
const LARGEST: u64 = 1 << 30;

/// Content in a folder.
pub(super) struct Fetched {
    pub(super) folder: PathBuf,
    /// What was checked out, for roles' notes.
    pub(super) version: String,
    /// Removed when this is dropped.
    _keep: Option<tempfile::TempDir>,
}

/// Gets what a requirement names.
pub(super) fn fetch(requirement: &Requirement) -> Result<Fetched, String> {
    let scratch = private_folder(&std::env::temp_dir())
        .map_err(|error| format!("can't make a folder for it: {error}"))?;
    let version = requirement.version.clone().unwrap_or_default();
    let folder = match &requirement.origin {
        Origin::Git { address, folder } => {
            let clone = scratch.path().join("clone");
            git(address, requirement.version.as_deref(), &clone)?;
            match folder {
                Some(folder) => below(&clone, folder)?,
                None => clone,
            }
        }
        Origin::Url(url) => {
            let file = scratch.path().join("archive");
            download(url, &file)?;
            unpacked(&file, scratch.path())?
        }
        Origin::Path(path) if path.is_dir() => {
            return Ok(Fetched { folder: path.clone(), version, _keep: None });
        }
        Origin::Path(path) => unpacked(path, scratch.path())?,
    };
    Ok(Fetched { folder, version, _keep: Some(scratch) })
}

/// A folder of a repository; it must not lead out of it.
fn below(clone: &Path, folder: &str) -> Result<PathBuf, String> {
    let missing = |_| format!("the repository has no folder `{folder}`");
    let root = clone.canonicalize().map_err(missing)?;
    let path = clone.join(folder).canonicalize().map_err(missing)?;
    if path.starts_with(&root) { Ok(path) } else { Err(format!("`{folder}` leads out of the repository")) }
}

fn git(address: &str, version: Option<&str>, into: &Path) -> Result<(), String> {
    let run = |command: &mut Command| -> Result<(), String> {
        // No transport that runs a program of the address's choice.
        let output = command
            .env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh")
            .output()
            .map_err(|error| format!("can't run git: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).replace(address, &without_password(address));
        Err(format!("git failed: {}", said.trim()))
    };
    run(Command::new("git").args(["clone", "--quiet", "--no-checkout", "--"]).arg(address).arg(into))?;
    let mut checkout = Command::new("git");
    checkout.arg("-C").arg(into).args(["checkout", "--quiet"]);
    // A version never begins with a dash: requirements refuse that.
    run(checkout.args([version.unwrap_or("HEAD"), "--"]))
}

fn download(url: &str, to: &Path) -> Result<(), String> {
    terminal::print(&format!("- downloading {}\n", without_password(url)));
    let why = |error: &dyn std::fmt::Display| format!("can't download it: {error}");
    let response = ureq::get(url).call().map_err(|error| why(&error))?;
    let mut body = response.into_body().into_reader().take(LARGEST);
    let mut file = fs::File::create_new(to).map_err(|error| why(&error))?;
    io::copy(&mut body, &mut file).map_err(|error| why(&error))?;
    Ok(())
}

/// Unpacks an archive. One folder that holds everything is left out.
fn unpacked(file: &Path, scratch: &Path) -> Result<PathBuf, String> {
    let into = scratch.join("content");
    fs::create_dir(&into).map_err(|error| format!("can't make a folder: {error}"))?;
    archive::unpack(file, &into)?;
    let entries: Vec<PathBuf> =
        fs::read_dir(&into).into_iter().flatten().flatten().map(|it| it.path()).collect();
    match entries.as_slice() {
        [only] if only.is_dir() && !only.is_symlink() => Ok(only.clone()),
        _ => Ok(into),
    }
}

/// Writes a file of our own into content that somebody else made: never through a link of theirs.
pub(super) fn write_into(content: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = content.join(name);
    let why = |error: io::Error| format!("can't write {}: {error}", path.display());
    let folder = path.parent().unwrap_or(content);
    if folder.is_symlink() {
        return Err(why(io::Error::other("its folder is a link")));
    }
    fs::create_dir_all(folder).map_err(why)?;
    if path.symlink_metadata().is_ok() {
        fs::remove_file(&path).map_err(why)?;
    }
    fs::File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(why)
}

/// Copies a folder. `takes`: which files and folders, by their paths below it.
pub(super) fn copy_tree(from: &Path, to: &Path, takes: &dyn Fn(&Path) -> bool) -> Result<(), String> {
    copy_below(from, to, Path::new(""), takes)
        .map_err(|error| format!("can't copy {}: {error}", from.display()))
}

fn copy_below(from: &Path, to: &Path, below: &Path, takes: &dyn Fn(&Path) -> bool) -> io::Result<()> {
    fs::create_dir_all(to.join(below))?;
    for entry in fs::read_dir(from.join(below))? {
        let inner = below.join(entry?.file_name());
        if !takes(&inner) {
            continue;
        }
        let (source, target) = (from.join(&inner), to.join(&inner));
        if source.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source)?, target)?;
        } else if source.is_dir() {
            copy_below(from, to, &inner, takes)?;
        } else {
            fs::copy(source, target)?;
        }
    }
    Ok(())
}
