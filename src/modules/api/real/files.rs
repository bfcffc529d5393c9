//! Digests, programs, accounts and times of the real host.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, MemfdFlags, Timespec, Timestamps, UTIME_OMIT, memfd_create};
use sha1::Digest;

use super::{Cmd, Context, Fail, Group, Look, RealHost, User};

/// Where programs are besides `PATH`.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The hex digest of what `from` reads. `go_on` may stop it between pieces.
pub(super) fn digest(
    from: &mut dyn Read,
    algorithm: &str,
    go_on: &mut dyn FnMut() -> Result<(), Fail>,
) -> Result<String, Fail> {
    match algorithm {
        "md5" => hash::<md5::Md5>(from, go_on),
        "sha1" => hash::<sha1::Sha1>(from, go_on),
        "sha224" => hash::<sha2::Sha224>(from, go_on),
        "sha256" => hash::<sha2::Sha256>(from, go_on),
        "sha384" => hash::<sha2::Sha384>(from, go_on),
        "sha512" => hash::<sha2::Sha512>(from, go_on),
        other => Err(Fail::new(format!("there is no digest algorithm {other}"))),
    }
}

fn hash<D: Digest>(from: &mut dyn Read, go_on: &mut dyn FnMut() -> Result<(), Fail>) -> Result<String, Fail> {
    let mut hasher = D::new();
    let mut piece = vec![0; 128 << 10];
    loop {
        go_on()?;
        match from.read(&mut piece) {
            Ok(0) => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            Ok(len) => hasher.update(&piece[..len]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).about(|| "reading it".into()),
        }
    }
}

/// A program by name in `path` and the system's folders, or by path.
pub(super) fn which(program: &str, path: &str) -> Option<PathBuf> {
    let runs = |at: &Path| {
        fs::metadata(at).is_ok_and(|meta| meta.is_file())
            && rustix::fs::access(at, rustix::fs::Access::EXEC_OK).is_ok()
    };
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|at| runs(at));
    }
    let folders = path.split(':').chain(SYSTEM_PATH.split(':')).filter(|dir| !dir.is_empty());
    folders.map(|dir| Path::new(dir).join(program)).find(|at| runs(at))
}

/// A file in memory with these contents, and the path under which this user's own processes find it while it is open.
pub(super) fn private(contents: &[u8]) -> io::Result<(File, PathBuf)> {
    let mut file = File::from(memfd_create("regatta", MemfdFlags::CLOEXEC)?);
    file.write_all(contents)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    Ok((file, PathBuf::from(path)))
}

/// An entry of passwd or group by name or number: from the file, else from what `getent` asks (LDAP …), because a
/// static binary has no name service of its own.
pub(super) fn account<T>(
    host: &RealHost<'_>,
    database: &str,
    wanted: &str,
    parse: fn(&str) -> Option<(u32, String, T)>,
) -> Result<Option<T>, Fail> {
    // Else a name could be read as an option or as more than one entry.
    if wanted.is_empty() || wanted.starts_with('-') || wanted.contains([':', '\n', '\0']) {
        return Ok(None);
    }
    let number: Option<u32> = wanted.parse().ok();
    let file = format!("/etc/{database}");
    let bytes = super::present(fs::read(&file)).about(|| format!("reading {file}"))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut by_number = None;
    for (id, name, entry) in text.lines().filter_map(parse) {
        if name == wanted {
            return Ok(Some(entry));
        }
        if Some(id) == number && by_number.is_none() {
            by_number = Some(entry);
        }
    }
    if by_number.is_some() || host.which("getent").is_none() {
        return Ok(by_number);
    }
    let ran = host.query(&Cmd::new(["getent", database, wanted]))?;
    let out = ran.out();
    Ok(out.lines().next().filter(|_| ran.ok()).and_then(parse).map(|(_, _, entry)| entry))
}

/// A line of passwd: number, name, entry.
pub(super) fn user(line: &str) -> Option<(u32, String, User)> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, gecos, home, shell] = fields[..] else { return None };
    let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
    let [name, gecos, home, shell] = [name, gecos, home, shell].map(str::to_owned);
    Some((uid, name.clone(), User { name, uid, gid, gecos, home, shell }))
}

/// A line of group.
pub(super) fn group(line: &str) -> Option<(u32, String, Group)> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = fields[..] else { return None };
    let gid = gid.parse().ok()?;
    let members = members.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    Some((gid, name.to_owned(), Group { name: name.to_owned(), gid, members }))
}

/// Sets times given in seconds since 1970.
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole seconds, and a fraction below one second in nanoseconds"
)]
pub(super) fn set_times(path: &Path, atime: Option<f64>, mtime: Option<f64>, follow: bool) -> io::Result<()> {
    let spec = |time: Option<f64>| match time {
        Some(time) => {
            let whole = time.floor();
            let nanos = (((time - whole) * 1e9).round() as i64).min(999_999_999);
            Timespec { tv_sec: whole as i64, tv_nsec: nanos }
        }
        None => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
    };
    let times = Timestamps { last_access: spec(atime), last_modification: spec(mtime) };
    let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
    Ok(rustix::fs::utimensat(CWD, path, &times, flags)?)
}
