//! `unarchive`: what is in an archive, into a folder. `tar` and `unzip` of the host do the work; `tar` and `zip` here say
//! what differs. An archive that must come from elsewhere first is looked at in memory in check mode, else in a folder
//! that goes when the task ends.

mod archive;
mod tar;
mod zip;

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    AttributePlan, Context, Diff, Fail, FileAttributes, FileKind, HostPath, Look, Module, Outcome, Touch,
    Write, describe,
};
use crate::modules::http::{Answer, Call, without_password};
use archive::{Archive, Kind};

/// Unpack an archive.
///
/// Takes tar archives, plain or compressed with gzip, bzip2, xz or zstd, through the host's GNU tar, and zip archives through
/// its unzip. What is in `dest` already as it is in the archive is left alone: contents, time, owner and permissions of tar
/// archives are compared, contents and permissions of zip archives.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// The archive: a file of the controller, with `remote_src` one of the host or a URL.
    src: HostPath,
    /// The folder that it is unpacked in. Must be there.
    dest: HostPath,
    /// `src` is on the host, or a URL that the host downloads from.
    remote_src: Option<bool>,
    /// The opposite of `remote_src`; its old form.
    copy: Option<bool>,
    /// Do nothing if this is there.
    creates: Option<HostPath>,
    /// Return the names of all files in the archive.
    #[serde(default)]
    list_files: bool,
    /// Take only these files and folders. Not together with `exclude`.
    #[serde(default)]
    include: Vec<String>,
    /// Leave these out.
    #[serde(default)]
    exclude: Vec<String>,
    /// Keep files that are newer than those in the archive.
    #[serde(default)]
    keep_newer: bool,
    /// More arguments for the program that unpacks, one item each.
    #[serde(default)]
    extra_opts: Vec<String>,
    /// Check the certificate of the URL's server.
    #[serde(default = "yes")]
    validate_certs: bool,
    /// Decrypt an archive that is a vault.
    #[serde(default = "yes")]
    #[expect(dead_code, reason = "the controller's half reads it")]
    decrypt: bool,
    /// Accepted and without effect.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    io_buffer_size: Option<u64>,
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    file: FileAttributes,
}

fn yes() -> bool {
    true
}

/// What must be done.
#[derive(Debug)]
pub enum Plan {
    /// The archive is on the host, and this differs.
    #[expect(private_interfaces, reason = "nobody but this module looks inside")]
    Work(PathBuf, Work),
    /// The archive must come first.
    Fetch,
}

/// What differs.
#[derive(Debug)]
struct Work {
    kind: Kind,
    /// Lines that say what the folder lacks; none: nothing is to be unpacked.
    differences: Vec<String>,
    /// The names in the archive.
    files: Vec<String>,
    /// Owners and permissions to set on what is there.
    attributes: Vec<AttributePlan>,
}

impl Work {
    fn is_empty(&self) -> bool {
        self.differences.is_empty() && self.attributes.is_empty()
    }
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Unpack an archive of the controller
  unarchive:
    src: app-1.0.tar.gz
    dest: /opt/app
    owner: app
    group: app

- name: Unpack a download without its first folder
  unarchive:
    src: https://example.org/tool-2.0.tar.gz
    dest: /opt/tool
    remote_src: true
    extra_opts: [--strip-components=1]
    creates: /opt/tool/bin/tool

- name: Only what is needed
  unarchive:
    src: /tmp/site.zip
    dest: /srv/www
    remote_src: true
    exclude:
      - docs/*
";
    const RETURNS: &'static str = "
dest: The folder.
src: Where the archive was.
handler: What kind of archive it is, in Ansible's words.
files: The names in the archive, if `list_files` was set.
uid: Number of the folder's owner.
gid: Number of its group.
owner: Its owner.
group: Its group.
mode: Its permission bits as octal text.
size: Its own size in bytes.
state: What it is.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.copy.is_some() && self.remote_src.is_some() {
            return Err(Fail::new("parameters are mutually exclusive: copy|remote_src"));
        }
        if !self.include.is_empty() && !self.exclude.is_empty() {
            return Err(Fail::new("parameters are mutually exclusive: include|exclude"));
        }
        if self.is_needless(host)? {
            return Ok(None);
        }
        let dest = self.dest.on(host);
        if host.stat(&dest, true)?.is_none_or(|stat| stat.kind != FileKind::Directory) {
            return Err(Fail::new(format!("dest '{}' must be an existing dir", dest.display())));
        }
        let Some(src) = self.on_host(host) else { return Ok(Some(Plan::Fetch)) };
        let stat = host.stat(&src, true)?;
        match stat {
            None => Err(Fail::new(format!("Source '{}' does not exist", src.display()))),
            Some(stat) if stat.kind != FileKind::File => {
                Err(Fail::new(format!("Source '{}' is no file", src.display())))
            }
            Some(stat) if stat.size == 0 => {
                Err(Fail::new(format!("Invalid archive '{}', the file is 0 bytes", src.display())))
            }
            Some(_) => {
                let work = self.survey(&Archive::at(host, &src)?, host)?;
                Ok((!work.is_empty()).then_some(Plan::Work(src, work)))
            }
        }
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        if self.is_needless(host)? {
            let path = self.creates.as_ref().map(ToString::to_string).unwrap_or_default();
            let skipped = Outcome { skipped: true, ..Outcome::unchanged() };
            return Ok(skipped.with("msg", format!("skipped, since {path} exists")));
        }
        let Some(src) = self.on_host(host) else { return Ok(Outcome::unchanged()) };
        let archive = Archive::at(host, &src)?;
        let files = if self.list_files { self.files(&archive, host)? } else { Vec::new() };
        self.result(Outcome::unchanged(), archive.kind, files, host)
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        let got;
        let work = match plan {
            Plan::Work(_, work) => work,
            Plan::Fetch => {
                got = self.foresee(host)?;
                &got
            }
        };
        let outcome = Outcome { changed: !work.is_empty(), ..Outcome::unchanged() };
        self.result(outcome, work.kind, work.files.clone(), host)
    }

    fn show(&self, plan: &Plan, host: &dyn Look) -> Result<Vec<Diff>, Fail> {
        let got;
        let work = match plan {
            Plan::Work(_, work) => work,
            Plan::Fetch => {
                got = self.foresee(host)?;
                &got
            }
        };
        let lines: String = work.differences.iter().map(|line| format!("{line}\n")).collect();
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Diff { prepared: Some(lines), ..Diff::default() }])
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let (src, work) = match plan {
            Plan::Work(src, work) => (src, work),
            Plan::Fetch => {
                let src = self.fetch(host)?;
                let work = self.survey(&Archive::at(host.as_look(), &src)?, host.as_look())?;
                (src, work)
            }
        };
        let changed = !work.is_empty();
        if !work.differences.is_empty() {
            match work.kind {
                Kind::Tar(packing) => tar::extract(self, &src, packing, host)?,
                Kind::Zip => zip::extract(self, &src, host)?,
            }
        }
        for path in self.dressed(&work.files, host.as_look()) {
            self.file.enforce(host, &path, false)?;
        }
        let outcome = Outcome { changed, ..Outcome::unchanged() };
        self.result(outcome, work.kind, work.files, host.as_look())
    }
}

impl Args {
    fn is_remote(&self) -> bool {
        self.remote_src.or(self.copy.map(|copy| !copy)).unwrap_or(false)
    }

    fn is_needless(&self, host: &dyn Look) -> Result<bool, Fail> {
        match &self.creates {
            Some(path) => Ok(host.stat(&path.on(host), true)?.is_some()),
            None => Ok(false),
        }
    }

    /// The archive's path, if it is on the host already.
    fn on_host(&self, host: &dyn Look) -> Option<PathBuf> {
        (self.is_remote() && !self.src.text().contains("://")).then(|| self.src.on(host))
    }

    fn survey(&self, archive: &Archive<'_>, host: &dyn Look) -> Result<Work, Fail> {
        let differences = match archive.kind {
            Kind::Tar(_) => tar::differences(self, archive, host)?,
            Kind::Zip => zip::differences(self, archive, host)?,
        };
        let files = self.files(archive, host)?;
        let mut attributes = Vec::new();
        for path in self.dressed(&files, host) {
            let plan = self.file.plan(host, &path, false)?;
            attributes.extend(Some(plan).filter(|plan| !plan.is_empty()));
        }
        Ok(Work { kind: archive.kind, differences, files, attributes })
    }

    fn files(&self, archive: &Archive<'_>, host: &dyn Look) -> Result<Vec<String>, Fail> {
        match archive.kind {
            Kind::Tar(_) => tar::list(self, archive, host),
            Kind::Zip => zip::list(self, archive, host),
        }
    }

    /// The paths that get the wanted owner and permissions: everything in the archive and the folders on top of it.
    fn dressed(&self, files: &[String], host: &dyn Look) -> Vec<PathBuf> {
        let wanted = &self.file;
        let contexts = [&wanted.seuser, &wanted.serole, &wanted.setype, &wanted.selevel];
        let texts = [&wanted.owner, &wanted.group, &wanted.attributes];
        if wanted.mode.is_none() && contexts.into_iter().chain(texts).all(Option::is_none) {
            return Vec::new();
        }
        let dest = self.dest.on(host);
        let mut paths: Vec<PathBuf> = Vec::new();
        for name in files {
            let inside: PathBuf =
                Path::new(name).components().filter(|part| matches!(part, Component::Normal(_))).collect();
            let leaves = Path::new(name).components().any(|part| part == Component::ParentDir);
            let Some(top) = inside.components().next().filter(|_| !leaves) else { continue };
            for path in [dest.join(top), dest.join(&inside)] {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
        paths
    }

    /// What would differ, with the archive in memory.
    fn foresee(&self, host: &dyn Look) -> Result<Work, Fail> {
        let bytes = if self.is_remote() {
            let mut bytes = Vec::new();
            let read = self.download(host)?.body.read_to_end(&mut bytes);
            read.about(|| format!("downloading {}", without_password(self.src.text())))?;
            bytes
        } else {
            host.blob(0)?
        };
        self.survey(&Archive::of(&bytes, self.src.text())?, host)
    }

    /// Brings the archive to the host.
    fn fetch(&self, host: &mut dyn Touch) -> Result<PathBuf, Fail> {
        let path = host.temp_dir()?.join("archive");
        let how = Write { mode: Some(0o600), ..Write::default() };
        if self.is_remote() {
            let mut answer = self.download(host.as_look())?;
            let mut fill = |file: &mut std::fs::File| {
                let copied = io::copy(&mut answer.body, file);
                copied.map(drop).about(|| format!("downloading {}", without_password(self.src.text())))
            };
            host.write_with(&path, &mut fill, &how)?;
        } else {
            host.receive(0, &path, &how)?;
        }
        Ok(path)
    }

    fn download(&self, host: &dyn Look) -> Result<Answer, Fail> {
        let call = Call {
            verify: self.validate_certs,
            timeout: Duration::from_secs(30),
            ..Call::get(self.src.text())
        };
        let answer = call.send(host).about(|| "Failure downloading".into())?;
        if !answer.ok() {
            let url = without_password(self.src.text());
            return Err(Fail::new(format!("Failure downloading {url}, HTTP Error {}", answer.error())));
        }
        Ok(answer)
    }

    fn result(
        &self,
        outcome: Outcome,
        kind: Kind,
        files: Vec<String>,
        host: &dyn Look,
    ) -> Result<Outcome, Fail> {
        let dest = self.dest.on(host);
        let mut outcome = outcome
            .with("dest", dest.to_string_lossy().into_owned())
            .with("src", without_password(self.src.text()))
            .with("handler", kind.name());
        if self.list_files {
            outcome = outcome.with("files", files);
        }
        describe(outcome, host, &dest)
    }
}

#[cfg(all(test, feature = "controller"))]
#[expect(clippy::unwrap_used, reason = "tests alone")]
mod tests;
