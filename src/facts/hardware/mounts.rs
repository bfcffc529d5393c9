//! `mounts`: what is mounted from devices and from the network, with sizes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::devices::Links;
use crate::facts::source::Source;
use crate::modules::api::Value;

/// A server that is gone must not hold up the rest.
const LIMIT: Duration = Duration::from_secs(5);

/// A line of `/proc/mounts`.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    device: String,
    path: String,
    kind: String,
    options: String,
    dump: i64,
    pass: i64,
}

impl Mount {
    /// Whether asking for its size may wait for another machine.
    fn remote(&self) -> bool {
        self.device.contains(":/") || self.device.starts_with("//") || self.kind.starts_with("fuse.")
    }
}

pub(super) fn gather(source: &Source, links: &Links) -> Value {
    let mounts = parse(&source.text("/proc/mounts").unwrap_or_default());
    let local: Vec<_> = mounts.iter().filter(|it| !it.remote()).map(|it| it.path.as_str()).collect();
    let mut sizes = sizes(source, &local);
    for mount in mounts.iter().filter(|it| it.remote()) {
        sizes.extend(self::sizes(source, &[mount.path.as_str()]));
    }
    mounts.iter().map(|mount| describe(mount, sizes.get(&mount.path), links)).collect()
}

fn describe(mount: &Mount, size: Option<&[i64; 5]>, links: &Links) -> Value {
    let mut fields = vec![
        ("mount", Value::from(mount.path.as_str())),
        ("device", mount.device.as_str().into()),
        ("fstype", mount.kind.as_str().into()),
        ("options", mount.options.as_str().into()),
        ("dump", mount.dump.into()),
        ("passno", mount.pass.into()),
    ];
    if let Some(&[block, total, available, inodes, inodes_free]) = size {
        fields.extend([
            ("size_total", Value::from(block.saturating_mul(total))),
            ("size_available", block.saturating_mul(available).into()),
            ("block_size", block.into()),
            ("block_total", total.into()),
            ("block_available", available.into()),
            ("block_used", (total - available).into()),
            ("inode_total", inodes.into()),
            ("inode_available", inodes_free.into()),
            ("inode_used", (inodes - inodes_free).into()),
        ]);
    }
    let uuid = links.of("uuids", &mount.device).first().cloned();
    fields.push(("uuid", uuid.unwrap_or_else(|| "N/A".into()).into()));
    Value::from_pairs(fields)
}

fn parse(text: &str) -> Vec<Mount> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter_map(|words| {
            let [device, path, kind, options, rest @ ..] = words.as_slice() else { return None };
            let number = |at: usize| rest.get(at).and_then(|word| word.parse().ok()).unwrap_or(0);
            Some(Mount {
                device: unescape(device),
                path: unescape(path),
                kind: (*kind).to_owned(),
                options: (*options).to_owned(),
                dump: number(0),
                pass: number(1),
            })
        })
        .filter(|it| (it.device.starts_with('/') || it.device.contains(":/")) && it.kind != "none")
        .collect()
}

/// The kernel writes white space and backslashes as three octal digits.
fn unescape(word: &str) -> String {
    let mut out = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match after {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', more @ ..] if first == b'\\' => {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = more;
            }
            _ => out.push(first),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Block size, blocks, available blocks, inodes and free inodes of each path that answers.
fn sizes(source: &Source, paths: &[&str]) -> BTreeMap<String, [i64; 5]> {
    let mut argv = vec!["stat", "-f", "-c", "%S %b %a %c %d %n", "--"];
    argv.extend(paths);
    let text = match paths {
        [] => None,
        _ => source.output_within(&argv, LIMIT).or_else(|| one_by_one(source, paths)),
    };
    text.unwrap_or_default().lines().filter_map(size).collect()
}

/// One path that can't be read fails the whole command, so the others get one each.
fn one_by_one(source: &Source, paths: &[&str]) -> Option<String> {
    let one =
        |path: &&str| source.output_within(&["stat", "-f", "-c", "%S %b %a %c %d %n", "--", path], LIMIT);
    (paths.len() > 1).then(|| paths.iter().filter_map(one).collect())
}

fn size(line: &str) -> Option<(String, [i64; 5])> {
    let mut words = line.splitn(6, ' ');
    let mut numbers = [0; 5];
    for number in &mut numbers {
        *number = words.next()?.parse().ok()?;
    }
    Some((words.next()?.to_owned(), numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_devices_and_network_shares_count() {
        let text = "proc /proc proc rw 0 0\n/dev/vda1 / ext4 rw,relatime 0 1\n\
            srv:/data /mnt/a\\040b nfs4 rw 0 0\n//nas/x /x cifs rw 0 0\ntank/home /home zfs rw 0 0\n";
        let found = parse(text);
        let paths: Vec<_> = found.iter().map(|it| (it.path.as_str(), it.remote())).collect();
        assert_eq!(paths, [("/", false), ("/mnt/a b", true), ("/x", true)]);
        assert_eq!(found[0].pass, 1);
    }

    #[test]
    fn a_size_line_keeps_spaces_of_the_path() {
        assert_eq!(size("4096 10 5 100 90 /mnt/a b"), Some(("/mnt/a b".into(), [4096, 10, 5, 100, 90])));
        assert_eq!(size("x"), None);
    }
}
