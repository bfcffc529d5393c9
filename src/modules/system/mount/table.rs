//! What is mounted now, from `/proc/self/mountinfo`.

use std::path::{Component, Path, PathBuf};

use super::fstab::unescape;
use crate::modules::api::{Fail, Look, follow_links};

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mounted {
    /// The file system's device, `8:1`.
    device: String,
    /// Which folder of that file system it shows.
    root: PathBuf,
    path: PathBuf,
    /// The type of file system.
    pub kind: String,
    /// What was mounted; for a bind mount what its file system was mounted from.
    pub source: String,
}

fn parse(line: &str) -> Option<Mounted> {
    let (front, back) = line.split_once(" - ")?;
    let front: Vec<&str> = front.split(' ').collect();
    let mut back = back.split(' ');
    Some(Mounted {
        device: (*front.get(2)?).to_owned(),
        root: unescape(front.get(3)?).into(),
        path: unescape(front.get(4)?).into(),
        kind: unescape(back.next()?),
        source: unescape(back.next()?),
    })
}

/// All mounts, in their order.
pub(super) struct Table(Vec<Mounted>);

impl Table {
    pub(super) fn read(host: &dyn Look) -> Result<Table, Fail> {
        let text = host.read(Path::new("/proc/self/mountinfo"))?;
        let text =
            text.ok_or_else(|| Fail::new("there is no /proc/self/mountinfo that says what is mounted"))?;
        let text = String::from_utf8_lossy(&text);
        Ok(Table(text.lines().filter_map(parse).collect()))
    }

    /// What is mounted at a path, on top if there is more.
    pub(super) fn at(&self, host: &dyn Look, path: &Path) -> Result<Option<&Mounted>, Fail> {
        let path = real(host, path)?;
        Ok(self.0.iter().rev().find(|mount| mount.path == path))
    }

    /// Whether a mount shows this source: a device by any of its names, a label, a folder, a share.
    pub(super) fn shows(&self, host: &dyn Look, mount: &Mounted, source: &str) -> Result<bool, Fail> {
        if mount.source == source {
            return Ok(true);
        }
        let by = |folder: &str, name: &str| format!("/dev/disk/{folder}/{}", name.trim_matches('"'));
        let path = match source.split_once('=') {
            Some(("UUID", name)) => by("by-uuid", name),
            Some(("LABEL", name)) => by("by-label", name),
            Some(("PARTUUID", name)) => by("by-partuuid", name),
            Some(("PARTLABEL", name)) => by("by-partlabel", name),
            _ => source.to_owned(),
        };
        if !path.starts_with('/') {
            return Ok(false);
        }
        let path = real(host, Path::new(&path))?;
        if mount.source.starts_with('/') && real(host, Path::new(&mount.source))? == path {
            return Ok(true);
        }
        // A bind mount shows a folder that another mount shows too. The mount itself is not that other one.
        let others = self.0.iter().filter(|other| other.path != mount.path && path.starts_with(&other.path));
        let holder = others.max_by_key(|other| other.path.as_os_str().len());
        Ok(holder.is_some_and(|holder| {
            let inside = path.strip_prefix(&holder.path).unwrap_or(&path);
            holder.device == mount.device && holder.root.join(inside) == mount.root
        }))
    }
}

/// A path without links, whether something is there or not.
fn real(host: &dyn Look, path: &Path) -> Result<PathBuf, Fail> {
    resolve(host, path, 40)
}

fn resolve(host: &dyn Look, path: &Path, depth: usize) -> Result<PathBuf, Fail> {
    if depth == 0 {
        return Err(Fail::new(format!("{}: too many links one after another", path.display())));
    }
    let mut at = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::ParentDir => {
                at.pop();
            }
            Component::Normal(name) => {
                let next = at.join(name);
                let target = follow_links(host, &next)?;
                at = if target == next { next } else { resolve(host, &target, depth - 1)? };
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(at)
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    const MOUNTS: &str = "\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 8:17 /vol /data rw - xfs /dev/sdb1 rw
31 21 8:17 /vol/sub /srv/bound rw - xfs /dev/sdb1 rw
32 21 0:40 / /srv/a\\040b rw master:3 - nfs 10.0.0.1:/exp rw
33 32 0:41 / /srv/a\\040b rw - tmpfs none rw
34 21 8:1 /opt/x /mnt rw - ext4 /dev/sda1 rw
35 21 253:0 / /lv rw - ext4 /dev/mapper/vg-lv rw
";

    #[test]
    fn mounts_are_found_and_their_sources_known() {
        let host = FakeHost::new()
            .file("/proc/self/mountinfo", MOUNTS)
            .link("/link", "srv")
            .link("/dev/disk/by-uuid/1234", "../../sdb1")
            .link("/dev/mapper/vg-lv", "../dm-0")
            .link("/dev/vg/lv", "../dm-0");
        let table = Table::read(&host).unwrap();
        for (path, source, shown) in [
            ("/data", "/dev/sdb1", true),
            ("/data", "UUID=1234", true),
            ("/data", "UUID=99", false),
            ("/data", "/dev/sdc1", false),
            ("/link/bound", "/data/sub", true),
            ("/link/bound", "/data", false),
            ("/link/bound", "/data/other", false),
            ("/mnt", "/opt/x", true),
            ("/lv", "/dev/vg/lv", true),
            ("/srv/a b", "none", true),
            ("/srv/a b", "10.0.0.1:/exp", false),
        ] {
            let mount = table.at(&host, Path::new(path)).unwrap().unwrap();
            assert_eq!(table.shows(&host, mount, source).unwrap(), shown, "{path} {source}");
        }
        assert!(table.at(&host, Path::new("/opt")).unwrap().is_none());
        assert!(Table::read(&FakeHost::new()).is_err());
    }
}
