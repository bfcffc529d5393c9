//! `docker_host_info`: what an engine says of itself, and what it has.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::engine::{Engine, Kind, json};
use super::filters::words;
use super::pairs::Pairs;
use crate::modules::api::{Fail, Look, Module, Outcome, Support, Touch, Value};

/// Say what a Docker engine says of itself, and list what it has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// List containers that run.
    #[serde(default)]
    containers: bool,
    /// Those that do not run, too.
    #[serde(default)]
    containers_all: bool,
    /// Only those that fit: `label`, `status`, `name` …
    #[serde(default)]
    containers_filters: Pairs,
    /// List images.
    #[serde(default)]
    images: bool,
    /// Only those that fit: `dangling`, `label`, `reference` …
    #[serde(default)]
    images_filters: Pairs,
    /// List networks.
    #[serde(default)]
    networks: bool,
    /// Only those that fit: `driver`, `label`, `name` …
    #[serde(default)]
    networks_filters: Pairs,
    /// List volumes.
    #[serde(default)]
    volumes: bool,
    /// Only those that fit: `dangling`, `driver`, `label`, `name`.
    #[serde(default)]
    volumes_filters: Pairs,
    /// Say how much space is used by what.
    #[serde(default)]
    disk_usage: bool,
    /// List all that the engine knows of each thing.
    #[serde(default)]
    verbose_output: bool,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// Nothing ever changes.
#[derive(Debug)]
pub struct Plan;

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: Which engine is this?
  docker_host_info:
  register: engine

- name: What runs?
  docker_host_info:
    containers: true
    containers_filters:
      label: app
";
    const RETURNS: &'static str = "
can_talk_to_docker: Whether the engine answered.
host_info: What `docker info` says.
containers: The containers, if asked for.
images: The images, if asked for.
networks: The networks, if asked for.
volumes: The volumes, if asked for.
disk_usage: What `docker system df` says, if asked for.
";
    type Plan = Plan;

    fn plan(&self, _host: &dyn Look) -> Result<Option<Plan>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let fail = |fail: Fail| fail.with("can_talk_to_docker", false);
        let ran = self.engine.ask(host, ["info", "--format", "{{json .}}"]).map_err(fail)?;
        let ran = ran.success("asking the engine").map_err(fail)?;
        let info = json(&ran.stdout)?;
        // The client answers with what it knows of itself when there is no engine.
        if let Some(error) = info["ServerErrors"].as_array().and_then(|all| all.first()) {
            let error = error.as_str().unwrap_or_default();
            return Err(fail(Fail::new(format!("the Docker engine can't be reached: {error}"))));
        }
        let mut outcome =
            Outcome::unchanged().with("can_talk_to_docker", true).with("host_info", Value::from(info));
        for (wanted, field, kind, filters) in [
            (self.containers, "containers", Kind::Container, &self.containers_filters),
            (self.images, "images", Kind::Image, &self.images_filters),
            (self.networks, "networks", Kind::Network, &self.networks_filters),
            (self.volumes, "volumes", Kind::Volume, &self.volumes_filters),
        ] {
            if wanted {
                let list = self.list(host, kind, filters)?;
                outcome = outcome.with(field, list.into_iter().map(Value::from).collect::<Value>());
            }
        }
        if self.disk_usage {
            let line = ["system", "df", "--format", "{{json .}}"];
            let usage = self.engine.list(host, line, "asking for the space used")?;
            outcome = outcome.with("disk_usage", usage.into_iter().map(Value::from).collect::<Value>());
        }
        Ok(outcome)
    }

    fn apply(&self, _plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}

impl Args {
    fn list(&self, host: &dyn Look, kind: Kind, filters: &Pairs) -> Result<Vec<Json>, Fail> {
        let mut line = [kind.word(), "ls"].map(str::to_owned).to_vec();
        if kind != Kind::Volume {
            line.push("--no-trunc".into());
        }
        if kind == Kind::Container && self.containers_all {
            line.push("--all".into());
        }
        line.extend(words(filters)?);
        let what = format!("listing the {}s", kind.word());
        if !self.verbose_output {
            line.extend(["--format", "{{json .}}"].map(str::to_owned));
            return self.engine.list(host, line, &what);
        }
        line.push("--quiet".into());
        let text = self.engine.text(host, line, &what)?;
        let names: Vec<String> = text.lines().map(str::to_owned).collect();
        self.engine.inspect_all(host, kind, &names)
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn what_is_asked_for_is_listed() {
        let mut host = FakeHost::new()
            .answer("docker info", 0, r#"{"ServerVersion": "28"}"#)
            .answer(
                "docker container ls --no-trunc --all --filter label=a --format {{json .}}",
                0,
                "{\"ID\": \"1\"}\n{\"ID\": \"2\"}\n",
            )
            .answer("docker volume ls --quiet", 0, "v\n")
            .answer("docker volume inspect v", 0, r#"[{"Name": "v"}]"#)
            .answer("docker system df", 0, "{\"Type\": \"Images\"}\n");
        let outcome = host
            .play::<Args>(
                "{containers: true, containers_all: true, containers_filters: {label: a}, disk_usage: true}",
            )
            .unwrap();
        assert_eq!(outcome.fields["host_info"].to_string(), "{'ServerVersion': '28'}");
        assert_eq!(outcome.fields["containers"].to_string(), "[{'ID': '1'}, {'ID': '2'}]");
        assert_eq!(outcome.fields["disk_usage"].to_string(), "[{'Type': 'Images'}]");
        let outcome = host.play::<Args>("{volumes: true, verbose_output: true}").unwrap();
        assert_eq!(outcome.fields["volumes"].to_string(), "[{'Name': 'v'}]");
    }

    #[test]
    fn an_engine_that_is_away_is_a_failure_that_says_so() {
        let ran =
            Ran { rc: 1, stderr: b"Cannot connect to the Docker daemon at x".to_vec(), ..Ran::default() };
        let fail = FakeHost::new().answer_with("docker info", ran, None).play::<Args>("{}").unwrap_err();
        assert_eq!(fail.fields["can_talk_to_docker"].as_bool(), Some(false));
        let errors = r#"{"ServerErrors": ["Cannot connect"]}"#;
        assert!(FakeHost::new().answer("docker info", 0, errors).play::<Args>("{}").is_err());
    }
}
