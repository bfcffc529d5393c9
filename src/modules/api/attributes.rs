//! Who owns a file and who may do what with it: the arguments that `file`, `copy`, `template` … share.
//!
//! A module nests [`FileAttributes`] as `@file`, writes its file with [`FileAttributes::write`] and lets
//! [`FileAttributes::enforce`] set the rest.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Cmd, Context, Fail, FileKind, Look, Map, Mode, Outcome, Stat, Touch, Value, Write};

const SELINUX: &str = "security.selinux";

/// The shared arguments.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileAttributes {
    /// Permission bits: octal in quotes (`"0644"`), or symbolic (`u=rw,g=r,o=r`, `+x`). A number without quotes needs
    /// its leading zero.
    pub mode: Option<Mode>,
    /// Name or number of the owning user.
    pub owner: Option<String>,
    /// Name or number of the owning group.
    pub group: Option<String>,
    /// User part of the SELinux context. Like the other parts: ignored without SELinux, `_default` takes the policy's.
    pub seuser: Option<String>,
    /// Role part of the SELinux context.
    pub serole: Option<String>,
    /// Type part of the SELinux context.
    pub setype: Option<String>,
    /// Level part of the SELinux context.
    pub selevel: Option<String>,
    /// Flags as for `chattr`: `+i` adds, `-i` takes away, `=ai` or `ai` sets exactly these.
    #[serde(alias = "attr")]
    #[schemars(extend("x-aliases" = ["attr"]))]
    pub attributes: Option<String>,
    /// Where a file can't be replaced in one step (a file mounted into a container), write it in place.
    #[serde(default)]
    pub unsafe_writes: bool,
}

/// What must change on one path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributePlan {
    path: PathBuf,
    follow: bool,
    /// Bits before and after.
    pub mode: Option<(u32, u32)>,
    /// Owner's number before and after.
    pub uid: Option<(u32, u32)>,
    /// Group's number before and after.
    pub gid: Option<(u32, u32)>,
    /// SELinux context before and after.
    pub context: Option<(String, String)>,
    /// `chattr` flags before and the argument for `chattr`.
    pub flags: Option<(String, String)>,
}

impl FileAttributes {
    /// What differs at `path`. Nothing there: an empty plan. `follow`: look at what a link points to.
    ///
    /// # Errors
    /// An owner or group that does not exist; a path that can't be read.
    pub fn plan(&self, host: &dyn Look, path: &Path, follow: bool) -> Result<AttributePlan, Fail> {
        let mut plan = AttributePlan { path: path.to_owned(), follow, ..AttributePlan::default() };
        let (uid, gid) = (self.uid(host)?, self.gid(host)?);
        let Some(stat) = host.stat(path, follow)? else { return Ok(plan) };
        let differs = |now: u32, wanted: Option<u32>| wanted.filter(|it| *it != now).map(|it| (now, it));
        plan.uid = differs(stat.uid, uid);
        plan.gid = differs(stat.gid, gid);
        // A link has no permission bits of its own.
        if stat.kind != FileKind::Symlink {
            plan.mode = differs(stat.mode, self.bits(host, &stat));
        }
        plan.context = self.context(host, path, follow)?;
        if let Some(wanted) = self.attributes.as_deref().filter(|_| stat.kind != FileKind::Symlink) {
            plan.flags = flags(wanted, attribute_flags(host, path)?.as_deref());
        }
        Ok(plan)
    }

    /// Makes `path` as wanted; says whether anything had to change.
    ///
    /// # Errors
    /// What [`FileAttributes::plan`] and [`AttributePlan::apply`] can't do.
    pub fn enforce(&self, host: &mut dyn Touch, path: &Path, follow: bool) -> Result<bool, Fail> {
        let plan = self.plan(host.as_look(), path, follow)?;
        plan.apply(host)?;
        Ok(!plan.is_empty())
    }

    /// How to write a file at `path` so that it never has other attributes than the wanted ones.
    ///
    /// # Errors
    /// An owner or group that does not exist.
    pub fn write(&self, host: &dyn Look, path: &Path) -> Result<Write, Fail> {
        let (uid, gid) = (self.uid(host)?, self.gid(host)?);
        let now = host.stat(path, true)?;
        let current = now.map_or(0o666 & !host.umask(), |stat| stat.mode);
        let mode = self.mode.as_ref().map(|mode| mode.apply(current, false, host.umask()));
        Ok(Write { mode, uid, gid, unsafe_writes: self.unsafe_writes, ..Write::default() })
    }

    /// The owner's number.
    ///
    /// # Errors
    /// No such user.
    pub fn uid(&self, host: &dyn Look) -> Result<Option<u32>, Fail> {
        let Some(name) = &self.owner else { return Ok(None) };
        match (host.user(name)?, name.parse()) {
            (Some(user), _) => Ok(Some(user.uid)),
            (None, Ok(number)) => Ok(Some(number)),
            (None, Err(_)) => Err(Fail::new(format!("chown failed: there is no user {name}"))),
        }
    }

    /// The group's number.
    ///
    /// # Errors
    /// No such group.
    pub fn gid(&self, host: &dyn Look) -> Result<Option<u32>, Fail> {
        let Some(name) = &self.group else { return Ok(None) };
        match (host.group(name)?, name.parse()) {
            (Some(group), _) => Ok(Some(group.gid)),
            (None, Ok(number)) => Ok(Some(number)),
            (None, Err(_)) => Err(Fail::new(format!("chgrp failed: there is no group {name}"))),
        }
    }

    fn bits(&self, host: &dyn Look, stat: &Stat) -> Option<u32> {
        let mode = self.mode.as_ref().filter(|mode| **mode != Mode::Preserve)?;
        Some(mode.apply(stat.mode, stat.kind == FileKind::Directory, host.umask()))
    }

    fn context(&self, host: &dyn Look, path: &Path, follow: bool) -> Result<Option<(String, String)>, Fail> {
        let wanted = [&self.seuser, &self.serole, &self.setype, &self.selevel];
        if wanted.iter().all(|part| part.is_none())
            || host.stat(Path::new("/sys/fs/selinux/enforce"), true)?.is_none()
        {
            return Ok(None);
        }
        let Some(now) = host.xattr(path, SELINUX, follow)? else { return Ok(None) };
        let now = String::from_utf8_lossy(&now).trim_end_matches('\0').to_owned();
        let mut parts: Vec<String> = now.splitn(4, ':').map(str::to_owned).collect();
        parts.resize(4, String::new());
        let policy = if wanted.iter().any(|part| part.as_deref() == Some("_default")) {
            let cmd = Cmd::new(["matchpathcon", "-n"]).arg(path);
            host.query(&cmd)?.success("asking for the policy's SELinux context")?.out()
        } else {
            String::new()
        };
        let mut policy = policy.trim().splitn(4, ':');
        for (part, wanted) in parts.iter_mut().zip(wanted) {
            let default = policy.next().unwrap_or_default();
            match wanted.as_deref() {
                Some("_default") => default.clone_into(part),
                Some(wanted) => wanted.clone_into(part),
                None => {}
            }
        }
        let new = parts.join(":").trim_end_matches(':').to_owned();
        Ok((new != now).then_some((now, new)))
    }
}

impl AttributePlan {
    /// Whether all is as wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mode.is_none()
            && self.uid.is_none()
            && self.gid.is_none()
            && self.context.is_none()
            && self.flags.is_none()
    }

    /// Adds what changes to the two sides of a diff, by the arguments' names.
    pub fn diff(&self, before: &mut Map, after: &mut Map) {
        let mut put = |name: &str, from: Value, to: Value| {
            before.insert(name.into(), from);
            after.insert(name.into(), to);
        };
        if let Some((from, to)) = self.uid {
            put("owner", from.into(), to.into());
        }
        if let Some((from, to)) = self.gid {
            put("group", from.into(), to.into());
        }
        if let Some((from, to)) = self.mode {
            put("mode", octal(from).into(), octal(to).into());
        }
        if let Some((from, to)) = &self.context {
            put("secontext", from.as_str().into(), to.as_str().into());
        }
        if let Some((from, to)) = &self.flags {
            put("attributes", from.as_str().into(), to.as_str().into());
        }
    }

    /// Makes the changes: owner first, because that takes the set-user-id bits away.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn apply(&self, host: &mut dyn Touch) -> Result<(), Fail> {
        let path = &*self.path;
        if let Some((_, context)) = &self.context {
            host.set_xattr(path, SELINUX, context.as_bytes(), self.follow)?;
        }
        if self.uid.is_some() || self.gid.is_some() {
            let (uid, gid) = (self.uid.map(|it| it.1), self.gid.map(|it| it.1));
            host.chown(path, uid, gid, self.follow).about(|| "chown failed".into())?;
        }
        if let Some((_, mode)) = self.mode {
            host.chmod(path, mode).about(|| "chmod failed".into())?;
        }
        if let Some((_, flags)) = &self.flags {
            let cmd = Cmd::new(["chattr"]).arg(flags).arg(path);
            host.run(&cmd)?.success("chattr")?;
        }
        Ok(())
    }
}

/// The letters that `lsattr` shows for a path; `None` where there are none to have.
///
/// # Errors
/// A command that could not be started for another reason than being absent.
pub fn attribute_flags(host: &dyn Look, path: &Path) -> Result<Option<String>, Fail> {
    if host.which("lsattr").is_none() {
        return Ok(None);
    }
    let ran = host.query(&Cmd::new(["lsattr", "-d"]).arg(path))?;
    let out = ran.out();
    let first = out.split_whitespace().next().filter(|_| ran.ok());
    Ok(first.map(|flags| flags.replace('-', "")))
}

/// The flags before and the argument for `chattr`, if they differ.
fn flags(wanted: &str, now: Option<&str>) -> Option<(String, String)> {
    let (operator, letters) = match wanted.split_at_checked(1) {
        Some((operator @ ("+" | "-" | "="), letters)) => (operator, letters),
        _ => ("=", wanted),
    };
    let now = now.unwrap_or_default();
    let same = match operator {
        "+" => letters.chars().all(|flag| now.contains(flag)),
        "-" => !letters.chars().any(|flag| now.contains(flag)),
        // The file system itself sets and keeps `e`.
        _ => {
            letters.chars().all(|flag| now.contains(flag))
                && now.chars().all(|flag| flag == 'e' || letters.contains(flag))
        }
    };
    (!same).then(|| (now.to_owned(), format!("{operator}{letters}")))
}

/// Bits as results show them: `0644`.
#[must_use]
pub fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

/// Adds what results say of a path: uid, gid, owner, group, mode, state, size.
///
/// # Errors
/// A path that can't be read.
pub fn describe(outcome: Outcome, host: &dyn Look, path: &Path) -> Result<Outcome, Fail> {
    let Some(stat) = host.stat(path, false)? else { return Ok(outcome.with("state", "absent")) };
    let state = match stat.kind {
        FileKind::Symlink => "link",
        FileKind::Directory => "directory",
        _ if stat.nlink > 1 => "hard",
        _ => "file",
    };
    let owner = host.user(&stat.uid.to_string())?.map_or_else(|| stat.uid.to_string(), |user| user.name);
    let group = host.group(&stat.gid.to_string())?.map_or_else(|| stat.gid.to_string(), |group| group.name);
    Ok(outcome
        .with("uid", stat.uid)
        .with("gid", stat.gid)
        .with("owner", owner)
        .with("group", group)
        .with("mode", octal(stat.mode))
        .with("state", state)
        .with("size", stat.size))
}
