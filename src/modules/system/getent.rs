//! `getent`: entries of the host's databases (passwd, group, hosts …), as facts.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Fail, Look, Map, Module, Outcome, Str, Support, Touch, Value};

/// Look something up with `getent` and put it into the fact `getent_DATABASE`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The database: `passwd`, `group`, `hosts`, `services` …
    database: String,
    /// What to look up; without it all entries are returned, if the database allows that.
    #[serde(default)]
    key: Option<String>,
    /// What separates the fields; by default what is usual for the database.
    #[serde(default)]
    split: Option<String>,
    /// Whether a key that is not there is a failure. If not, its value is null.
    #[serde(default = "yes")]
    fail_key: bool,
    /// The source to ask (`files`, `ldap` …), as `getent -s` takes it.
    #[serde(default)]
    service: Option<String>,
}

fn yes() -> bool {
    true
}

const MISSING: &str = "One or more supplied key could not be found in the database.";

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: Where is the home of root?
  getent:
    database: passwd
    key: root

- name: All groups
  getent:
    database: group
";
    const RETURNS: &'static str = "ansible_facts: getent_DATABASE, a mapping from the first field of each entry to a list of its others.";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        if self.database.starts_with('-') || self.key.as_ref().is_some_and(|key| key.starts_with('-')) {
            return Err(Fail::new("database and key must not begin with a dash"));
        }
        let mut cmd = Cmd::new(["getent"]);
        if let Some(service) = &self.service {
            cmd = cmd.args(["-s", service]);
        }
        let ran = host.query(&cmd.arg(&self.database).args(self.key.iter()))?;
        let mut entries = Map::new();
        let mut outcome = Outcome::unchanged();
        match ran.rc {
            0 => entries = self.entries(&ran.out()),
            1 => return Err(Fail::new("Missing arguments, or database unknown.")),
            2 if self.fail_key => return Err(Fail::new(MISSING)),
            2 => {
                entries.insert(Str::from(self.key.as_deref().unwrap_or_default()), Value::Null);
                outcome = outcome.with("msg", MISSING);
            }
            3 => return Err(Fail::new("Enumeration not supported on this database.")),
            _ => {
                ran.success("getent")?;
            }
        }
        outcome.facts.insert(Str::from(format!("getent_{}", self.database)), entries.into());
        Ok(outcome)
    }

    fn apply(&self, (): (), host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}

impl Args {
    fn entries(&self, text: &str) -> Map {
        let usual = ["passwd", "shadow", "group", "gshadow"].contains(&self.database.as_str()).then_some(":");
        let split = self.split.as_deref().filter(|it| !it.is_empty()).or(usual);
        let mut entries = Map::new();
        for line in text.lines() {
            let fields: Vec<&str> = match split {
                Some(split) => line.split(split).collect(),
                None => line.split_whitespace().collect(),
            };
            let Some((key, rest)) = fields.split_first() else { continue };
            // A key that comes again (a host with several addresses) keeps all its entries.
            let value = match entries.get(*key) {
                Some(Value::List(before)) if self.database != "passwd" && self.database != "group" => {
                    let nested = before.first().is_some_and(|it| it.as_list().is_some());
                    let before = if nested {
                        before.to_vec()
                    } else {
                        vec![Value::List(std::sync::Arc::clone(before))]
                    };
                    Value::list([before, vec![rest.to_vec().into()]].concat())
                }
                _ => rest.to_vec().into(),
            };
            entries.insert(Str::from(*key), value);
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::{Args, MISSING};
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn entries_become_lists_of_fields() {
        for (args, line, text, expected) in [
            (
                "{database: passwd, key: root}",
                "getent passwd root",
                "root:x:0:0:root:/root:/bin/bash\n",
                "{'root': ['x', '0', '0', 'root', '/root', '/bin/bash']}",
            ),
            (
                "{database: services, key: http}",
                "getent services http",
                "http    80/tcp www\n",
                "{'http': ['80/tcp', 'www']}",
            ),
            ("{database: hosts, split: ' '}", "getent hosts", "::1 a\n", "{'::1': ['a']}"),
            (
                "{database: hosts, service: files}",
                "getent -s files hosts",
                "::1 a\n::1 b c\n",
                "{'::1': [['a'], ['b', 'c']]}",
            ),
        ] {
            let outcome = FakeHost::new().answer(line, 0, text).play::<Args>(args).unwrap();
            assert_eq!(outcome.facts.values().next().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn a_key_that_is_not_there_fails_or_is_null() {
        let host = || FakeHost::new().answer("getent passwd nosuch", 2, "");
        assert_eq!(host().play::<Args>("{database: passwd, key: nosuch}").unwrap_err().msg, MISSING);
        let outcome = host().play::<Args>("{database: passwd, key: nosuch, fail_key: false}").unwrap();
        assert_eq!(outcome.facts["getent_passwd"].to_string(), "{'nosuch': None}");
        assert!(host().play::<Args>("{database: passwd, key: -x}").is_err());
    }
}
