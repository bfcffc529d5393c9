//! Tar archives, plain or compressed with gzip, unpacked so that nothing lands outside of the folder.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tar::EntryType;

/// What an archive may hold in all.
const LARGEST: u64 = 2 << 30;

/// Unpacks an archive into a folder that is there.
pub(super) fn unpack(archive: &Path, into: &Path) -> Result<(), String> {
    let why = |error: io::Error| format!("can't unpack {}: {error}", archive.display());
    let mut file = BufReader::new(File::open(archive).map_err(why)?);
    let is_gzip = io::BufRead::fill_buf(&mut file).map_err(why)?.starts_with(&[0x1f, 0x8b]);
    let reader: Box<dyn Read> = if is_gzip { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let mut tar = tar::Archive::new(reader.take(LARGEST));
    for entry in tar.entries().map_err(why)? {
        let mut entry = entry.map_err(why)?;
        let name = entry.path().map_err(why)?.into_owned();
        let refused = |what: &str| format!("{} holds {what}: {}", archive.display(), name.display());
        let inside = inside(&name).ok_or_else(|| refused("a path that leads out of it"))?;
        let path = into.join(&inside);
        match entry.header().entry_type() {
            EntryType::Directory => fs::create_dir_all(&path).map_err(why)?,
            EntryType::Regular | EntryType::Continuous => {
                parent(into, &inside).map_err(why)?;
                let mut out = File::create_new(&path).map_err(why)?;
                io::copy(&mut entry, &mut out).map_err(why)?;
                let runs = entry.header().mode().unwrap_or(0) & 0o111 != 0;
                let mode = if runs { 0o755 } else { 0o644 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(why)?;
            }
            EntryType::Symlink => {
                let target = entry.link_name().map_err(why)?.unwrap_or_default().into_owned();
                let base = inside.parent().unwrap_or(Path::new(""));
                if stays(base, &target).is_none() {
                    return Err(refused("a link that leads out of it"));
                }
                parent(into, &inside).map_err(why)?;
                std::os::unix::fs::symlink(&target, &path).map_err(why)?;
            }
            EntryType::XGlobalHeader | EntryType::XHeader => {}
            _ => return Err(refused("something that is no file, folder or link")),
        }
    }
    Ok(())
}

/// The path without `.`; none if it is absolute or has `..` in it.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(clean)
}

/// Where a link in a folder leads to; none if that is outside.
fn stays(base: &Path, target: &Path) -> Option<PathBuf> {
    let mut at = base.to_path_buf();
    for part in target.components() {
        match part {
            Component::Normal(part) => at.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !at.pop() {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(at)
}

/// Makes the folders above a file. A link among them is refused: it may have come from the archive.
fn parent(into: &Path, inside: &Path) -> io::Result<()> {
    let mut at = into.to_path_buf();
    for part in inside.parent().unwrap_or(Path::new("")).components() {
        at.push(part);
        if at.is_symlink() {
            return Err(io::Error::other(format!("a file lies behind the link {}", inside.display())));
        }
        if !at.is_dir() {
            fs::create_dir(&at)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(folder: &Path, entries: &[(&str, EntryType, &str)]) -> PathBuf {
        let path = folder.join("a.tar");
        let mut builder = tar::Builder::new(File::create(&path).unwrap());
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o755);
            // Names as an attacker writes them: the library's own setter refuses some of them.
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            if *kind == EntryType::Regular {
                header.set_size(content.len() as u64);
                header.set_cksum();
                builder.append(&header, content.as_bytes()).unwrap();
            } else {
                header.set_size(0);
                header.as_gnu_mut().unwrap().linkname[..content.len()].copy_from_slice(content.as_bytes());
                header.set_cksum();
                builder.append(&header, io::empty()).unwrap();
            }
        }
        builder.finish().unwrap();
        path
    }

    #[test]
    fn files_land_inside_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("into");
        let file = EntryType::Regular;
        let good =
            [("r/./a", file, "x"), ("r/l", EntryType::Symlink, "../r/a"), ("r/d/", EntryType::Directory, "")];
        fs::create_dir(&into).unwrap();
        unpack(&archive(folder.path(), &good), &into).unwrap();
        assert_eq!(fs::read_to_string(into.join("r/l")).unwrap(), "x");
        let bad: &[&[(&str, EntryType, &str)]] = &[
            &[("../evil", file, "x")],
            &[("r/../../evil", file, "x")],
            &[("/tmp/regatta-evil", file, "x")],
            &[("l", EntryType::Symlink, "/etc")],
            &[("r/l", EntryType::Symlink, "../../evil")],
            &[("l", EntryType::Symlink, "d"), ("d/", EntryType::Directory, ""), ("l/x", file, "x")],
            &[("h", EntryType::Link, "/etc/passwd")],
            &[("f", EntryType::Fifo, "")],
        ];
        for (number, entries) in bad.iter().enumerate() {
            let into = folder.path().join(format!("bad{number}"));
            fs::create_dir(&into).unwrap();
            assert!(unpack(&archive(folder.path(), entries), &into).is_err(), "{entries:?}");
            assert!(!folder.path().join("evil").exists());
        }
    }
}
