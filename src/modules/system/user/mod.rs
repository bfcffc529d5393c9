//! `user`: accounts, their passwords, groups, homes and SSH keys.
//!
//! `account` reads what the host has, `changes` compares it with what is wanted, `key` makes SSH keys. Passwords go
//! to `chpasswd` through a pipe and never stand on a command line.

mod account;
mod changes;
mod home;
mod key;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Diff, Fail, Look, Module, Outcome, Touch, Value};
use crate::secret::Secret;
use account::Account;
use changes::{Changes, Field};

/// Manage user accounts.
///
/// Works with the shadow tools (`useradd`, `usermod`, `userdel`, `chage`, `chpasswd`), which every usual distribution
/// has or offers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// The login name.
    #[serde(alias = "user")]
    #[schemars(extend("x-aliases" = ["user"]))]
    name: String,
    /// Whether the account is there.
    #[serde(default)]
    state: State,
    /// Its number.
    #[serde(default)]
    uid: Option<u32>,
    /// Allow a `uid` that another account has.
    #[serde(default)]
    non_unique: bool,
    /// The primary group, a name or a number. It must exist.
    #[serde(default)]
    group: Option<String>,
    /// More groups. They must exist. Without `append` the user is taken out of all others; an empty list leaves none.
    #[serde(default)]
    groups: Option<Vec<String>>,
    /// Add the `groups` to those that the user is in already.
    #[serde(default)]
    append: bool,
    /// The real name or another comment.
    #[serde(default)]
    comment: Option<String>,
    /// The login shell.
    #[serde(default)]
    shell: Option<String>,
    /// The home.
    #[serde(default)]
    home: Option<String>,
    /// Make the home if it is not there.
    #[serde(default = "yes", alias = "createhome")]
    #[schemars(extend("x-aliases" = ["createhome"]))]
    create_home: bool,
    /// Move what is in the old home when `home` changes.
    #[serde(default)]
    move_home: bool,
    /// The folder whose contents a new home gets, `/etc/skel` by default.
    #[serde(default)]
    skeleton: Option<String>,
    /// The mask of a new home's permission bits.
    #[serde(default)]
    umask: Option<String>,
    /// The password, already hashed; `*` or `!` for none. The filter `password_hash` makes one.
    #[serde(default)]
    password: Option<Secret>,
    /// When the password of an account that exists is set.
    #[serde(default)]
    update_password: UpdatePassword,
    /// Lock or unlock the password. Logging in with a key stays possible.
    #[serde(default)]
    password_lock: Option<bool>,
    /// The most days between two changes of the password.
    #[serde(default)]
    password_expire_max: Option<i64>,
    /// The fewest days between two changes of the password.
    #[serde(default)]
    password_expire_min: Option<i64>,
    /// How many days before the end of the password to warn.
    #[serde(default)]
    password_expire_warn: Option<i64>,
    /// How many days after the end of the password the account is disabled.
    #[serde(default)]
    password_expire_account_disable: Option<i64>,
    /// When the account ends, in seconds since 1970; a negative number takes the end away.
    #[serde(default)]
    expires: Option<f64>,
    /// Make a new account one of the system's: a low number, and no aging of its password.
    #[serde(default)]
    system: bool,
    /// The least number that a new account may get by itself.
    #[serde(default)]
    uid_min: Option<u32>,
    /// The greatest number that a new account may get by itself.
    #[serde(default)]
    uid_max: Option<u32>,
    /// The SELinux user of the account.
    #[serde(default)]
    seuser: Option<String>,
    /// With `state: absent` remove the home and the mail too.
    #[serde(default)]
    remove: bool,
    /// With `state: absent` remove the account even while its user is logged in; with `generate_ssh_key` replace a
    /// key that exists.
    #[serde(default)]
    force: bool,
    /// Look only at `/etc/passwd` and `/etc/group`, not at what else (LDAP, …) the host knows users from.
    #[serde(default)]
    local: bool,
    /// Make an SSH key for the user, unless there is one.
    #[serde(default)]
    generate_ssh_key: bool,
    /// The key's algorithm.
    #[serde(default = "rsa")]
    ssh_key_type: String,
    /// The key's length; by default ssh-keygen decides.
    #[serde(default)]
    ssh_key_bits: u32,
    /// The key's file, relative to the home; by default `.ssh/id_` and the algorithm.
    #[serde(default)]
    ssh_key_file: Option<String>,
    /// The key's comment; by default it names this host.
    #[serde(default)]
    ssh_key_comment: Option<String>,
    /// The key's passphrase.
    #[serde(default)]
    ssh_key_passphrase: Option<Secret>,
}

/// Whether an account is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// When a password is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum UpdatePassword {
    /// Whenever it differs.
    #[default]
    Always,
    /// Only with the account.
    OnCreate,
}

fn yes() -> bool {
    true
}

fn rsa() -> String {
    "rsa".into()
}

/// What must change.
#[derive(Debug)]
pub enum Plan {
    /// The account goes.
    Remove,
    /// The account comes or changes.
    Change(Changes),
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: An account for deployments, with an SSH key
  user:
    name: deploy
    shell: /bin/bash
    groups: [sudo, docker]
    append: true
    generate_ssh_key: true
    ssh_key_type: ed25519

- name: A system account without a home
  user:
    name: prometheus
    system: true
    shell: /usr/sbin/nologin
    create_home: false

- name: Remove an account and its files
  user:
    name: old
    state: absent
    remove: true
";
    const RETURNS: &'static str = "
name: The login name.
state: present or absent.
uid: The number.
group: The number of the primary group.
groups: The groups that were asked for, joined by commas.
comment: The comment.
home: The home.
shell: The login shell.
ssh_key_file: The private key's file.
ssh_public_key: The public key.
ssh_fingerprint: The key's fingerprint.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        self.check()?;
        let account = Account::find(host, &self.name, self.local)?;
        if self.state == State::Absent {
            return Ok(account.map(|_| Plan::Remove));
        }
        let changes = self.changes(host, account.as_ref())?;
        Ok((!changes.is_empty()).then_some(Plan::Change(changes)))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::unchanged())
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let (before, after) = match plan {
            Plan::Remove => (state_of("present"), state_of("absent")),
            Plan::Change(changes) => changes.sides(),
        };
        vec![Diff { before, after, ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        match plan {
            Plan::Remove => {
                let mut cmd = Cmd::new(["userdel"]).env("LC_ALL", "C");
                for (wanted, flag) in [(self.force, "-f"), (self.remove, "-r")] {
                    if wanted {
                        cmd = cmd.arg(flag);
                    }
                }
                // 12: the account is gone, but the home was not there to be removed.
                let ran = host.run(&cmd.arg("--").arg(&self.name))?;
                if ran.rc != 12 {
                    ran.success(&format!("removing the user {}", self.name))?;
                }
            }
            Plan::Change(changes) => {
                self.change(host, &changes)?;
                if changes.creates {
                    let outcome = self.describe(host.as_look(), Outcome::changed())?;
                    return Ok(outcome.with("create_home", self.create_home).with("system", self.system));
                }
            }
        }
        self.describe(host.as_look(), Outcome::changed())
    }
}

fn state_of(state: &str) -> Value {
    Value::from_pairs([("state", state)])
}

impl Args {
    /// Refuses what would be read as an option or break a line of passwd.
    fn check(&self) -> Result<(), Fail> {
        let texts = [
            ("name", Some(&self.name)),
            ("comment", self.comment.as_ref()),
            ("home", self.home.as_ref()),
            ("shell", self.shell.as_ref()),
        ];
        for (name, text) in texts {
            if text.is_some_and(|it| it.contains([':', '\n', '\0'])) {
                return Err(Fail::new(format!("{name} must not contain a colon or a line break")));
            }
        }
        if self.name.is_empty() || self.name.starts_with('-') || self.name.contains(['/', ' ', ',']) {
            return Err(Fail::new(format!("{:?} is no name for a user", self.name)));
        }
        if self.password.as_ref().is_some_and(|it| it.expose().contains(['\n', ':'])) {
            return Err(Fail::new("password must be a hash: it contains a colon or a line break"));
        }
        Ok(())
    }

    fn change(&self, host: &mut dyn Touch, changes: &Changes) -> Result<(), Fail> {
        if let Some(argv) = &changes.account {
            let what = if changes.creates { "creating" } else { "changing" };
            host.run(&Cmd::new(argv).env("LC_ALL", "C"))?
                .success(&format!("{what} the user {}", self.name))?;
        }
        if let Some(password) = self.password.as_ref().filter(|_| changes.password) {
            let line = format!("{}:{}\n", self.name, password.expose());
            let cmd = Cmd { quiet: true, ..Cmd::new(["chpasswd", "-e"]).stdin(line).env("LC_ALL", "C") };
            host.run(&cmd)?.success(&format!("setting the password of {}", self.name))?;
        }
        if let Some(lock) = changes.lock {
            let flag = if lock { "-L" } else { "-U" };
            let cmd = Cmd::new(["usermod", flag, "--", &self.name]).env("LC_ALL", "C");
            host.run(&cmd)?.success(&format!("locking or unlocking the password of {}", self.name))?;
        }
        if !changes.aging.is_empty() {
            let cmd = Cmd::new(["chage"]).args(changes.aging.iter()).arg("--").arg(&self.name);
            host.run(&cmd.env("LC_ALL", "C"))?.success(&format!("setting the aging of {}", self.name))?;
        }
        if changes.home || changes.key {
            let account = Account::find(host.as_look(), &self.name, self.local)?
                .ok_or_else(|| Fail::new(format!("the user {} is not there after it was made", self.name)))?;
            if changes.home {
                self.make_home(host, &account)?;
            }
            if changes.key {
                self.make_key(host, &account)?;
            }
        }
        Ok(())
    }

    /// The result's fields: the account as it is now.
    fn describe(&self, host: &dyn Look, outcome: Outcome) -> Result<Outcome, Fail> {
        let mut outcome = outcome
            .with("name", self.name.as_str())
            .with("state", if self.state == State::Absent { "absent" } else { "present" });
        if self.state == State::Absent {
            return Ok(outcome.with("force", self.force).with("remove", self.remove));
        }
        outcome = outcome.with("append", self.append).with("move_home", self.move_home);
        if let Some(groups) = &self.groups {
            outcome = outcome.with("groups", groups.join(","));
        }
        if let Some(password) = &self.password {
            // A password that keeps anyone out is no secret.
            let open = ["", "*", "!", "!!", "x"].contains(&password.expose());
            let shown = if open { password.expose() } else { "NOT_LOGGING_PASSWORD" };
            outcome = outcome.with("password", shown);
            if self.password_is_plain() {
                outcome = outcome.warn(
                    "The input password appears not to have been hashed. The 'password' argument must be \
                     encrypted for this module to work properly.",
                );
            }
        }
        if let Some(account) = Account::find(host, &self.name, self.local)? {
            for (name, value) in account.fields() {
                outcome = outcome.with(name, value);
            }
            if self.generate_ssh_key {
                outcome = self.describe_key(host, &account, outcome)?;
            }
        }
        Ok(outcome)
    }

    /// Whether a password does not look like what `crypt` makes.
    fn password_is_plain(&self) -> bool {
        let Some(password) = &self.password else { return false };
        let text = password.expose();
        let bare = text.trim_start_matches('!');
        let none = bare.is_empty() || bare == "*" || text == "x";
        let hashed = bare.starts_with('$') && bare.split('$').count() >= 4;
        let classic = bare.len() == 13
            && bare.chars().all(|c| c.is_ascii_alphanumeric() || ".".contains(c) || c == '/');
        !none && !hashed && !classic
    }
}

/// A field of the account that changes, for the diff.
fn field(name: &'static str, before: impl Into<Value>, after: impl Into<Value>) -> Field {
    Field { name, before: before.into(), after: after.into() }
}

#[cfg(test)]
mod tests;
