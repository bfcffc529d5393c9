//! `cron`: jobs and variables in a user's crontab or in a file of `/etc/cron.d`.

mod tab;

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Cmd, Diff, Fail, HostPath, Look, Module, Outcome, Touch, Write, follow_links, text_diff, to_bytes,
    to_text,
};
use crate::modules::programs::program;
use tab::{Place, Tab};

/// Manage jobs and variables in crontabs.
///
/// A job is known by its name, which stands in a comment above it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The job's name, or the variable's with `env`.
    name: String,
    /// Whose crontab, by default that of the user who runs the task. With `cron_file`: who the job runs as.
    #[serde(default)]
    user: Option<String>,
    /// The command, or the variable's value with `env`. Required with `state: present`.
    #[serde(default, alias = "value")]
    #[schemars(extend("x-aliases" = ["value"]))]
    job: Option<String>,
    /// A file instead of a user's crontab, in `/etc/cron.d` unless its path is absolute. It is removed when its last job
    /// is. Needs `user`.
    #[serde(default)]
    cron_file: Option<HostPath>,
    /// Whether the job or the variable is there.
    #[serde(default)]
    state: State,
    /// A time with a name, instead of minute, hour and so on.
    #[serde(default)]
    special_time: Option<Special>,
    /// Have the job there, but commented out.
    #[serde(default)]
    disabled: bool,
    /// It is about a variable.
    #[serde(default)]
    env: bool,
    /// Keep the old crontab in a file.
    #[serde(default)]
    backup: bool,
    /// When: `0-59`, `*`, `*/5` and so on.
    #[serde(default = "always")]
    minute: String,
    /// When: `0-23`.
    #[serde(default = "always")]
    hour: String,
    /// When: the day of the month.
    #[serde(default = "always", alias = "dom")]
    #[schemars(extend("x-aliases" = ["dom"]))]
    day: String,
    /// When: `1-12`.
    #[serde(default = "always")]
    month: String,
    /// When: `0-6`, from Sunday.
    #[serde(default = "always", alias = "dow")]
    #[schemars(extend("x-aliases" = ["dow"]))]
    weekday: String,
    /// Put a new variable after this one. By default it goes to the top.
    #[serde(default)]
    insertafter: Option<String>,
    /// Put a new variable before this one.
    #[serde(default)]
    insertbefore: Option<String>,
}

/// Whether it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// A time with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Special {
    /// Once a year.
    Annually,
    /// Once a day.
    Daily,
    /// Once an hour.
    Hourly,
    /// Once a month.
    Monthly,
    /// When the host starts.
    Reboot,
    /// Once a week.
    Weekly,
    /// Once a year.
    Yearly,
}

impl Special {
    fn word(self) -> &'static str {
        match self {
            Special::Annually => "annually",
            Special::Daily => "daily",
            Special::Hourly => "hourly",
            Special::Monthly => "monthly",
            Special::Reboot => "reboot",
            Special::Weekly => "weekly",
            Special::Yearly => "yearly",
        }
    }
}

fn always() -> String {
    "*".into()
}

/// A crontab before and after.
#[derive(Debug)]
pub struct Plan {
    /// None: there is none.
    before: Option<String>,
    after: Tab,
    /// The file goes, because nothing is left in it.
    remove: bool,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Every night
  cron:
    name: backup
    minute: '15'
    hour: '3'
    job: /usr/local/bin/backup --quiet

- name: When the host starts, in a file of its own
  cron:
    name: warm up
    special_time: reboot
    user: www-data
    job: /srv/app/warm-up
    cron_file: app

- name: Where its jobs find programs
  cron:
    name: PATH
    env: true
    job: /usr/local/bin:/usr/bin:/bin

- name: No longer
  cron:
    name: backup
    state: absent
";
    const RETURNS: &'static str = "
jobs: The names of all jobs in the crontab.
envs: The names of all variables in the crontab.
backup_file: The old crontab.
cron_file: The file.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        self.valid()?;
        let before = self.read(host)?;
        let text = before.clone().unwrap_or_default();
        let now = Tab::parse(&text);
        let mut after = now.clone();
        self.change(&mut after)?;
        let remove = self.cron_file.is_some()
            && before.is_some()
            && self.state == State::Absent
            && !self.env
            && after.is_empty();
        let unfinished = !text.is_empty() && !text.ends_with('\n');
        Ok((after != now || remove || unfinished).then_some(Plan { before, after, remove }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let tab = Tab::parse(&self.read(host)?.unwrap_or_default());
        Ok(self.describe(Outcome::unchanged(), &tab, None))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed(), &plan.after, None))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let name = match (&self.cron_file, &self.user) {
            (Some(path), _) => path.text().to_owned(),
            (None, Some(user)) => format!("crontab of {user}"),
            (None, None) => "crontab".to_owned(),
        };
        let before = plan.before.as_deref().map(str::as_bytes);
        vec![text_diff(Path::new(&name), &name, before, plan.after.text().as_bytes())]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let backup = match &self.cron_file {
            Some(_) => self.write_file(&plan, host)?,
            None => self.write_crontab(&plan, host)?,
        };
        Ok(self.describe(Outcome::changed(), &plan.after, backup))
    }
}

impl Args {
    fn valid(&self) -> Result<(), Fail> {
        let times = [&self.minute, &self.hour, &self.day, &self.month, &self.weekday];
        if self.special_time.is_some() && times.iter().any(|time| *time != "*") {
            return Err(Fail::new("special_time and minute, hour, day, month, weekday exclude each other"));
        }
        let one_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        if times.iter().any(|time| !one_word(time)) {
            return Err(Fail::new("minute, hour, day, month and weekday are one word each"));
        }
        if self.name.trim().is_empty() || self.name.contains(['\n', '\r']) {
            return Err(Fail::new("name must be a line of text"));
        }
        if self.env && (!one_word(&self.name) || self.name.contains('=')) {
            return Err(Fail::new(format!("{:?} is no name for a variable", self.name)));
        }
        if self.insertafter.is_some() && self.insertbefore.is_some() {
            return Err(Fail::new("insertafter and insertbefore exclude each other"));
        }
        if !self.env && (self.insertafter.is_some() || self.insertbefore.is_some()) {
            return Err(Fail::new("insertafter and insertbefore are for variables: they need env: true"));
        }
        if self.state == State::Absent {
            return Ok(());
        }
        if self.cron_file.is_some() && self.user.is_none() {
            return Err(Fail::new("with cron_file the user that the job runs as is required"));
        }
        let Some(job) = &self.job else {
            return Err(Fail::new("job is required to have a job or a variable in a crontab"));
        };
        if job.trim_end_matches(['\n', '\r']).contains(['\n', '\r']) {
            return Err(Fail::new("job has several lines: a crontab takes one; put them into a script"));
        }
        Ok(())
    }

    fn change(&self, tab: &mut Tab) -> Result<(), Fail> {
        let job = self.job.as_deref().unwrap_or_default().trim_matches(['\n', '\r']);
        match (self.env, self.state) {
            (false, State::Present) => tab.set_job(&self.name, &self.line(job)),
            (false, State::Absent) => tab.remove_job(&self.name),
            (true, State::Absent) => tab.remove_variable(&self.name),
            (true, State::Present) => {
                let place = match (&self.insertafter, &self.insertbefore) {
                    (Some(other), _) => Place::After(other),
                    (None, Some(other)) => Place::Before(other),
                    (None, None) => Place::Top,
                };
                tab.set_variable(&self.name, format!("{}=\"{job}\"", self.name), place)?;
            }
        }
        Ok(())
    }

    /// The job's line.
    fn line(&self, job: &str) -> String {
        let Args { minute, hour, day, month, weekday, .. } = self;
        let time = match self.special_time {
            Some(special) => format!("@{}", special.word()),
            None => format!("{minute} {hour} {day} {month} {weekday}"),
        };
        let user = self.user.as_deref().filter(|_| self.cron_file.is_some());
        let user = user.map(|user| format!("{user} ")).unwrap_or_default();
        format!("{}{time} {user}{job}", if self.disabled { "#" } else { "" })
    }

    /// The file of `cron_file`.
    fn path(&self, host: &dyn Look) -> Option<PathBuf> {
        self.cron_file.as_ref().map(|path| Path::new("/etc/cron.d").join(path.on(host)))
    }

    /// What is there now.
    fn read(&self, host: &dyn Look) -> Result<Option<String>, Fail> {
        if let Some(path) = self.path(host) {
            return Ok(host.read(&path)?.map(|text| to_text(&text)));
        }
        // It or the user may not be there yet: tasks before this one may see to that.
        let no_user = self.user.as_ref().map_or(Ok(false), |user| host.user(user).map(|it| it.is_none()))?;
        if no_user || host.which("crontab").is_none() {
            return Ok(None);
        }
        let ran = host.query(&self.crontab(host)?.arg("-l"))?;
        if ran.ok() {
            return Ok(Some(to_text(&ran.stdout)));
        }
        let none = ["no crontab", "No such file"].iter().any(|text| ran.err().contains(text));
        if none { Ok(None) } else { ran.success("reading the crontab").map(|_| None) }
    }

    fn crontab(&self, host: &dyn Look) -> Result<Cmd, Fail> {
        let cmd = program(host, "crontab", "cron (or cronie)")?;
        let Some(user) = &self.user else { return Ok(cmd) };
        let own = host.user(user)?.is_some_and(|it| it.uid == host.ids().0);
        Ok(if own { cmd } else { cmd.arg("-u").arg(user) })
    }

    fn write_file(&self, plan: &Plan, host: &mut dyn Touch) -> Result<Option<PathBuf>, Fail> {
        let Some(path) = self.path(host.as_look()) else { return Ok(None) };
        let path = follow_links(host.as_look(), &path)?;
        let backup = self.backup && plan.before.is_some();
        let how = Write { mode: plan.before.is_none().then_some(0o644), backup, ..Write::default() };
        if !plan.remove {
            return host.write(&path, &to_bytes(&plan.after.text()), &how);
        }
        let kept = if backup { host.write(&path, b"", &how)? } else { None };
        host.remove_file(&path)?;
        Ok(kept)
    }

    fn write_crontab(&self, plan: &Plan, host: &mut dyn Touch) -> Result<Option<PathBuf>, Fail> {
        let cmd = self.crontab(host.as_look())?;
        let mut kept = None;
        if let Some(before) = plan.before.as_ref().filter(|_| self.backup) {
            let seconds = host.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let user = self.user.clone().unwrap_or_else(|| host.ids().0.to_string());
            let path = PathBuf::from(format!("/tmp/crontab-{user}-{seconds}"));
            let how = Write { mode: Some(0o600), replace_link: true, ..Write::default() };
            host.write(&path, &to_bytes(before), &how)?;
            kept = Some(path);
        }
        let cmd = cmd.arg("-").stdin(to_bytes(&plan.after.text()));
        host.run(&cmd)?.success("writing the crontab")?;
        Ok(kept)
    }

    fn describe(&self, outcome: Outcome, tab: &Tab, backup: Option<PathBuf>) -> Outcome {
        let mut outcome = outcome.with("jobs", tab.jobs()).with("envs", tab.variables());
        if let Some(path) = &self.cron_file {
            outcome = outcome.with("cron_file", path.text());
        }
        outcome.with_backup(backup)
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests;
