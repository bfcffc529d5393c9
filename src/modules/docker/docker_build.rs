//! `docker_build`: `docker_image_build` under the name and with the arguments that articles on containers use.

use schemars::JsonSchema;
use serde::Deserialize;

use super::build::Recipe;
use super::engine::Engine;
use super::image::{Image, UNKNOWN, find, name_diff};
use super::pairs::Pairs;
use super::reference::Reference;
use crate::modules::api::{Diff, Fail, HostPath, Look, Map, Module, Outcome, Touch, Value};

/// Build an image from a Dockerfile when its context, Dockerfile or arguments changed.
///
/// The short form of `docker_image` with `source: build`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The image's name, with a tag if `tag` is not given.
    #[serde(alias = "image", alias = "repository")]
    #[schemars(extend("x-aliases" = ["image", "repository"]))]
    name: String,
    /// The tag.
    #[serde(default = "latest")]
    tag: String,
    /// The folder of the host that is built from.
    #[serde(alias = "path")]
    #[schemars(extend("x-aliases" = ["path"]))]
    context: HostPath,
    /// The Dockerfile, from the context's folder; `Dockerfile` by default.
    #[serde(default)]
    dockerfile: Option<String>,
    /// Build arguments.
    #[serde(default, alias = "build_args", alias = "args")]
    #[schemars(extend("x-aliases" = ["build_args", "args"]))]
    build_arg: Pairs,
    /// More build arguments: variables that the steps find in their environment where the Dockerfile has an `ARG` for
    /// them.
    #[serde(default, alias = "env")]
    #[schemars(extend("x-aliases" = ["env"]))]
    environment: Pairs,
    /// Labels of the image.
    #[serde(default)]
    labels: Pairs,
    /// The stage to stop at.
    #[serde(default)]
    target: Option<String>,
    /// The network of the build's steps.
    #[serde(default)]
    network: Option<String>,
    /// Look for newer base images.
    #[serde(default)]
    pull: bool,
    /// Use no layer again.
    #[serde(default)]
    nocache: bool,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

fn latest() -> String {
    "latest".into()
}

/// A build to be run.
#[derive(Debug)]
pub struct Plan {
    name: String,
    before: Option<Image>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Build the application
  docker_build:
    name: localhost:5000/app
    tag: \"1.0\"
    context: /srv/app
    dockerfile: Dockerfile
    build_arg:
      BASE: debian:12
    environment:
      VERSION: \"1.0\"
";
    const RETURNS: &'static str = "
image: What `docker image inspect` says of the image.
actions: What was done, in words.
stdout: What the builder printed.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let name = self.full_name()?;
        let before = find(&self.engine, host, &name)?;
        let made = match &before {
            Some(image) => self.recipe().made(host, image)?,
            None => self.recipe().context(host).map(|_| false)?,
        };
        Ok((!made).then_some(Plan { name, before }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::unchanged(), Vec::new(), "")
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::changed(), vec![self.action(&plan.name)], "")
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        vec![name_diff(&plan.name, plan.before.as_ref().map(Image::id), Some(UNKNOWN))]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let ran = self.recipe().run(&self.engine, host, &plan.name)?;
        self.describe(host.as_look(), Outcome::changed(), vec![self.action(&plan.name)], &ran.out())
    }
}

impl Args {
    fn full_name(&self) -> Result<String, Fail> {
        let reference = Reference::new(&self.name, &self.tag)?;
        if reference.is_digest() {
            return Err(Fail::new(format!("{reference}: a build's result has a tag, not a digest")));
        }
        Ok(reference.to_string())
    }

    fn action(&self, name: &str) -> String {
        format!("Built image {name} from {}", self.context)
    }

    fn recipe(&self) -> Recipe {
        let mut args = self.environment.clone();
        args.0.extend(self.build_arg.0.clone());
        Recipe {
            path: Some(self.context.clone()),
            dockerfile: self.dockerfile.clone(),
            args,
            pull: self.pull,
            nocache: self.nocache,
            network: self.network.clone(),
            target: self.target.clone(),
            labels: self.labels.clone(),
            ..Recipe::default()
        }
    }

    fn describe(
        &self,
        host: &dyn Look,
        outcome: Outcome,
        actions: Vec<String>,
        stdout: &str,
    ) -> Result<Outcome, Fail> {
        let image = find(&self.engine, host, &self.full_name()?)?;
        let image = image.as_ref().map_or_else(|| Value::map(Map::new()), Image::value);
        Ok(outcome.with("image", image).with("actions", actions).with("stdout", stdout))
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;
    use crate::modules::docker::build::LABEL;

    #[test]
    fn arguments_and_environment_are_given_to_the_build() {
        let absent = Ran { rc: 1, stderr: b"No such image".to_vec(), ..Ran::default() };
        let mut host = FakeHost::new()
            .file("/srv/app/Dockerfile", "FROM x")
            .answer("docker image build", 0, "done")
            .answer_with("docker image inspect app:1", absent, None)
            .answer("docker image inspect app:1", 0, r#"[{"Id": "sha256:1"}]"#);
        let args = "{name: app, tag: 1, context: /srv/app, build_arg: {A: 1}, environment: {A: 0, B: x}}";
        assert!(host.play::<Args>(args).unwrap().changed);
        assert!(
            host.ran[0].starts_with("docker image build --tag app:1 --build-arg A --build-arg B --label ")
        );
        let label = host.ran[0].split(&format!("{LABEL}=")).nth(1).unwrap().split(' ').next().unwrap();
        let image = format!(r#"[{{"Id": "sha256:1", "Config": {{"Labels": {{"{LABEL}": "{label}"}}}}}}]"#);
        let mut host = host.answer("docker image inspect app:1", 0, &image);
        assert!(!host.play::<Args>(args).unwrap().changed);
    }
}
