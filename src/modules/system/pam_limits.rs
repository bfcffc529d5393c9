//! `pam_limits`: limits of users and groups in `/etc/security/limits.conf`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Diff, Edit, Fail, FileAttributes, HostPath, Look, Module, Outcome, Touch, read_to_edit, to_bytes, to_text,
};

/// Set limits of users and groups, as they hold from their next login on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// A user, `@group`, `*`, or a range of user numbers.
    domain: String,
    /// Which of the two limits.
    limit_type: Type,
    /// What is limited.
    limit_item: Item,
    /// The limit: a number, or `unlimited`, `infinity`, `-1` for none. From -20 to 19 for `nice` and `priority`.
    value: String,
    /// Keep the old file under a name with date and time.
    #[serde(default)]
    backup: bool,
    /// Leave a limit that is lower already.
    #[serde(default)]
    use_min: bool,
    /// Leave a limit that is higher already.
    #[serde(default)]
    use_max: bool,
    /// The file.
    #[serde(default = "file")]
    dest: HostPath,
    /// A comment behind a limit that is written.
    #[serde(default)]
    comment: String,
}

/// Which of the two limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum Type {
    /// Nobody but root can raise it.
    #[serde(rename = "hard")]
    Hard,
    /// What holds, up to the hard one.
    #[serde(rename = "soft")]
    Soft,
    /// Both.
    #[serde(rename = "-")]
    Both,
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Type::Hard => "hard",
            Type::Soft => "soft",
            Type::Both => "-",
        }
    }
}

/// The items with their words.
macro_rules! items {
    ($( $(#[$doc:meta])* $variant:ident = $word:literal, )*) => {
        /// What is limited.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
        enum Item { $( $(#[$doc])* #[serde(rename = $word)] $variant, )* }
        impl Item {
            fn word(self) -> &'static str {
                match self { $( Item::$variant => $word, )* }
            }
        }
    };
}

items! {
    /// The size of core files, in KiB.
    Core = "core",
    /// The size of data, in KiB.
    Data = "data",
    /// The size of a file, in KiB.
    Fsize = "fsize",
    /// Locked memory, in KiB.
    Memlock = "memlock",
    /// Open files.
    Nofile = "nofile",
    /// Resident memory, in KiB.
    Rss = "rss",
    /// The size of the stack, in KiB.
    Stack = "stack",
    /// Processor time, in minutes.
    Cpu = "cpu",
    /// Processes.
    Nproc = "nproc",
    /// Address space, in KiB.
    As = "as",
    /// Logins of this user.
    Maxlogins = "maxlogins",
    /// Logins of all users.
    Maxsyslogins = "maxsyslogins",
    /// The priority to run with.
    Priority = "priority",
    /// Locked files.
    Locks = "locks",
    /// Pending signals.
    Sigpending = "sigpending",
    /// Memory of message queues, in bytes.
    Msgqueue = "msgqueue",
    /// The best priority that may be asked for.
    Nice = "nice",
    /// The best realtime priority.
    Rtprio = "rtprio",
    /// The folder to change the root to.
    Chroot = "chroot",
}

fn file() -> HostPath {
    HostPath::new("/etc/security/limits.conf")
}

/// What must change.
#[derive(Debug)]
pub struct Plan {
    edit: Edit,
    line: String,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Many open files for the database
  pam_limits:
    domain: postgres
    limit_type: '-'
    limit_item: nofile
    value: '65536'
    dest: /etc/security/limits.d/postgres.conf

- name: At least so much locked memory for a group
  pam_limits:
    domain: '@audio'
    limit_type: hard
    limit_item: memlock
    value: '131072'
    use_max: true
";
    const RETURNS: &'static str = "
msg: The line in the file.
backup_file: The old file.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let plan = self.look(host)?;
        Ok((!plan.edit.is_empty()).then_some(plan))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Outcome::unchanged().with("msg", self.look(host)?.line))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Outcome::changed().with("msg", plan.line.as_str()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        plan.edit.diff()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let backup = plan.edit.apply(host, &FileAttributes::default(), self.backup, None)?;
        Ok(Outcome::changed().with("msg", plan.line).with_backup(backup))
    }
}

/// A limit as a number; none has no end.
fn amount(value: &str) -> Option<i64> {
    if matches!(value, "unlimited" | "infinity" | "-1") { None } else { value.parse().ok() }
}

impl Args {
    fn valid(&self) -> Result<(), Fail> {
        if self.use_min && self.use_max {
            return Err(Fail::new("use_min and use_max exclude each other"));
        }
        let word =
            |text: &str| !text.is_empty() && !text.contains(char::is_whitespace) && !text.contains('#');
        if !word(&self.domain) || self.comment.contains('\n') {
            return Err(Fail::new("domain must be one word, and comment one line"));
        }
        let number: Option<i64> = self.value.parse().ok();
        let fits = match self.limit_item {
            Item::Nice | Item::Priority => number.is_some_and(|it| (-20..=19).contains(&it)),
            Item::Chroot => word(&self.value),
            _ => number.is_some_and(|it| it >= -1) || matches!(self.value.as_str(), "unlimited" | "infinity"),
        };
        if fits {
            return Ok(());
        }
        let (value, item) = (&self.value, self.limit_item.word());
        Err(Fail::new(format!("{value:?} is no limit for {item}: see value in this module's documentation")))
    }

    fn look(&self, host: &dyn Look) -> Result<Plan, Fail> {
        self.valid()?;
        let path = self.dest.on(host);
        let before = read_to_edit(host, &path, true)?;
        let text = to_text(before.as_deref().unwrap_or_default());
        let (after, line) = self.with_limit(&text);
        let edit = Edit::plan(host, &path, before, to_bytes(&after), &FileAttributes::default())?;
        Ok(Plan { edit, line })
    }

    /// The text with the limit, and the limit's line.
    fn with_limit(&self, text: &str) -> (String, String) {
        let mut out = String::with_capacity(text.len() + 64);
        let mut own = None;
        for line in text.split_inclusive('\n') {
            let (code, comment) = line.split_once('#').unwrap_or((line, ""));
            let fields: Vec<&str> = code.split_whitespace().collect();
            let wanted = [self.domain.as_str(), self.limit_type.word(), self.limit_item.word()];
            let new = match fields.as_slice() {
                [front @ .., now] if front == wanted.as_slice() => {
                    let value = self.value_over(now);
                    let same = value == *now;
                    if same { line.to_owned() } else { self.line(value, comment.trim()) }
                }
                _ => {
                    out.push_str(line);
                    continue;
                }
            };
            out.push_str(&new);
            own = Some(new);
        }
        let line = own.unwrap_or_else(|| {
            if !out.is_empty() && !out.ends_with('\n') {
                out.push('\n');
            }
            let line = self.line(&self.value, "");
            out.push_str(&line);
            line
        });
        (out, line)
    }

    /// The value that is to stand where one stands already.
    fn value_over<'v>(&'v self, now: &'v str) -> &'v str {
        if !self.use_min && !self.use_max {
            return &self.value;
        }
        let endless = !matches!(self.limit_item, Item::Nice | Item::Priority);
        let rank = |value: &str| match amount(value) {
            _ if !endless => value.parse().unwrap_or(i64::MAX),
            None => i64::MAX,
            Some(number) => number,
        };
        let keep = if self.use_max { rank(now) >= rank(&self.value) } else { rank(now) <= rank(&self.value) };
        if keep { now } else { &self.value }
    }

    fn line(&self, value: &str, old_comment: &str) -> String {
        let comment = if self.comment.is_empty() { old_comment } else { &self.comment };
        let comment = if comment.is_empty() { String::new() } else { format!("\t#{comment}") };
        format!("{}\t{}\t{}\t{value}{comment}\n", self.domain, self.limit_type.word(), self.limit_item.word())
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    const FILE: &str = "/etc/security/limits.conf";
    const LIMITS: &str =
        "# joe soft nofile 1\njoe  soft nofile 1000 # few\n@x - memlock unlimited\njoe hard nofile 1000\n";

    #[test]
    fn limits_are_set_where_they_stand_or_at_the_end() {
        let joe = |line: &str| LIMITS.replace("joe  soft nofile 1000 # few", line);
        for (args, after) in [
            (
                "domain: joe, limit_type: soft, limit_item: nofile, value: 2000",
                joe("joe\tsoft\tnofile\t2000\t#few"),
            ),
            (
                "domain: joe, limit_type: soft, limit_item: nofile, value: 2000, use_max: true, comment: more",
                joe("joe\tsoft\tnofile\t2000\t#more"),
            ),
            (
                "domain: joe, limit_type: soft, limit_item: nofile, value: 5, use_min: true",
                joe("joe\tsoft\tnofile\t5\t#few"),
            ),
            (
                "domain: '@x', limit_type: '-', limit_item: memlock, value: 5, use_min: true",
                LIMITS.replace("@x - memlock unlimited", "@x\t-\tmemlock\t5"),
            ),
            (
                "domain: '*', limit_type: hard, limit_item: nice, value: -5",
                format!("{LIMITS}*\thard\tnice\t-5\n"),
            ),
        ] {
            let mut host = FakeHost::new().file(FILE, LIMITS);
            let outcome = host.converge::<Args>(&format!("{{{args}}}"));
            assert_eq!(host.text(FILE), after, "{args}");
            assert!(after.contains(outcome.fields["msg"].as_str().unwrap()), "{args}");
        }
    }

    #[test]
    fn what_is_enough_stays() {
        for args in [
            "limit_type: soft, limit_item: nofile, value: 1000, domain: joe, comment: other",
            "limit_type: soft, limit_item: nofile, value: 500, domain: joe, use_max: true",
            "limit_type: soft, limit_item: nofile, value: unlimited, domain: joe, use_min: true",
            "limit_type: '-', limit_item: memlock, value: 5, domain: '@x', use_max: true",
        ] {
            let mut host = FakeHost::new().file(FILE, LIMITS);
            assert!(!host.play::<Args>(&format!("{{{args}}}")).unwrap().changed, "{args}");
        }
    }

    #[test]
    fn a_file_of_its_own_is_made_and_the_old_one_kept() {
        let mut host = FakeHost::new();
        let args = "domain: a, limit_type: hard, limit_item: core, dest: /etc/security/limits.d/a.conf, backup: true";
        host.converge::<Args>(&format!("{{{args}, value: 0}}"));
        assert_eq!(host.text("/etc/security/limits.d/a.conf"), "a\thard\tcore\t0\n");
        let outcome = host.converge::<Args>(&format!("{{{args}, value: 1}}"));
        assert_eq!(host.text(outcome.fields["backup_file"].as_str().unwrap()), "a\thard\tcore\t0\n");
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for args in [
            "domain: a, limit_type: hard, limit_item: nice, value: 20",
            "domain: a, limit_type: hard, limit_item: nofile, value: many",
            "domain: a, limit_type: hard, limit_item: nofile, value: -2",
            "domain: a b, limit_type: hard, limit_item: nofile, value: 1",
            "domain: a, limit_type: firm, limit_item: nofile, value: 1",
            "domain: a, limit_type: hard, limit_item: nofile, value: 1, use_min: true, use_max: true",
        ] {
            assert!(FakeHost::new().play::<Args>(&format!("{{{args}}}")).is_err(), "{args}");
        }
    }
}
