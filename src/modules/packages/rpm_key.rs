//! `rpm_key`: the keys that rpm trusts.

use std::io::Read;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Diff, Fail, Look, Module, Outcome, Touch, Write, expand};
use crate::modules::http::{Call, without_password};
use crate::modules::openpgp::{Key, keys, plain_id};

/// Add and remove keys that rpm trusts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The key: a URL, a file of the host, or, to remove it, its id.
    key: String,
    /// Whether the key is there.
    #[serde(default)]
    state: State,
    /// The fingerprints that the key may have; any other is refused.
    #[serde(default)]
    fingerprint: Vec<String>,
    /// Check the certificate of the URL's server.
    #[serde(default = "yes")]
    validate_certs: bool,
}

/// Whether a key is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

fn yes() -> bool {
    true
}

/// What must change.
#[derive(Debug, PartialEq, Eq)]
pub enum Plan {
    /// Keys are to be imported: the file's contents and the ids.
    Import(Vec<u8>, Vec<String>),
    /// The packages that stand for keys are to be removed.
    Erase(Vec<String>),
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Trust the key of EPEL
  rpm_key:
    key: https://dl.fedoraproject.org/pub/epel/RPM-GPG-KEY-EPEL-9

- name: No longer trust a key
  rpm_key:
    key: DEADB33F
    state: absent
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let there = installed(host)?;
        let id = plain_id(&self.key);
        let is_id = id.len() >= 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id {
            let known: Vec<_> = there.into_iter().filter(|it| fits(it, &id)).collect();
            return match self.state {
                State::Present if known.is_empty() => Err(Fail::new(format!(
                    "When importing a key, a valid file must be given: {} is only an id",
                    self.key
                ))),
                State::Absent if !known.is_empty() => Ok(Some(Plan::Erase(known))),
                _ => Ok(None),
            };
        }
        let data = self.data(host)?;
        let found = keys(&data);
        if found.is_empty() {
            return Err(Fail::new(format!("Not a valid key {}", without_password(&self.key))));
        }
        if self.state == State::Absent {
            let known: Vec<_> =
                there.into_iter().filter(|it| found.iter().any(|key| fits(it, &key.fingerprint))).collect();
            return Ok((!known.is_empty()).then_some(Plan::Erase(known)));
        }
        self.check(&found)?;
        let missing = found.iter().filter(|key| !there.iter().any(|it| fits(it, &key.fingerprint)));
        let missing: Vec<_> = missing.map(|key| key.fingerprint.clone()).collect();
        Ok((!missing.is_empty()).then_some(Plan::Import(data, missing)))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let (sign, ids) = match plan {
            Plan::Import(_, ids) => ('+', ids),
            Plan::Erase(ids) => ('-', ids),
        };
        let lines: String = ids.iter().map(|it| format!("{sign} {it}\n")).collect();
        vec![Diff { prepared: Some(lines), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        match plan {
            Plan::Import(data, _) => {
                let path = host.temp_dir()?.join("key");
                host.write(&path, &data, &Write { mode: Some(0o600), ..Write::default() })?;
                host.run(&Cmd::new(["rpm", "--import"]).arg(&path))?.success("importing the key")?;
            }
            Plan::Erase(packages) => {
                for package in packages {
                    let cmd = Cmd::new(["rpm", "--erase", "--allmatches", &package]);
                    host.run(&cmd)?.success("removing the key")?;
                }
            }
        }
        Ok(Outcome::changed())
    }
}

impl Args {
    fn data(&self, host: &dyn Look) -> Result<Vec<u8>, Fail> {
        if !self.key.contains("://") {
            let path = expand(&self.key, host);
            let contents = host.read(path.as_ref())?;
            return contents
                .ok_or_else(|| Fail::new(format!("Not a valid key {path}: there is no such file")));
        }
        let mut answer = Call { verify: self.validate_certs, ..Call::get(&self.key) }.send(host)?;
        let shown = without_password(&self.key);
        if !answer.ok() {
            return Err(Fail::new(format!("failed to fetch key at {shown}: HTTP Error {}", answer.error())));
        }
        let mut data = Vec::new();
        // No key file is larger.
        let read = answer.body.by_ref().take(4 << 20).read_to_end(&mut data);
        read.map_err(|error| Fail::new(format!("failed to fetch key at {shown}: {error}")))?;
        Ok(data)
    }

    fn check(&self, found: &[Key]) -> Result<(), Fail> {
        let allowed: Vec<_> = self.fingerprint.iter().map(|it| plain_id(it)).collect();
        let stranger = found.iter().find(|key| !allowed.is_empty() && !allowed.contains(&key.fingerprint));
        match stranger {
            Some(key) => Err(Fail::new(format!(
                "The specified fingerprint, '{}', does not match the key fingerprint '{}'",
                allowed.join(", "),
                key.fingerprint
            ))),
            None => Ok(()),
        }
    }
}

/// The packages that stand for keys: `gpg-pubkey-3228467c-613798eb`.
fn installed(host: &dyn Look) -> Result<Vec<String>, Fail> {
    let ran = host.query(&Cmd::new(["rpm", "-q", "gpg-pubkey"]).env("LC_ALL", "C"))?;
    // 1: there are none.
    let text = if ran.ok() { ran.out() } else { String::new() };
    Ok(text.lines().filter(|line| line.starts_with("gpg-pubkey-")).map(str::to_owned).collect())
}

/// Whether such a package stands for a key of this id: its version is the id's last eight digits, or all of them.
fn fits(package: &str, id: &str) -> bool {
    let version =
        package.trim_start_matches("gpg-pubkey-").split('-').next().unwrap_or_default().to_uppercase();
    !version.is_empty() && (id.ends_with(&version) || version.ends_with(id))
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;
    use crate::modules::openpgp::tests::{ARMORED, FINGERPRINT};

    fn host(installed: &str) -> FakeHost {
        FakeHost::new()
            .file("/srv/key", ARMORED)
            .answer("rpm -q gpg-pubkey", i32::from(installed.is_empty()), installed)
            .answer("rpm --import", 0, "")
            .answer("rpm --erase", 0, "")
    }

    fn package() -> String {
        format!("gpg-pubkey-{}-613798eb", FINGERPRINT[32..].to_lowercase())
    }

    #[test]
    fn a_key_is_imported_unless_it_is_there() {
        for (args, installed, line) in [
            ("key: /srv/key", String::new(), Some("rpm --import /tmp/regatta-1/key".to_owned())),
            ("key: /srv/key", package(), None),
            ("key: 'file:///srv/key'", package(), None),
            (
                "{key: /srv/key, state: absent}",
                package(),
                Some(format!("rpm --erase --allmatches {}", package())),
            ),
            ("{key: /srv/key, state: absent}", "gpg-pubkey-00000000-1\n".to_owned(), None),
            ("{key: DEADB33F, state: absent}", package(), None),
        ] {
            let mut host = host(&installed);
            assert_eq!(host.check::<Args>(args).unwrap().changed, line.is_some(), "{args}");
            host.play::<Args>(args).unwrap();
            assert_eq!(host.ran.first(), line.as_ref(), "{args}");
        }
        let args = format!("{{key: '{}', state: absent}}", &FINGERPRINT[32..]);
        assert!(host(&package()).play::<Args>(&args).unwrap().changed);
    }

    #[test]
    fn a_key_of_another_fingerprint_is_refused() {
        let good = format!("{{key: /srv/key, fingerprint: '{FINGERPRINT}'}}");
        assert!(host("").play::<Args>(&good).unwrap().changed);
        assert!(host("").play::<Args>("{key: /srv/key, fingerprint: ABCD}").is_err());
        assert!(host("").play::<Args>("key: DEADB33F").is_err());
        assert!(host("").file("/srv/x", "no key").play::<Args>("key: /srv/x").is_err());
    }
}
