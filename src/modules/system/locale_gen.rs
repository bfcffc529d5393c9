//! `locale_gen`: the locales that are made on Debian, Ubuntu and Arch.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Cmd, Diff, Edit, Fail, FileAttributes, Look, Module, Outcome, Touch, Value, to_bytes, to_text,
};
use crate::modules::programs::program;

/// Make locales, or no longer make them.
///
/// Works with `/etc/locale.gen` and `locale-gen`, which the package locales brings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Locales, as `de_DE.UTF-8`.
    name: Vec<String>,
    /// Whether they are there.
    #[serde(default)]
    state: State,
}

/// Whether locales are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// They are.
    #[default]
    Present,
    /// They are not.
    Absent,
}

const FILE: &str = "/etc/locale.gen";
const SUPPORTED: &str = "/usr/share/i18n/SUPPORTED";

/// What must change.
#[derive(Debug)]
pub struct Plan {
    /// The locales that are there and must not be, or the other way round.
    names: Vec<String>,
    /// None: there is no file, so nothing is ready yet.
    edit: Option<Edit>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: German and English
  locale_gen:
    name:
      - de_DE.UTF-8
      - en_US.UTF-8
";
    const RETURNS: &'static str = "
name: The locales.
mechanism: How they are made, `glibc`.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
        if let Some(name) = self.name.iter().find(|name| name.is_empty() || !name.chars().all(fits)) {
            return Err(Fail::new(format!("{name:?} is no name of a locale")));
        }
        let ran = host.query(&Cmd::new(["locale", "-a"]))?.success("listing the locales")?;
        let out = ran.out();
        let there: Vec<String> = out.lines().map(normal).collect();
        let present = self.state == State::Present;
        let differs = |name: &&String| there.contains(&normal(name)) != present;
        let names: Vec<String> = self.name.iter().filter(differs).cloned().collect();
        if names.is_empty() {
            return Ok(None);
        }
        let edit = match host.read(Path::new(FILE))? {
            None => None,
            Some(before) => {
                let after = self.listed(host, &to_text(&before), &names)?;
                let path = Path::new(FILE);
                Some(Edit::plan(host, path, Some(before), to_bytes(&after), &FileAttributes::default())?)
            }
        };
        Ok(Some(Plan { names, edit }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged()))
    }

    fn predicted(&self, _plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let sign = if self.state == State::Present { '+' } else { '-' };
        let lines = plan.names.iter().map(|name| format!("{sign} {name}\n")).collect();
        vec![Diff { prepared: Some(lines), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let Some(edit) = plan.edit else {
            return Err(Fail::new(format!("there is no {FILE} on the host: install locales")));
        };
        let cmd = program(host.as_look(), "locale-gen", "locales")?;
        edit.apply(host, &FileAttributes::default(), false, None)?;
        host.run(&cmd)?.success("making the locales")?;
        Ok(self.describe(Outcome::changed()))
    }
}

/// A name as `locale -a` prints it: `en_US.utf8` for `en_US.UTF-8`.
fn normal(name: &str) -> String {
    let (rest, modifier) =
        name.trim().split_once('@').map_or((name.trim(), None), |(rest, it)| (rest, Some(it)));
    let (language, charset) =
        rest.split_once('.').map_or((rest, None), |(language, it)| (language, Some(it)));
    let charset = charset.map(|it| format!(".{}", it.to_lowercase().replace('-', ""))).unwrap_or_default();
    let modifier = modifier.map(|it| format!("@{it}")).unwrap_or_default();
    format!("{language}{charset}{modifier}")
}

/// The locale of a line of `/etc/locale.gen`, and whether it is made.
fn locale_of(line: &str) -> Option<(&str, bool)> {
    let text = line.trim();
    let bare = text.strip_prefix('#').map_or(text, str::trim_start);
    let mut words = bare.split_whitespace();
    // A name and a charset; a sentence has more.
    let (name, _charset) = (words.next()?, words.next()?);
    words.next().is_none().then_some((name, !text.starts_with('#')))
}

impl Args {
    fn describe(&self, outcome: Outcome) -> Outcome {
        let names: Value = self.name.iter().map(|name| Value::from(name.as_str())).collect();
        outcome.with("name", names).with("mechanism", "glibc")
    }

    /// The text of `/etc/locale.gen` with these names in it, or without.
    fn listed(&self, host: &dyn Look, text: &str, names: &[String]) -> Result<String, Fail> {
        let mut out = String::with_capacity(text.len());
        let mut found = vec![false; names.len()];
        for line in text.split_inclusive('\n') {
            let own = locale_of(line).and_then(|(name, made)| {
                Some((names.iter().position(|it| normal(it) == normal(name))?, made))
            });
            match (own, self.state) {
                (Some((at, made)), State::Present) => {
                    // The same name may stand there with several charsets: the first is its usual one.
                    let new = !made && !found[at];
                    found[at] = true;
                    let bare = line.trim_start_matches(['#', ' ', '\t']);
                    out.push_str(if new { bare } else { line });
                }
                (Some((_, true)), State::Absent) => out.push_str(&format!("# {line}")),
                _ => out.push_str(line),
            }
        }
        if self.state == State::Absent {
            return Ok(out);
        }
        let supported = host.read(Path::new(SUPPORTED))?.unwrap_or_default();
        let supported = String::from_utf8_lossy(&supported).into_owned();
        for (name, _) in names.iter().zip(found).filter(|(_, found)| !found) {
            let line = supported
                .lines()
                .find(|line| locale_of(line).is_some_and(|(it, _)| normal(it) == normal(name)));
            let line =
                line.ok_or_else(|| Fail::new(format!("the host knows no locale {name}: see {SUPPORTED}")))?;
            if !out.is_empty() && !out.ends_with('\n') {
                out.push('\n');
            }
            out.push_str(&format!("{}\n", line.trim()));
        }
        Ok(out)
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    const LIST: &str = "# This file lists locales that you wish\n\n# de_DE ISO-8859-1\n# de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n";

    /// A host whose `locale -a` prints `after` once `locale-gen` was run.
    fn host(after: &'static str) -> FakeHost {
        FakeHost::new()
            .file(FILE, LIST)
            .file(SUPPORTED, "de_DE.UTF-8 UTF-8\nfr_FR.UTF-8 UTF-8\n")
            .answer("locale -a", 0, "C\nC.utf8\nen_US.utf8\nPOSIX\n")
            .answer_with(
                "locale-gen",
                Ran::default(),
                Some(Box::new(move |host| *host = std::mem::take(host).answer("locale -a", 0, after))),
            )
    }

    #[test]
    fn locales_are_made_and_no_longer_made() {
        for (args, locales, list) in [
            ("name: de_DE.UTF-8", "de_DE.utf8\nen_US.utf8\n", LIST.replace("# de_DE.UTF", "de_DE.UTF")),
            ("name: [de_DE, en_US.UTF-8]", "de_DE\nen_US.utf8\n", LIST.replace("# de_DE ISO", "de_DE ISO")),
            ("name: fr_FR.UTF-8", "fr_FR.utf8\n", format!("{LIST}fr_FR.UTF-8 UTF-8\n")),
            ("{name: en_US.UTF-8, state: absent}", "C\n", LIST.replace("en_US", "# en_US")),
        ] {
            let mut host = host(locales);
            host.converge::<Args>(args);
            assert_eq!((host.text(FILE), host.ran.join(";").as_str()), (list, "locale-gen"), "{args}");
        }
        for args in ["name: en_US.UTF-8", "name: C.UTF-8", "{name: de_DE.UTF-8, state: absent}"] {
            assert!(!host("").play::<Args>(args).unwrap().changed, "{args}");
        }
    }

    #[test]
    fn what_can_not_be_made_is_said() {
        assert!(host("").play::<Args>("name: xx_YY.UTF-8").unwrap_err().msg.contains("knows no locale"));
        assert!(host("").play::<Args>("name: 'a b'").is_err());
        let mut bare = FakeHost::new().answer("locale -a", 0, "C\n");
        assert!(bare.check::<Args>("name: de_DE.UTF-8").unwrap().changed);
        assert!(bare.play::<Args>("name: de_DE.UTF-8").unwrap_err().msg.contains("install locales"));
    }

    #[test]
    fn names_are_compared_as_the_system_writes_them() {
        for (name, same) in [
            ("en_US.UTF-8", "en_US.utf8"),
            ("de_DE@euro", "de_DE@euro"),
            ("ca_ES.UTF-8@valencia", "ca_ES.utf8@valencia"),
        ] {
            assert_eq!(normal(name), same);
        }
    }
}
