//! The states `link` and `hard` of `file`.

use std::path::{Path, PathBuf};

use super::change::{Action, Plan};
use super::times::When;
use super::{Args, Fail, FileKind, Look, Stat, Value, name_of, refuse};

const NO_TARGET: &str =
    "Cannot set fs attributes on a non-existent symlink target. follow should be set to False to avoid this.";

impl Args {
    pub(super) fn symlink(&self, host: &dyn Look, path: PathBuf, now: Option<&Stat>) -> Result<Plan, Fail> {
        let state = name_of(now);
        let current = if state == "link" { Some(host.read_link(&path)?) } else { None };
        let src = match (&self.src, &current) {
            (Some(src), _) => src.on(host),
            (None, Some(current)) if self.follow || self.state.is_none() => current.clone(),
            _ => return Err(refuse("src is required for creating new symlinks", &path)),
        };
        let folder = if state == "directory" { Some(&*path) } else { path.parent() };
        let target = folder.map_or_else(|| src.clone(), |folder| folder.join(&src));
        let there = host.stat(&target, true)?.is_some();
        let shown = src.to_string_lossy().into_owned();
        let fail = |message: String| refuse(message, &path).with("src", shown.as_str());
        if !self.force && !there && current.as_ref() != Some(&src) {
            let hint = "src file does not exist, use \"force=yes\" if you really want to create the link";
            return Err(fail(format!("{hint}: {}", target.display())));
        }
        match state {
            "directory" if !self.force => {
                return Err(fail(format!(
                    "refusing to convert from directory to symlink for {}",
                    path.display()
                )));
            }
            "directory" if !host.list(&path)?.is_empty() => {
                return Err(fail(format!(
                    "the directory {} is not empty, refusing to convert it",
                    path.display()
                )));
            }
            "file" | "hard" if !self.force => {
                return Err(fail(format!("refusing to convert from file to symlink for {}", path.display())));
            }
            _ => {}
        }
        let mut plan = Plan::new(path, "dest", state, "link");
        plan.src = Some(shown.clone());
        if current.as_ref() != Some(&src) {
            plan.before
                .insert("src".into(), Value::from(current.map(|it| it.to_string_lossy().into_owned())));
            plan.after.insert("src".into(), Value::from(shown.as_str()));
            plan.action = Action::Symlink { target: src, empty_folder: state == "directory" };
        }
        self.linked(host, &mut plan, &target, there)?;
        Ok(plan)
    }

    /// The attributes of a link: of what it will point to, or its own without `follow`.
    fn linked(&self, host: &dyn Look, plan: &mut Plan, target: &Path, there: bool) -> Result<(), Fail> {
        let wants_any = self.attributes.mode.is_some()
            || self.attributes.owner.is_some()
            || self.attributes.group.is_some();
        if self.follow && there {
            plan.attributes.push(self.attributes.plan(host, target, true)?);
        } else if self.follow && wants_any {
            plan.warning = Some(NO_TARGET);
        } else if !self.follow && matches!(plan.action, Action::Nothing) {
            plan.attributes.push(self.attributes.plan(host, &plan.path, false)?);
        } else if !self.follow {
            plan.new_link = true;
        }
        let when = self.times(When::Keep)?;
        if there && self.follow {
            plan.times_of(host, target, when)?;
        }
        Ok(())
    }

    pub(super) fn hard_link(&self, host: &dyn Look, path: PathBuf, now: Option<&Stat>) -> Result<Plan, Fail> {
        let state = name_of(now);
        let Some(src) = self.src.as_ref().map(|src| src.on(host)) else {
            if self.state.is_none() && now.is_some() {
                // Attributes of a file that happens to have more than one name.
                return self.file(host, &path);
            }
            return Err(refuse("src is required for creating new hardlinks", &path));
        };
        let shown = src.to_string_lossy().into_owned();
        let fail = |message: &str| {
            Fail::new(message).with("dest", path.to_string_lossy().into_owned()).with("src", shown.as_str())
        };
        let Some(source) = host.stat(&src, true)? else { return Err(fail("src does not exist")) };
        let same = now.is_some_and(|now| (now.dev, now.inode) == (source.dev, source.inode));
        if !same {
            match state {
                "directory" => return Err(fail("Cannot link, directory exists at destination")),
                "hard" if !self.force => {
                    return Err(fail("Cannot link, different hard link exists at destination"));
                }
                "file" if !self.force => return Err(fail("Cannot link, file exists at destination")),
                "link" if !self.force => return Err(fail("Cannot link, link exists at destination")),
                _ => {}
            }
        }
        let mut plan = Plan::new(path, "dest", if same { "hard" } else { state }, "hard");
        plan.src = Some(shown.clone());
        if !same {
            plan.before.insert("src".into(), Value::Null);
            plan.after.insert("src".into(), Value::from(shown.as_str()));
            plan.action = Action::HardLink { target: src.clone() };
        }
        if source.kind != FileKind::Directory {
            plan.attributes.push(self.attributes.plan(host, &src, true)?);
            plan.times_of(host, &src, self.times(When::Keep)?)?;
        }
        Ok(plan)
    }
}
