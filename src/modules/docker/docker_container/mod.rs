//! `docker_container`: a container as the task describes it.
//!
//! What is compared, and the client's words for it, is in `process`, `limits`, `isolation`, `storage` and `network`; what
//! must be done about it in `lifecycle`, and doing it in `acting`.

mod acting;
mod isolation;
mod lifecycle;
mod limits;
mod network;
mod process;
mod property;
mod size;
mod storage;

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::Engine;
use super::pairs::Pairs;
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch, Value};

pub use lifecycle::Plan;
pub(in crate::modules::docker) use size::whole;

/// Manage a container.
///
/// The container is compared with what the task says of it, and made anew only if something differs that can't be
/// changed while it is there; limits, the restart policy and networks can. What the task does not mention is not
/// compared. `--diff` says what differs; values of the environment are not shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The container's name, or the id of one that is there.
    name: String,
    /// What is to be.
    #[serde(default)]
    state: State,
    /// The image: a name with tag or digest, or an id. Needed to make a container.
    #[serde(default)]
    image: Option<String>,
    /// When to pull the image.
    #[serde(default)]
    pull: Option<Value>,
    /// Accepted and without effect: check mode asks the registry, so it always knows.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    pull_check_mode_behavior: Option<String>,
    /// The platform of the image.
    #[serde(default)]
    platform: Option<String>,
    /// Whose environment, labels and ports count as inherited: the image that is wanted or the one that is used.
    #[serde(default)]
    image_comparison: ImageComparison,
    /// What to do if the container was made from the same image under another name.
    #[serde(default)]
    image_name_mismatch: NameMismatch,
    /// Whether labels of the image that the task does not have are an error, when labels are compared strictly.
    #[serde(default)]
    image_label_mismatch: LabelMismatch,
    /// How arguments are compared: for each argument, or `*`, one of `strict`, `ignore` and `allow_more_present`
    /// (lists, sets and mappings; the default of sets and mappings).
    #[serde(default)]
    comparisons: Pairs,
    /// Whether `auto_remove`, `init`, `interactive`, `memory`, `privileged`, `read_only` and `tty` count as off when they
    /// are not given.
    #[serde(default)]
    container_default_behavior: DefaultBehavior,
    /// Make it anew even if nothing differs.
    #[serde(default)]
    recreate: bool,
    /// Start it again even if nothing differs.
    #[serde(default)]
    restart: bool,
    /// Whether its processes are frozen.
    #[serde(default)]
    paused: Option<bool>,
    /// Run it in the background. Otherwise the task waits for its end and fails if its exit code is not 0.
    #[serde(default)]
    detach: Option<bool>,
    /// Remove it after its end (`detach: false`).
    #[serde(default)]
    cleanup: bool,
    /// Show what it printed (`detach: false`).
    #[serde(default)]
    output_logs: bool,
    /// Let the engine remove it after its end.
    #[serde(default)]
    auto_remove: Option<bool>,
    /// Stop it with `kill_signal` at once.
    #[serde(default, alias = "forcekill")]
    #[schemars(extend("x-aliases" = ["forcekill"]))]
    force_kill: bool,
    /// The signal for `force_kill`.
    #[serde(default)]
    kill_signal: Option<String>,
    /// Keep its volumes without a name when it goes.
    #[serde(default = "yes")]
    keep_volumes: bool,
    /// How many seconds to wait until the engine has removed it (`auto_remove`).
    #[serde(default)]
    removal_wait_timeout: Option<f64>,
    /// How many seconds to wait for `state: healthy`; 0: for ever.
    #[serde(default = "five_minutes")]
    healthy_wait_timeout: f64,
    /// What runs in it.
    #[serde(rename = "@process")]
    #[schemars(flatten)]
    process: process::Process,
    /// What it may use.
    #[serde(rename = "@limits")]
    #[schemars(flatten)]
    limits: limits::Limits,
    /// What parts it from the host.
    #[serde(rename = "@isolation")]
    #[schemars(flatten)]
    isolation: isolation::Isolation,
    /// What it keeps where.
    #[serde(rename = "@storage")]
    #[schemars(flatten)]
    storage: storage::Storage,
    /// How it is reached.
    #[serde(rename = "@network")]
    #[schemars(flatten)]
    network: network::Network,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// What is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is not there.
    Absent,
    /// It is there, running or not.
    Present,
    /// It runs and its health check says that it is well.
    Healthy,
    /// It is there and does not run.
    Stopped,
    /// It runs.
    #[default]
    Started,
}

/// Whose settings count as inherited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ImageComparison {
    /// The image's that the task names.
    #[default]
    DesiredImage,
    /// The image's that the container was made from.
    CurrentImage,
}

/// What an image's other name means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum NameMismatch {
    /// The container is made anew.
    #[default]
    Recreate,
    /// Nothing.
    Ignore,
}

/// What labels of the image mean that the task does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum LabelMismatch {
    /// Nothing.
    #[default]
    Ignore,
    /// The task fails.
    Fail,
}

/// What arguments mean that are not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DefaultBehavior {
    /// Some have a value.
    Compatibility,
    /// They are not compared.
    #[default]
    NoDefaults,
}

/// When the image is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PullPolicy {
    Never,
    Missing,
    Always,
}

fn yes() -> bool {
    true
}

fn five_minutes() -> f64 {
    300.0
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: A registry
  docker_container:
    name: registry
    image: registry:2
    restart_policy: always
    published_ports:
      - 127.0.0.1:5000:5000
    volumes:
      - registry:/var/lib/registry

- name: The application, healthy
  docker_container:
    name: app
    image: localhost:5000/app:1.0
    state: healthy
    pull: always
    env:
      GREETING: hello
    memory: 128m
    cpus: 0.5
    healthcheck:
      test: wget -qO- http://localhost:8080/
      interval: 5s
    networks:
      - name: backend
        aliases: [app]
    comparisons:
      env: strict

- name: It goes
  docker_container:
    name: app
    state: absent
";
    const RETURNS: &'static str = "
container: What `docker inspect` says of the container; with `detach: false` also `Output`.
status: The exit code, with `detach: false`.
actions: What was done, in words.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        self.decide(host)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::unchanged())
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        let outcome = Outcome { changed: plan.changes(), ..Outcome::default() };
        Ok(self.describe(host, outcome)?.with("actions", plan.actions()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        plan.diff()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.take(plan, host)
    }
}

impl Args {
    fn pull_policy(&self) -> Result<PullPolicy, Fail> {
        Ok(match &self.pull {
            None | Some(Value::Null | Value::Omit | Value::Bool(false)) => PullPolicy::Missing,
            Some(Value::Bool(true)) => PullPolicy::Always,
            Some(text) => match &*text.to_string().to_lowercase() {
                "never" => PullPolicy::Never,
                "missing" | "false" | "no" => PullPolicy::Missing,
                "always" | "true" | "yes" => PullPolicy::Always,
                other => {
                    return Err(Fail::new(format!("pull: {other:?} is none of never, missing, always")));
                }
            },
        })
    }
}

#[cfg(test)]
mod tests;
