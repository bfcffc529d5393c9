//! `stat`: what is at a path.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::copy::yes;
use crate::modules::api::{
    Cmd, Fail, FileKind, HostPath, Look, Map, Module, Outcome, Stat, Support, Touch, Value, follow_links,
    octal,
};

/// Say what is at a path: kind, size, times, owner, permissions, checksum.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The path to look at.
    #[serde(alias = "dest", alias = "name")]
    #[schemars(extend("x-aliases" = ["dest", "name"]))]
    path: HostPath,
    /// Look at what a link points to.
    #[serde(default)]
    follow: bool,
    /// Compute the checksum of a file.
    #[serde(default = "yes")]
    get_checksum: bool,
    /// Which checksum.
    #[serde(default, alias = "checksum", alias = "checksum_algo")]
    #[schemars(extend("x-aliases" = ["checksum", "checksum_algo"]))]
    checksum_algorithm: Algorithm,
    /// Ask the program `file`, if it is there, what the contents are.
    #[serde(default = "yes", alias = "mime", alias = "mime_type", alias = "mime-type")]
    #[schemars(extend("x-aliases" = ["mime", "mime_type", "mime-type"]))]
    get_mime: bool,
    /// Ask the program `lsattr`, if it is there, for the file's flags.
    #[serde(default = "yes", alias = "attr", alias = "attributes")]
    #[schemars(extend("x-aliases" = ["attr", "attributes"]))]
    get_attributes: bool,
}

/// A digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// MD5, 128 bits.
    Md5,
    /// SHA-1, 160 bits.
    #[default]
    Sha1,
    /// SHA-2 with 224 bits.
    Sha224,
    /// SHA-2 with 256 bits.
    Sha256,
    /// SHA-2 with 384 bits.
    Sha384,
    /// SHA-2 with 512 bits.
    Sha512,
}

impl Algorithm {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "md5",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha224 => "sha224",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        }
    }
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: Is it there?
  stat:
    path: /etc/app.conf
  register: conf

- name: Only if it is a file
  command: /usr/bin/use /etc/app.conf
  when: conf.stat.isreg is defined and conf.stat.isreg
";
    const RETURNS: &'static str = "
stat: A mapping. `exists` is always there; the rest (`isreg`, `isdir`, `islnk`, `size`, `mode`, `uid`, `pw_name`, `mtime`, `checksum`, `lnk_source` …) only if something is.
";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let path = self.path.on(host);
        let Some(stat) = host.stat(&path, self.follow)? else {
            return Ok(Outcome::unchanged().with("stat", Value::from_pairs([("exists", false)])));
        };
        let mut fields = fields(&path, &stat);
        names(host, &path, &stat, &mut fields)?;
        for (name, access) in [("readable", 4), ("writeable", 2), ("executable", 1)] {
            fields.insert(name.into(), host.access(&path, access).into());
        }
        if stat.kind == FileKind::File && self.get_checksum && host.access(&path, 4) {
            fields.insert("checksum".into(), host.digest(&path, self.checksum_algorithm.name())?.into());
        }
        if self.get_mime {
            mime(host, &path, &mut fields)?;
        }
        if self.get_attributes {
            attributes(host, &path, &mut fields)?;
        }
        Ok(Outcome::unchanged().with("stat", fields))
    }

    fn apply(&self, (): (), host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}

/// Names of owner and group, and where a link leads.
pub(super) fn names(host: &dyn Look, path: &Path, stat: &Stat, fields: &mut Map) -> Result<(), Fail> {
    if stat.kind == FileKind::Symlink {
        let target = host.read_link(path)?;
        fields.insert("lnk_target".into(), target.to_string_lossy().into_owned().into());
        let source = follow_links(host, path)?;
        fields.insert("lnk_source".into(), source.to_string_lossy().into_owned().into());
    }
    if let Some(user) = host.user(&stat.uid.to_string())? {
        fields.insert("pw_name".into(), user.name.into());
    }
    if let Some(group) = host.group(&stat.gid.to_string())? {
        fields.insert("gr_name".into(), group.name.into());
    }
    Ok(())
}

pub(super) fn fields(path: &Path, stat: &Stat) -> Map {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.into(), value);
    };
    put("exists", true.into());
    put("path", path.to_string_lossy().into_owned().into());
    put("mode", octal(stat.mode).into());
    for (name, kind) in [
        ("isdir", FileKind::Directory),
        ("ischr", FileKind::CharDevice),
        ("isblk", FileKind::BlockDevice),
        ("isreg", FileKind::File),
        ("isfifo", FileKind::Fifo),
        ("islnk", FileKind::Symlink),
        ("issock", FileKind::Socket),
    ] {
        put(name, (stat.kind == kind).into());
    }
    for (name, number) in [
        ("uid", u64::from(stat.uid)),
        ("gid", u64::from(stat.gid)),
        ("size", stat.size),
        ("inode", stat.inode),
        ("dev", stat.dev),
        ("nlink", stat.nlink),
        ("blocks", stat.blocks),
        ("block_size", stat.block_size),
        ("device_type", stat.rdev),
    ] {
        put(name, number.into());
    }
    for (name, time) in [("atime", stat.atime), ("mtime", stat.mtime), ("ctime", stat.ctime)] {
        put(name, time.into());
    }
    for (name, bit) in [
        ("wusr", 0o200),
        ("rusr", 0o400),
        ("xusr", 0o100),
        ("wgrp", 0o020),
        ("rgrp", 0o040),
        ("xgrp", 0o010),
        ("woth", 0o002),
        ("roth", 0o004),
        ("xoth", 0o001),
        ("isuid", 0o4000),
        ("isgid", 0o2000),
    ] {
        put(name, (stat.mode & bit != 0).into());
    }
    fields
}

fn mime(host: &dyn Look, path: &Path, fields: &mut Map) -> Result<(), Fail> {
    let mut found = ("unknown".to_owned(), "unknown".to_owned());
    if host.which("file").is_some() {
        let ran = host.query(&Cmd::new(["file", "-b", "--mime-type", "--mime-encoding", "--"]).arg(path))?;
        let out = ran.out();
        if let Some((kind, charset)) = out.trim().split_once("; charset=").filter(|_| ran.ok()) {
            found = (kind.into(), charset.into());
        }
    }
    fields.insert("mimetype".into(), found.0.into());
    fields.insert("charset".into(), found.1.into());
    Ok(())
}

/// What the letters of `lsattr` stand for.
const FLAGS: [(char, &str); 20] = [
    ('A', "noatime"),
    ('a', "append"),
    ('c', "compressed"),
    ('C', "nocow"),
    ('d', "nodump"),
    ('D', "dirsync"),
    ('e', "extents"),
    ('E', "encrypted"),
    ('h', "blocksize"),
    ('i', "immutable"),
    ('I', "indexed"),
    ('j', "journalled"),
    ('N', "inline"),
    ('s', "zero"),
    ('S', "synchronous"),
    ('t', "notail"),
    ('T', "blockroot"),
    ('u', "undelete"),
    ('X', "compressedraw"),
    ('Z', "compresseddirty"),
];

fn attributes(host: &dyn Look, path: &Path, fields: &mut Map) -> Result<(), Fail> {
    let mut version = Value::Null;
    let mut flags = String::new();
    if host.which("lsattr").is_some() {
        let ran = host.query(&Cmd::new(["lsattr", "-vd", "--"]).arg(path))?;
        let out = ran.out();
        let mut words = out.split_whitespace();
        if let (true, Some(number), Some(letters)) = (ran.ok(), words.next(), words.next()) {
            version = number.into();
            flags = letters.replace('-', "");
        }
    }
    let names = flags.chars().filter_map(|letter| FLAGS.iter().find(|(known, _)| *known == letter));
    fields.insert("attributes".into(), names.map(|(_, name)| Value::from(*name)).collect());
    fields.insert("attr_flags".into(), flags.into());
    fields.insert("version".into(), version);
    Ok(())
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    fn stat(host: &mut FakeHost, args: &str) -> Result<Value, Fail> {
        Ok(host.play::<Args>(args)?.fields["stat"].clone())
    }

    #[test]
    fn says_what_is_there() {
        let mut host = FakeHost::new()
            .file("/etc/x", "abc")
            .with("/etc/x", 0o4750, 0, 0)
            .link("/etc/l", "x")
            .answer("file -b", 0, "text/plain; charset=us-ascii\n")
            .answer("lsattr -vd", 0, "123 ----i----e-- /etc/x\n");
        let found = stat(&mut host, "path: /etc/x").unwrap();
        for (name, value) in [
            ("exists", "True"),
            ("isreg", "True"),
            ("islnk", "False"),
            ("mode", "4750"),
            ("isuid", "True"),
            ("xgrp", "True"),
            ("roth", "False"),
            ("size", "3"),
            ("pw_name", "root"),
            ("checksum", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("mimetype", "text/plain"),
            ("attributes", "['immutable', 'extents']"),
            ("version", "123"),
        ] {
            assert_eq!(found.get(name).map(ToString::to_string).as_deref(), Some(value), "{name}");
        }
        let link = stat(&mut host, "{path: /etc/l, get_mime: false, get_attributes: false}").unwrap();
        assert_eq!(link.get("lnk_target").unwrap().to_string(), "x");
        assert_eq!(link.get("lnk_source").unwrap().to_string(), "/etc/x");
        assert_eq!(link.get("checksum"), None);
        let followed = stat(&mut host, "{path: /etc/l, follow: true, checksum_algorithm: md5}").unwrap();
        assert_eq!(followed.get("checksum").unwrap().to_string(), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn nothing_there_is_only_that() {
        assert_eq!(stat(&mut FakeHost::new(), "path: /none").unwrap().to_string(), "{'exists': False}");
    }
}
