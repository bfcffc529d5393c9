//! `docker_image_export`: images into an archive.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::archive::{Archived, images, save};
use super::engine::{Engine, Kind};
use super::image::{Image, find, named};
use super::reference::is_id;
use crate::modules::api::{Diff, Fail, HostPath, Look, Module, Outcome, Touch, Value};

/// Save images as an archive that `docker load` reads.
///
/// An archive that holds the same images already is left alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The images: names or ids.
    #[serde(alias = "name")]
    #[schemars(extend("x-aliases" = ["name"]))]
    names: Vec<String>,
    /// The tag of names that have none.
    #[serde(default = "latest")]
    tag: String,
    /// The archive on the host.
    path: HostPath,
    /// Write it even if it holds the same images.
    #[serde(default)]
    force: bool,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

fn latest() -> String {
    "latest".into()
}

/// What is to be written.
#[derive(Debug)]
pub struct Plan {
    path: PathBuf,
    before: Option<Vec<Archived>>,
    after: Vec<Archived>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Take the application along
  docker_image_export:
    names:
      - app:1.0
      - registry:2
    path: /srv/images/app.tar
";
    const RETURNS: &'static str = "
images: What `docker image inspect` says of each image.
actions: What was done, in words.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let path = self.path.on(host);
        let after = self.wanted(host)?;
        let before = images(host, &path)?;
        let same = before.as_ref() == Some(&after) && !self.force;
        Ok((!same).then_some(Plan { path, before, after }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::unchanged(), Vec::new())
    }

    fn predicted(&self, _plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::changed(), vec![self.action()])
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let text = |images: &[Archived]| -> String {
            images.iter().map(|image| format!("{} {}\n", image.id, image.names.join(" "))).collect()
        };
        let before = text(plan.before.as_deref().unwrap_or_default());
        let header = plan.path.display().to_string();
        vec![Diff {
            before_header: header.clone(),
            after_header: header,
            before: before.into(),
            after: text(&plan.after).into(),
            prepared: None,
        }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        save(&self.engine, host, &self.full_names()?, &plan.path)?;
        self.describe(host.as_look(), Outcome::changed(), vec![self.action()])
    }
}

impl Args {
    fn full_names(&self) -> Result<Vec<String>, Fail> {
        if self.names.is_empty() {
            return Err(Fail::new("At least one image name must be specified"));
        }
        self.names.iter().map(|name| named(name, &self.tag)).collect()
    }

    fn action(&self) -> String {
        format!("Saved {} to {}", self.names.join(", "), self.path)
    }

    /// What the archive must hold.
    fn wanted(&self, host: &dyn Look) -> Result<Vec<Archived>, Fail> {
        let mut wanted: Vec<Archived> = Vec::new();
        for name in self.full_names()? {
            let image = find(&self.engine, host, &name)?;
            let image = image.ok_or_else(|| Fail::new(format!("Image {name} not found")))?;
            let id = image.id().to_owned();
            let at = match wanted.iter().position(|it| it.id == id) {
                Some(at) => at,
                None => {
                    wanted.push(Archived { id, names: Vec::new() });
                    wanted.len() - 1
                }
            };
            if !is_id(&name) {
                wanted[at].names.push(name);
                wanted[at].names.sort();
            }
        }
        wanted.sort();
        Ok(wanted)
    }

    fn describe(&self, host: &dyn Look, outcome: Outcome, actions: Vec<String>) -> Result<Outcome, Fail> {
        let images = self.engine.inspect_all(host, Kind::Image, &self.full_names()?)?;
        let images: Value = images.into_iter().map(|json| Image(json).value()).collect();
        Ok(outcome.with("images", images).with("actions", actions))
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn an_archive_is_written_when_it_holds_something_else() {
        let args = "{name: app, tag: 1, path: /a.tar}";
        let host = || {
            FakeHost::new()
                .file("/a.tar", "")
                .answer("docker image inspect app:1", 0, r#"[{"Id": "sha256:ab"}]"#)
                .answer("docker image save --output /a.tar app:1", 0, "")
        };
        for (config, names, changed) in
            [("ab.json", "app:1", false), ("cd.json", "app:1", true), ("ab.json", "app:2", true)]
        {
            let manifest = format!(r#"[{{"Config": "{config}", "RepoTags": ["{names}"]}}]"#);
            let mut host = host().answer("tar -xOf /a.tar manifest.json", 0, &manifest);
            assert_eq!(host.check::<Args>(args).unwrap().changed, changed);
            assert_eq!(host.play::<Args>(args).unwrap().changed, changed);
            assert_eq!(host.ran.len(), usize::from(changed));
        }
        let mut forced = host().answer("tar", 0, r#"[{"Config": "ab.json", "RepoTags": ["app:1"]}]"#);
        assert!(forced.play::<Args>("{names: 'app:1', path: /a.tar, force: true}").unwrap().changed);
        assert!(forced.play::<Args>("{names: [], path: /a.tar}").is_err());
    }
}
