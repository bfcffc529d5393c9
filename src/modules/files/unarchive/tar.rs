//! What GNU tar does with an archive: compare, list, extract.

use std::collections::BTreeMap;
use std::path::Path;

use super::Args;
use super::archive::{Archive, Kind, Packing, Place};
use crate::modules::api::{Cmd, Fail, Look, Touch, from_date};

/// A line of `tar --diff` about something that tar would make otherwise, by how it ends.
const ENDS: [&str; 9] = [
    ": Mod time differs",
    ": Contents differ",
    ": Size differs",
    ": Mode differs",
    ": Uid differs",
    ": Gid differs",
    ": Symlink differs",
    ": File type differs",
    ": Warning: Cannot stat: No such file or directory",
];

/// The lines that say what differs between archive and folder.
///
/// # Errors
/// No GNU tar; no archive.
pub(super) fn differences(args: &Args, archive: &Archive<'_>, host: &dyn Look) -> Result<Vec<String>, Fail> {
    let ran = host.query(&command(args, archive, "--diff", &[], host)?)?;
    let times = if args.keep_newer { times(args, archive, host)? } else { BTreeMap::new() };
    let dest = args.dest.on(host);
    let mut lines = Vec::new();
    for line in ran.out().lines().chain(ran.err().lines()) {
        let Some((path, what)) = difference(line) else { continue };
        let newer = times.get(path).is_some_and(|in_archive| {
            let there = host.stat(&dest.join(path), false).ok().flatten();
            there.is_some_and(|stat| stat.mtime.floor() >= *in_archive)
        });
        if !newer && counts(args, what, host) {
            lines.push(format!("{path}{what}"));
        }
    }
    if lines.is_empty() && !matches!(ran.rc, 0 | 1) {
        ran.success(&format!("reading the archive {}", args.src))?;
    }
    Ok(lines)
}

/// The path and what is said about it.
fn difference(line: &str) -> Option<(&str, &str)> {
    let hard_link = line.find(": Not linked to ");
    let at = hard_link.or_else(|| ENDS.iter().find_map(|end| line.strip_suffix(end).map(str::len)))?;
    let (path, what) = line.split_at(at);
    let path = match what.ends_with("No such file or directory") {
        // A complaint: the program's name comes first.
        true => path.split_once(": ").map_or("", |(_, path)| path),
        false => path,
    };
    // Nothing is left of the name where leading parts are stripped.
    (!path.trim_matches([':', ' ']).is_empty()).then_some((path, what))
}

/// Whether unpacking would change that: what the task sets itself, or tar does not set, is no difference.
fn counts(args: &Args, what: &str, host: &dyn Look) -> bool {
    let has = |options: &[&str]| args.extra_opts.iter().any(|given| options.contains(&given.as_str()));
    let root = host.ids().0 == 0;
    let owners = root && !has(&["--no-same-owner", "-o"]);
    let permissions = if root {
        !has(&["--no-same-permissions"])
    } else {
        has(&["-p", "--same-permissions", "--preserve-permissions"])
    };
    match what {
        ": Uid differs" => owners && args.file.owner.is_none(),
        ": Gid differs" => owners && args.file.group.is_none(),
        ": Mode differs" => permissions && args.file.mode.is_none(),
        ": Mod time differs" => !has(&["-m", "--touch"]),
        _ => true,
    }
}

/// The names in an archive, as they are unpacked.
///
/// # Errors
/// No GNU tar; no archive.
pub(super) fn list(args: &Args, archive: &Archive<'_>, host: &dyn Look) -> Result<Vec<String>, Fail> {
    let more = ["--show-transformed-names", "--quoting-style=literal"];
    let ran = host.query(&command(args, archive, "--list", &more, host)?)?;
    let ran = ran.success(&format!("Failed to find handler for \"{}\": reading it", args.src))?;
    Ok(ran.out().lines().filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// When the files in an archive were written, in seconds since 1970.
fn times(args: &Args, archive: &Archive<'_>, host: &dyn Look) -> Result<BTreeMap<String, f64>, Fail> {
    let more = ["--show-transformed-names", "--quoting-style=literal", "--verbose", "--full-time", "--utc"];
    let ran = host.query(&command(args, archive, "--list", &more, host)?)?;
    let ran = ran.success(&format!("reading the archive {}", args.src))?;
    Ok(ran.out().lines().filter_map(dated).collect())
}

/// A line of the long list: `-rw-r--r-- root/root 5 2026-01-02 03:04:05 name`.
fn dated(line: &str) -> Option<(String, f64)> {
    let mut rest = line;
    let mut next = || {
        let (word, tail) = rest.trim_start().split_once(' ')?;
        rest = tail;
        Some(word)
    };
    let (_, _, _) = (next()?, next()?, next()?);
    let (day, time) = (next()?, next()?);
    let mut numbers = day.split('-').chain(time.split('.').next()?.split(':')).map(str::parse::<i64>);
    let mut number = || numbers.next()?.ok();
    let (year, month, day, hour, minute, second) =
        (number()?, number()?, number()?, number()?, number()?, number()?);
    let seconds = from_date(year, month, day, (hour, minute, second))?;
    let name = rest.split(" -> ").next()?.split(" link to ").next()?;
    Some((name.to_owned(), seconds as f64))
}

/// Unpacks.
///
/// # Errors
/// What tar says.
pub(super) fn extract(args: &Args, src: &Path, packing: Packing, host: &mut dyn Touch) -> Result<(), Fail> {
    let archive = Archive { kind: Kind::Tar(packing), place: Place::File(src) };
    let newer: &[&str] = if args.keep_newer { &["--keep-newer-files"] } else { &[] };
    let cmd = command(args, &archive, "--extract", newer, host.as_look())?;
    let what = format!("failed to unpack {} to {}: tar", args.src, args.dest);
    host.run(&cmd)?.success(&what).map(drop)
}

fn command(
    args: &Args,
    archive: &Archive<'_>,
    work: &str,
    more: &[&str],
    host: &dyn Look,
) -> Result<Cmd, Fail> {
    // A colon in the archive's name does not make it one of another host.
    let mut cmd = Cmd::new([program(args, host)?, work, "--force-local"]).args(more.iter().copied());
    cmd = cmd.arg("-C").arg(args.dest.on(host));
    if let Kind::Tar(packing) = archive.kind {
        cmd = cmd.args(packing.option());
    }
    cmd = cmd.args(args.extra_opts.iter().cloned());
    cmd = cmd.args(args.exclude.iter().map(|name| format!("--exclude={name}")));
    cmd = match archive.place {
        Place::File(path) => cmd.arg("-f").arg(path),
        Place::Memory(bytes) => cmd.args(["-f", "-"]).stdin(bytes),
    };
    if !args.include.is_empty() {
        cmd = cmd.arg("--").args(args.include.iter().cloned());
    }
    Ok(cmd)
}

fn program(args: &Args, host: &dyn Look) -> Result<&'static str, Fail> {
    for name in ["gtar", "tar"] {
        if host.which(name).is_some() && host.query(&Cmd::new([name, "--version"]))?.out().contains("GNU tar")
        {
            return Ok(name);
        }
    }
    Err(Fail::new(format!(
        "Failed to find handler for \"{}\": it needs GNU tar, which the host does not have. Install the package tar.",
        args.src
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_tar_are_understood() {
        for (line, path) in [
            ("a/b: Mod time differs", Some("a/b")),
            ("tar: a: b: Warning: Cannot stat: No such file or directory", Some("a: b")),
            ("tar: : Warning: Cannot stat: No such file or directory", None),
            ("a: Not linked to b", Some("a")),
            ("tar: Removing leading `/' from member names", None),
        ] {
            assert_eq!(difference(line).map(|(path, _)| path), path, "{line}");
        }
    }

    #[test]
    fn long_lines_have_times() {
        let (name, time) = dated("-rw-r--r-- root/root       5 2026-01-01 00:00:00 a b -> c").unwrap();
        assert_eq!((name.as_str(), time), ("a b", 1_767_225_600.0));
        assert!(dated("nonsense").is_none());
    }
}
