//! `ini_file`: an option or section of a file with sections. `lines` changes the text.

mod lines;

use schemars::JsonSchema;
use serde::Deserialize;

use super::copy::yes;
use crate::modules::api::{
    Diff, Edit, Fail, FileAttributes, HostPath, Look, Module, Outcome, Touch, read_to_edit, to_bytes, to_text,
};
use lines::{Change, Text};

/// Set and remove options of INI files.
///
/// The rest of the file, comments included, stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// The file.
    #[serde(alias = "dest")]
    #[schemars(extend("x-aliases" = ["dest"]))]
    path: HostPath,
    /// The section. None: the options before the first section.
    section: Option<String>,
    /// Of several sections of that name the one that has these options.
    #[serde(default)]
    section_has_values: Vec<Has>,
    /// The option. None: the section itself.
    option: Option<String>,
    /// Its value.
    value: Option<String>,
    /// Its values, for an option that is there several times.
    #[serde(default)]
    values: Vec<String>,
    /// The option has no other values than these. Off: they are added to, or taken from, those that are there.
    #[serde(default = "yes")]
    exclusive: bool,
    /// Whether it is there.
    #[serde(default)]
    state: State,
    /// Write `option=value` instead of `option = value`.
    #[serde(default)]
    no_extra_spaces: bool,
    /// A line that differs only in the spaces around `=` is right.
    #[serde(default)]
    ignore_spaces: bool,
    /// The option may stand alone, without a value.
    #[serde(default)]
    allow_no_value: bool,
    /// An option behind `#` or `;` is taken for the place to write it to.
    #[serde(default = "yes")]
    modify_inactive_option: bool,
    /// Make the file if it is not there.
    #[serde(default = "yes")]
    create: bool,
    /// Accepted and without effect: a link is always followed.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    follow: bool,
    /// Keep the old contents under a name with date and time.
    #[serde(default)]
    backup: bool,
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    file: FileAttributes,
}

/// An option that a section must have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Has {
    /// Its name.
    option: String,
    /// Its value.
    value: Option<String>,
    /// Its values.
    #[serde(default)]
    values: Vec<String>,
}

/// Whether something is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// The new file, and what is said of it.
#[derive(Debug)]
pub struct Plan {
    edit: Edit,
    msg: &'static str,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Colours for git
  ini_file:
    path: /etc/gitconfig
    section: color
    option: ui
    value: auto
    mode: \"0644\"

- name: A section goes
  ini_file:
    path: /etc/app.ini
    section: old
    state: absent

- name: Several values of one option
  ini_file:
    path: /etc/systemd/resolved.conf
    section: Resolve
    option: DNS
    values:
      - 192.0.2.1
      - 192.0.2.2
    no_extra_spaces: true
";
    const RETURNS: &'static str = "
path: The file.
msg: What was done, in words.
backup_file: Where the old contents are kept.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let plan = self.work(host)?;
        Ok((!plan.edit.is_empty()).then_some(plan))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged(), host, "OK"))
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed(), host, plan.msg))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        plan.edit.diff()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let backup = plan.edit.apply(host, &self.file, self.backup, None)?;
        Ok(self.describe(Outcome::changed(), host.as_look(), plan.msg).with_backup(backup))
    }
}

impl Args {
    fn work(&self, host: &dyn Look) -> Result<Plan, Fail> {
        if self.value.is_some() && !self.values.is_empty() {
            return Err(Fail::new("parameters are mutually exclusive: value|values"));
        }
        let values: Vec<String> = self.value.iter().chain(&self.values).cloned().collect();
        let present = self.state == State::Present;
        if present && self.option.is_some() && values.is_empty() && !self.allow_no_value {
            return Err(Fail::new(
                "Parameter 'value(s)' must be defined if state=present and allow_no_value=False.",
            ));
        }
        let names = self.section.iter().chain(&self.option).chain(&values);
        if names.into_iter().any(|text| text.contains('\n')) {
            return Err(Fail::new("section, option and values must each be on one line"));
        }
        let path = self.path.on(host);
        let before = read_to_edit(host, &path, self.create)?;
        let mut text = Text::read(&to_text(before.as_deref().unwrap_or_default()));
        let change = Change {
            section: self.section.as_deref().map(str::trim).filter(|section| !section.is_empty()),
            option: self.option.as_deref().map(str::trim),
            values,
            exclusive: self.exclusive,
            separator: if self.no_extra_spaces { "=" } else { " = " },
            ignore_spaces: self.ignore_spaces,
            allow_no_value: self.allow_no_value,
            inactive: self.modify_inactive_option,
            has: self
                .section_has_values
                .iter()
                .map(|has| (has.option.as_str(), has.value.iter().chain(&has.values).cloned().collect()))
                .collect(),
        };
        let msg = if present { change.add(&mut text) } else { change.remove(&mut text) };
        let after = if before.is_none() && !present { Vec::new() } else { to_bytes(&text.write()) };
        let edit = Edit::plan(host, &path, before, after, &self.file)?;
        let msg =
            if msg == "OK" && edit.dresses() { "ownership, perms or SE linux context changed" } else { msg };
        Ok(Plan { edit, msg })
    }

    fn describe(&self, outcome: Outcome, host: &dyn Look, msg: &str) -> Outcome {
        outcome.with("path", self.path.on(host).to_string_lossy().into_owned()).with("msg", msg)
    }
}

#[cfg(test)]
mod tests;
