//! `docker_volume`: a volume with a name.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::engine::{Engine, Kind, plain_name};
use super::pairs::Pairs;
use crate::modules::api::{Diff, Fail, Look, Map, Module, Outcome, Touch, Value};

/// Manage a volume of a Docker engine.
///
/// A volume can't be changed while it is there: where it differs, `recreate` says what happens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The volume's name.
    #[serde(alias = "name")]
    #[schemars(extend("x-aliases" = ["name"]))]
    volume_name: String,
    /// Its driver.
    #[serde(default = "local")]
    driver: String,
    /// Options of the driver.
    #[serde(default)]
    driver_options: Pairs,
    /// Labels.
    #[serde(default)]
    labels: Option<Pairs>,
    /// When a volume that is there is removed, with all that is in it, and made anew.
    #[serde(default)]
    recreate: Recreate,
    /// Whether it is there.
    #[serde(default)]
    state: State,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// When a volume is made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Recreate {
    /// Each time.
    Always,
    /// Never.
    #[default]
    Never,
    /// When its driver, options or labels differ.
    OptionsChanged,
}

/// Whether a volume is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

fn local() -> String {
    "local".into()
}

/// What must be done.
#[derive(Debug)]
pub struct Plan {
    remove: bool,
    create: bool,
    /// What differs: name, before, after.
    differences: Vec<(String, String, String)>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: A place for the database
  docker_volume:
    name: database
    labels:
      backup: daily

- name: A share of another host
  docker_volume:
    name: media
    driver_options:
      type: nfs
      o: addr=192.0.2.1,rw
      device: :/media

- name: No longer
  docker_volume:
    name: cache
    state: absent
";
    const RETURNS: &'static str = "
volume: What `docker volume inspect` says of it.
actions: What was done, in words.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        plain_name(Kind::Volume, &self.volume_name)?;
        let now = self.engine.inspect(host, Kind::Volume, &self.volume_name)?;
        let exists =
            |before: bool, after: bool| vec![("exists".into(), before.to_string(), after.to_string())];
        Ok(match (self.state, now) {
            (State::Absent, None) => None,
            (State::Absent, Some(_)) => {
                Some(Plan { remove: true, create: false, differences: exists(true, false) })
            }
            (State::Present, None) => {
                Some(Plan { remove: false, create: true, differences: exists(false, true) })
            }
            (State::Present, Some(now)) => {
                let differences = self.differences(&now)?;
                let anew = match self.recreate {
                    Recreate::Always => true,
                    Recreate::Never => false,
                    Recreate::OptionsChanged => !differences.is_empty(),
                };
                anew.then_some(Plan { remove: true, create: true, differences })
            }
        })
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let now = self.engine.inspect(host, Kind::Volume, &self.volume_name)?;
        let mut outcome = self.describe(Outcome::unchanged(), now.as_ref(), None);
        if let Some(now) = now.filter(|_| self.state == State::Present) {
            for (name, before, after) in self.differences(&now)? {
                outcome = outcome.warn(format!(
                    "the volume {} has {name} {before:?}, not {after:?}; it is left so: see `recreate`",
                    self.volume_name
                ));
            }
        }
        Ok(outcome)
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed(), None, Some(plan)))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let side = |pick: fn(&(String, String, String)) -> &String| -> Value {
            plan.differences.iter().map(|it| format!("{}: {}\n", it.0, pick(it))).collect::<String>().into()
        };
        vec![Diff { before: side(|it| &it.1), after: side(|it| &it.2), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let name = &self.volume_name;
        if plan.remove {
            self.engine.tell(host, ["volume", "rm", name], &format!("removing the volume {name}"))?;
        }
        if plan.create {
            let mut words = ["volume", "create", "--driver", &self.driver].map(str::to_owned).to_vec();
            for (option, pairs) in [("--opt", Some(&self.driver_options)), ("--label", self.labels.as_ref())]
            {
                for (key, value) in pairs.map(|it| it.texts(option)).transpose()?.unwrap_or_default() {
                    words.extend([option.to_owned(), format!("{key}={value}")]);
                }
            }
            words.push(name.clone());
            self.engine.tell(host, words, &format!("making the volume {name}"))?;
        }
        let now = self.engine.inspect(host.as_look(), Kind::Volume, name)?;
        Ok(self.describe(Outcome::changed(), now.as_ref(), Some(&plan)))
    }
}

impl Args {
    fn differences(&self, now: &Json) -> Result<Vec<(String, String, String)>, Fail> {
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let mut all = Vec::new();
        if now["Driver"] != self.driver.as_str() {
            all.push(("driver".to_owned(), text(&now["Driver"]), self.driver.clone()));
        }
        for (name, at, wanted) in [
            ("driver_options", "Options", Some(&self.driver_options)),
            ("labels", "Labels", self.labels.as_ref()),
        ] {
            for (key, value) in wanted.map(|it| it.texts(name)).transpose()?.unwrap_or_default() {
                if now[at][&key] != value.as_str() {
                    all.push((format!("{name}.{key}"), text(&now[at][&key]), value));
                }
            }
        }
        Ok(all)
    }

    fn describe(&self, outcome: Outcome, now: Option<&Json>, plan: Option<&Plan>) -> Outcome {
        let name = &self.volume_name;
        let mut actions = Vec::new();
        if plan.is_some_and(|plan| plan.remove) {
            actions.push(format!("Removed volume {name}"));
        }
        if plan.is_some_and(|plan| plan.create) {
            actions.push(format!("Created volume {name} with driver {}", self.driver));
        }
        let now = now.map_or_else(|| Value::map(Map::new()), |json| Value::from(json.clone()));
        outcome.with("volume", now).with("actions", actions)
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    const VOLUME: &str =
        r#"[{"Name": "v", "Driver": "local", "Options": {"type": "nfs"}, "Labels": {"a": "b"}}]"#;

    fn absent() -> Ran {
        Ran { rc: 1, stderr: b"Error: No such volume: v".to_vec(), ..Ran::default() }
    }

    #[test]
    fn a_volume_comes_and_goes_once() {
        let mut host = FakeHost::new()
            .answer_with("docker volume inspect v", absent(), None)
            .answer_with("docker volume inspect v", absent(), None)
            .answer("docker volume inspect v", 0, VOLUME)
            .answer("docker volume create", 0, "v");
        host.converge::<Args>("{name: v, driver_options: {type: nfs}, labels: {a: b}}");
        assert_eq!(host.ran, ["docker volume create --driver local --opt type=nfs --label a=b v"]);
        let mut host = FakeHost::new()
            .answer("docker volume inspect v", 0, VOLUME)
            .answer("docker volume inspect v", 0, VOLUME)
            .answer_with("docker volume inspect v", absent(), None)
            .answer("docker volume rm v", 0, "v");
        host.converge::<Args>("{volume_name: v, state: absent}");
    }

    #[test]
    fn what_differs_is_made_anew_only_if_asked_for() {
        let there = || FakeHost::new().answer("docker volume inspect v", 0, VOLUME);
        let args = "name: v, labels: {a: c}";
        let outcome = there().play::<Args>(&format!("{{{args}}}")).unwrap();
        assert!(!outcome.changed && outcome.warnings[0].contains("labels.a \"b\", not \"c\""));
        let outcome = there().check::<Args>(&format!("{{{args}, recreate: options-changed}}")).unwrap();
        assert_eq!(outcome.diff[0].after.as_str(), Some("labels.a: c\n"));
        assert!(!there().check::<Args>("{name: v, recreate: options-changed}").unwrap().changed);
        assert!(there().check::<Args>("{name: v, recreate: always}").unwrap().changed);
    }
}
