//! `apt_repository`: lines of apt's sources. `sources` reads and changes the files, `ppa` knows Launchpad.

mod ppa;
mod sources;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::apt;
use crate::modules::api::{Diff, Fail, Look, Map, Mode, Module, Outcome, Touch, Value, Write, decode};
use sources::{Change, Files, Line};

/// Add and remove package repositories of apt.
///
/// If the package lists can't be updated after a change, the change is taken back.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// A line as in `sources.list` (`deb https://… bookworm main`), or `ppa:USER/NAME` on Ubuntu.
    repo: String,
    /// Whether the repository is there.
    #[serde(default)]
    state: State,
    /// The name of the file in `/etc/apt/sources.list.d`, without its ending; by default it is made from the URL.
    #[serde(default)]
    filename: Option<String>,
    /// Permission bits of a new file.
    #[serde(default)]
    mode: Option<Mode>,
    /// Update the package lists after a change.
    #[serde(default = "yes", alias = "update-cache")]
    #[schemars(extend("x-aliases" = ["update-cache"]))]
    update_cache: bool,
    /// How often to try again if the update fails.
    #[serde(default = "five")]
    update_cache_retries: u32,
    /// The longest pause, in seconds, between two tries.
    #[serde(default = "twelve")]
    update_cache_retry_max_delay: u64,
    /// The code name of the distribution that a PPA is for, if not the host's own.
    #[serde(default)]
    codename: Option<String>,
    /// Check Launchpad's certificate.
    #[serde(default = "yes")]
    validate_certs: bool,
    /// Accepted and without effect: no Python is needed here.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    install_python_apt: Option<bool>,
}

/// Whether a repository is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

fn yes() -> bool {
    true
}

fn five() -> u32 {
    5
}

fn twelve() -> u64 {
    12
}

/// What must change.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    changes: Vec<Change>,
    /// A key that a PPA needs, and where it goes.
    key: Option<(PathBuf, String)>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: The repository of a vendor
  apt_repository:
    repo: deb [signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian bookworm stable
    filename: docker

- name: No such repository
  apt_repository:
    repo: deb http://old.example.org/debian stable main
    state: absent
";
    const RETURNS: &'static str = "
repo: The repository.
sources_added: Files that are new.
sources_removed: Files that are gone.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let (text, ppa) = match self.repo.strip_prefix("ppa:") {
            Some(name) => {
                let ppa = ppa::Ppa::parse(name)?;
                (ppa.line(host, self.codename.as_deref())?, Some(ppa))
            }
            None => (self.repo.clone(), None),
        };
        let line = Line::parse(&text)
            .filter(|line| line.valid)
            .ok_or_else(|| Fail::new(format!("Invalid repository string: {}", self.repo)))?;
        let files = Files::read(host)?;
        let changes = match self.state {
            State::Present => files.adding(&line, &self.file(&line)?),
            State::Absent => files.removing(&line),
        };
        if changes.is_empty() {
            return Ok(None);
        }
        let key = match ppa.filter(|_| self.state == State::Present) {
            Some(ppa) => ppa.key(host, self.validate_certs)?,
            None => None,
        };
        Ok(Some(Plan { changes, key }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged(), &[]))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed(), &plan.changes))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let side = |path: &Path, text: &Option<String>| {
            text.as_ref().map_or("/dev/null".to_owned(), |_| path.to_string_lossy().into_owned())
        };
        let one = |it: &Change| Diff {
            before_header: side(&it.path, &it.before),
            after_header: side(&it.path, &it.after),
            before: it.before.clone().unwrap_or_default().into(),
            after: it.after.clone().unwrap_or_default().into(),
            prepared: None,
        };
        plan.changes.iter().map(one).collect()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        if let Some((path, key)) = &plan.key {
            host.write(path, key.as_bytes(), &Write { mode: Some(0o644), ..Write::default() })?;
        }
        for change in &plan.changes {
            self.put(host, &change.path, change.before.is_none(), change.after.as_deref())?;
        }
        if self.update_cache
            && let Err(fail) = self.refresher()?.refresh(host)
        {
            for change in &plan.changes {
                self.put(host, &change.path, false, change.before.as_deref())?;
            }
            return Err(fail);
        }
        Ok(self.describe(Outcome::changed(), &plan.changes))
    }
}

impl Args {
    fn put(&self, host: &mut dyn Touch, path: &Path, new: bool, text: Option<&str>) -> Result<(), Fail> {
        let Some(text) = text else { return host.remove_file(path) };
        let mode = match &self.mode {
            Some(mode) => Some(mode.apply(0o644, false, host.umask())).filter(|_| new),
            None => new.then_some(0o644),
        };
        host.write(path, text.as_bytes(), &Write { mode, ..Write::default() }).map(drop)
    }

    /// `apt` with this module's patience.
    fn refresher(&self) -> Result<apt::Args, Fail> {
        let mut args = Map::new();
        args.insert("update_cache_retries".into(), self.update_cache_retries.into());
        args.insert("update_cache_retry_max_delay".into(), self.update_cache_retry_max_delay.into());
        Ok(decode(&args)?)
    }

    /// Where a new line goes.
    fn file(&self, line: &Line) -> Result<PathBuf, Fail> {
        let name = match &self.filename {
            Some(name) => name.strip_suffix(".list").unwrap_or(name).to_owned(),
            None => line.file_name(),
        };
        if name.starts_with('/') {
            return Ok(PathBuf::from(format!("{name}.list")));
        }
        if name.is_empty() || name.contains(['/', '\0', '\n']) {
            return Err(Fail::new(format!("filename {name:?} is no name for a file")));
        }
        Ok(Path::new("/etc/apt/sources.list.d").join(format!("{name}.list")))
    }

    fn describe(&self, outcome: Outcome, changes: &[Change]) -> Outcome {
        let paths = |those: fn(&&Change) -> bool| -> Value {
            changes.iter().filter(those).map(|it| it.path.to_string_lossy().into_owned().into()).collect()
        };
        let state = if self.state == State::Present { "present" } else { "absent" };
        outcome
            .with("repo", self.repo.as_str())
            .with("state", state)
            .with("sources_added", paths(|it| it.before.is_none()))
            .with("sources_removed", paths(|it| it.after.is_none()))
    }
}

#[cfg(test)]
mod tests;
