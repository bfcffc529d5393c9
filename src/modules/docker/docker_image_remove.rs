//! `docker_image_remove`: an image, or one of its names, goes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::Engine;
use super::image::{Image, find, name_diff, named};
use crate::modules::api::{Diff, Fail, Look, Map, Module, Outcome, Touch, Value};

/// Remove an image from a Docker engine.
///
/// A name is taken from its image; the image itself goes with its last name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The image: a name or an id.
    name: String,
    /// The name's tag, if the name has none.
    #[serde(default = "latest")]
    tag: String,
    /// Remove it although stopped containers use it or it has several names.
    #[serde(default)]
    force: bool,
    /// Remove its untagged parents too.
    #[serde(default = "yes")]
    prune: bool,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

fn latest() -> String {
    "latest".into()
}

fn yes() -> bool {
    true
}

/// What goes.
#[derive(Debug)]
pub struct Plan {
    name: String,
    image: Image,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: The old version is no longer needed
  docker_image_remove:
    name: localhost:5000/app
    tag: \"0.9\"
";
    const RETURNS: &'static str = "
image: What `docker image inspect` said of the image.
deleted: The ids that went.
untagged: The names that went.
actions: What was done, in words.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let name = named(&self.name, &self.tag)?;
        Ok(find(&self.engine, host, &name)?.map(|image| Plan { name, image }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(describe(Outcome::unchanged(), None, &Removed::default()))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        let tags = plan.image.0["RepoTags"].as_array().map_or(0, Vec::len);
        let whole = plan.name == plan.image.id() || tags <= 1;
        let mut removed = Removed { untagged: vec![plan.name.clone()], ..Removed::default() };
        if whole {
            removed.deleted.push(plan.image.id().to_owned());
        }
        Ok(describe(Outcome::changed(), Some(plan), &removed))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        vec![name_diff(&plan.name, Some(plan.image.id()), None)]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let removed = remove(&self.engine, host, &plan.name, self.force, self.prune)?;
        Ok(describe(Outcome::changed(), Some(&plan), &removed))
    }
}

/// What the engine removed.
#[derive(Debug, Default)]
pub(super) struct Removed {
    /// Names.
    pub untagged: Vec<String>,
    /// Ids.
    pub deleted: Vec<String>,
}

/// Removes a name or an image.
///
/// # Errors
/// An image that is in use.
pub(super) fn remove(
    engine: &Engine,
    host: &mut dyn Touch,
    name: &str,
    force: bool,
    prune: bool,
) -> Result<Removed, Fail> {
    let mut words = vec!["image", "rm"];
    if force {
        words.push("--force");
    }
    if !prune {
        words.push("--no-prune");
    }
    words.push(name);
    let text = engine.tell(host, words, &format!("removing the image {name}"))?.out();
    let after = |start: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix(start));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    Ok(Removed { untagged: after("Untagged:"), deleted: after("Deleted:") })
}

fn describe(outcome: Outcome, plan: Option<&Plan>, removed: &Removed) -> Outcome {
    let actions: Vec<String> = plan.iter().map(|plan| format!("Removed image {}", plan.name)).collect();
    outcome
        .with("image", plan.map_or_else(|| Value::map(Map::new()), |plan| plan.image.value()))
        .with("deleted", removed.deleted.clone())
        .with("untagged", removed.untagged.clone())
        .with("actions", actions)
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn an_image_goes_once() {
        let absent = Ran { rc: 1, stderr: b"No such image".to_vec(), ..Ran::default() };
        let image = r#"[{"Id": "sha256:1", "RepoTags": ["app:1"]}]"#;
        let mut host = FakeHost::new()
            .answer("docker image inspect app:1", 0, image)
            .answer("docker image inspect app:1", 0, image)
            .answer_with("docker image inspect app:1", absent, None)
            .answer("docker image rm --force --no-prune app:1", 0, "Untagged: app:1\nDeleted: sha256:1\n");
        let outcome = host.converge::<Args>("{name: app, tag: 1, force: true, prune: false}");
        assert_eq!(outcome.fields["deleted"].to_string(), "['sha256:1']");
        assert_eq!(outcome.fields["untagged"].to_string(), "['app:1']");
    }
}
