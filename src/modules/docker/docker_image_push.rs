//! `docker_image_push`: an image to its registry.

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::Engine;
use super::image::{Image, UNKNOWN, find, name_diff};
use super::reference::{Reference, is_id};
use super::remote::{self, Remote};
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};

/// Push an image to its registry.
///
/// The registry is asked first: what it already has under that tag is not pushed again, and check mode says so. Log in
/// with `docker_login`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The image's name with its registry, and with a tag if `tag` is not given.
    name: String,
    /// The tag.
    #[serde(default = "latest")]
    tag: String,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

fn latest() -> String {
    "latest".into()
}

/// An image that its registry does not have.
#[derive(Debug)]
pub struct Plan(Waiting);

/// An image that waits to be pushed.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Where to.
    pub reference: Reference,
    /// What the registry has under that tag now: a digest.
    before: Option<String>,
    /// Whether the registry has the tag.
    there: bool,
}

impl Waiting {
    /// Looks whether the registry has `image` under that tag; `None`: it does. `image` is `None` if it is yet to be made.
    ///
    /// # Errors
    /// No engine.
    pub fn find(
        engine: &Engine,
        host: &dyn Look,
        reference: &Reference,
        image: Option<&Image>,
    ) -> Result<Option<Waiting>, Fail> {
        if reference.is_digest() {
            return Err(Fail::new(format!("{reference}: an image is pushed by its tag, not by a digest")));
        }
        let remote = Remote::ask(engine, host, reference)?;
        if let (Some(remote), Some(image)) = (&remote, image)
            && remote.is(image, None)
        {
            return Ok(None);
        }
        let before = remote.as_ref().and_then(|remote| remote.digest().map(str::to_owned));
        Ok(Some(Waiting { reference: reference.clone(), before, there: remote.is_some() }))
    }

    /// What the tag stood for and will stand for.
    pub fn diff(&self) -> Diff {
        let before = self.before.as_deref().or(self.there.then_some("several images"));
        name_diff(&format!("registry {}", self.reference), before, Some(UNKNOWN))
    }

    /// Pushes. Returns the digest, and whether the registry got something new.
    ///
    /// # Errors
    /// What engine or registry say against it.
    pub fn push(&self, engine: &Engine, host: &mut dyn Touch) -> Result<(Option<String>, bool), Fail> {
        let pushed = remote::push(engine, host, &self.reference)?;
        let moved = pushed.digest.is_none() || pushed.digest != self.before;
        Ok((pushed.digest, pushed.new || moved))
    }
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Push the application
  docker_image_push:
    name: localhost:5000/app
    tag: \"1.0\"
";
    const RETURNS: &'static str = "
image: What `docker image inspect` says of the image.
actions: What was done, in words.
digest: The digest that the registry knows the image by.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let (reference, image) = self.image(host)?;
        Ok(Waiting::find(&self.engine, host, &reference, Some(&image))?.map(Plan))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::unchanged(), Vec::new(), None)
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::changed(), vec![action(&plan.0.reference)], None)
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        vec![plan.0.diff()]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let (digest, changed) = plan.0.push(&self.engine, host)?;
        let outcome = Outcome { changed, ..Outcome::default() };
        self.describe(host.as_look(), outcome, vec![action(&plan.0.reference)], digest)
    }
}

fn action(reference: &Reference) -> String {
    format!("Pushed image {reference}")
}

impl Args {
    fn image(&self, host: &dyn Look) -> Result<(Reference, Image), Fail> {
        if is_id(&self.name) {
            return Err(Fail::new("Cannot push an image by ID"));
        }
        let reference = Reference::new(&self.name, &self.tag)?;
        let image = find(&self.engine, host, &reference.to_string())?;
        let image = image.ok_or_else(|| Fail::new(format!("Cannot find image {reference}")))?;
        Ok((reference, image))
    }

    fn describe(
        &self,
        host: &dyn Look,
        outcome: Outcome,
        actions: Vec<String>,
        digest: Option<String>,
    ) -> Result<Outcome, Fail> {
        let (reference, image) = self.image(host)?;
        Ok(outcome
            .with("actions", actions)
            .with("digest", digest.or_else(|| image.digest_in(&reference)))
            .with("image", image.value()))
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    fn host(remote: Option<&str>) -> FakeHost {
        let host =
            FakeHost::new().answer("docker image inspect localhost:5000/app:1", 0, r#"[{"Id": "sha256:1"}]"#);
        let manifest = |id: &str| {
            format!(
                r#"{{"Descriptor": {{"digest": "sha256:m{id}"}}, "SchemaV2Manifest": {{"config": {{"digest": "sha256:{id}"}}}}}}"#
            )
        };
        let line = "docker manifest inspect --verbose --insecure localhost:5000/app:1";
        match remote {
            Some(id) => host.answer(line, 0, &manifest(id)),
            None => host.answer(line, 1, ""),
        }
    }

    #[test]
    fn only_what_the_registry_does_not_have_is_pushed() {
        let args = "{name: localhost:5000/app, tag: 1}";
        assert!(!host(Some("1")).play::<Args>(args).unwrap().changed);
        for remote in [None, Some("2")] {
            let ran = Ran { stdout: b"1: digest: sha256:m1 size: 5\n".to_vec(), ..Ran::default() };
            let mut host = host(remote).answer_with("docker image push localhost:5000/app:1", ran, None);
            assert!(host.check::<Args>(args).unwrap().changed);
            let outcome = host.play::<Args>(args).unwrap();
            assert!(outcome.changed);
            assert_eq!(outcome.fields["digest"].as_str(), Some("sha256:m1"));
        }
    }

    #[test]
    fn what_is_not_there_can_not_be_pushed() {
        let ran = Ran { rc: 1, stderr: b"No such image".to_vec(), ..Ran::default() };
        let mut host = FakeHost::new().answer_with("docker image inspect app:1", ran, None);
        assert_eq!(host.play::<Args>("name: 'app:1'").unwrap_err().msg, "Cannot find image app:1");
        assert!(host.play::<Args>(&format!("name: 'a@sha256:{}'", "0".repeat(64))).is_err());
    }
}
