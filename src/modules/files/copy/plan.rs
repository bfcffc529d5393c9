//! What `copy` must change, and doing it.

use std::path::{Path, PathBuf};

use super::items::{Item, ItemKind, Items, Source, list};
use super::{Args, validation};
use crate::modules::api::{
    AttributePlan, DIFF_LIMIT, Diff, Fail, FileAttributes, FileKind, Look, Map, Mode, Outcome, Touch, Value,
    Write, describe, text_diff,
};

/// What must change.
#[derive(Debug)]
pub struct Plan {
    all: Items,
    steps: Vec<Step>,
}

/// What must change for one item.
#[derive(Debug)]
struct Step {
    item: usize,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Write the contents; `there`: a file is there already.
    Write {
        there: bool,
    },
    MakeFolder,
    Link,
    Attributes(AttributePlan),
}

impl Plan {
    pub(super) fn new(args: &Args, host: &dyn Look) -> Result<Plan, Fail> {
        validation(args.validate.as_deref())?;
        let all = list(args, host)?;
        let mut plan = Plan { all, steps: Vec::new() };
        for (number, item) in plan.all.items.iter().enumerate() {
            if let Some(what) = plan.step(args, host, item)? {
                plan.steps.push(Step { item: number, what });
            }
        }
        Ok(plan)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    fn step(&self, args: &Args, host: &dyn Look, item: &Item) -> Result<Option<What>, Fail> {
        // What `dest` itself is, only `directory_mode` of new folders says.
        let top = item.dest == self.all.dest && self.all.folder;
        let wanted = Plan::attributes(args, item);
        let now = host.stat(&item.dest, false)?;
        let kind = now.as_ref().map(|stat| stat.kind);
        let in_the_way =
            |what: &str| Fail::new(format!("{} already exists as a {what}", item.dest.display()));
        match &item.kind {
            ItemKind::Directory => {
                if now.is_none() {
                    wanted.write(host, Path::new("/"))?;
                    return Ok(Some(What::MakeFolder));
                }
                if host.stat(&item.dest, true)?.is_none_or(|stat| stat.kind != FileKind::Directory) {
                    return Err(in_the_way("file"));
                }
                if top {
                    return Ok(None);
                }
                changed(wanted.plan(host, &item.dest, true)?)
            }
            ItemKind::Symlink(target) => match kind {
                Some(FileKind::Directory) => Err(in_the_way("directory")),
                Some(FileKind::Symlink) if host.read_link(&item.dest)? == *target => Ok(None),
                Some(_) if !args.force => Ok(None),
                _ => Ok(Some(What::Link)),
            },
            ItemKind::File { sha1, .. } => {
                if args.checksum.as_ref().is_some_and(|wanted| !wanted.eq_ignore_ascii_case(sha1)) {
                    let message = "Copied file does not match the expected checksum. Transfer failed.";
                    let fail = Fail::new(message).with("checksum", sha1.as_str());
                    return Err(fail.with("expected_checksum", args.checksum.clone()));
                }
                wanted.write(host, &item.dest)?;
                match kind {
                    None => Ok(Some(What::Write { there: false })),
                    Some(FileKind::Directory) => Err(in_the_way("directory")),
                    Some(_) if !args.force => Ok(None),
                    Some(FileKind::File) if host.digest(&item.dest, "sha1")?.as_ref() == Some(sha1) => {
                        changed(wanted.plan(host, &item.dest, false)?)
                    }
                    Some(kind) => Ok(Some(What::Write { there: kind == FileKind::File })),
                }
            }
        }
    }

    /// The attributes of one item: folders have a mode of their own, and `preserve` means the source's.
    fn attributes(args: &Args, item: &Item) -> FileAttributes {
        let mut wanted = args.attributes.clone();
        wanted.mode = match (&item.kind, wanted.mode) {
            (ItemKind::Directory, _) => args.directory_mode.clone(),
            (_, Some(Mode::Preserve)) => item.mode.map(Mode::Bits),
            (_, mode) => mode,
        };
        wanted
    }

    /// The source as diffs and results call it.
    fn source(args: &Args, item: &Item) -> String {
        let named = args.src.as_ref().map(|src| src.text().to_owned());
        named.unwrap_or_else(|| item.dest.to_string_lossy().into_owned())
    }

    pub(super) fn diff(&self, args: &Args, host: &dyn Look) -> Result<Vec<Diff>, Fail> {
        let mut diffs = Vec::new();
        for step in &self.steps {
            let item = &self.all.items[step.item];
            match (&step.what, &item.kind) {
                (What::Write { there }, ItemKind::File { source, size, .. }) => {
                    let large =
                        host.stat(&item.dest, true)?.is_some_and(|stat| *there && stat.size > DIFF_LIMIT);
                    let before = if *there && !large { host.read(&item.dest)? } else { None };
                    let after = match source {
                        _ if *size > DIFF_LIMIT => {
                            vec![b' '; usize::try_from(DIFF_LIMIT + 1).unwrap_or_default()]
                        }
                        Source::Text => args.content.clone().unwrap_or_default().into_bytes(),
                        Source::Blob(number) => host.blob(*number)?,
                        Source::Host(path) => host.read(path)?.unwrap_or_default(),
                    };
                    let mut diff =
                        text_diff(&item.dest, &Plan::source(args, item), before.as_deref(), &after);
                    if large {
                        let note =
                            format!("diff skipped: destination file size is greater than {DIFF_LIMIT}\n");
                        diff = Diff { prepared: Some(note), ..Diff::default() };
                    }
                    diffs.push(diff);
                }
                (What::Attributes(plan), _) => {
                    diffs.push(sides(item, |before, after| plan.diff(before, after)));
                }
                (What::MakeFolder, _) => diffs.push(sides(item, |before, after| {
                    before.insert("state".into(), Value::from("absent"));
                    after.insert("state".into(), Value::from("directory"));
                })),
                (What::Link, ItemKind::Symlink(target)) => diffs.push(sides(item, |_, after| {
                    after.insert("src".into(), Value::from(target.to_string_lossy().into_owned()));
                })),
                _ => {}
            }
        }
        Ok(diffs)
    }

    /// Does it all; returns the backup of a single file.
    pub(super) fn apply(&self, args: &Args, host: &mut dyn Touch) -> Result<Option<PathBuf>, Fail> {
        let mut backup = None;
        for step in &self.steps {
            let item = &self.all.items[step.item];
            let wanted = Plan::attributes(args, item);
            match (&step.what, &item.kind) {
                (What::Attributes(plan), _) => plan.apply(host)?,
                (What::MakeFolder, _) => make_folders(host, &item.dest, &wanted)?,
                (What::Link, ItemKind::Symlink(target)) => host.symlink(target, &item.dest, true)?,
                (What::Write { there }, ItemKind::File { source, sha1, .. }) => {
                    self.parent(args, host, item, sha1)?;
                    let mut how = wanted.write(host.as_look(), &item.dest)?;
                    how.backup = args.backup && *there;
                    how.validate = validation(args.validate.as_deref())?;
                    how.replace_link = true;
                    backup = Plan::put(args, host, source, &item.dest, &how)?;
                    wanted.enforce(host, &item.dest, false)?;
                }
                _ => {}
            }
        }
        Ok(backup.filter(|_| !self.all.folder))
    }

    fn put(
        args: &Args,
        host: &mut dyn Touch,
        source: &Source,
        dest: &Path,
        how: &Write,
    ) -> Result<Option<PathBuf>, Fail> {
        match source {
            Source::Blob(number) => host.receive(*number, dest, how),
            Source::Text => host.write(dest, args.content.as_deref().unwrap_or_default().as_bytes(), how),
            Source::Host(path) => host.copy(path, dest, how),
        }
    }

    /// The folder of a single file is made only if `dest` says with a slash that it is one.
    fn parent(&self, args: &Args, host: &mut dyn Touch, item: &Item, sha1: &str) -> Result<(), Fail> {
        let Some(parent) = item.dest.parent() else { return Ok(()) };
        if self.all.folder || host.stat(parent, true)?.is_some() {
            return Ok(());
        }
        if !args.dest.text().ends_with('/') {
            let message = format!("Destination directory {} does not exist", parent.display());
            return Err(Fail::new(message).with("checksum", sha1));
        }
        let wanted = FileAttributes { mode: args.directory_mode.clone(), ..args.attributes.clone() };
        make_folders(host, parent, &wanted)
    }

    pub(super) fn result(&self, args: &Args, outcome: Outcome, host: &dyn Look) -> Result<Outcome, Fail> {
        let mut outcome = outcome.with("dest", self.all.dest.to_string_lossy().into_owned());
        if let Some(src) = &args.src {
            outcome = outcome.with("src", src.text());
        }
        if let [Item { kind: ItemKind::File { sha1, .. }, .. }] = &*self.all.items {
            outcome = outcome.with("checksum", sha1.as_str());
        }
        if host.stat(&self.all.dest, false)?.is_none() {
            return Ok(outcome);
        }
        describe(outcome, host, &self.all.dest)
    }

    /// With the MD5 of what was written.
    pub(super) fn sums(&self, outcome: Outcome, host: &dyn Look) -> Result<Outcome, Fail> {
        let wrote = self.steps.iter().any(|step| matches!(step.what, What::Write { .. }));
        if self.all.folder || !wrote {
            return Ok(outcome);
        }
        let md5 = host.digest(&self.all.dest, "md5")?;
        Ok(outcome.with("md5sum", md5))
    }
}

fn changed(plan: AttributePlan) -> Result<Option<What>, Fail> {
    Ok(Some(plan).filter(|plan| !plan.is_empty()).map(What::Attributes))
}

fn sides(item: &Item, fill: impl FnOnce(&mut Map, &mut Map)) -> Diff {
    let path = Value::from(item.dest.to_string_lossy().into_owned());
    let mut before = Map::from_iter([("path".into(), path)]);
    let mut after = before.clone();
    fill(&mut before, &mut after);
    Diff { before: Value::map(before), after: Value::map(after), ..Diff::default() }
}

/// A folder and those on the way to it, with their attributes.
fn make_folders(host: &mut dyn Touch, path: &Path, wanted: &FileAttributes) -> Result<(), Fail> {
    let mut missing = Vec::new();
    for folder in path.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
        if host.stat(folder, true)?.is_some() {
            break;
        }
        missing.push(folder);
    }
    let usual = 0o777 & !host.umask();
    let mode = wanted.mode.as_ref().map_or(usual, |mode| mode.apply(usual, true, host.umask()));
    for folder in missing.into_iter().rev() {
        host.make_dir(folder, mode)?;
        wanted.enforce(host, folder, true)?;
    }
    Ok(())
}
