//! `file`: what is at a path (a file, folder, link or nothing), whose it is and who may do what with it.

mod change;
mod links;
mod times;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Diff, Fail, FileAttributes, FileKind, HostPath, Look, Map, Module, Outcome, Stat, Touch, Value, describe,
    follow_links,
};
use change::{Action, Plan};
use times::When;

/// Manage files, folders and links, and their owner, group and permissions.
///
/// To write contents use `copy`, `template` or `lineinfile`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The path to manage.
    #[serde(alias = "dest", alias = "name")]
    #[schemars(extend("x-aliases" = ["dest", "name"]))]
    path: HostPath,
    /// What must be there. By default what is there already, else `directory` with `recurse`, else `file`.
    state: Option<State>,
    /// What a link points to: for `link` any text, relative to the link's folder if it does not begin with `/`; for
    /// `hard` an existing file.
    src: Option<HostPath>,
    /// Set the attributes on everything inside the folder too. Only with `state: directory`.
    #[serde(default)]
    recurse: bool,
    /// Make a link even if its target does not exist, or if a file or an empty folder is in its place.
    #[serde(default)]
    force: bool,
    /// If the path is a link, manage what it points to.
    #[serde(default = "yes")]
    follow: bool,
    /// When the contents count as last written: `preserve`, `now` or a date. By default `now` with `touch`, else
    /// `preserve`.
    modification_time: Option<String>,
    /// The format of `modification_time`; times are UTC.
    #[serde(default = "time_format")]
    modification_time_format: String,
    /// When the file counts as last read, as `modification_time`.
    access_time: Option<String>,
    /// The format of `access_time`; times are UTC.
    #[serde(default = "time_format")]
    access_time_format: String,
    /// The name that a file gets inside `path` if that is a folder. Set by other modules.
    #[serde(rename = "_original_basename")]
    original_basename: Option<String>,
    /// Owner, group, permissions.
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    attributes: FileAttributes,
}

/// What must be at the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Nothing; a folder goes with all that is in it.
    Absent,
    /// A folder; missing parents are made with the same attributes.
    Directory,
    /// A file that is already there: one that is not is an error.
    File,
    /// A hard link to `src`.
    Hard,
    /// A symbolic link to `src`.
    Link,
    /// A file, made empty if it is not there, with new times if it is.
    Touch,
}

fn yes() -> bool {
    true
}

fn time_format() -> String {
    "%Y%m%d%H%M.%S".into()
}

/// What results and diffs call what is there.
fn name_of(stat: Option<&Stat>) -> &'static str {
    match stat.map(|stat| (stat.kind, stat.nlink)) {
        None => "absent",
        Some((FileKind::Symlink, _)) => "link",
        Some((FileKind::Directory, _)) => "directory",
        Some((_, links)) if links > 1 => "hard",
        Some(_) => "file",
    }
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: A folder for the application
  file:
    path: /srv/app
    state: directory
    owner: root
    group: root
    mode: \"0755\"

- name: The current release
  file:
    src: /srv/app/releases/42
    dest: /srv/app/current
    state: link

- name: No old configuration
  file:
    path: /etc/old.conf
    state: absent

- name: An empty file
  file:
    path: /etc/app.enabled
    state: touch
    access_time: preserve
    modification_time: preserve

- name: Everything below belongs to the application
  file:
    path: /srv/app
    state: directory
    recurse: true
    owner: root
    mode: u=rwX,go=rX
";
    const RETURNS: &'static str = "
path: The path that was managed (`dest` for links and with `touch`).
src: What a link points to.
state: What is there now.
mode: Permission bits as octal text.
uid: Number of the owner.
gid: Number of the group.
owner: The owner.
group: The group.
size: Bytes.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        Ok(Some(self.look(host)?).filter(|plan| !plan.is_empty()))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.look(host)?.result(Outcome::unchanged(), host)
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        plan.result(Outcome::changed(), host)
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let (before, after) = plan.sides();
        vec![Diff { before: Value::map(before), after: Value::map(after), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        plan.apply(&self.attributes, host)?;
        plan.result(Outcome::changed(), host.as_look())
    }
}

impl Args {
    fn look(&self, host: &dyn Look) -> Result<Plan, Fail> {
        let path = self.place(host)?;
        let now = host.stat(&path, false)?;
        let state = self.state.unwrap_or(match name_of(now.as_ref()) {
            "directory" => State::Directory,
            "link" => State::Link,
            "hard" => State::Hard,
            "absent" if self.recurse => State::Directory,
            _ => State::File,
        });
        if self.recurse && state != State::Directory {
            return Err(refuse("recurse option requires state to be 'directory'", &path));
        }
        if self.src.is_some() && !matches!(state, State::Link | State::Hard) {
            return Err(refuse("src option requires state to be 'link' or 'hard'", &path));
        }
        match state {
            State::Absent => absent(host, path, now.as_ref()),
            State::Directory => self.directory(host, &path),
            State::File => self.file(host, &path),
            State::Touch => self.touch(host, &path),
            State::Link => self.symlink(host, path, now.as_ref()),
            State::Hard => self.hard_link(host, path, now.as_ref()),
        }
    }

    /// The path, or the one inside it if it is a folder and a file's name is known.
    fn place(&self, host: &dyn Look) -> Result<PathBuf, Fail> {
        let path = self.path.on(host);
        let inside = !matches!(self.state, Some(State::Link | State::Absent))
            && host.stat(&path, true)?.is_some_and(|stat| stat.kind == FileKind::Directory);
        let name = match (&self.original_basename, &self.src) {
            (Some(name), _) => Path::new(name).file_name().map(Into::into),
            (None, Some(src)) => src.on(host).file_name().map(PathBuf::from),
            (None, None) => None,
        };
        Ok(match name {
            Some(name) if inside => path.join(name),
            _ => path,
        })
    }

    /// Modification and access time.
    fn times(&self, otherwise: When) -> Result<(When, When), Fail> {
        Ok((
            When::parse(self.modification_time.as_deref(), &self.modification_time_format, otherwise)?,
            When::parse(self.access_time.as_deref(), &self.access_time_format, otherwise)?,
        ))
    }

    /// The path that attributes are set on, and what is there.
    fn followed(&self, host: &dyn Look, path: &Path) -> Result<(PathBuf, Option<Stat>), Fail> {
        let path = if self.follow { follow_links(host, path)? } else { path.into() };
        let stat = host.stat(&path, false)?;
        Ok((path, stat))
    }

    fn file(&self, host: &dyn Look, path: &Path) -> Result<Plan, Fail> {
        let (path, now) = self.followed(host, path)?;
        let state = name_of(now.as_ref());
        if !matches!(state, "file" | "hard") {
            let message = format!("file ({}) is {state}, cannot continue", path.display());
            return Err(refuse(message, &path).with("state", state));
        }
        let mut plan = Plan::new(path, "path", state, state);
        plan.look_at(host, &self.attributes, self.times(When::Keep)?)?;
        Ok(plan)
    }

    fn touch(&self, host: &dyn Look, path: &Path) -> Result<Plan, Fail> {
        let (path, now) = self.followed(host, path)?;
        let mut plan = Plan::new(path, "dest", name_of(now.as_ref()), "touch");
        plan.when = self.times(When::Now)?;
        if now.is_none() {
            plan.action = Action::Create;
            self.attributes.write(host, &plan.path)?;
        } else {
            plan.look_at(host, &self.attributes, plan.when)?;
        }
        Ok(plan)
    }

    fn directory(&self, host: &dyn Look, path: &Path) -> Result<Plan, Fail> {
        let (path, now) = self.followed(host, path)?;
        let state = name_of(now.as_ref());
        let mut plan = Plan::new(path, "path", state, "directory");
        plan.when = self.times(When::Keep)?;
        match state {
            "absent" => {
                plan.action = Action::MakeFolders(missing_folders(host, &plan.path)?);
                // An owner that does not exist is found before anything is made.
                self.attributes.write(host, Path::new("/"))?;
            }
            "directory" => {
                plan.look_at(host, &self.attributes, plan.when)?;
                if self.recurse {
                    let top = plan.path.clone();
                    let mut seen = Vec::new();
                    self.inside(host, &top, &mut plan, &mut seen)?;
                }
            }
            _ => {
                let message = format!("{} already exists as a {state}", plan.path.display());
                return Err(refuse(message, &plan.path));
            }
        }
        Ok(plan)
    }

    /// All that is below a folder; with `follow` also what links in it point to.
    fn inside(
        &self,
        host: &dyn Look,
        folder: &Path,
        plan: &mut Plan,
        seen: &mut Vec<(u64, u64)>,
    ) -> Result<(), Fail> {
        let Some(stat) = host.stat(folder, true)? else { return Ok(()) };
        if seen.contains(&(stat.dev, stat.inode)) {
            return Ok(());
        }
        seen.push((stat.dev, stat.inode));
        for name in host.list(folder)? {
            let path = folder.join(name);
            let Some(stat) = host.stat(&path, false)? else { continue };
            if stat.kind == FileKind::Symlink {
                plan.attributes.push(self.attributes.plan(host, &path, false)?);
                if !self.follow || host.stat(&path, true)?.is_none() {
                    continue;
                }
            }
            let target = follow_links(host, &path)?;
            plan.look_inside(host, &self.attributes, &target)?;
            if host.stat(&target, false)?.is_some_and(|stat| stat.kind == FileKind::Directory) {
                self.inside(host, &target, plan, seen)?;
            }
        }
        Ok(())
    }
}

fn refuse(message: impl Into<String>, path: &Path) -> Fail {
    Fail::new(message).with("path", path.to_string_lossy().into_owned())
}

fn absent(host: &dyn Look, path: PathBuf, now: Option<&Stat>) -> Result<Plan, Fail> {
    let mut plan = Plan::new(path, "path", name_of(now), "absent");
    let Some(now) = now else { return Ok(plan) };
    let tree = now.kind == FileKind::Directory;
    if tree {
        plan.before.insert("path_content".into(), listing(host, &plan.path)?);
    }
    plan.action = Action::Remove { tree };
    Ok(plan)
}

/// The folders on the way to `path` that are not there, outermost first, `path` included.
fn missing_folders(host: &dyn Look, path: &Path) -> Result<Vec<PathBuf>, Fail> {
    let mut missing = Vec::new();
    for folder in path.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
        match host.stat(folder, true)? {
            None => missing.push(folder.to_owned()),
            Some(stat) if stat.kind == FileKind::Directory => break,
            Some(_) => {
                let message = format!(
                    "There was an issue creating {}: {} is no folder",
                    path.display(),
                    folder.display()
                );
                return Err(Fail::new(message).with("path", path.to_string_lossy().into_owned()));
            }
        }
    }
    missing.reverse();
    Ok(missing)
}

/// What is in a folder that goes, for the diff.
fn listing(host: &dyn Look, folder: &Path) -> Result<Value, Fail> {
    const MOST: usize = 1000;
    let mut todo = vec![folder.to_owned()];
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    while let Some(at) = todo.pop() {
        for name in host.list(&at)? {
            let path = at.join(name);
            let text = path.to_string_lossy().into_owned();
            match host.stat(&path, false)?.map(|stat| stat.kind) {
                Some(FileKind::Directory) => {
                    folders.push(text);
                    todo.push(path);
                }
                Some(_) => files.push(text),
                None => {}
            }
            if folders.len() + files.len() >= MOST {
                todo.clear();
                break;
            }
        }
    }
    Ok(Value::from_pairs([("directories", Value::from(folders)), ("files", Value::from(files))]))
}

#[cfg(test)]
mod tests;
