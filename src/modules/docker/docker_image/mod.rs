//! `docker_image`: an image built, pulled or loaded, then archived, tagged and pushed; or removed.
//! What must be done is worked out in `steps`.

mod steps;

use schemars::JsonSchema;
use serde::Deserialize;

use super::build::{Limits, Recipe};
use super::engine::Engine;
use super::image::named;
use super::pairs::Pairs;
use crate::modules::api::{Diff, Fail, HostPath, Look, Module, Outcome, Touch};

pub use steps::Plan;

/// Manage an image of a Docker engine.
///
/// With `source: build` an image is built again when its context, Dockerfile or arguments changed since (a label holds
/// their digest), so also when it was built by something else. `push` asks the registry first and pushes nothing that it
/// has already.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The image's name, with a tag if `tag` is not given; or an id with `state: absent` and `source: local`.
    name: String,
    /// The tag.
    #[serde(default = "latest")]
    tag: String,
    /// Where the image comes from.
    #[serde(default)]
    source: Option<Source>,
    /// How it is built.
    #[serde(default)]
    build: Option<Build>,
    /// How it is pulled.
    #[serde(default)]
    pull: Option<Pull>,
    /// The archive that it is loaded from.
    #[serde(default)]
    load_path: Option<HostPath>,
    /// The archive that it is saved to.
    #[serde(default)]
    archive_path: Option<HostPath>,
    /// Build, pull or load it even if it is there.
    #[serde(default)]
    force_source: bool,
    /// Remove it although stopped containers use it or it has several names.
    #[serde(default)]
    force_absent: bool,
    /// Give it the name in `repository` even if another image has that name.
    #[serde(default)]
    force_tag: bool,
    /// Push it: under `repository` if that is given, else under its own name.
    #[serde(default)]
    push: bool,
    /// One more name for the image, with its own tag or the image's.
    #[serde(default)]
    repository: Option<String>,
    /// Whether it is there.
    #[serde(default)]
    state: State,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// Where an image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Source {
    /// From a Dockerfile.
    Build,
    /// From an archive.
    Load,
    /// From a registry.
    Pull,
    /// It must be there already.
    Local,
}

/// Whether an image is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// How an image is built.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Build {
    /// The context: a folder of the host, or the address of a repository or archive.
    path: HostPath,
    /// The Dockerfile, from the context's folder; `Dockerfile` by default.
    #[serde(default)]
    dockerfile: Option<String>,
    /// Build arguments.
    #[serde(default)]
    args: Pairs,
    /// Images whose layers may be used again.
    #[serde(default)]
    cache_from: Vec<String>,
    /// Limits of the steps' containers.
    #[serde(default)]
    container_limits: Limits,
    /// Names for the steps' `/etc/hosts`, each with its address.
    #[serde(default)]
    etc_hosts: Pairs,
    /// Accepted and without effect: the docker client has no time limit of its own.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    http_timeout: Option<u64>,
    /// Labels of the image.
    #[serde(default)]
    labels: Pairs,
    /// The network of the build's steps.
    #[serde(default)]
    network: Option<String>,
    /// Use no layer again.
    #[serde(default)]
    nocache: bool,
    /// The platform to build for.
    #[serde(default)]
    platform: Option<String>,
    /// Look for newer base images.
    #[serde(default)]
    pull: bool,
    /// Remove the containers of the steps.
    #[serde(default = "yes")]
    rm: bool,
    /// Size of `/dev/shm`, as `64m`.
    #[serde(default)]
    shm_size: Option<String>,
    /// The stage to stop at.
    #[serde(default)]
    target: Option<String>,
    /// Accepted and without effect: the docker client always gives a build the proxies of its configuration.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    use_config_proxy: Option<bool>,
}

/// How an image is pulled.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pull {
    /// The platform: `os[/architecture[/variant]]`.
    #[serde(default)]
    platform: Option<String>,
}

fn latest() -> String {
    "latest".into()
}

fn yes() -> bool {
    true
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Build the application and push it
  docker_image:
    name: localhost:5000/app
    tag: \"1.0\"
    source: build
    build:
      path: /srv/app
      args:
        BASE: debian:12
    push: true

- name: An image from a registry
  docker_image:
    name: registry:2
    source: pull

- name: An image from an archive
  docker_image:
    name: app:1.0
    source: load
    load_path: /srv/images/app.tar

- name: The old version goes
  docker_image:
    name: localhost:5000/app:0.9
    state: absent
";
    const RETURNS: &'static str = "
image: What `docker image inspect` says of the image; `Id` is its id.
digest: The digest that the registry of the pushed name knows the image by.
actions: What was done, in words.
stdout: What the builder or the loading printed.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        self.steps(host)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::unchanged(), Vec::new(), String::new(), None)
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        let outcome = Outcome { changed: plan.certain(), ..Outcome::default() };
        self.describe(host, outcome, self.actions(plan), String::new(), None)
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        plan.diffs()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.take(&plan, host)
    }
}

impl Args {
    /// The name as the engine knows it.
    fn full_name(&self) -> Result<String, Fail> {
        named(&self.name, &self.tag)
    }

    fn recipe(&self) -> Result<Recipe, Fail> {
        let build = self.build.clone();
        let build =
            build.ok_or_else(|| Fail::new("build is required with `source: build`: it must have a path"))?;
        Ok(Recipe {
            path: Some(build.path),
            dockerfile: build.dockerfile,
            args: build.args,
            cache_from: build.cache_from,
            pull: build.pull,
            keep_containers: !build.rm,
            network: build.network,
            nocache: build.nocache,
            etc_hosts: build.etc_hosts,
            limits: build.container_limits,
            target: build.target,
            platform: build.platform.into_iter().collect(),
            shm_size: build.shm_size,
            labels: build.labels,
            ..Recipe::default()
        })
    }
}

#[cfg(test)]
mod tests;
