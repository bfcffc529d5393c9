//! What a container needs: pull, make, change, start, stop, remove. Doing it is in `acting`.

use serde_json::Value as Json;

use super::network::NetworkChange;
use super::property::{Around, Comparison, Comparisons, Property, plain};
use super::{Args, DefaultBehavior, ImageComparison, LabelMismatch, NameMismatch, PullPolicy, State};
use crate::modules::api::{Diff, Fail, Look, Value};
use crate::modules::docker::engine::{Kind, plain_name};
use crate::modules::docker::image::{Image, UNKNOWN, find, named};
use crate::modules::docker::reference::{Reference, is_id};
use crate::modules::docker::remote::Remote;

/// What must be done, in this order.
#[derive(Debug, Default)]
pub struct Plan {
    /// The container as it is; null if there is none.
    pub(super) before: Json,
    /// The image to pull.
    pub(super) pull: Option<String>,
    pub(super) remove: bool,
    /// The words of `docker create` up to the image's name.
    pub(super) create: Option<Vec<String>>,
    /// The words of `docker update`.
    pub(super) update: Vec<String>,
    pub(super) networks: Vec<NetworkChange>,
    pub(super) stop: bool,
    pub(super) start: bool,
    pub(super) restart: bool,
    pub(super) pause: Option<bool>,
    /// Whether its health is waited for.
    pub(super) wait: bool,
    /// What differs: name, before, after.
    pub(super) differences: Vec<(String, String, String)>,
}

impl Plan {
    /// Whether more than waiting is to be done.
    pub(super) fn changes(&self) -> bool {
        !self.actions().is_empty()
    }

    pub(super) fn diff(&self) -> Vec<Diff> {
        if self.differences.is_empty() {
            return Vec::new();
        }
        let side = |pick: fn(&(String, String, String)) -> &String| -> Value {
            self.differences.iter().map(|it| format!("{}: {}\n", it.0, pick(it))).collect::<String>().into()
        };
        vec![Diff { before: side(|it| &it.1), after: side(|it| &it.2), ..Diff::default() }]
    }

    /// What is done, in words.
    pub(super) fn actions(&self) -> Vec<String> {
        let mut actions: Vec<String> = self.pull.iter().map(|image| format!("pulled {image}")).collect();
        for (done, word) in [
            (self.stop, "stopped"),
            (self.remove, "removed"),
            (self.create.is_some(), "created"),
            (!self.update.is_empty(), "updated"),
        ] {
            if done {
                actions.push(word.to_owned());
            }
        }
        actions.extend(self.networks.iter().map(|change| change.shown().1));
        for (done, word) in [
            (self.start, "started"),
            (self.restart, "restarted"),
            (self.pause == Some(true), "paused"),
            (self.pause == Some(false), "unpaused"),
        ] {
            if done {
                actions.push(word.to_owned());
            }
        }
        actions
    }

    fn make(&mut self, properties: &[Property]) {
        self.create = Some(properties.iter().flat_map(|property| property.create.clone()).collect());
    }

    fn differs(&mut self, name: &str, before: impl Into<String>, after: impl Into<String>) {
        self.differences.push((name.to_owned(), before.into(), after.into()));
    }
}

impl Args {
    pub(super) fn decide(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        self.decide_after(host, false)
    }

    /// `pulled`: the image is as new as it can be.
    pub(super) fn decide_after(&self, host: &dyn Look, pulled: bool) -> Result<Option<Plan>, Fail> {
        plain_name(Kind::Container, &self.name)?;
        let comparisons = Comparisons::new(&self.comparisons.0)?;
        let container = self.engine.inspect(host, Kind::Container, &self.name)?.unwrap_or(Json::Null);
        let mut plan = Plan { before: container, ..Plan::default() };
        if self.state == State::Absent {
            if plan.before.is_null() {
                return Ok(None);
            }
            plan.stop = is_running(&plan.before);
            plan.remove = true;
            plan.differs("exists", "true", "false");
            return Ok(Some(plan));
        }
        self.configured(host, &comparisons, &mut plan, pulled)?;
        self.running(&mut plan);
        Ok((plan.changes() || plan.wait).then_some(plan))
    }

    /// Whether the container must be made, made anew or changed.
    fn configured(
        &self,
        host: &dyn Look,
        comparisons: &Comparisons,
        plan: &mut Plan,
        pulled: bool,
    ) -> Result<(), Fail> {
        let exists = !plan.before.is_null();
        let wanted = self.wanted_image(host, plan, pulled)?;
        if !exists && self.image.is_none() {
            return Err(Fail::new(format!(
                "there is no container {}, and image does not say what to make it from",
                self.name
            )));
        }
        let current = match plan.before["Image"].as_str() {
            Some(id) if wanted.is_none() || self.image_comparison == ImageComparison::CurrentImage => {
                find(&self.engine, host, id)?
            }
            _ => None,
        };
        let before = plan.before.clone();
        let mut around = Around {
            engine: &self.engine,
            host,
            container: &before,
            image: current.as_ref().or(wanted.as_ref()),
            compatible: self.container_default_behavior == DefaultBehavior::Compatibility,
            properties: Vec::new(),
        };
        self.collect(&mut around)?;
        let networks = self.network.changes(&around, comparisons);
        let properties = around.properties;
        self.check_labels(&properties, comparisons, wanted.as_ref())?;
        let mut different = Vec::new();
        for property in &properties {
            if exists && property.differs(comparisons.of(property)?) {
                let (was, will) = property.shown();
                plan.differs(property.name, was, will);
                different.push(property);
            }
        }
        let other_image = exists && self.other_image(plan, wanted.as_ref(), comparisons)?;
        let update: Option<Vec<&Vec<String>>> = different.iter().map(|it| it.update.as_ref()).collect();
        match update {
            _ if !exists => {
                plan.differs("exists", "false", "true");
                plan.make(&properties);
            }
            Some(words) if !other_image && !self.recreate => {
                plan.update = words.into_iter().flatten().cloned().collect();
                plan.networks = networks;
                for change in plan.networks.clone() {
                    let (was, will) = change.shown();
                    plan.differs("networks", was, will);
                }
                return Ok(());
            }
            _ => {
                if different.is_empty() && !other_image {
                    plan.differs("recreate", "as asked for", "anew");
                }
                plan.stop = is_running(&plan.before);
                plan.remove = true;
                plan.make(&properties);
            }
        }
        // A new container is in its first network from the start.
        let fresh = Around { container: &Json::Null, properties: Vec::new(), ..around };
        plan.networks = self.network.changes(&fresh, comparisons);
        Ok(())
    }

    fn collect(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        around.flag("auto_remove", self.auto_remove, "/HostConfig/AutoRemove", "--rm");
        self.process.collect(around)?;
        self.limits.collect(around)?;
        self.isolation.collect(around)?;
        self.storage.collect(around)?;
        self.network.collect(around)
    }

    /// The image that the task names, if the engine has it; says in the plan whether it must be pulled.
    fn wanted_image(&self, host: &dyn Look, plan: &mut Plan, pulled: bool) -> Result<Option<Image>, Fail> {
        let policy = self.pull_policy()?;
        let Some(given) = &self.image else { return Ok(None) };
        let name = named(given, "latest")?;
        let image = find(&self.engine, host, &name)?;
        let platform = self.platform.as_deref();
        let fits = image.as_ref().is_some_and(|image| platform.is_none_or(|wanted| image.is_for(wanted)));
        if is_id(given) || policy == PullPolicy::Never || pulled {
            return match image {
                Some(image) => Ok(Some(image)),
                None => Err(Fail::new(format!("Cannot find image {name}, which is not to be pulled"))),
            };
        }
        let pull = match (policy, &image) {
            (PullPolicy::Always, Some(image)) if fits => {
                let reference = Reference::new(given, "latest")?;
                let remote =
                    if reference.is_digest() { None } else { Remote::ask(&self.engine, host, &reference)? };
                !reference.is_digest() && !remote.is_some_and(|remote| remote.is(image, platform))
            }
            _ => !fits,
        };
        if pull {
            plan.pull = Some(name);
        }
        Ok(image)
    }

    /// Whether the container was made from another image than the task wants.
    fn other_image(
        &self,
        plan: &mut Plan,
        wanted: Option<&Image>,
        comparisons: &Comparisons,
    ) -> Result<bool, Fail> {
        let Some(given) = &self.image else { return Ok(false) };
        if comparisons.given("image") == Some(Comparison::Ignore) {
            return Ok(false);
        }
        let id = plain(&plan.before["Image"]);
        if plan.pull.is_some() {
            plan.differs("image", id, UNKNOWN);
            return Ok(true);
        }
        let new = wanted.map(|image| image.id().to_owned()).unwrap_or_default();
        if id != new {
            plan.differs("image", id, format!("{new} ({given})"));
            return Ok(true);
        }
        let name = plain(&plan.before["Config"]["Image"]);
        let same = named(&name, "latest").ok() == Some(named(given, "latest")?);
        if same || self.image_name_mismatch == NameMismatch::Ignore {
            return Ok(false);
        }
        plan.differs("image", name, given.clone());
        Ok(true)
    }

    fn check_labels(
        &self,
        properties: &[Property],
        comparisons: &Comparisons,
        image: Option<&Image>,
    ) -> Result<(), Fail> {
        let strict = comparisons.given("labels") == Some(Comparison::Strict);
        let given = properties.iter().any(|property| property.name == "labels");
        if self.image_label_mismatch != LabelMismatch::Fail || !strict || !given {
            return Ok(());
        }
        let own = self.process.label_names();
        let of_image = image.and_then(|image| image.0["Config"]["Labels"].as_object());
        let extra: Vec<&str> = of_image
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .filter(|name| !own.contains(name))
            .collect();
        if extra.is_empty() {
            return Ok(());
        }
        Err(Fail::new(format!(
            "Some labels should be removed but are present in the base image: {}",
            extra.join(", ")
        )))
    }

    /// What must happen for the state asked for, after the container is as configured.
    fn running(&self, plan: &mut Plan) {
        let new = plan.create.is_some();
        let runs = !new && is_running(&plan.before);
        match self.state {
            State::Absent | State::Present => {}
            State::Stopped => {
                if runs {
                    plan.stop = true;
                    plan.differs("running", "true", "false");
                }
            }
            State::Started | State::Healthy => {
                plan.start = !runs;
                plan.restart = runs && self.restart;
                if (plan.start || plan.restart) && !new {
                    let was = if plan.restart { "true" } else { "false" };
                    plan.differs("running", was, if plan.restart { "true (restarted)" } else { "true" });
                }
                let health = plan.before["State"]["Health"]["Status"].as_str();
                plan.wait =
                    self.state == State::Healthy && (plan.start || plan.restart || health != Some("healthy"));
            }
        }
        let will_run = plan.start || runs && !plan.stop;
        let paused = !new && plan.before["State"]["Paused"] == true;
        let wanted = self.paused.filter(|wanted| will_run && *wanted != (paused && !plan.restart));
        if let Some(wanted) = wanted {
            plan.pause = Some(wanted);
            plan.differs("paused", (!wanted).to_string(), wanted.to_string());
        }
    }
}

/// Whether its processes run, be they frozen or about to start again.
pub(super) fn is_running(container: &Json) -> bool {
    let state = &container["State"];
    state["Running"] == true || state["Restarting"] == true
}
