//! What `docker_image` has to do, and doing it.

use std::path::PathBuf;

use super::{Args, Source, State};
use crate::modules::api::{Diff, Fail, Look, Map, Outcome, Touch, Value};
use crate::modules::docker::archive;
use crate::modules::docker::docker_image_push::Waiting;
use crate::modules::docker::docker_image_remove::remove;
use crate::modules::docker::image::{Image, UNKNOWN, find, name_diff, tag};
use crate::modules::docker::reference::{Reference, is_id};
use crate::modules::docker::remote::{self, Remote};

/// What must be done, in this order.
#[derive(Debug, Default)]
pub struct Plan {
    name: String,
    before: Option<Image>,
    /// Where the image comes from, if it must come.
    make: Option<Source>,
    /// Whether making it is sure to give another image.
    new: bool,
    archive: Option<PathBuf>,
    /// One more name, with the id of the image that has it now.
    tag: Option<(Reference, Option<String>)>,
    push: Option<Waiting>,
    remove: bool,
}

impl Plan {
    /// Whether something is sure to change: making the same image again may not.
    pub(super) fn certain(&self) -> bool {
        self.new || self.archive.is_some() || self.tag.is_some() || self.push.is_some() || self.remove
    }

    pub(super) fn diffs(&self) -> Vec<Diff> {
        let now = self.before.as_ref().map(Image::id);
        let after = if self.new { Some(UNKNOWN) } else { now };
        let mut diffs = Vec::new();
        if self.remove || self.new {
            diffs.push(name_diff(&self.name, now, if self.remove { None } else { after }));
        }
        if let Some(path) = &self.archive {
            diffs.push(name_diff(&path.display().to_string(), Some("another image or none"), after));
        }
        if let Some((name, before)) = &self.tag {
            diffs.push(name_diff(&name.to_string(), before.as_deref(), after));
        }
        diffs.extend(self.push.iter().map(Waiting::diff));
        diffs
    }
}

impl Args {
    pub(super) fn steps(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let name = self.full_name()?;
        let before = find(&self.engine, host, &name)?;
        if self.state == State::Absent {
            return Ok(before.is_some().then(|| Plan { name, before, remove: true, ..Plan::default() }));
        }
        let mut plan = Plan { name, before, ..Plan::default() };
        self.making(host, &mut plan)?;
        // What is yet to be made is compared with nothing.
        let image = plan.before.as_ref().filter(|_| !plan.new);
        let archive = self.archiving(host, image, &plan.name)?;
        let target = self.target()?;
        let naming = match &target {
            Some(target) => self.naming(host, image, target)?,
            None => None,
        };
        let push = match (self.push, &target) {
            (false, _) => None,
            (true, Some(target)) => Waiting::find(&self.engine, host, target, image)?,
            (true, None) if is_id(&self.name) => return Err(Fail::new("Cannot push an image by ID")),
            (true, None) => {
                Waiting::find(&self.engine, host, &Reference::new(&self.name, &self.tag)?, image)?
            }
        };
        let plan = Plan { archive, tag: naming, push, ..plan };
        Ok((plan.make.is_some() || plan.certain()).then_some(plan))
    }

    /// Whether the image must be built, pulled or loaded.
    fn making(&self, host: &dyn Look, plan: &mut Plan) -> Result<(), Fail> {
        let there = plan.before.as_ref();
        let Some(source) = self.source else {
            return match there {
                Some(_) => Ok(()),
                None => Err(Fail::new(format!(
                    "Cannot find the image {} locally, and source does not say where it comes from",
                    plan.name
                ))),
            };
        };
        if source != Source::Local && is_id(&self.name) {
            return Err(Fail::new("Image name must not be an image ID for source other than local"));
        }
        let (make, new) = match source {
            Source::Local if there.is_none() => {
                return Err(Fail::new(format!("Cannot find the image {} locally.", plan.name)));
            }
            Source::Local => (false, false),
            Source::Build => {
                let recipe = self.recipe()?;
                recipe.context(host)?;
                let made = match there {
                    Some(image) => recipe.made(host, image)?,
                    None => false,
                };
                (!made || self.force_source, !made || self.force_source && (recipe.nocache || recipe.pull))
            }
            Source::Pull => {
                let platform = self.pull.as_ref().and_then(|pull| pull.platform.as_deref());
                match there {
                    Some(image) if self.force_source => {
                        let reference = Reference::new(&self.name, &self.tag)?;
                        let remote = Remote::ask(&self.engine, host, &reference)?;
                        let same = remote.is_some_and(|remote| remote.is(image, platform));
                        (!same, !same)
                    }
                    Some(_) => (false, false),
                    None => (true, true),
                }
            }
            Source::Load => {
                let path = self.load_path.as_ref();
                let path =
                    path.ok_or_else(|| Fail::new("load_path is required with `source: load`"))?.on(host);
                if host.stat(&path, true)?.is_none() {
                    return Err(Fail::new(format!("there is no archive {}", path.display())));
                }
                let same = match there {
                    Some(image) if self.force_source => {
                        let inside = archive::images(host, &path)?.unwrap_or_default();
                        inside.iter().any(|it| it.id == image.id() && it.names.contains(&plan.name))
                    }
                    there => there.is_some(),
                };
                (!same, !same)
            }
        };
        plan.make = make.then_some(source);
        plan.new = new;
        Ok(())
    }

    fn archiving(&self, host: &dyn Look, image: Option<&Image>, name: &str) -> Result<Option<PathBuf>, Fail> {
        let Some(path) = self.archive_path.as_ref().map(|path| path.on(host)) else { return Ok(None) };
        let Some(image) = image else { return Ok(Some(path)) };
        let same = match archive::images(host, &path)?.as_deref() {
            Some([only]) => only.id == image.id() && (is_id(name) || only.names == [name]),
            _ => false,
        };
        Ok((!same).then_some(path))
    }

    /// The name in `repository`.
    fn target(&self) -> Result<Option<Reference>, Fail> {
        let Some(repository) = &self.repository else { return Ok(None) };
        let tag =
            if is_id(&self.name) { self.tag.clone() } else { Reference::new(&self.name, &self.tag)?.tag };
        let reference = Reference::new(repository, &tag)?;
        if reference.is_digest() {
            return Err(Fail::new(format!(
                "repository {repository}: an image is named with a tag, not a digest"
            )));
        }
        Ok(Some(reference))
    }

    fn naming(
        &self,
        host: &dyn Look,
        image: Option<&Image>,
        target: &Reference,
    ) -> Result<Option<(Reference, Option<String>)>, Fail> {
        let now = find(&self.engine, host, &target.to_string())?;
        let now = now.map(|image| image.id().to_owned());
        let same = now.is_some() && now.as_deref() == image.map(Image::id);
        // A name of another image is taken away only from what this task made, or if it is forced.
        let keep = now.is_some() && image.is_some() && !self.force_tag;
        Ok((!same && !keep).then(|| (target.clone(), now)))
    }

    pub(super) fn actions(&self, plan: &Plan) -> Vec<String> {
        let name = &plan.name;
        let mut actions = Vec::new();
        match plan.make {
            Some(Source::Build) => actions.push(format!(
                "Built image {name} from {}",
                self.build.as_ref().map_or("", |build| build.path.text())
            )),
            Some(Source::Pull) => actions.push(format!("Pulled image {name}")),
            Some(Source::Load) => actions.push(format!(
                "Loaded image {name} from {}",
                self.load_path.as_ref().map_or("", |path| path.text())
            )),
            Some(Source::Local) | None => {}
        }
        if let Some(path) = &plan.archive {
            actions.push(format!("Archived image {name} to {}", path.display()));
        }
        if let Some((target, _)) = &plan.tag {
            actions.push(format!("Tagged image {name} to {target}"));
        }
        if let Some(waiting) = &plan.push {
            actions.push(format!("Pushed image {}", waiting.reference));
        }
        if plan.remove {
            actions.push(format!("Removed image {name}"));
        }
        actions
    }

    pub(super) fn take(&self, plan: &Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let name = &plan.name;
        if plan.remove {
            remove(&self.engine, host, name, self.force_absent, true)?;
            return self.describe(
                host.as_look(),
                Outcome::changed(),
                self.actions(plan),
                String::new(),
                None,
            );
        }
        let stdout = self.make(plan, host)?;
        let image = find(&self.engine, host.as_look(), name)?
            .ok_or_else(|| Fail::new(format!("the image {name} is not there after it was made")))?;
        let mut changed = plan.before.as_ref().map(Image::id) != Some(image.id());
        if let Some(path) = &plan.archive {
            archive::save(&self.engine, host, std::slice::from_ref(name), path)?;
            changed = true;
        }
        if let Some((target, now)) = &plan.tag {
            tag(&self.engine, host, image.id(), target)?;
            changed |= now.as_deref() != Some(image.id());
        }
        let mut digest = None;
        if let Some(waiting) = &plan.push {
            let (pushed, new) = waiting.push(&self.engine, host)?;
            digest = pushed;
            changed |= new;
        }
        let outcome = Outcome { changed, ..Outcome::default() };
        self.describe(host.as_look(), outcome, self.actions(plan), stdout, digest)
    }

    fn make(&self, plan: &Plan, host: &mut dyn Touch) -> Result<String, Fail> {
        Ok(match plan.make {
            None | Some(Source::Local) => String::new(),
            Some(Source::Build) => self.recipe()?.run(&self.engine, host, &plan.name)?.out(),
            Some(Source::Pull) => {
                let platform = self.pull.as_ref().and_then(|pull| pull.platform.as_deref());
                remote::pull(&self.engine, host, &plan.name, platform)?.out()
            }
            Some(Source::Load) => {
                let path = self.load_path.as_ref().map(|path| path.on(host.as_look())).unwrap_or_default();
                let (names, stdout) = archive::load(&self.engine, host, &path)?;
                if find(&self.engine, host.as_look(), &plan.name)?.is_none() {
                    let names = names.join(", ");
                    return Err(Fail::new(format!("the archive has no image {}; it has {names}", plan.name)));
                }
                stdout
            }
        })
    }

    pub(super) fn describe(
        &self,
        host: &dyn Look,
        outcome: Outcome,
        actions: Vec<String>,
        stdout: String,
        digest: Option<String>,
    ) -> Result<Outcome, Fail> {
        let image = find(&self.engine, host, &self.full_name()?)?;
        let target = match self.target()? {
            None if is_id(&self.name) => None,
            None => Some(Reference::new(&self.name, &self.tag)?),
            target => target,
        };
        let known = || image.as_ref()?.digest_in(target.as_ref()?);
        let digest = digest.or_else(known);
        Ok(outcome
            .with("actions", actions)
            .with("image", image.as_ref().map_or_else(|| Value::map(Map::new()), Image::value))
            .with("digest", digest)
            .with("stdout", stdout))
    }
}
