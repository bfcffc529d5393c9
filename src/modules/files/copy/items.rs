//! What is to be copied: a file or everything in a folder, from the controller, the arguments or the host.

use std::path::{Component, Path, PathBuf};

use super::Args;
use crate::modules::api::{BlobKind, Fail, FileKind, Look, digest_of, follow_links};

/// One thing to put in place.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) dest: PathBuf,
    pub(super) kind: ItemKind,
    /// The source's permission bits; `None` for a text.
    pub(super) mode: Option<u32>,
}

#[derive(Debug)]
pub(super) enum ItemKind {
    File { source: Source, sha1: String, size: u64 },
    Directory,
    Symlink(PathBuf),
}

/// Where contents come from.
#[derive(Debug)]
pub(super) enum Source {
    Blob(usize),
    Text,
    Host(PathBuf),
}

/// All there is to copy, and whether it is a folder.
#[derive(Debug)]
pub(super) struct Items {
    pub(super) items: Vec<Item>,
    pub(super) folder: bool,
    pub(super) dest: PathBuf,
}

/// Lists what is to be copied, folders before what is in them.
pub(super) fn list(args: &Args, host: &dyn Look) -> Result<Items, Fail> {
    let dest = args.dest.on(host);
    let blobs = host.blobs();
    if let Some(text) = &args.content {
        if args.src.is_some() && blobs.is_empty() {
            return Err(Fail::new("src and content are mutually exclusive"));
        }
        if args.dest.text().ends_with('/') || is_dir(host, &dest)? {
            return Err(Fail::new("can not use content with a dir as dest"));
        }
        let sha1 = digest_of(text.as_bytes(), "sha1")?;
        let kind = ItemKind::File { source: Source::Text, sha1, size: text.len() as u64 };
        return single(args, host, dest, None, kind, None);
    }
    match blobs {
        [] => from_host(args, host, dest),
        [blob] if blob.name.is_empty() && matches!(blob.kind, BlobKind::File { .. }) => {
            let BlobKind::File { size, sha1 } = blob.kind.clone() else {
                return Err(Fail::new("copy: the controller sent no file"));
            };
            let kind = ItemKind::File { source: Source::Blob(0), sha1, size };
            let name = args.original_basename.as_deref();
            single(args, host, dest, name, kind, Some(blob.mode))
        }
        blobs => {
            let mut items = Vec::new();
            for (number, blob) in blobs.iter().enumerate() {
                let kind = match &blob.kind {
                    BlobKind::File { size, sha1 } => {
                        ItemKind::File { source: Source::Blob(number), sha1: sha1.clone(), size: *size }
                    }
                    BlobKind::Directory => ItemKind::Directory,
                    BlobKind::Symlink(target) => ItemKind::Symlink(target.into()),
                };
                items.push(Item { dest: below(&dest, Path::new(&blob.name))?, kind, mode: Some(blob.mode) });
            }
            Ok(Items { items, folder: true, dest })
        }
    }
}

/// A path below the destination, and nowhere else.
fn below(dest: &Path, name: &Path) -> Result<PathBuf, Fail> {
    let inside = name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        return Err(Fail::new(format!("copy: {} is no path below the destination", name.display())));
    }
    Ok(if name.as_os_str().is_empty() { dest.to_owned() } else { dest.join(name) })
}

fn is_dir(host: &dyn Look, path: &Path) -> Result<bool, Fail> {
    Ok(host.stat(path, true)?.is_some_and(|stat| stat.kind == FileKind::Directory))
}

/// One file, put into `dest` if that is a folder.
fn single(
    args: &Args,
    host: &dyn Look,
    dest: PathBuf,
    name: Option<&str>,
    kind: ItemKind,
    mode: Option<u32>,
) -> Result<Items, Fail> {
    let mut dest = dest;
    if args.dest.text().ends_with('/') || is_dir(host, &dest)? {
        let name = name.and_then(|name| Path::new(name).file_name());
        let name =
            name.ok_or_else(|| Fail::new(format!("{} is a folder: say the file in it", dest.display())))?;
        dest = dest.join(name);
    }
    if args.follow {
        dest = follow_links(host, &dest)?;
    }
    Ok(Items { items: vec![Item { dest: dest.clone(), kind, mode }], folder: false, dest })
}

/// With `remote_src`: a file or folder of the host.
fn from_host(args: &Args, host: &dyn Look, dest: PathBuf) -> Result<Items, Fail> {
    let Some(src) = &args.src else { return Err(Fail::new("src (or content) is required")) };
    if !args.remote_src {
        return Err(Fail::new("copy: the controller sent nothing to copy"));
    }
    let path = src.on(host);
    let Some(stat) = host.stat(&path, true)? else {
        return Err(Fail::new(format!("Source {} not found", path.display())));
    };
    if stat.kind != FileKind::Directory {
        let kind = host_file(host, &path, stat.size)?;
        let name = path.file_name().map(|name| name.to_string_lossy());
        return single(args, host, dest, name.as_deref(), kind, Some(stat.mode));
    }
    let top = if src.text().ends_with('/') {
        dest.clone()
    } else {
        dest.join(path.file_name().unwrap_or_default())
    };
    let mut items = vec![Item { dest: top.clone(), kind: ItemKind::Directory, mode: Some(stat.mode) }];
    let mut todo = vec![(path, top)];
    while let Some((from, to)) = todo.pop() {
        for name in host.list(&from)? {
            let (from, to) = (from.join(&name), to.join(&name));
            let Some(stat) = host.stat(&from, args.local_follow)? else { continue };
            let kind = match stat.kind {
                FileKind::Directory => {
                    todo.push((from, to.clone()));
                    ItemKind::Directory
                }
                FileKind::Symlink => ItemKind::Symlink(host.read_link(&from)?),
                FileKind::File => host_file(host, &from, stat.size)?,
                _ => continue,
            };
            items.push(Item { dest: to, kind, mode: Some(stat.mode) });
        }
        if todo.len() > 100_000 {
            return Err(Fail::new("there are too many folders, or links that lead in circles"));
        }
    }
    Ok(Items { items, folder: true, dest })
}

fn host_file(host: &dyn Look, path: &Path, size: u64) -> Result<ItemKind, Fail> {
    if !host.access(path, 4) {
        return Err(Fail::new(format!("Source {} not readable", path.display())));
    }
    let sha1 = host
        .digest(path, "sha1")?
        .ok_or_else(|| Fail::new(format!("Source {} not found", path.display())))?;
    Ok(ItemKind::File { source: Source::Host(path.to_owned()), sha1, size })
}
