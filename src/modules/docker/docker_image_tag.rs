//! `docker_image_tag`: more names for an image.

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::Engine;
use super::image::{Image, find, name_diff, named, tag};
use super::reference::{Reference, is_id};
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};

/// Give an image more names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The image: a name or an id.
    name: String,
    /// The name's tag, if the name has none.
    #[serde(default = "latest")]
    tag: String,
    /// The names to give it, with their tags; without one, `tag` is meant.
    repository: Vec<String>,
    /// What to do with another image that has such a name.
    #[serde(default)]
    existing_images: Existing,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// What happens to a name that another image has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Existing {
    /// It stays there.
    Keep,
    /// It is given to this one.
    #[default]
    Overwrite,
}

fn latest() -> String {
    "latest".into()
}

/// Names to be given.
#[derive(Debug)]
pub struct Plan {
    image: Image,
    /// Each with the id of the image that has it now.
    names: Vec<(Reference, Option<String>)>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Name the application as its registry wants it
  docker_image_tag:
    name: app:1.0
    repository:
      - localhost:5000/app:1.0
      - localhost:5000/app:stable
";
    const RETURNS: &'static str = "
image: What `docker image inspect` says of the image.
tagged_images: The names that it was given.
actions: What was done, in words.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let image = self.image(host)?;
        let mut names = Vec::new();
        for name in &self.repository {
            if is_id(name) {
                return Err(Fail::new(format!("repository: {name} is an id, no name")));
            }
            let reference = Reference::new(name, &self.tag)?;
            if reference.is_digest() {
                return Err(Fail::new(format!(
                    "repository: {name} has a digest; an image is named with a tag"
                )));
            }
            let now = find(&self.engine, host, &reference.to_string())?;
            let keep = now.is_some() && self.existing_images == Existing::Keep;
            if !keep && now.as_ref().map(Image::id) != Some(image.id()) {
                names.push((reference, now.map(|image| image.id().to_owned())));
            }
        }
        Ok((!names.is_empty()).then_some(Plan { image, names }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let none: Vec<String> = Vec::new();
        let image = self.image(host)?.value();
        Ok(Outcome::unchanged()
            .with("image", image)
            .with("tagged_images", none.clone())
            .with("actions", none))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(describe(plan))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let names = plan.names.iter();
        names.map(|(name, now)| name_diff(&name.to_string(), now.as_deref(), Some(plan.image.id()))).collect()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        for (name, _) in &plan.names {
            tag(&self.engine, host, plan.image.id(), name)?;
        }
        Ok(describe(&plan))
    }
}

fn describe(plan: &Plan) -> Outcome {
    let names: Vec<String> = plan.names.iter().map(|(name, _)| name.to_string()).collect();
    let actions: Vec<String> =
        names.iter().map(|name| format!("Tagged image {} as {name}", plan.image.id())).collect();
    Outcome::changed().with("image", plan.image.value()).with("tagged_images", names).with("actions", actions)
}

impl Args {
    fn image(&self, host: &dyn Look) -> Result<Image, Fail> {
        let name = named(&self.name, &self.tag)?;
        find(&self.engine, host, &name)?.ok_or_else(|| Fail::new(format!("Cannot find image {name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    fn host() -> FakeHost {
        let absent = || Ran { rc: 1, stderr: b"No such image".to_vec(), ..Ran::default() };
        FakeHost::new()
            .answer("docker image inspect app:1", 0, r#"[{"Id": "sha256:1"}]"#)
            .answer("docker image inspect same:1", 0, r#"[{"Id": "sha256:1"}]"#)
            .answer("docker image inspect other:2", 0, r#"[{"Id": "sha256:2"}]"#)
            .answer_with("docker image inspect new:1", absent(), None)
            .answer("docker image tag", 0, "")
    }

    #[test]
    fn names_are_given_where_they_are_missing() {
        for (args, ran) in [
            ("{name: app, tag: 1, repository: [same, new]}", vec!["docker image tag sha256:1 new:1"]),
            ("{name: 'app:1', tag: 1, repository: 'other:2'}", vec!["docker image tag sha256:1 other:2"]),
            ("{name: app, tag: 1, repository: ['other:2'], existing_images: keep}", vec![]),
        ] {
            let mut host = host();
            let changed = !ran.is_empty();
            assert_eq!(host.check::<Args>(args).unwrap().changed, changed, "{args}");
            assert_eq!(host.play::<Args>(args).unwrap().changed, changed, "{args}");
            assert_eq!(host.ran, ran, "{args}");
        }
        assert!(host().play::<Args>("{name: 'new:1', repository: x}").is_err());
    }
}
