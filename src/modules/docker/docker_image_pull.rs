//! `docker_image_pull`: an image from a registry.

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::Engine;
use super::image::{Image, UNKNOWN, find, name_diff};
use super::reference::{Reference, is_id};
use super::remote::{self, Remote};
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch, Value};

/// Pull an image from a registry.
///
/// With `pull: always` the registry is asked first what the tag stands for; nothing is pulled, and check mode says so,
/// if it is the image that is there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The image's name, with a tag or digest if `tag` is not given.
    name: String,
    /// The tag.
    #[serde(default = "latest")]
    tag: String,
    /// The platform: `os[/architecture[/variant]]`.
    #[serde(default)]
    platform: Option<String>,
    /// When to pull.
    #[serde(default)]
    pull: Pull,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Pull {
    /// Whenever the registry has another image than the engine.
    #[default]
    Always,
    /// When the engine has none.
    NotPresent,
}

fn latest() -> String {
    "latest".into()
}

/// What is to be pulled.
#[derive(Debug)]
pub struct Plan {
    name: String,
    before: Option<Image>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: The newest image of that name
  docker_image_pull:
    name: localhost:5000/app
    tag: \"1.0\"

- name: Only if there is none
  docker_image_pull:
    name: registry:2
    pull: not_present
";
    const RETURNS: &'static str = "
image: What `docker image inspect` says of the image.
actions: What was done, in words.
digest: The digest that the registry knows the image by.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if is_id(&self.name) {
            return Err(Fail::new("Cannot pull an image by ID"));
        }
        let reference = Reference::new(&self.name, &self.tag)?;
        let name = reference.to_string();
        let before = find(&self.engine, host, &name)?;
        let platform = self.platform.as_deref();
        let Some(image) = &before else { return Ok(Some(Plan { name, before })) };
        if platform.is_some_and(|wanted| !image.is_for(wanted)) {
            return Ok(Some(Plan { name, before }));
        }
        // What a digest stands for never changes.
        if self.pull == Pull::NotPresent || reference.is_digest() {
            return Ok(None);
        }
        let remote = Remote::ask(&self.engine, host, &reference)?;
        let same = remote.is_some_and(|remote| remote.is(image, platform));
        Ok((!same).then_some(Plan { name, before }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let reference = Reference::new(&self.name, &self.tag)?;
        let image = find(&self.engine, host, &reference.to_string())?;
        Ok(describe(Outcome::unchanged(), &reference, image.as_ref(), Vec::new()))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        let reference = Reference::new(&self.name, &self.tag)?;
        let actions = vec![format!("Pulled image {}", plan.name)];
        Ok(describe(Outcome::changed(), &reference, plan.before.as_ref(), actions))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        vec![name_diff(&plan.name, plan.before.as_ref().map(Image::id), Some(UNKNOWN))]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        remote::pull(&self.engine, host, &plan.name, self.platform.as_deref())?;
        let after = find(&self.engine, host.as_look(), &plan.name)?;
        let after =
            after.ok_or_else(|| Fail::new(format!("{} is not there after it was pulled", plan.name)))?;
        let old = plan.before.as_ref().map(Image::id);
        let outcome = Outcome { changed: old != Some(after.id()), ..Outcome::default() };
        let reference = Reference::new(&self.name, &self.tag)?;
        Ok(describe(outcome, &reference, Some(&after), vec![format!("Pulled image {}", plan.name)]))
    }
}

fn describe(outcome: Outcome, reference: &Reference, image: Option<&Image>, actions: Vec<String>) -> Outcome {
    let empty = || Value::map(crate::modules::api::Map::new());
    outcome
        .with("actions", actions)
        .with("image", image.map_or_else(empty, Image::value))
        .with("digest", image.and_then(|image| image.digest_in(reference)))
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    const NONE: (i32, &str) = (1, "[]");

    fn image(id: &str) -> String {
        format!(
            r#"[{{"Id": "{id}", "Os": "linux", "Architecture": "amd64", "RepoDigests": ["localhost:5000/app@sha256:d"]}}]"#
        )
    }

    fn manifest(id: &str) -> String {
        format!(
            r#"{{"Descriptor": {{"digest": "sha256:m"}}, "SchemaV2Manifest": {{"config": {{"digest": "{id}"}}}}}}"#
        )
    }

    fn absent(host: FakeHost) -> FakeHost {
        let ran = crate::modules::api::Ran {
            rc: NONE.0,
            stdout: NONE.1.into(),
            stderr: b"Error: No such image: x".to_vec(),
            timed_out: false,
        };
        host.answer_with("docker image inspect localhost:5000/app:1", ran, None)
    }

    #[test]
    fn an_absent_image_is_pulled() {
        let mut host = absent(FakeHost::new())
            .answer("docker image inspect localhost:5000/app:1", 0, &image("sha256:1"))
            .answer("docker image pull localhost:5000/app:1", 0, "");
        let outcome = host.play::<Args>("{name: localhost:5000/app, tag: 1, pull: not_present}").unwrap();
        assert!(outcome.changed);
        assert_eq!(outcome.fields["digest"].as_str(), Some("sha256:d"));
        assert!(!host.play::<Args>("{name: 'localhost:5000/app:1', pull: not_present}").unwrap().changed);
        assert_eq!(host.ran.len(), 1);
    }

    #[test]
    fn check_mode_knows_what_the_registry_has() {
        for (remote, args, changed) in [
            ("sha256:1", "{name: localhost:5000/app, tag: 1}", false),
            ("sha256:2", "{name: localhost:5000/app, tag: 1}", true),
            ("sha256:2", "{name: localhost:5000/app, tag: 1, pull: not_present}", false),
            (
                "sha256:2",
                "{name: localhost:5000/app, tag: 1, pull: not_present, platform: linux/arm64}",
                true,
            ),
        ] {
            let mut host = FakeHost::new()
                .answer("docker image inspect localhost:5000/app:1", 0, &image("sha256:1"))
                .answer("docker manifest inspect", 0, &manifest(remote));
            assert_eq!(host.check::<Args>(args).unwrap().changed, changed, "{remote} {args}");
        }
    }

    #[test]
    fn ids_can_not_be_pulled() {
        let id = format!("name: 'sha256:{}'", "a".repeat(64));
        assert!(FakeHost::new().play::<Args>(&id).is_err());
    }
}
