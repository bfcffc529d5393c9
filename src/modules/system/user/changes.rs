//! What must change on an account: the command lines of useradd, usermod and chage.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::account::{Account, Shadow};
use super::{Args, UpdatePassword, field};
use crate::modules::api::{Fail, Look, Map, Str, Value, timestamp};

/// What must change.
#[derive(Debug, Default)]
pub struct Changes {
    /// useradd or usermod with all arguments.
    pub(super) account: Option<Vec<String>>,
    /// Whether that is useradd.
    pub(super) creates: bool,
    /// Set the password.
    pub(super) password: bool,
    /// Lock or unlock the password.
    pub(super) lock: Option<bool>,
    /// chage's arguments without the name.
    pub(super) aging: Vec<String>,
    /// Make the home that is missing.
    pub(super) home: bool,
    /// Make the SSH key.
    pub(super) key: bool,
    fields: Vec<Field>,
}

/// A field before and after.
#[derive(Debug)]
pub(super) struct Field {
    pub name: &'static str,
    pub before: Value,
    pub after: Value,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.account.is_none()
            && !self.password
            && self.lock.is_none()
            && self.aging.is_empty()
            && !self.home
            && !self.key
    }

    /// Both sides of the diff.
    pub(super) fn sides(&self) -> (Value, Value) {
        let side = |of: fn(&Field) -> &Value| {
            let fields = self.fields.iter().filter(|it| !matches!(of(it), Value::Null));
            Value::map(fields.map(|it| (Str::from(it.name), of(it).clone())).collect::<Map>())
        };
        (side(|it| &it.before), side(|it| &it.after))
    }
}

impl Args {
    pub(super) fn changes(&self, host: &dyn Look, account: Option<&Account>) -> Result<Changes, Fail> {
        let mut changes = Changes::default();
        self.groups_exist(host)?;
        match account {
            None => self.creation(host, &mut changes)?,
            Some(account) => self.modification(host, account, &mut changes)?,
        }
        let shadow = account.map(|it| it.shadow.clone().unwrap_or_default()).unwrap_or_default();
        self.password_changes(account.is_some(), &shadow, &mut changes);
        self.aging_changes(&shadow, &mut changes);
        if self.generate_ssh_key {
            changes.key = match account {
                None => true,
                Some(account) => self.force || host.stat(&self.key_path(&account.user.home), true)?.is_none(),
            };
            if changes.key {
                changes.fields.push(field("ssh_key", Value::Null, "generated"));
            }
        }
        Ok(changes)
    }

    /// Every group that is named must be there: nothing is made by halves.
    fn groups_exist(&self, host: &dyn Look) -> Result<(), Fail> {
        for name in self.group.iter().chain(self.wanted_groups().iter().flatten()) {
            if host.group(name)?.is_none() {
                return Err(Fail::new(format!("Group {name} does not exist")));
            }
        }
        Ok(())
    }

    /// The further groups, without empty names.
    fn wanted_groups(&self) -> Option<Vec<String>> {
        let names = self.groups.as_ref()?.iter().map(|name| name.trim().to_owned());
        Some(names.filter(|name| !name.is_empty()).collect())
    }

    fn creation(&self, host: &dyn Look, changes: &mut Changes) -> Result<(), Fail> {
        let mut argv = vec!["useradd".to_owned()];
        let mut put = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
        if let Some(uid) = self.uid {
            put(&["-u", &uid.to_string()]);
            if self.non_unique {
                put(&["-o"]);
            }
        }
        match &self.group {
            Some(group) => put(&["-g", group]),
            // A group of the user's name would keep useradd from making its own.
            None if host.group(&self.name)?.is_some_and(|it| it.name == self.name) => put(&["-N"]),
            None => {}
        }
        let groups = self.wanted_groups().unwrap_or_default();
        if !groups.is_empty() {
            put(&["-G", &groups.join(",")]);
        }
        let expires = self.expires.filter(|at| *at >= 0.0).map(date);
        let options = [
            ("-c", &self.comment),
            ("-d", &self.home),
            ("-s", &self.shell),
            ("-e", &expires),
            ("-Z", &self.seuser),
        ];
        for (flag, value) in options {
            if let Some(value) = value {
                put(&[flag, value]);
            }
        }
        if self.create_home {
            put(&["-m"]);
            if let Some(skeleton) = &self.skeleton {
                put(&["-k", skeleton]);
            }
            if let Some(umask) = &self.umask {
                put(&["-K", &format!("UMASK={umask}")]);
            }
        } else {
            put(&["-M"]);
        }
        for (name, limit) in [("UID_MIN", self.uid_min), ("UID_MAX", self.uid_max)] {
            if let Some(limit) = limit {
                put(&["-K", &format!("{name}={limit}")]);
            }
        }
        if self.system {
            put(&["-r"]);
        }
        put(&["--", &self.name]);
        changes.account = Some(argv);
        changes.creates = true;
        changes.fields.push(field("state", "absent", "present"));
        changes.fields.push(field("name", Value::Null, self.name.as_str()));
        Ok(())
    }

    fn modification(&self, host: &dyn Look, account: &Account, changes: &mut Changes) -> Result<(), Fail> {
        let user = &account.user;
        let mut argv: Vec<String> = Vec::new();
        let mut put = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
        let mut fields = Vec::new();
        if let Some(uid) = self.uid.filter(|uid| *uid != user.uid) {
            put(&["-u", &uid.to_string()]);
            if self.non_unique {
                put(&["-o"]);
            }
            fields.push(field("uid", user.uid, uid));
        }
        if let Some(name) = &self.group {
            let gid = host.group(name)?.map_or(user.gid, |group| group.gid);
            if gid != user.gid {
                put(&["-g", &gid.to_string()]);
                fields.push(field("group", user.gid, gid));
            }
        }
        if let Some((words, change)) = self.group_changes(host, account)? {
            put(&words.iter().map(String::as_str).collect::<Vec<_>>());
            fields.push(change);
        }
        let texts = [
            ("-c", "comment", &self.comment, &user.gecos),
            ("-s", "shell", &self.shell, &user.shell),
            ("-d", "home", &self.home, &user.home),
        ];
        for (flag, name, wanted, current) in texts {
            if let Some(wanted) = wanted.as_ref().filter(|it| *it != current) {
                put(&[flag, wanted]);
                fields.push(field(name, current.as_str(), wanted.as_str()));
                if flag == "-d" && self.move_home {
                    put(&["-m"]);
                }
            }
        }
        if let Some(change) = self.expiry_change(account) {
            put(&["-e", &change.0]);
            fields.push(change.1);
        }
        if !argv.is_empty() {
            argv.insert(0, "usermod".into());
            argv.extend(["--".into(), self.name.clone()]);
            changes.account = Some(argv);
        }
        let home = self.home.as_deref().unwrap_or(&user.home);
        let moved = self.move_home && home != user.home;
        if self.create_home && !moved && host.stat(Path::new(home), true)?.is_none() {
            changes.home = true;
            fields.push(field("home_directory", "absent", "present"));
        }
        changes.fields = fields;
        Ok(())
    }

    /// usermod's words for further groups.
    fn group_changes(
        &self,
        host: &dyn Look,
        account: &Account,
    ) -> Result<Option<(Vec<String>, Field)>, Fail> {
        let Some(names) = self.wanted_groups() else { return Ok(None) };
        let mut wanted = Vec::new();
        for name in names {
            // A number means the group of that number; the primary group needs no entry.
            let group =
                host.group(&name)?.ok_or_else(|| Fail::new(format!("Group {name} does not exist")))?;
            if group.gid != account.user.gid || account.groups.contains(&group.name) {
                wanted.push(group.name);
            }
        }
        wanted.sort();
        wanted.dedup();
        let missing = wanted.iter().any(|name| !account.groups.contains(name));
        let surplus = !self.append && account.groups.iter().any(|name| !wanted.contains(name));
        if !missing && !surplus {
            return Ok(None);
        }
        let after = if self.append {
            let mut all = [account.groups.clone(), wanted.clone()].concat();
            all.sort();
            all.dedup();
            all
        } else {
            wanted.clone()
        };
        let flag = if self.append { vec!["-a".to_owned()] } else { Vec::new() };
        let words = [flag, vec!["-G".into(), wanted.join(",")]].concat();
        Ok(Some((words, field("groups", account.groups.clone(), after))))
    }

    fn expiry_change(&self, account: &Account) -> Option<(String, Field)> {
        let at = self.expires?;
        let current = account.shadow.as_ref().and_then(|it| it.expires).filter(|day| *day >= 0);
        let shown = current.map_or(Value::Null, |day| date_of(day).into());
        if at < 0.0 {
            return current.map(|_| (String::new(), field("expires", shown, "never")));
        }
        (current != Some(day(at))).then(|| (date(at), field("expires", shown, date(at))))
    }

    fn password_changes(&self, exists: bool, shadow: &Shadow, changes: &mut Changes) {
        let mut current = shadow.password.as_str();
        if let Some(password) = &self.password {
            let due = !exists || self.update_password == UpdatePassword::Always;
            let bare = |text: &str| text.trim_start_matches('!').to_owned();
            if due && (!exists || bare(current) != bare(password.expose())) {
                changes.password = true;
                current = password.expose();
                changes.fields.push(field("password", Value::Null, "changed"));
            }
        }
        let locked = current.starts_with('!') || (!exists && !changes.password);
        // A new account without a password is locked already, and one without any can't be unlocked.
        let unlockable = !current.trim_start_matches('!').is_empty();
        match self.password_lock {
            Some(true) if !locked => changes.lock = Some(true),
            Some(false) if locked && unlockable => changes.lock = Some(false),
            _ => {}
        }
        if let Some(lock) = changes.lock {
            changes.fields.push(field("password_lock", !lock, lock));
        }
    }

    fn aging_changes(&self, shadow: &Shadow, changes: &mut Changes) {
        let ages = [
            ("-M", "password_expire_max", self.password_expire_max, shadow.max),
            ("-m", "password_expire_min", self.password_expire_min, shadow.min),
            ("-W", "password_expire_warn", self.password_expire_warn, shadow.warn),
            ("-I", "password_expire_account_disable", self.password_expire_account_disable, shadow.inactive),
        ];
        for (flag, name, wanted, current) in ages {
            let Some(days) = wanted else { continue };
            // -1 takes a limit away, which leaves the field empty or at -1.
            if current != Some(days) && !(days < 0 && current.is_none()) {
                changes.aging.extend([flag.to_owned(), days.to_string()]);
                changes.fields.push(field(name, current, days));
            }
        }
    }
}

/// The day of a moment, counted from 1970.
#[expect(clippy::cast_possible_truncation, reason = "a number of days of any sensible date fits")]
fn day(seconds: f64) -> i64 {
    (seconds / 86_400.0).floor() as i64
}

fn date(seconds: f64) -> String {
    date_of(day(seconds))
}

/// `YYYY-MM-DD` of a day counted from 1970; a day before counts as the first.
fn date_of(day: i64) -> String {
    let since = Duration::from_secs(u64::try_from(day).unwrap_or(0) * 86_400);
    let mut text = timestamp(UNIX_EPOCH + since);
    text.truncate("YYYY-MM-DD".len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (seconds, text) in [
            (0.0, "1970-01-01"),
            (951_782_400.0, "2000-02-29"),
            (951_868_800.0, "2000-03-01"),
            (1_422_403_387.0, "2015-01-28"),
            (4_107_542_400.0, "2100-03-01"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }
}
