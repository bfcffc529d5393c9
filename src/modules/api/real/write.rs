//! Writing a file so that others see only the old or only the new one, whatever happens in between.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
use rustix::io::Errno;

use super::{Cmd, Context, Fail, Look, RealHost, Write, files, present, random_name};
use crate::modules::api::{BlobKind, follow_links};

/// What a process must not leave behind when it gives up.
struct Temporary(Option<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Nobody is left to tell.
            let _ = fs::remove_file(path);
        }
    }
}

/// Receives a blob and verifies it before it is put in place.
pub(super) fn receive(
    host: &mut RealHost<'_>,
    blob: usize,
    path: &Path,
    how: &Write,
) -> Result<Option<PathBuf>, Fail> {
    let Some(BlobKind::File { size, sha1 }) = host.blobs.get(blob).map(|blob| &blob.kind) else {
        return Err(Fail::new(format!("the call has no file number {blob}")));
    };
    let controller = host.controller;
    let seen = host.seen.take().filter(|(seen, _)| *seen == blob);
    let mut fill = |file: &mut File| {
        match &seen {
            Some((_, contents)) => io::Write::write_all(file, contents).about(|| "writing".into())?,
            None => controller.receive(blob, file)?,
        }
        file.rewind().about(|| "verifying what came".into())?;
        let came = file.metadata().about(|| "verifying what came".into())?.len();
        let digest = files::digest(file, "sha1", &mut || Ok(()))?;
        if came != *size || digest != *sha1 {
            return Err(Fail::new(format!(
                "what came from the controller is not the file it announced (SHA-1 {digest} instead of {sha1})"
            )));
        }
        Ok(())
    };
    write(host, path, &mut fill, how)
}

/// Fills a temporary file beside `path`, validates it, gives it its attributes and renames it into place.
pub(super) fn write(
    host: &RealHost<'_>,
    path: &Path,
    fill: &mut dyn FnMut(&mut File) -> Result<(), Fail>,
    how: &Write,
) -> Result<Option<PathBuf>, Fail> {
    let path = &if how.replace_link { path.to_owned() } else { follow_links(host, path)? };
    let what = || format!("writing {}", path.display());
    let existing = present(fs::symlink_metadata(path)).about(what)?.filter(|meta| !meta.is_symlink());
    if existing.as_ref().is_some_and(fs::Metadata::is_dir) {
        return Err(Fail::new(format!("{} is a folder, so it can't be written as a file", path.display())));
    }
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (mut guard, mut file) = match temporary(parent, path) {
        Ok(made) => made,
        Err(error) if how.unsafe_writes && existing.is_some() => {
            let elsewhere = std::env::temp_dir();
            temporary(&elsewhere, path).map_err(|_| error).about(what)?
        }
        Err(error) => return Err(error).about(what),
    };
    fill(&mut file).about(what)?;
    host.go_on()?;
    let new = guard.0.clone().unwrap_or_default();
    if let Some(cmd) = &how.validate {
        validate(host, cmd, &new)?;
    }
    dress(host, &file, path, existing.as_ref(), how).about(what)?;
    file.sync_all().about(what)?;
    let backup = if how.backup && existing.is_some() { Some(keep(path)?) } else { None };
    match fs::rename(&new, path) {
        Ok(()) => {
            guard.0 = None;
            // The rename itself is durable only when the folder is; a file system that can't do that has done its best.
            let _ = File::open(parent).and_then(|dir| dir.sync_all());
        }
        Err(error) if how.unsafe_writes && existing.is_some() => {
            in_place(&new, path, how).map_err(|_| error).about(what)?;
        }
        Err(error) => return Err(error).about(what),
    }
    Ok(backup)
}

/// A new file that only this process's user can read.
fn temporary(parent: &Path, path: &Path) -> io::Result<(Temporary, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let short: String = name.chars().take(60).collect();
    let at = parent.join(format!(".{short}.{}", random_name()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&at)?;
    Ok((Temporary(Some(at)), file))
}

fn validate(host: &RealHost<'_>, cmd: &Cmd, new: &Path) -> Result<(), Fail> {
    let mut cmd = cmd.clone();
    for word in &mut cmd.argv {
        if let Some(text) = word.to_str().filter(|text| text.contains("%s")) {
            *word = text.replace("%s", &new.to_string_lossy()).into();
        }
    }
    let ran = host.query(&cmd)?;
    if ran.ok() {
        return Ok(());
    }
    Err(Fail::new("failed to validate")
        .with("exit_status", ran.rc)
        .with("stdout", ran.out())
        .with("stderr", ran.err()))
}

/// Gives the new file the wanted owner, access list, context and mode, else those of the file it replaces.
fn dress(
    host: &RealHost<'_>,
    file: &File,
    path: &Path,
    existing: Option<&fs::Metadata>,
    how: &Write,
) -> Result<(), Fail> {
    let uid = how.uid.or(existing.map(MetadataExt::uid));
    let gid = how.gid.or(existing.map(MetadataExt::gid));
    let made = file.metadata().about(|| "looking at the new file".into())?;
    let changed = |now: u32, wanted: Option<u32>| wanted.filter(|id| *id != now);
    let (uid, gid) = (changed(made.uid(), uid), changed(made.gid(), gid));
    if let Err(error) = fchown(file, uid, gid) {
        // Somebody who may write a file of somebody else (through its folder) need not be able to give files away.
        let only_kept = how.uid.is_none() && how.gid.is_none();
        if !(only_kept && error.kind() == io::ErrorKind::PermissionDenied) {
            return Err(error).about(|| "chown failed".into());
        }
    }
    if existing.is_some()
        && let Ok(old) = File::open(path)
    {
        copy_xattrs(&old, file);
    }
    let mode = how.mode.or(existing.map(|old| old.mode() & 0o7777)).unwrap_or_else(|| 0o666 & !host.umask());
    file.set_permissions(fs::Permissions::from_mode(mode)).about(|| "chmod failed".into())
}

/// Access lists, SELinux context and the user's own attributes; capabilities belong to the old contents. What the file
/// system or the policy refuses is left out, as `cp --preserve` without a list does.
fn copy_xattrs(old: &File, new: &File) {
    let mut names = vec![0; 64 << 10];
    let Ok(len) = flistxattr(old, &mut *names) else { return };
    for name in names[..len].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let kept =
            name.starts_with(b"user.") || name == b"system.posix_acl_access" || name == b"security.selinux";
        let mut value = vec![0; 64 << 10];
        if kept && let Ok(len) = fgetxattr(old, name, &mut *value) {
            let _: Result<(), Errno> = fsetxattr(new, name, &value[..len], XattrFlags::empty());
        }
    }
}

/// Copies the old file, attributes and times included, beside itself.
fn keep(path: &Path) -> Result<PathBuf, Fail> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let backup =
        path.with_file_name(format!("{name}.{}.{}~", std::process::id(), date_time(SystemTime::now())));
    let copied = || -> io::Result<()> {
        let mut old = File::open(path)?;
        let meta = old.metadata()?;
        let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&backup)?;
        io::copy(&mut old, &mut new)?;
        // A backup that another user owns is still a backup.
        let _ = fchown(&new, Some(meta.uid()), Some(meta.gid()));
        copy_xattrs(&old, &new);
        new.set_permissions(meta.permissions())?;
        new.set_times(fs::FileTimes::new().set_accessed(meta.accessed()?).set_modified(meta.modified()?))?;
        new.sync_all()
    };
    copied().about(|| format!("keeping a backup of {}", path.display()))?;
    Ok(backup)
}

/// `2026-11-21@09:12:37`, in UTC.
fn date_time(now: SystemTime) -> String {
    let text = crate::modules::api::timestamp(now);
    text.get(..19).unwrap_or(&text).replace(' ', "@")
}

/// The fallback that `unsafe_writes` asks for: readers may see half of it.
fn in_place(new: &Path, path: &Path, how: &Write) -> io::Result<()> {
    let mut from = File::open(new)?;
    let mut to = OpenOptions::new().write(true).truncate(true).open(path)?;
    io::copy(&mut from, &mut to)?;
    if how.uid.is_some() || how.gid.is_some() {
        fchown(&to, how.uid, how.gid)?;
    }
    if let Some(mode) = how.mode {
        to.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    to.sync_all()
}

/// Makes a link, under another name first if it is to replace what is there.
pub(super) fn link(path: &Path, replace: bool, make: impl Fn(&Path) -> io::Result<()>) -> Result<(), Fail> {
    let what = || format!("linking {}", path.display());
    if !replace {
        return make(path).about(what);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let at = path.with_file_name(format!(".{name}.{}", random_name()));
    make(&at).about(what)?;
    // Renaming one name of a file over another of the same file does nothing: the guard takes the spare name away.
    let _guard = Temporary(Some(at.clone()));
    fs::rename(&at, path).about(what)
}
