//! `mysql_user`: accounts of MySQL and MariaDB, their passwords and privileges. `grants` knows privileges.

mod grants;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Fail, Look, Module, Outcome, Support, Touch, Value, digest_of};
use crate::modules::mysql::{Login, name as quoted, text};
use crate::secret::Secret;
use grants::{Grants, Way};

/// Make and remove accounts of MySQL and MariaDB.
///
/// A password is compared by its hash where the server keeps one that can be compared, else by logging in with it.
/// `resource_limits`, `attributes`, `locked` and the rules of expiry are not supported.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// The account's name.
    #[serde(alias = "user")]
    #[schemars(extend("x-aliases" = ["user"]))]
    name: String,
    /// Where it connects from.
    #[serde(default = "localhost")]
    host: String,
    /// All accounts of that name, wherever they connect from.
    #[serde(default)]
    host_all: bool,
    /// The password.
    password: Option<Secret>,
    /// `password` is a hash as `mysql_native_password` has it.
    #[serde(default)]
    encrypted: bool,
    /// The privileges: text of the form `db.table:PRIV1,PRIV2/db2.*:ALL`, or a mapping from object to privileges.
    #[serde(rename = "priv")]
    privileges: Option<Value>,
    /// Add the privileges to those that are there.
    #[serde(default)]
    append_privs: bool,
    /// Take the privileges away from those that are there.
    #[serde(default)]
    subtract_privs: bool,
    /// What connections must have: `SSL`, `X509`, or `SUBJECT`, `ISSUER` and `CIPHER` with their values.
    tls_requires: Option<Requires>,
    /// Whether the account is there.
    #[serde(default)]
    state: State,
    /// When the password is set.
    #[serde(default)]
    update_password: Update,
    /// What checks the login, instead of a password.
    plugin: Option<String>,
    /// What the plugin keeps.
    plugin_hash_string: Option<Secret>,
    /// What the plugin makes its own from.
    plugin_auth_string: Option<Secret>,
    /// Accepted and without effect: without a login the client's own way is taken.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    check_implicit_admin: bool,
    /// Write the changes to the binary log.
    #[serde(default = "yes")]
    sql_log_bin: bool,
    /// Accepted and without effect: names of columns are compared as they are written.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    column_case_sensitive: Option<bool>,
    #[serde(rename = "@login")]
    #[schemars(flatten)]
    login: Login,
}

/// A mapping from text to text; what has no value has none.
type Requires = BTreeMap<String, Option<String>>;

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
enum Update {
    /// Whenever it differs.
    #[default]
    Always,
    /// Only for a new account.
    OnCreate,
    /// Only if there is no account of that name from any host.
    OnNewUsername,
}

fn localhost() -> String {
    "localhost".into()
}

fn yes() -> bool {
    true
}

/// The statements to send, and whether one of them is about a password.
#[derive(Debug)]
pub struct Plan {
    statements: Vec<String>,
    msg: &'static str,
    password: bool,
}

/// An account as the server has it.
struct Account {
    plugin: String,
    hash: String,
    /// Kind, issuer, subject, cipher.
    tls: [String; 4],
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: An account for the application
  mysql_user:
    name: app
    password: secret
    priv: 'app.*:ALL'
    host: '%'
    login_unix_socket: /run/mysqld/mysqld.sock
  no_log: true

- name: Nobody comes in without a name
  mysql_user:
    name: ''
    host_all: true
    state: absent
";
    const RETURNS: &'static str = "
user: The account's name.
msg: What was done, in words.
password_changed: Whether the password was set.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.append_privs && self.subtract_privs {
            return Err(Fail::new("parameters are mutually exclusive: append_privs|subtract_privs"));
        }
        let kinds = ["NONE", "SSL", "X509", "SUBJECT", "ISSUER", "CIPHER"];
        let odd = |kind: &&String| !kinds.contains(&kind.to_uppercase().as_str());
        if let Some(odd) = self.tls_requires.iter().flat_map(BTreeMap::keys).find(odd) {
            return Err(Fail::new(format!("tls_requires: {odd:?} is not one of {}", kinds.join(", "))));
        }
        let wanted = self.privileges.as_ref().map(Grants::wanted).transpose()?;
        let rows = format!("SELECT host FROM mysql.user WHERE user = {};\n", text(&self.name));
        let known: Vec<String> =
            self.login.ask(host, &rows)?.into_iter().filter_map(|row| row.into_iter().next()).collect();
        let hosts = if self.host_all { known.clone() } else { vec![self.host.to_lowercase()] };
        let maria = self.login.ask(host, "SELECT VERSION();\n")?;
        let maria = maria.iter().flatten().any(|version| version.to_lowercase().contains("mariadb"));
        let mut plan = Plan { statements: Vec::new(), msg: "User unchanged", password: false };
        for from in hosts {
            let there = known.iter().any(|own| own.eq_ignore_ascii_case(&from));
            let account = format!("{}@{}", text(&self.name), text(&from));
            match (self.state, there) {
                (State::Absent, true) => {
                    plan.statements.push(format!("DROP USER {account}"));
                    plan.msg = "User deleted";
                }
                (State::Absent, false) => {}
                (State::Present, false) => {
                    self.add(&account, maria, wanted.as_ref(), !known.is_empty(), &mut plan);
                }
                (State::Present, true) => self.change(host, &from, maria, wanted.as_ref(), &mut plan)?,
            }
        }
        Ok((!plan.statements.is_empty()).then_some(plan))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        let msg = if self.state == State::Absent { "User doesn't exist" } else { "User unchanged" };
        Ok(self.describe(Outcome::unchanged(), msg, false))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed(), plan.msg, plan.password))
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut statements = plan.statements.join(";\n") + ";\n";
        if !self.sql_log_bin {
            statements.insert_str(0, "SET SQL_LOG_BIN = 0;\n");
        }
        self.login.run(host, &statements)?;
        Ok(self.describe(Outcome::changed(), plan.msg, plan.password))
    }
}

impl Args {
    fn describe(&self, outcome: Outcome, msg: &str, password: bool) -> Outcome {
        outcome.with("user", self.name.as_str()).with("msg", msg).with("password_changed", password)
    }

    /// How the account proves who it is; none if nothing is said about it.
    fn identified(&self, maria: bool) -> Option<String> {
        if let Some(plugin) = &self.plugin {
            let plugin = quoted(plugin);
            return Some(match (&self.plugin_hash_string, &self.plugin_auth_string) {
                (Some(hash), _) => format!(" IDENTIFIED WITH {plugin} AS {}", text(hash.expose())),
                (None, Some(auth)) if maria => {
                    format!(" IDENTIFIED WITH {plugin} USING PASSWORD({})", text(auth.expose()))
                }
                (None, Some(auth)) => format!(" IDENTIFIED WITH {plugin} BY {}", text(auth.expose())),
                (None, None) => format!(" IDENTIFIED WITH {plugin}"),
            });
        }
        let password = text(self.password.as_ref()?.expose());
        Some(match (self.encrypted, maria) {
            (true, true) => format!(" IDENTIFIED BY PASSWORD {password}"),
            (true, false) => format!(" IDENTIFIED WITH mysql_native_password AS {password}"),
            (false, _) => format!(" IDENTIFIED BY {password}"),
        })
    }

    fn add(&self, account: &str, maria: bool, wanted: Option<&Grants>, name_is_known: bool, plan: &mut Plan) {
        let sets = self.update_password != Update::OnNewUsername || !name_is_known;
        let identified = self.identified(maria).filter(|_| sets).unwrap_or_default();
        plan.password = !identified.is_empty();
        let requires = self.tls_requires.as_ref().map(requires).unwrap_or_default();
        plan.statements.push(format!("CREATE USER {account}{identified}{requires}"));
        if let Some(wanted) = wanted.filter(|_| !self.subtract_privs) {
            plan.statements.extend(Grants::default().statements(wanted, Way::Add, account));
        }
        plan.msg = "User added";
    }

    fn change(
        &self,
        host: &dyn Look,
        from: &str,
        maria: bool,
        wanted: Option<&Grants>,
        plan: &mut Plan,
    ) -> Result<(), Fail> {
        let account = format!("{}@{}", text(&self.name), text(from));
        let now = self.account(host, from)?;
        let before = plan.statements.len();
        if self.update_password == Update::Always
            && self.identity_differs(host, &now)?
            && let Some(identified) = self.identified(maria)
        {
            plan.statements.push(format!("ALTER USER {account}{identified}"));
            (plan.password, plan.msg) = (true, "Password updated (new style)");
        }
        if let Some(tls) = self.tls_requires.as_ref().filter(|tls| tls_of(tls) != now.tls) {
            plan.statements.push(format!("ALTER USER {account}{}", requires(tls)));
            plan.msg = "TLS requires updated";
        }
        if let Some(wanted) = wanted {
            let lines = self.login.ask(host, &format!("SHOW GRANTS FOR {account};\n"))?;
            let current = Grants::shown(lines.iter().filter_map(|row| row.first()));
            let way = match (self.append_privs, self.subtract_privs) {
                (true, _) => Way::Add,
                (_, true) => Way::Remove,
                _ => Way::Exactly,
            };
            let changes = current.statements(wanted, way, &account);
            if !changes.is_empty() {
                let more = plan.statements.len() > before;
                plan.msg = if more { "User updated" } else { "Privileges updated" };
            }
            plan.statements.extend(changes);
        }
        Ok(())
    }

    fn account(&self, host: &dyn Look, from: &str) -> Result<Account, Fail> {
        let statement = format!(
            "SELECT plugin, authentication_string, ssl_type, x509_issuer, x509_subject, ssl_cipher FROM mysql.user \
             WHERE user = {} AND host = {};\n",
            text(&self.name),
            text(from)
        );
        let row = self.login.ask(host, &statement)?.into_iter().next().unwrap_or_default();
        let field = |at: usize| row.get(at).cloned().unwrap_or_default();
        Ok(Account { plugin: field(0), hash: field(1), tls: [field(2), field(3), field(4), field(5)] })
    }

    /// Whether the account would prove who it is in another way than wanted.
    fn identity_differs(&self, host: &dyn Look, now: &Account) -> Result<bool, Fail> {
        if let Some(plugin) = &self.plugin {
            let hash = self.plugin_hash_string.as_ref();
            return Ok(now.plugin != *plugin || hash.is_some_and(|hash| hash.expose() != now.hash));
        }
        let Some(password) = &self.password else { return Ok(false) };
        if self.encrypted {
            return Ok(!now.hash.eq_ignore_ascii_case(password.expose()));
        }
        if now.hash.len() == 41 && now.hash.starts_with('*') {
            return Ok(!now.hash.eq_ignore_ascii_case(&native(password.expose())?));
        }
        if now.hash.is_empty() && password.expose().is_empty() {
            return Ok(false);
        }
        Ok(self.login.as_user(&self.name, password).ask(host, "SELECT 1;\n").is_err())
    }
}

/// The hash that `mysql_native_password` keeps.
fn native(password: &str) -> Result<String, Fail> {
    let first = digest_of(password.as_bytes(), "sha1")?;
    let bytes: Vec<u8> = (0..first.len() / 2)
        .filter_map(|at| u8::from_str_radix(first.get(at * 2..at * 2 + 2)?, 16).ok())
        .collect();
    Ok(format!("*{}", digest_of(&bytes, "sha1")?.to_uppercase()))
}

fn requires(tls: &Requires) -> String {
    let part = |(kind, value): (&String, &Option<String>)| match value {
        Some(value) => format!("{} {}", kind.to_uppercase(), text(value)),
        None => kind.to_uppercase(),
    };
    let parts: Vec<String> = tls.iter().map(part).collect();
    if parts.is_empty() { " REQUIRE NONE".into() } else { format!(" REQUIRE {}", parts.join(" AND ")) }
}

/// Kind, issuer, subject and cipher as the server keeps them.
fn tls_of(tls: &Requires) -> [String; 4] {
    let value = |name: &str| {
        let mut found = tls.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.clone().unwrap_or_default())
    };
    let kind = if value("SSL").is_some() {
        "ANY"
    } else if value("X509").is_some() {
        "X509"
    } else if tls.is_empty() || value("NONE").is_some() {
        ""
    } else {
        "SPECIFIED"
    };
    let text = |name: &str| value(name).unwrap_or_default();
    [kind.into(), text("ISSUER"), text("SUBJECT"), text("CIPHER")]
}

#[cfg(test)]
mod tests;
