//! Doing what a container needs, in the order of the plan.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::lifecycle::{Plan, is_running};
use super::property::plain;
use super::{Args, State};
use crate::modules::api::{Cmd, Fail, Look, Map, Outcome, Touch, Value};
use crate::modules::docker::engine::Kind;
use crate::modules::docker::image::{find, named};
use crate::modules::docker::pairs::with_variables;
use crate::modules::docker::remote;

impl Args {
    pub(super) fn take(&self, mut plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut pulled = Vec::new();
        if let Some(image) = plan.pull.take() {
            let id = |host: &dyn Look| -> Result<Option<String>, Fail> {
                Ok(find(&self.engine, host, &image)?.map(|image| image.id().to_owned()))
            };
            let before = id(host.as_look())?;
            remote::pull(&self.engine, host, &image, self.platform.as_deref())?;
            if before != id(host.as_look())? {
                pulled.push(format!("pulled {image}"));
            }
            // What is inherited from it was not known before.
            plan = match self.decide_after(host.as_look(), true)? {
                Some(plan) => plan,
                None => Plan { before: plan.before, ..Plan::default() },
            };
        }
        if plan.stop {
            self.stop(host, &plan)?;
        }
        if plan.remove {
            self.remove(host, &plan)?;
        }
        if self.state == State::Absent {
            return Ok(Outcome::changed()
                .with("actions", plan.actions())
                .with("container", Value::map(Map::new())));
        }
        if let Some(words) = &plan.create {
            self.create(host, words)?;
        }
        if !plan.update.is_empty() {
            let words =
                ["update".to_owned()].into_iter().chain(plan.update.clone()).chain([self.name.clone()]);
            self.engine.tell(host, words, &format!("updating the container {}", self.name))?;
        }
        for change in &plan.networks {
            for words in change.commands(&self.name) {
                self.engine.tell(host, words, &format!("changing the networks of {}", self.name))?;
            }
        }
        let changed = plan.changes() || !pulled.is_empty();
        let mut outcome = Outcome { changed, ..Outcome::default() };
        if plan.start && self.detach == Some(false) {
            outcome = self.run_to_its_end(host, outcome)?;
        } else {
            self.bring_about(host, &plan)?;
            outcome = self.describe(host.as_look(), outcome)?;
        }
        let actions: Vec<String> = pulled.into_iter().chain(plan.actions()).collect();
        Ok(outcome.with("actions", actions))
    }

    fn stop(&self, host: &mut dyn Touch, plan: &Plan) -> Result<(), Fail> {
        let what = format!("stopping the container {}", self.name);
        if plan.before["State"]["Paused"] == true {
            self.engine.tell(host, ["unpause", &self.name], &what)?;
        }
        if self.force_kill {
            let signal = self.kill_signal.clone().unwrap_or_else(|| "KILL".into());
            self.engine.tell(host, ["kill", "--signal", &signal, &self.name], &what)?;
            return Ok(());
        }
        let mut words = vec!["stop".to_owned()];
        if let Some(seconds) = self.process.stop_timeout {
            words.extend(["-t".to_owned(), seconds.to_string()]);
        }
        words.push(self.name.clone());
        self.engine.tell(host, words, &what).map(drop)
    }

    fn remove(&self, host: &mut dyn Touch, plan: &Plan) -> Result<(), Fail> {
        // The engine removes it itself when it was told to at its making.
        if plan.before["HostConfig"]["AutoRemove"] == true && plan.stop {
            let limit = self.removal_wait_timeout.unwrap_or(10.0);
            let gone = self.until(host, limit, |it| it.is_none().then_some(Ok(())))?;
            return gone.ok_or_else(|| {
                Fail::new(format!("the engine did not remove {} within {limit} seconds", self.name))
            });
        }
        let mut words = vec!["rm", "--force"];
        if !self.keep_volumes {
            words.push("--volumes");
        }
        words.push(&self.name);
        self.engine.tell(host, words, &format!("removing the container {}", self.name)).map(drop)
    }

    fn create(&self, host: &mut dyn Touch, words: &[String]) -> Result<(), Fail> {
        let image = named(self.image.as_deref().unwrap_or_default(), "latest")?;
        let mut cmd = self.engine.cmd(host.as_look(), ["create", "--name", &self.name, "--pull", "never"])?;
        if let Some(platform) = &self.platform {
            cmd = cmd.args(["--platform", platform]);
        }
        cmd = with_variables(cmd, "--env", &self.process.variables(host.as_look())?);
        cmd = cmd.args(words).arg(image).args(self.process.command_words()?);
        host.run(&cmd)?.success(&format!("making the container {}", self.name)).map(drop)
    }

    fn bring_about(&self, host: &mut dyn Touch, plan: &Plan) -> Result<(), Fail> {
        for (wanted, word) in [
            (plan.start, "start"),
            (plan.restart, "restart"),
            (plan.pause == Some(true), "pause"),
            (plan.pause == Some(false), "unpause"),
        ] {
            if wanted {
                self.engine.tell(
                    host,
                    [word, &self.name],
                    &format!("{word} of the container {}", self.name),
                )?;
            }
        }
        if plan.wait { self.wait_for_health(host) } else { Ok(()) }
    }

    fn wait_for_health(&self, host: &mut dyn Touch) -> Result<(), Fail> {
        let limit = if self.healthy_wait_timeout <= 0.0 { f64::INFINITY } else { self.healthy_wait_timeout };
        let name = &self.name;
        let well = self.until(host, limit, |container| {
            let Some(container) = container else {
                return Some(Err(Fail::new(format!("the container {name} went away"))));
            };
            let health = &container["State"]["Health"];
            match health["Status"].as_str() {
                None | Some("none") => Some(Err(Fail::new(format!("{name} has no health check")))),
                Some("healthy") => Some(Ok(())),
                Some("unhealthy") => {
                    let log =
                        health["Log"].as_array().and_then(|log| log.last()).map(|it| plain(&it["Output"]));
                    let log = log.unwrap_or_default();
                    Some(Err(Fail::new(format!("the container {name} is unhealthy: {}", log.trim()))))
                }
                Some(_) if !is_running(container) => {
                    Some(Err(Fail::new(format!("the container {name} ended before it was healthy"))))
                }
                Some(_) => None,
            }
        })?;
        well.ok_or_else(|| Fail::new(format!("{name} was not healthy within {limit} seconds")))
    }

    /// Looks again and again until `judge` has an answer; `None`: it ran out of time.
    fn until(
        &self,
        host: &mut dyn Touch,
        seconds: f64,
        judge: impl Fn(Option<&Json>) -> Option<Result<(), Fail>>,
    ) -> Result<Option<()>, Fail> {
        let begin = Instant::now();
        let limit = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        loop {
            let container = self.engine.inspect(host.as_look(), Kind::Container, &self.name)?;
            if let Some(answer) = judge(container.as_ref()) {
                return answer.map(Some);
            }
            if begin.elapsed() >= limit {
                return Ok(None);
            }
            host.run(&Cmd::new(["sleep", "0.5"]))?.success("waiting")?;
        }
    }

    /// Starts it in the foreground, as it were: waits for its end and takes what it printed.
    fn run_to_its_end(&self, host: &mut dyn Touch, outcome: Outcome) -> Result<Outcome, Fail> {
        let name = &self.name;
        // Attached: an engine that removes the container at its end would leave nothing to ask.
        let cmd = self.engine.cmd(host.as_look(), ["start", "--attach", name])?;
        let ran = host.run(&cmd)?;
        let output = format!("{}{}", ran.out(), ran.err());
        let container = self.engine.inspect(host.as_look(), Kind::Container, name)?;
        let rc = container.as_ref().and_then(|it| it["State"]["ExitCode"].as_i64()).unwrap_or(ran.rc.into());
        let mut described = Value::from(container.clone().unwrap_or(Json::Null)).into_map();
        described.insert("Output".into(), Value::from(output.as_str()));
        if self.cleanup && container.is_some() {
            let mut words = vec!["rm", "--force"];
            if !self.keep_volumes {
                words.push("--volumes");
            }
            words.push(name);
            self.engine.tell(host, words, &format!("removing the container {name}"))?;
        }
        let mut outcome = outcome.with("status", rc).with("container", described);
        if self.output_logs {
            outcome = outcome.with("stdout", output.as_str());
        }
        if rc != 0 {
            outcome.failed = true;
            outcome = outcome.with("msg", output.trim());
        }
        Ok(outcome)
    }

    pub(super) fn describe(&self, host: &dyn Look, outcome: Outcome) -> Result<Outcome, Fail> {
        let container = self.engine.inspect(host, Kind::Container, &self.name)?;
        let none: Vec<String> = Vec::new();
        let container = container.map_or_else(|| Value::map(Map::new()), Value::from);
        Ok(outcome.with("container", container).with("actions", none))
    }
}
