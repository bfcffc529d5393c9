//! `docker_volume_info`: what the engine knows of a volume.

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::{Engine, Kind};
use crate::modules::api::{Fail, Look, Module, Outcome, Support, Touch};

/// Say what a Docker engine knows of a volume.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The volume's name.
    #[serde(alias = "volume_name")]
    #[schemars(extend("x-aliases" = ["volume_name"]))]
    name: String,
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
- name: Is it there?
  docker_volume_info:
    name: backend
  register: backend
";
    const RETURNS: &'static str = "
exists: Whether there is such a volume.
volume: What `docker inspect` says of it.
";
    type Plan = Plan;

    fn plan(&self, _host: &dyn Look) -> Result<Option<Plan>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.engine.describe(host, Kind::Volume, &self.name)
    }

    fn apply(&self, _plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn a_volume_is_described_if_it_is_there() {
        let absent = Ran { rc: 1, stderr: b"No such volume: b".to_vec(), ..Ran::default() };
        let mut host = FakeHost::new().answer("docker volume inspect a", 0, r#"[{"Id": "1"}]"#).answer_with(
            "docker volume inspect b",
            absent,
            None,
        );
        let outcome = host.play::<Args>("name: a").unwrap();
        assert_eq!(outcome.fields["volume"].to_string(), "{'Id': '1'}");
        let outcome = host.play::<Args>("name: b").unwrap();
        assert_eq!(
            (outcome.fields["exists"].as_bool(), outcome.fields["volume"].truthy()),
            (Some(false), false)
        );
    }
}
