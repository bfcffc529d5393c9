//! `mount`: what is mounted now and what `/etc/fstab` says of it.
//!
//! `fstab` edits the file's lines, `table` reads what is mounted, `act` mounts and unmounts.

mod act;
mod fstab;
mod table;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Diff, Edit, Fail, FileAttributes, FileKind, HostPath, Look, Module, Outcome, Touch, Value, read_to_edit,
    to_bytes, to_text,
};
use fstab::{Changed, Entry, Which};
use table::Table;

/// Mount and unmount file systems, and keep their lines in `/etc/fstab`.
///
/// Swap has lines in fstab too (`path: none`, `fstype: swap`), but is switched on and off with `swapon` and `swapoff`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Where it is mounted; `none` or `swap` for swap.
    #[serde(alias = "name")]
    #[schemars(extend("x-aliases" = ["name"]))]
    path: HostPath,
    /// What is mounted: a device, `UUID=…`, a share, a folder. Required for `present`, `mounted` and `ephemeral`.
    #[serde(default)]
    src: Option<HostPath>,
    /// The type of file system. Required for `present`, `mounted` and `ephemeral`.
    #[serde(default)]
    fstype: Option<String>,
    /// Options, separated by commas.
    #[serde(default)]
    opts: Option<String>,
    /// Keep the options out of results, diffs and command lines.
    #[serde(default)]
    opts_no_log: bool,
    /// fstab's fifth field.
    #[serde(default)]
    dump: Option<String>,
    /// fstab's sixth field.
    #[serde(default)]
    passno: Option<String>,
    /// What it is to be.
    state: State,
    /// A file to use instead of `/etc/fstab`.
    #[serde(default)]
    fstab: Option<HostPath>,
    /// Mount it when the host starts. Off: `noauto` is one of the options.
    #[serde(default = "yes")]
    boot: bool,
    /// Keep the old fstab under a name with date and time.
    #[serde(default)]
    backup: bool,
}

/// What a mount is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Out of fstab, unmounted, and its folder removed. Without effect if it is not in fstab.
    Absent,
    /// Out of fstab.
    AbsentFromFstab,
    /// Out of fstab and unmounted. Without effect if it is not in fstab.
    AbsentMount,
    /// In fstab and mounted; mounted anew if its line changed. A folder that is not there is made.
    Mounted,
    /// In fstab.
    Present,
    /// Unmounted; fstab stays as it is.
    Unmounted,
    /// Mounted anew, with `opts` if they are given; fstab stays as it is. Always a change.
    Remounted,
    /// Mounted without fstab; mounted anew if it is already. Always a change. Something else at that path is an error.
    Ephemeral,
}

fn yes() -> bool {
    true
}

/// What is done besides fstab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Nothing,
    Mount,
    /// Mount anew; if that is refused, unmount and mount.
    Remount,
    /// Unmount and mount: another source.
    Replace,
    /// Unmount if something is mounted, and then maybe remove the folder.
    Unmount {
        mounted: bool,
        remove: bool,
    },
}

/// fstab, which changes.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    before: Option<Vec<u8>>,
    edit: Edit,
    old: Vec<Entry>,
    new: Option<Entry>,
}

/// What must change.
#[derive(Debug)]
pub struct Plan {
    fstab: Option<Lines>,
    action: Action,
    /// What it is now, and what it will be, for the diff.
    sides: [&'static str; 2],
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: A disk for data
  mount:
    path: /srv/data
    src: LABEL=data
    fstype: ext4
    opts: noatime
    state: mounted

- name: A folder in another place
  mount:
    path: /srv/www
    src: /data/www
    fstype: none
    opts: bind
    state: mounted

- name: No swap at the next start
  mount:
    path: '{{ item }}'
    fstype: swap
    state: absent
  loop: [none, swap]
";
    const RETURNS: &'static str = "
name: Where it is mounted.
src: What is mounted.
fstype: The type of file system.
opts: The options.
dump: fstab's fifth field.
passno: fstab's sixth field.
fstab: The file.
boot: yes or no.
backup_file: The old fstab.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        self.valid(host)?;
        let fstab = self.table(host)?;
        let (action, sides) = self.action(host, fstab.as_ref())?;
        Ok((fstab.is_some() || action != Action::Nothing).then_some(Plan { fstab, action, sides }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(host, Outcome::unchanged(), None))
    }

    fn predicted(&self, _plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(host, Outcome::changed(), None))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let mut diffs = Vec::new();
        if let Some(fstab) = &plan.fstab {
            // Only these lines: others may hold passwords in their options.
            let lines = |entries: &[Entry]| -> String {
                entries
                    .iter()
                    .map(|entry| if self.opts_no_log { masked(entry) } else { entry.clone() }.line())
                    .collect()
            };
            let name = || fstab.path.to_string_lossy().into_owned();
            let (before, after) = (lines(&fstab.old), lines(fstab.new.as_slice()));
            let (before_header, after_header) = (name(), name());
            diffs.push(Diff {
                before: before.into(),
                after: after.into(),
                before_header,
                after_header,
                prepared: None,
            });
        }
        if plan.action != Action::Nothing && plan.sides[0] != plan.sides[1] {
            let [before, after] = plan.sides.map(|state| {
                Value::from_pairs([("path", Value::from(self.path.text())), ("state", state.into())])
            });
            diffs.push(Diff { before, after, ..Diff::default() });
        }
        diffs
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let backup = act::change(self, &plan, host)?;
        Ok(self.describe(host.as_look(), Outcome::changed(), backup))
    }
}

/// What stands for options that must not be shown.
const HIDDEN: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";

fn masked(entry: &Entry) -> Entry {
    Entry { options: HIDDEN.into(), ..entry.clone() }
}

impl Args {
    fn valid(&self, host: &dyn Look) -> Result<(), Fail> {
        use State::{Absent, AbsentFromFstab, AbsentMount, Ephemeral, Mounted, Present};
        if matches!(self.state, Present | Mounted | Ephemeral) {
            let missing: Vec<&str> = [("src", self.src.is_none()), ("fstype", self.fstype.is_none())]
                .into_iter()
                .filter_map(|(name, missing)| missing.then_some(name))
                .collect();
            if !missing.is_empty() {
                return Err(Fail::new(format!(
                    "state is {} but all of the following are missing: {}",
                    if self.state == Present {
                        "present"
                    } else if self.state == Mounted {
                        "mounted"
                    } else {
                        "ephemeral"
                    },
                    missing.join(", ")
                )));
            }
        }
        let fields = [Some(self.path.text()), self.fstype.as_deref(), self.opts.as_deref()];
        if fields.into_iter().flatten().any(|field| field.trim().is_empty()) {
            return Err(Fail::new("path, fstype and opts can't be empty"));
        }
        let absolute = self.path.on(host).is_absolute();
        if !absolute && !matches!(self.path.text(), "none" | "swap") {
            return Err(Fail::new(format!("path must begin with /, but is {}", self.path)));
        }
        if !absolute && !matches!(self.state, Present | Absent | AbsentFromFstab | AbsentMount) {
            return Err(Fail::new(
                "swap is not mounted: keep its line in fstab with state present or absent, and use swapon and swapoff",
            ));
        }
        Ok(())
    }

    fn options(&self) -> String {
        let options = self.opts.clone().unwrap_or_else(|| "defaults".into());
        if self.boot || options.split(',').any(|option| option == "noauto") {
            return options;
        }
        format!("{options},noauto")
    }

    fn source(&self, host: &dyn Look) -> Option<String> {
        self.src.as_ref().map(|src| src.on(host).to_string_lossy().into_owned())
    }

    /// The line for fstab.
    fn entry(&self, host: &dyn Look) -> Entry {
        Entry {
            source: self.source(host).unwrap_or_default(),
            path: self.path.on(host).to_string_lossy().into_owned(),
            kind: self.fstype.clone().unwrap_or_default(),
            options: self.options(),
            dump: self.dump.clone().unwrap_or_else(|| "0".into()),
            pass: self.passno.clone().unwrap_or_else(|| "0".into()),
        }
    }

    fn fstab_path(&self, host: &dyn Look) -> PathBuf {
        self.fstab.as_ref().map_or_else(|| "/etc/fstab".into(), |path| path.on(host))
    }

    /// fstab if it must change.
    fn table(&self, host: &dyn Look) -> Result<Option<Lines>, Fail> {
        if matches!(self.state, State::Unmounted | State::Remounted | State::Ephemeral) {
            return Ok(None);
        }
        let path = self.fstab_path(host);
        let before = read_to_edit(host, &path, true)?;
        let text = to_text(before.as_deref().unwrap_or_default());
        let wanted = self.entry(host);
        let source = self.source(host);
        let which = Which { path: &wanted.path, source: source.as_deref(), swap: wanted.is_swap() };
        let keep = matches!(self.state, State::Present | State::Mounted);
        let changed = if keep { fstab::with(&text, which, &wanted) } else { fstab::without(&text, which) };
        let Some(Changed { text, old }) = changed else { return Ok(None) };
        let edit = Edit::plan(host, &path, before.clone(), to_bytes(&text), &FileAttributes::default())?;
        Ok(Some(Lines { path, before, edit, old, new: keep.then_some(wanted) }))
    }

    /// What is to be done besides fstab, and the mount before and after.
    fn action(&self, host: &dyn Look, fstab: Option<&Lines>) -> Result<(Action, [&'static str; 2]), Fail> {
        const NOTHING: (Action, [&str; 2]) = (Action::Nothing, ["", ""]);
        let path = self.path.on(host);
        let removing = matches!(self.state, State::Absent | State::AbsentMount);
        if matches!(self.state, State::Present | State::AbsentFromFstab)
            || !path.is_absolute()
            || (removing && fstab.is_none())
        {
            return Ok(NOTHING);
        }
        let table = Table::read(host)?;
        let now = table.at(host, &path)?;
        let source = self.source(host).unwrap_or_default();
        Ok(match (self.state, now) {
            (State::Mounted | State::Ephemeral, None) => (Action::Mount, ["unmounted", "mounted"]),
            (State::Mounted, Some(now)) => match fstab {
                None => NOTHING,
                Some(fstab) => {
                    let same = |old: &Entry| old.source == source && Some(&old.kind) == self.fstype.as_ref();
                    let same = fstab.old.first().is_some_and(same) || table.shows(host, now, &source)?;
                    (if same { Action::Remount } else { Action::Replace }, ["mounted", "mounted anew"])
                }
            },
            (State::Ephemeral, Some(now)) if !table.shows(host, now, &source)? => {
                return Err(Fail::new(format!(
                    "{} is mounted at {} already, not {source}: unmount it first (state unmounted), or take another path",
                    now.source, self.path
                )));
            }
            (State::Ephemeral | State::Remounted, _) => (Action::Remount, ["mounted", "mounted anew"]),
            (State::Unmounted, None) => NOTHING,
            (_, now) => {
                let (mounted, remove) = (now.is_some(), self.removes(host, &path)?);
                let before = if mounted { "mounted" } else { "unmounted" };
                let after = if remove { "absent" } else { "unmounted" };
                (Action::Unmount { mounted, remove }, [before, after])
            }
        })
    }

    fn removes(&self, host: &dyn Look, path: &Path) -> Result<bool, Fail> {
        Ok(self.state == State::Absent && host.stat(path, false)?.is_some())
    }

    /// Whether a single file is shown in another place.
    fn binds_a_file(&self, host: &dyn Look) -> Result<bool, Fail> {
        let binds = self.options().split(',').any(|option| matches!(option, "bind" | "rbind"));
        let Some(source) = self.src.as_ref().filter(|_| binds) else { return Ok(false) };
        Ok(host.stat(&source.on(host), true)?.is_some_and(|stat| stat.kind == FileKind::File))
    }

    fn describe(&self, host: &dyn Look, outcome: Outcome, backup: Option<PathBuf>) -> Outcome {
        let entry = self.entry(host);
        let entry = if self.opts_no_log { masked(&entry) } else { entry };
        let boot = if self.boot { "yes" } else { "no" };
        let backup = backup.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        let mut outcome = outcome
            .with("name", entry.path)
            .with("opts", entry.options)
            .with("dump", entry.dump)
            .with("passno", entry.pass)
            .with("fstab", self.fstab_path(host).to_string_lossy().into_owned())
            .with("boot", boot)
            .with("backup_file", backup);
        if self.src.is_some() {
            outcome = outcome.with("src", entry.source);
        }
        if self.fstype.is_some() {
            outcome = outcome.with("fstype", entry.kind);
        }
        outcome
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests;
