//! `docker_image_info`: what the engine knows of images.

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::{Engine, Kind};
use super::image::named;
use crate::modules::api::{Fail, Look, Module, Outcome, Support, Touch, Value};

/// Say what a Docker engine knows of images.
///
/// Images that are not there are left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Names or ids; without a tag `latest` is meant. Nothing named: all images.
    #[serde(default)]
    name: Vec<String>,
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
- name: What is there of the application?
  docker_image_info:
    name:
      - localhost:5000/app:1.0
      - localhost:5000/app:1.1
  register: app
";
    const RETURNS: &'static str = "
images: What `docker image inspect` says of each.
";
    type Plan = Plan;

    fn plan(&self, _host: &dyn Look) -> Result<Option<Plan>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let names = if self.name.is_empty() {
            let words = ["image", "ls", "--all", "--quiet", "--no-trunc"];
            let text = self.engine.text(host, words, "listing the images")?;
            let mut ids: Vec<String> = text.lines().map(str::to_owned).collect();
            ids.dedup();
            ids
        } else {
            self.name.iter().map(|name| named(name, "latest")).collect::<Result<Vec<_>, _>>()?
        };
        let images = self.engine.inspect_all(host, Kind::Image, &names)?;
        Ok(Outcome::unchanged().with("images", images.into_iter().map(Value::from).collect::<Value>()))
    }

    fn apply(&self, _plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn images_that_are_there_are_described() {
        let mut host = FakeHost::new()
            .answer("docker image inspect a:latest b:2", 1, "[{\"Id\": \"sha256:1\"}]")
            .answer("docker image ls --all --quiet --no-trunc", 0, "sha256:1\nsha256:1\n")
            .answer("docker image inspect sha256:1", 0, "[{\"Id\": \"sha256:1\"}]");
        for args in ["name: [a, 'b:2']", "{}"] {
            let outcome = host.play::<Args>(args).unwrap();
            assert_eq!(outcome.fields["images"].to_string(), "[{'Id': 'sha256:1'}]");
            assert!(!outcome.changed);
        }
    }
}
