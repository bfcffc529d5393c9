//! What `file` must change, and doing it.

use std::path::{Path, PathBuf};

use super::times::{Times, When};
use super::{Fail, FileAttributes, Look, Map, Outcome, Touch, Value, describe};
use crate::modules::api::{AttributePlan, Write};

/// What must change.
#[derive(Debug)]
pub struct Plan {
    pub(super) path: PathBuf,
    /// What the result calls the path.
    key: &'static str,
    pub(super) src: Option<String>,
    pub(super) before: Map,
    pub(super) after: Map,
    pub(super) action: Action,
    pub(super) attributes: Vec<AttributePlan>,
    /// Modification and access time, for what is new.
    pub(super) when: (When, When),
    times: Vec<Times>,
    /// The attributes are those of a link that does not exist yet.
    pub(super) new_link: bool,
    pub(super) warning: Option<&'static str>,
}

/// What is made or taken away.
#[derive(Debug)]
pub(super) enum Action {
    Nothing,
    Remove {
        tree: bool,
    },
    /// An empty file.
    Create,
    /// Folders, outermost first.
    MakeFolders(Vec<PathBuf>),
    Symlink {
        target: PathBuf,
        empty_folder: bool,
    },
    HardLink {
        target: PathBuf,
    },
}

impl Plan {
    pub(super) fn new(path: PathBuf, key: &'static str, before: &str, after: &str) -> Plan {
        let mut plan = Plan {
            path,
            key,
            src: None,
            before: Map::new(),
            after: Map::new(),
            action: Action::Nothing,
            attributes: Vec::new(),
            when: (When::Keep, When::Keep),
            times: Vec::new(),
            new_link: false,
            warning: None,
        };
        let path = plan.path.to_string_lossy().into_owned();
        for (side, state) in [(&mut plan.before, before), (&mut plan.after, after)] {
            side.insert("path".into(), Value::from(path.as_str()));
            if before != after {
                side.insert("state".into(), Value::from(state));
            }
        }
        plan
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.action, Action::Nothing)
            && self.attributes.iter().all(AttributePlan::is_empty)
            && self.times.is_empty()
    }

    /// Takes in what differs at its own path.
    pub(super) fn look_at(
        &mut self,
        host: &dyn Look,
        wanted: &FileAttributes,
        when: (When, When),
    ) -> Result<(), Fail> {
        self.when = when;
        let path = self.path.clone();
        self.look_inside(host, wanted, &path)
    }

    /// Takes in what differs at a path.
    pub(super) fn look_inside(
        &mut self,
        host: &dyn Look,
        wanted: &FileAttributes,
        path: &Path,
    ) -> Result<(), Fail> {
        self.attributes.push(wanted.plan(host, path, false)?);
        self.times_of(host, path, self.when)
    }

    /// Takes in the times that differ at a path.
    pub(super) fn times_of(&mut self, host: &dyn Look, path: &Path, when: (When, When)) -> Result<(), Fail> {
        self.times.extend(Times::plan(host, path, when.0, when.1)?);
        Ok(())
    }

    /// Both sides of the diff: what changes of the path itself.
    pub(super) fn sides(&self) -> (Map, Map) {
        let (mut before, mut after) = (self.before.clone(), self.after.clone());
        if let Some(own) = self.attributes.first() {
            own.diff(&mut before, &mut after);
        }
        if let Some(own) = self.times.first() {
            own.diff(&mut before, &mut after);
        }
        (before, after)
    }

    pub(super) fn apply(&self, wanted: &FileAttributes, host: &mut dyn Touch) -> Result<(), Fail> {
        match &self.action {
            Action::Nothing => {}
            Action::Remove { tree: true } => host.remove_tree(&self.path)?,
            Action::Remove { tree: false } => host.remove_file(&self.path)?,
            Action::Create => {
                let how = wanted.write(host.as_look(), &self.path)?;
                host.write(&self.path, b"", &Write { unsafe_writes: false, ..how })?;
                self.dress(wanted, host, &self.path)?;
            }
            Action::MakeFolders(folders) => {
                for folder in folders {
                    let umask = host.umask();
                    let usual = 0o777 & !umask;
                    let mode = wanted.mode.as_ref().map_or(usual, |mode| mode.apply(usual, true, umask));
                    host.make_dir(folder, mode)?;
                    wanted.enforce(host, folder, false)?;
                }
                self.dress(wanted, host, &self.path)?;
            }
            Action::Symlink { target, empty_folder } => {
                if *empty_folder {
                    host.remove_tree(&self.path)?;
                }
                host.symlink(target, &self.path, true)?;
                if self.new_link {
                    wanted.enforce(host, &self.path, false)?;
                }
            }
            Action::HardLink { target } => host.hard_link(target, &self.path, true)?,
        }
        for attributes in &self.attributes {
            attributes.apply(host)?;
        }
        for times in &self.times {
            times.apply(host)?;
        }
        Ok(())
    }

    /// Gives something new the rest of its attributes, and the times that are not simply now.
    fn dress(&self, wanted: &FileAttributes, host: &mut dyn Touch, path: &Path) -> Result<(), Fail> {
        wanted.enforce(host, path, false)?;
        let date = |when| if when == When::Now { When::Keep } else { when };
        if let Some(times) = Times::plan(host.as_look(), path, date(self.when.0), date(self.when.1))? {
            times.apply(host)?;
        }
        Ok(())
    }

    pub(super) fn result(&self, outcome: Outcome, host: &dyn Look) -> Result<Outcome, Fail> {
        let mut outcome = outcome.with(self.key, self.path.to_string_lossy().into_owned());
        if let Some(src) = &self.src {
            outcome = outcome.with("src", src.as_str());
        }
        outcome.warnings.extend(self.warning.map(str::to_owned));
        describe(outcome, host, &self.path)
    }
}
