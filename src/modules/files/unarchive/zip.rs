//! What is in a zip archive, read from its own table of contents; `unzip` of the host unpacks it.

use std::borrow::Cow;
use std::path::Path;

use super::Args;
use super::archive::{Archive, Place};
use crate::modules::api::{Cmd, Fail, FileKind, Look, Touch, matches};

/// An entry of the table.
struct Member {
    name: String,
    size: u64,
    crc: u32,
    /// Kind and permissions as Unix has them, if Unix wrote them.
    mode: u32,
    /// Local time: year, month, day, hour, minute, second as numbers in one.
    written: u64,
}

/// The lines that say what differs between archive and folder.
///
/// # Errors
/// No zip archive.
pub(super) fn differences(args: &Args, archive: &Archive<'_>, host: &dyn Look) -> Result<Vec<String>, Fail> {
    let mut lines = Vec::new();
    let dest = args.dest.on(host);
    for member in wanted(args, archive, host)? {
        let name = placed(args, &member.name);
        if name.is_empty() || Path::new(name).components().any(|part| part.as_os_str() == "..") {
            continue;
        }
        if let Some(what) = difference(args, &member, &dest.join(name.trim_start_matches('/')), host)? {
            lines.push(format!("{name}: {what}"));
        }
    }
    Ok(lines)
}

fn difference(
    args: &Args,
    member: &Member,
    path: &Path,
    host: &dyn Look,
) -> Result<Option<&'static str>, Fail> {
    let Some(stat) = host.stat(path, false)? else { return Ok(Some("missing")) };
    let kind = match member.mode & 0o170_000 {
        _ if member.name.ends_with('/') => FileKind::Directory,
        0o120_000 => FileKind::Symlink,
        _ => FileKind::File,
    };
    if stat.kind != kind {
        // A folder may be reached through a link.
        let through = kind == FileKind::Directory && host.stat(path, true)?.is_some_and(|it| it.kind == kind);
        return Ok((!through).then_some("another kind of file"));
    }
    if kind == FileKind::Directory {
        return Ok(None);
    }
    if args.keep_newer && local(host, stat.mtime)?.is_some_and(|there| there >= member.written) {
        return Ok(None);
    }
    let contents = match kind {
        FileKind::Symlink => host.read_link(path)?.to_string_lossy().into_owned().into_bytes(),
        _ if stat.size != member.size => return Ok(Some("Size differs")),
        _ => host.read(path)?.unwrap_or_default(),
    };
    if crc(&contents) != member.crc {
        return Ok(Some("Contents differ"));
    }
    let permissions = member.mode & 0o777;
    let differs = kind == FileKind::File && permissions != 0 && stat.mode & 0o777 != permissions;
    Ok((differs && args.file.mode.is_none()).then_some("Mode differs"))
}

/// A time of the host as an archive would have it, in the host's own time zone.
fn local(host: &dyn Look, time: f64) -> Result<Option<u64>, Fail> {
    let cmd = Cmd::new(["date", "-d", &format!("@{}", time.floor()), "+%Y%m%d%H%M%S"]);
    let ran = host.query(&cmd)?;
    Ok(ran.out().trim().parse().ok().filter(|_| ran.ok()))
}

/// The names in an archive.
///
/// # Errors
/// No zip archive.
pub(super) fn list(args: &Args, archive: &Archive<'_>, host: &dyn Look) -> Result<Vec<String>, Fail> {
    let members = wanted(args, archive, host)?;
    let names = members.iter().map(|member| placed(args, &member.name).to_owned());
    Ok(names.filter(|name| !name.is_empty()).collect())
}

/// Where a member goes: with `-j` without its folders.
fn placed<'n>(args: &Args, name: &'n str) -> &'n str {
    let flat = args.extra_opts.iter().any(|option| option == "-j");
    if flat { name.rsplit('/').next().unwrap_or_default() } else { name }
}

fn wanted(args: &Args, archive: &Archive<'_>, host: &dyn Look) -> Result<Vec<Member>, Fail> {
    let bytes: Cow<'_, [u8]> = match archive.place {
        Place::Memory(bytes) => bytes.into(),
        Place::File(path) => host.read(path)?.unwrap_or_default().into(),
    };
    let broken = || {
        Fail::new(format!("Failed to find handler for \"{}\": its table of contents can't be read", args.src))
    };
    let members = members(&bytes).ok_or_else(broken)?;
    let named = |list: &[String], name: &str| list.iter().any(|pattern| matches(pattern, name));
    let taken = |member: &Member| match args.include.is_empty() {
        true => !named(&args.exclude, &member.name),
        false => named(&args.include, &member.name),
    };
    Ok(members.into_iter().filter(taken).collect())
}

/// Unpacks.
///
/// # Errors
/// What unzip says; no unzip.
pub(super) fn extract(args: &Args, src: &Path, host: &mut dyn Touch) -> Result<(), Fail> {
    if host.which("unzip").is_none() {
        return Err(Fail::new(format!(
            "Failed to find handler for \"{}\": it needs unzip, which the host does not have. Install the package unzip.",
            args.src
        )));
    }
    let mut cmd = Cmd::new(["unzip", "-o"]);
    if args.keep_newer {
        cmd = cmd.arg("-u");
    }
    cmd = cmd.args(args.extra_opts.iter().cloned()).arg(src).args(args.include.iter().cloned());
    if !args.exclude.is_empty() {
        cmd = cmd.arg("-x").args(args.exclude.iter().cloned());
    }
    let ran = host.run(&cmd.arg("-d").arg(args.dest.on(host.as_look())))?;
    // 1: with warnings.
    if ran.rc == 1 && !ran.timed_out {
        return Ok(());
    }
    ran.success(&format!("failed to unpack {} to {}: unzip", args.src, args.dest)).map(drop)
}

/// The members by the table of contents at the archive's end; `None` for what is no archive.
fn members(bytes: &[u8]) -> Option<Vec<Member>> {
    let oldest = bytes.len().saturating_sub(66_000);
    let end =
        (oldest..bytes.len().checked_sub(21)?).rev().find(|at| bytes[*at..].starts_with(b"PK\x05\x06"))?;
    let (mut count, mut size) = (number(bytes, end + 10, 2)?, number(bytes, end + 12, 4)?);
    let mut table_end = end;
    if count == 0xffff || size == 0xffff_ffff {
        let locator = end.checked_sub(20).filter(|at| bytes[*at..].starts_with(b"PK\x06\x07"))?;
        let record = usize::try_from(number(bytes, locator + 8, 8)?).ok()?;
        bytes.get(record..).filter(|rest| rest.starts_with(b"PK\x06\x06"))?;
        (count, size, table_end) = (number(bytes, record + 32, 8)?, number(bytes, record + 40, 8)?, record);
    }
    let mut at = table_end.checked_sub(usize::try_from(size).ok()?)?;
    let mut members = Vec::new();
    for _ in 0..count {
        let (member, len) = member(bytes.get(at..table_end)?)?;
        members.push(member);
        at += len;
    }
    Some(members)
}

/// An entry and how long it is.
fn member(entry: &[u8]) -> Option<(Member, usize)> {
    if !entry.starts_with(b"PK\x01\x02") {
        return None;
    }
    let length = |at: usize| number(entry, at, 2).and_then(|len| usize::try_from(len).ok());
    let (name_len, extra_len, comment_len) = (length(28)?, length(30)?, length(32)?);
    let name = entry.get(46..46 + name_len)?;
    let extra = entry.get(46 + name_len..46 + name_len + extra_len)?;
    let mut size = number(entry, 24, 4)?;
    if size == 0xffff_ffff {
        size = large_size(extra)?;
    }
    let (time, date) = (number(entry, 12, 2)?, number(entry, 14, 2)?);
    let written = [(date >> 5) & 15, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2];
    let written = written.iter().fold((date >> 9) + 1980, |all, part| all * 100 + part);
    let by_unix = matches!(number(entry, 5, 1)?, 3 | 19);
    let mode = if by_unix { u32::try_from(number(entry, 38, 4)? >> 16).ok()? } else { 0 };
    let crc = u32::try_from(number(entry, 16, 4)?).ok()?;
    let name = String::from_utf8_lossy(name).into_owned();
    Some((Member { name, size, crc, mode, written }, 46 + name_len + extra_len + comment_len))
}

/// The size of a file of more than four gigabytes: the first number of extra field 1.
fn large_size(mut extra: &[u8]) -> Option<u64> {
    loop {
        let len = usize::try_from(number(extra, 2, 2)?).ok()?;
        if number(extra, 0, 2)? == 1 {
            return number(extra, 4, 8);
        }
        extra = extra.get(4 + len..)?;
    }
}

/// A number of so many bytes, the lowest first.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    Some(bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

/// The checksum that zip archives have.
fn crc(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |crc: u32, byte: &u8| TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8);
    !bytes.iter().fold(!0, step)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut value = at as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[at] = value;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_zip() {
        assert_eq!(crc(b""), 0);
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn broken_tables_are_no_archives() {
        let mut end = b"PK\x05\x06".to_vec();
        end.extend([0; 18]);
        assert!(members(&end).unwrap().is_empty());
        for at in 0..end.len() {
            let mut wrong = end.clone();
            wrong[at] = 0xff;
            drop(members(&wrong));
            assert!(members(&end[..at]).is_none());
        }
        end[10] = 1;
        assert!(members(&end).is_none());
    }
}
