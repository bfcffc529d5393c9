//! `docker_image_load`: images from an archive.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::archive::{Archived, images, load};
use super::engine::{Engine, Kind};
use super::image::{Image, find, name_diff};
use crate::modules::api::{Diff, Fail, HostPath, Look, Module, Outcome, Touch, Value};

/// Load images from an archive that `docker save` wrote.
///
/// The archive is read first: nothing is loaded if all its images are there under their names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The archive on the host.
    path: HostPath,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// What the archive would bring.
#[derive(Debug)]
pub struct Plan {
    path: PathBuf,
    inside: Vec<Archived>,
    /// Names with the id before and after.
    news: Vec<(String, Option<String>, String)>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Images for a site without a way out
  docker_image_load:
    path: /srv/images/app.tar
";
    const RETURNS: &'static str = "
image_names: The names and ids that were loaded.
images: What `docker image inspect` says of each.
stdout: What the docker client said.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let (path, inside) = self.inside(host)?;
        let mut news = Vec::new();
        for image in &inside {
            let names = if image.names.is_empty() { vec![image.id.clone()] } else { image.names.clone() };
            for name in names {
                let now = find(&self.engine, host, &name)?.map(|it| it.id().to_owned());
                if now.as_ref() != Some(&image.id) {
                    news.push((name, now, image.id.clone()));
                }
            }
        }
        Ok((!news.is_empty()).then_some(Plan { path, inside, news }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let inside = self.inside(host)?.1;
        self.describe(host, Outcome::unchanged(), names(&inside))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        let none: Vec<String> = Vec::new();
        Ok(Outcome::changed()
            .with("image_names", names(&plan.inside))
            .with("images", none)
            .with("stdout", ""))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let news = plan.news.iter();
        news.map(|(name, before, after)| name_diff(name, before.as_deref(), Some(after))).collect()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let (names, stdout) = load(&self.engine, host, &plan.path)?;
        Ok(self.describe(host.as_look(), Outcome::changed(), names)?.with("stdout", stdout))
    }
}

fn names(inside: &[Archived]) -> Vec<String> {
    inside
        .iter()
        .flat_map(|image| if image.names.is_empty() { vec![image.id.clone()] } else { image.names.clone() })
        .collect()
}

impl Args {
    fn inside(&self, host: &dyn Look) -> Result<(PathBuf, Vec<Archived>), Fail> {
        let path = self.path.on(host);
        if host.stat(&path, true)?.is_none() {
            return Err(Fail::new(format!("there is no archive {}", self.path)));
        }
        let inside = images(host, &path)?;
        let inside = inside.ok_or_else(|| Fail::new(format!("{} is no archive of images", self.path)))?;
        Ok((path, inside))
    }

    fn describe(&self, host: &dyn Look, outcome: Outcome, names: Vec<String>) -> Result<Outcome, Fail> {
        let images: Vec<Image> =
            self.engine.inspect_all(host, Kind::Image, &names)?.into_iter().map(Image).collect();
        let images: Value = images.iter().map(Image::value).collect();
        Ok(outcome.with("image_names", names).with("images", images).with("stdout", ""))
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn an_archive_is_loaded_once() {
        let absent = || Ran { rc: 1, stderr: b"No such image".to_vec(), ..Ran::default() };
        let mut host = FakeHost::new()
            .file("/a.tar", "")
            .answer("tar -xOf /a.tar manifest.json", 0, r#"[{"Config": "ab.json", "RepoTags": ["app:1"]}]"#)
            .answer_with("docker image inspect app:1", absent(), None)
            .answer_with("docker image inspect app:1", absent(), None)
            .answer("docker image inspect app:1", 0, r#"[{"Id": "sha256:ab"}]"#)
            .answer("docker image load --input /a.tar", 0, "Loaded image: app:1\n");
        let outcome = host.converge::<Args>("path: /a.tar");
        assert_eq!(outcome.fields["image_names"].to_string(), "['app:1']");
        assert_eq!(outcome.fields["images"].to_string(), "[{'Id': 'sha256:ab'}]");
        assert!(host.play::<Args>("path: /none").is_err());
        let mut other = FakeHost::new().file("/a.tar", "").answer("tar", 2, "");
        assert_eq!(other.play::<Args>("path: /a.tar").unwrap_err().msg, "/a.tar is no archive of images");
    }
}
