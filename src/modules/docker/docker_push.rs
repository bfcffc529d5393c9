//! `docker_push`: `docker_image_push` under the name and with the arguments that articles on containers use.

use schemars::JsonSchema;
use serde::Deserialize;

use super::docker_image_push::Waiting;
use super::engine::Engine;
use super::image::{Image, find, name_diff, named, tag};
use super::reference::Reference;
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};

/// Push an image to a registry.
///
/// What the registry has already is not pushed again. Log in with `docker_login`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The name to push, with its registry, and with a tag if `tag` is not given.
    repository: String,
    /// The tag.
    #[serde(default = "latest")]
    tag: String,
    /// The image that is given this name first, if it has another.
    #[serde(default, alias = "image")]
    #[schemars(extend("x-aliases" = ["image"]))]
    name: Option<String>,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

fn latest() -> String {
    "latest".into()
}

/// What must be done.
#[derive(Debug)]
pub struct Plan {
    image: Image,
    /// The name to give first, with the image that has it now.
    name: Option<Option<String>>,
    push: Option<Waiting>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Push the application
  docker_push:
    repository: localhost:5000/app
    tag: \"1.0\"

- name: Push it under another name
  docker_push:
    name: app:1.0
    repository: localhost:5000/app:stable
";
    const RETURNS: &'static str = "
image: What `docker image inspect` says of the image.
digest: The digest that the registry knows the image by.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let (reference, image) = self.image(host)?;
        let now = find(&self.engine, host, &reference.to_string())?;
        let now = now.map(|image| image.id().to_owned());
        let name = (now.as_deref() != Some(image.id())).then_some(now);
        let push = Waiting::find(&self.engine, host, &reference, Some(&image))?;
        Ok((name.is_some() || push.is_some()).then_some(Plan { image, name, push }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::unchanged(), None)
    }

    fn predicted(&self, _plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::changed(), None)
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let named = plan.name.iter();
        let named = named.map(|now| name_diff(&self.repository, now.as_deref(), Some(plan.image.id())));
        named.chain(plan.push.iter().map(Waiting::diff)).collect()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        if plan.name.is_some() {
            tag(&self.engine, host, plan.image.id(), &Reference::new(&self.repository, &self.tag)?)?;
        }
        let mut outcome = Outcome { changed: plan.name.is_some(), ..Outcome::default() };
        let mut digest = None;
        if let Some(waiting) = plan.push {
            let (pushed, new) = waiting.push(&self.engine, host)?;
            digest = pushed;
            outcome.changed |= new;
        }
        self.describe(host.as_look(), outcome, digest)
    }
}

impl Args {
    /// The name to push and the image that it is, or will be, the name of.
    fn image(&self, host: &dyn Look) -> Result<(Reference, Image), Fail> {
        let reference = Reference::new(&self.repository, &self.tag)?;
        let name = match &self.name {
            Some(name) => named(name, &reference.tag)?,
            None => reference.to_string(),
        };
        let image = find(&self.engine, host, &name)?;
        Ok((reference, image.ok_or_else(|| Fail::new(format!("Cannot find image {name}")))?))
    }

    fn describe(&self, host: &dyn Look, outcome: Outcome, digest: Option<String>) -> Result<Outcome, Fail> {
        let (reference, image) = self.image(host)?;
        let digest = digest.or_else(|| image.digest_in(&reference));
        Ok(outcome.with("image", image.value()).with("digest", digest))
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn an_image_is_named_and_pushed() {
        let absent = Ran { rc: 1, stderr: b"No such image".to_vec(), ..Ran::default() };
        let mut host = FakeHost::new()
            .answer("docker image inspect app:1", 0, r#"[{"Id": "sha256:1"}]"#)
            .answer_with("docker image inspect localhost:5000/app:2", absent, None)
            .answer("docker manifest inspect", 1, "")
            .answer("docker image tag", 0, "")
            .answer("docker image push localhost:5000/app:2", 0, "2: digest: sha256:d size: 1");
        let args = "{name: 'app:1', repository: 'localhost:5000/app:2'}";
        assert!(host.check::<Args>(args).unwrap().changed);
        let outcome = host.play::<Args>(args).unwrap();
        assert!(outcome.changed);
        assert_eq!(outcome.fields["digest"].as_str(), Some("sha256:d"));
        assert_eq!(
            host.ran,
            ["docker image tag sha256:1 localhost:5000/app:2", "docker image push localhost:5000/app:2"]
        );
    }

    #[test]
    fn what_the_registry_has_is_left_alone() {
        let manifest = r#"{"Descriptor": {"digest": "sha256:m"}, "SchemaV2Manifest": {"config": {"digest": "sha256:1"}}}"#;
        let mut host = FakeHost::new()
            .answer("docker image inspect localhost:5000/app:2", 0, r#"[{"Id": "sha256:1"}]"#)
            .answer("docker manifest inspect", 0, manifest);
        assert!(!host.play::<Args>("{repository: localhost:5000/app, tag: 2}").unwrap().changed);
    }
}
