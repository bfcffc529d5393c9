//! `lineinfile`: one line is in a file, or none that fits is.

mod place;

use std::path::Path;

use fancy_regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::copy::validation;
use crate::modules::api::{
    Diff, Edit, Fail, FileAttributes, HostPath, Look, Module, Outcome, Touch, read_to_edit, to_bytes, to_text,
};
use crate::pattern;
use place::{Place, absent, present};

/// Keep one line in a text file: there, as it must be, or gone.
///
/// For several lines at once use `blockinfile`, for a whole file `template`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file.
    #[serde(alias = "dest", alias = "destfile", alias = "name")]
    #[schemars(extend("x-aliases" = ["dest", "destfile", "name"]))]
    path: HostPath,
    /// Whether the line must be there.
    #[serde(default)]
    state: State,
    /// The line. With `backrefs` it may hold groups of `regexp` (`\1`, `\g<name>`).
    #[serde(alias = "value")]
    #[schemars(extend("x-aliases" = ["value"]))]
    line: Option<String>,
    /// Finds the line to replace (the last that fits), or the lines to remove. It should also find the new line.
    #[serde(alias = "regex")]
    #[schemars(extend("x-aliases" = ["regex"]))]
    regexp: Option<String>,
    /// Finds lines that contain this text, instead of `regexp`.
    search_string: Option<String>,
    /// Where a new line goes: after the last line that fits this regular expression, or at the end of the file (`EOF`).
    insertafter: Option<String>,
    /// Where a new line goes: before the last line that fits this regular expression, or at the beginning (`BOF`).
    insertbefore: Option<String>,
    /// Fill groups of `regexp` into `line`; a file without a fitting line stays as it is.
    #[serde(default)]
    backrefs: bool,
    /// Take the first line that fits instead of the last.
    #[serde(default)]
    firstmatch: bool,
    /// Make the file if it is not there.
    #[serde(default)]
    create: bool,
    /// Keep the old contents under a name with date and time.
    #[serde(default)]
    backup: bool,
    /// A command that must succeed on the new contents before they are put in place; `%s` stands for the file.
    validate: Option<String>,
    /// Owner, group, permissions.
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    attributes: FileAttributes,
}

/// Whether the line must be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It must.
    #[default]
    Present,
    /// No line that fits may be there.
    Absent,
}

/// What must change.
#[derive(Debug)]
pub struct Plan {
    edit: Edit,
    message: String,
    /// How many lines go.
    found: Option<usize>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: SELinux enforces
  lineinfile:
    path: /etc/selinux/config
    regexp: '^SELINUX='
    line: SELINUX=enforcing

- name: One line before another
  lineinfile:
    path: /etc/services
    regexp: '^# port for http'
    insertbefore: '^www.*80/tcp'
    line: '# port for http by default'

- name: Only what is valid
  lineinfile:
    path: /etc/sudoers
    regexp: '^%ADMIN ALL='
    line: '%ADMIN ALL=(ALL) NOPASSWD: ALL'
    validate: /usr/sbin/visudo -cf %s

- name: With parts of the old line
  lineinfile:
    path: /opt/app/start
    regexp: '^(.*)Xms(\\d+)m(.*)$'
    line: '\\1Xms512m\\3'
    backrefs: true

- name: Not there
  lineinfile:
    path: /etc/sudoers
    state: absent
    regexp: '^%wheel'
";
    const RETURNS: &'static str = "
msg: What was done (`line added`, `line replaced`, `2 line(s) removed`).
found: How many lines were removed.
backup: The old contents.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        Ok(self.look(host)?.filter(|plan| !plan.edit.is_empty()))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.look(host)?.map_or_else(
            || Outcome::unchanged().with("msg", "file not present"),
            |plan| plan.result(Outcome::unchanged()),
        ))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(plan.result(Outcome::changed()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        plan.edit.diff()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let validate = validation(self.validate.as_deref())?;
        let backup = plan.edit.apply(host, &self.attributes, self.backup, validate)?;
        let backup = backup.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(plan.result(Outcome::changed()).with("backup", backup))
    }
}

impl Plan {
    fn result(&self, outcome: Outcome) -> Outcome {
        let outcome = outcome.with("msg", self.edit.message(&self.message)).with("backup", "");
        match self.found {
            Some(found) => outcome.with("found", found),
            None => outcome,
        }
    }
}

impl Args {
    /// What differs; `None`: a file that is not there and need not be.
    fn look(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        self.sensible()?;
        validation(self.validate.as_deref())?;
        let path = self.path.on(host);
        let regexp = compiled(self.regexp.as_deref(), "regexp")?;
        let create = self.create || self.state == State::Absent;
        let before = read_to_edit(host, &path, create).map_err(|fail| destination(fail, &path))?;
        if before.is_none() && self.state == State::Absent {
            return Ok(None);
        }
        let text = to_text(before.as_deref().unwrap_or_default());
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let place = Place {
            line: self.line.as_deref(),
            regexp: regexp.as_ref(),
            search_string: self.search_string.as_deref(),
            backrefs: self.backrefs,
            firstmatch: self.firstmatch,
        };
        let (message, found) = if self.state == State::Absent {
            let found = absent(&mut lines, &place)?;
            (if found == 0 { String::new() } else { format!("{found} line(s) removed") }, Some(found))
        } else {
            let after = self.insertafter.as_deref().filter(|_| self.insertbefore.is_none());
            (present(&mut lines, &place, after, self.insertbefore.as_deref())?.to_owned(), None)
        };
        let mut after = to_bytes(&lines.concat());
        if let Some(before) = &before
            && message.is_empty()
        {
            after.clone_from(before);
        }
        let edit = Edit::plan(host, &path, before, after, &self.attributes)?;
        Ok(Some(Plan { edit, message, found }))
    }

    fn sensible(&self) -> Result<(), Fail> {
        let wrong = if self.regexp.is_some() && self.search_string.is_some() {
            "regexp and search_string exclude each other"
        } else if self.insertafter.is_some() && self.insertbefore.is_some() {
            "insertafter and insertbefore exclude each other"
        } else if self.backrefs && self.search_string.is_some() {
            "backrefs and search_string exclude each other"
        } else if self.backrefs && self.regexp.is_none() {
            "regexp is required with backrefs=true"
        } else if self.state == State::Present && self.line.is_none() {
            "line is required with state=present"
        } else if self.line.is_none() && self.regexp.is_none() && self.search_string.is_none() {
            "one of line, search_string, or regexp is required with state=absent"
        } else {
            return Ok(());
        };
        Err(Fail::new(wrong))
    }
}

fn destination(fail: Fail, path: &Path) -> Fail {
    if fail.fields.get("rc").and_then(crate::value::Value::as_int) == Some(257) {
        return Fail { msg: format!("Destination {} does not exist !", path.display()), ..fail };
    }
    fail
}

/// An argument's regular expression.
pub(in crate::modules::files) fn compiled(text: Option<&str>, name: &str) -> Result<Option<Regex>, Fail> {
    let compile =
        |text: &str| pattern::compile(text, false, false).map_err(|why| Fail::new(format!("{name}: {why}")));
    text.map(compile).transpose()
}

#[cfg(all(test, feature = "controller"))]
mod tests;
