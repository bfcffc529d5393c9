//! `async_status`: what has become of a job that a task with `async` and `poll: 0` left running.
//!
//! The state of a job is a JSON file that the worker writes (`worker::detached`); only reading it is done here.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Fail, Look, Map, Module, Outcome, Support, Touch, Value};

/// Say whether a job that was started with `async` has finished, and what it came to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The job, as the field `ansible_job_id` of the task that started it says.
    jid: String,
    /// `status` tells about the job, `cleanup` removes the file with its state.
    #[serde(default)]
    mode: Mode,
}

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// Tell about the job.
    #[default]
    Status,
    /// Remove its state.
    Cleanup,
}

impl Args {
    fn file(&self, host: &dyn Look) -> Result<PathBuf, Fail> {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if self.jid.is_empty() || self.jid.starts_with('.') || !self.jid.bytes().all(safe) {
            return Err(Fail::new(format!("'{}' is no name of a job", self.jid)));
        }
        let home = || host.env("HOME").ok_or_else(|| Fail::new("the user has no home, so no jobs either"));
        let folder = match host.env("ANSIBLE_ASYNC_DIR") {
            Some(path) => match path.strip_prefix("~/") {
                Some(rest) => PathBuf::from(home()?).join(rest),
                None => PathBuf::from(path),
            },
            None => PathBuf::from(home()?).join(".ansible_async"),
        };
        Ok(folder.join(&self.jid))
    }

    fn unknown(&self) -> Fail {
        Fail::new("could not find job")
            .with("ansible_job_id", self.jid.as_str())
            .with("started", 1)
            .with("finished", 1)
    }
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: Wait until the upgrade is over
  async_status:
    jid: \"{{ upgrade.ansible_job_id }}\"
  register: job
  until: job is finished
  retries: 100
  delay: 10
- name: Forget its state
  async_status:
    jid: \"{{ upgrade.ansible_job_id }}\"
    mode: cleanup
";
    const RETURNS: &'static str = "
ansible_job_id: The job.
started: 1, because it was started.
finished: 1 once it is over, else 0.
erased: With `cleanup`, the file that was removed.
";
    /// The file to remove.
    type Plan = PathBuf;

    fn plan(&self, host: &dyn Look) -> Result<Option<PathBuf>, Fail> {
        let file = self.file(host)?;
        Ok(if self.mode == Mode::Cleanup && host.stat(&file, false)?.is_some() { Some(file) } else { None })
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        if self.mode == Mode::Cleanup {
            return Ok(Outcome::unchanged().with("ansible_job_id", self.jid.as_str()));
        }
        let bytes = host.read(&self.file(host)?)?.ok_or_else(|| self.unknown())?;
        let state: serde_json::Value = serde_json::from_slice(&bytes)
            .map_err(|error| Fail::new(format!("the state of the job can't be read: {error}")))?;
        Ok(outcome(Value::from(state).into_map()))
    }

    /// The file is the worker's own, so that removing it changes nothing of the host's.
    fn predicted(&self, _file: &PathBuf, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Outcome::unchanged().with("ansible_job_id", self.jid.as_str()))
    }

    fn apply(&self, file: PathBuf, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        host.remove_file(&file)?;
        Ok(Outcome::unchanged()
            .with("ansible_job_id", self.jid.as_str())
            .with("erased", file.to_string_lossy().as_ref()))
    }
}

/// The result that a state holds: the job's own, once it is over.
fn outcome(mut state: Map) -> Outcome {
    let mut flag = |name: &str| state.shift_remove(name).is_some_and(|it| it.truthy());
    let mut outcome = Outcome {
        changed: flag("changed"),
        failed: flag("failed"),
        skipped: flag("skipped"),
        ..Outcome::default()
    };
    if let Some(facts) = state.shift_remove("ansible_facts") {
        outcome.facts = facts.into_map();
    }
    if let Some(warnings) = state.shift_remove("warnings") {
        outcome.warnings = warnings.as_list().into_iter().flatten().map(ToString::to_string).collect();
    }
    outcome.fields = state;
    outcome
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    fn host(state: &str) -> FakeHost {
        FakeHost::new().dir("/root/.ansible_async").file("/root/.ansible_async/j1", state)
    }

    #[test]
    fn a_job_that_runs_is_not_finished() {
        let outcome = host(r#"{"ansible_job_id": "j1", "started": 1, "finished": 0}"#)
            .check::<Args>("jid: j1")
            .unwrap();
        assert!(!outcome.changed && !outcome.failed);
        assert_eq!(outcome.fields["finished"], Value::from(0));
    }

    #[test]
    fn a_finished_job_gives_its_own_result() {
        let state = r#"{"finished": 1, "changed": true, "failed": true, "rc": 2, "ansible_facts": {"a": 1}}"#;
        let outcome = host(state).check::<Args>("jid: j1").unwrap();
        assert!(outcome.changed && outcome.failed);
        assert_eq!(outcome.fields["rc"], Value::from(2));
        assert_eq!(outcome.facts["a"], Value::from(1));
    }

    #[test]
    fn cleanup_removes_the_state_once() {
        let mut host = host("{}");
        let outcome = host.play::<Args>("{jid: j1, mode: cleanup}").unwrap();
        assert_eq!(outcome.fields["erased"], Value::from("/root/.ansible_async/j1"));
        assert!(!host.play::<Args>("{jid: j1, mode: cleanup}").unwrap().changed);
    }

    #[test]
    fn a_job_that_is_not_there_and_a_name_that_leads_elsewhere_fail() {
        for (arguments, words) in [
            ("jid: j2", "could not find job"),
            ("jid: ../j1", "no name of a job"),
            ("jid: ''", "no name of a job"),
        ] {
            let fail = host("{}").check::<Args>(arguments).unwrap_err();
            assert!(fail.msg.contains(words), "{fail:?}");
        }
    }
}
