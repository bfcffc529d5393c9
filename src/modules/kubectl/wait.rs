//! Waiting until an object is as it should be, or gone.

use std::thread::sleep;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::lookup::object_of;
use super::object::{Id, at};
use super::run::Kubectl;
use crate::modules::api::{Cmd, Fail, Touch, Value};

/// The arguments on waiting.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiting {
    /// Wait until the object is ready, or gone. Ready by its kind: Deployments, DaemonSets, StatefulSets and
    /// ReplicaSets when all replicas are up to date and ready, Pods when their containers are ready,
    /// CustomResourceDefinitions when they are established, others when they are there.
    #[serde(default)]
    pub wait: bool,
    /// Seconds between two looks.
    #[serde(default = "five")]
    pub wait_sleep: u64,
    /// The most seconds to wait.
    #[serde(default = "two_minutes")]
    pub wait_timeout: u64,
    /// A condition in the object's status to wait for, instead of readiness by its kind.
    pub wait_condition: Option<Condition>,
}

fn five() -> u64 {
    5
}

fn two_minutes() -> u64 {
    120
}

/// A condition in an object's status.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Condition {
    /// The condition's type: `Available`, `Complete` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Its status: `True`, `False` or `Unknown`.
    #[serde(default = "yes")]
    pub status: Value,
    /// Its reason, if that matters.
    pub reason: Option<String>,
}

fn yes() -> Value {
    Value::from("True")
}

impl Waiting {
    /// No waiting.
    pub fn none() -> Waiting {
        Waiting { wait: false, wait_sleep: five(), wait_timeout: two_minutes(), wait_condition: None }
    }

    /// Whether an object is as it is waited for.
    pub fn satisfied(&self, object: &Json) -> bool {
        match &self.wait_condition {
            Some(condition) => condition.holds(object),
            None => ready(object),
        }
    }

    /// Waits until the object is ready; returns it as it is then.
    ///
    /// # Errors
    /// Time is over; the object is gone.
    pub fn until_ready(
        &self,
        kubectl: &Kubectl,
        host: &mut dyn Touch,
        id: &Id,
        namespace: Option<&str>,
    ) -> Result<Json, Fail> {
        let mut last = Json::Null;
        let found = self.until(host, |host| {
            if let Some(object) = object_of(kubectl, host.as_look(), id, namespace)? {
                last = object;
                return Ok(self.satisfied(&last).then(|| last.clone()));
            }
            Ok(None)
        })?;
        found.ok_or_else(|| {
            let why = if last.is_null() { "it is not there".to_owned() } else { state_of(&last) };
            let seconds = self.wait_timeout;
            Fail::new(format!("{id}: timed out waiting on resource after {seconds} s: {why}"))
        })
    }

    /// Waits until the object is gone.
    ///
    /// # Errors
    /// Time is over.
    pub fn until_gone(
        &self,
        kubectl: &Kubectl,
        host: &mut dyn Touch,
        id: &Id,
        namespace: Option<&str>,
    ) -> Result<(), Fail> {
        let gone = self.until(host, |host| {
            Ok(object_of(kubectl, host.as_look(), id, namespace)?.is_none().then_some(()))
        })?;
        gone.ok_or_else(|| Fail::new(format!("{id}: it is still there after {} s", self.wait_timeout)))
    }

    /// Looks again and again until there is an answer; `None`: time is over.
    ///
    /// # Errors
    /// What a look says.
    pub fn until<T>(
        &self,
        host: &mut dyn Touch,
        mut look: impl FnMut(&mut dyn Touch) -> Result<Option<T>, Fail>,
    ) -> Result<Option<T>, Fail> {
        let (began, limit) = (Instant::now(), Duration::from_secs(self.wait_timeout));
        loop {
            if let Some(found) = look(host)? {
                return Ok(Some(found));
            }
            let left = limit.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            pause(host, Duration::from_secs(self.wait_sleep.max(1)).min(left))?;
        }
    }
}

/// Waits. Longer times are a command's: it ends when the run is stopped, a sleeping thread would not.
pub(crate) fn pause(host: &mut dyn Touch, time: Duration) -> Result<(), Fail> {
    if time < Duration::from_secs(1) {
        sleep(time.max(Duration::from_millis(10)));
        return Ok(());
    }
    host.run(&Cmd::new(["sleep", &time.as_secs().to_string()]))?.success("waiting").map(drop)
}

impl Condition {
    fn holds(&self, object: &Json) -> bool {
        let wanted = self.status.to_string();
        let found = at(object, "/status/conditions")
            .as_array()
            .into_iter()
            .flatten()
            .find(|condition| at(condition, "/type").as_str() == Some(&self.kind));
        let Some(found) = found else {
            return wanted.eq_ignore_ascii_case("unknown") && self.reason.is_none();
        };
        at(found, "/status").as_str().unwrap_or_default().eq_ignore_ascii_case(&wanted)
            && self.reason.as_ref().is_none_or(|reason| at(found, "/reason").as_str() == Some(reason))
    }
}

fn number(object: &Json, pointer: &str) -> i64 {
    at(object, pointer).as_i64().unwrap_or(0)
}

fn has_condition(object: &Json, kind: &str) -> bool {
    Condition { kind: kind.into(), status: yes(), reason: None }.holds(object)
}

/// Whether an object is ready, by its kind.
fn ready(object: &Json) -> bool {
    let seen = number(object, "/status/observedGeneration") >= number(object, "/metadata/generation");
    let wanted = at(object, "/spec/replicas").as_i64().unwrap_or(1);
    let all =
        |fields: &[&str]| fields.iter().all(|field| number(object, &format!("/status/{field}")) == wanted);
    match Id::of(object).kind.as_str() {
        "Deployment" => seen && all(&["replicas", "updatedReplicas", "availableReplicas"]),
        "ReplicaSet" | "ReplicationController" => seen && all(&["replicas", "readyReplicas"]),
        "StatefulSet" => {
            let rolling = at(object, "/spec/updateStrategy/type") != "OnDelete";
            let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition");
            let updated = number(object, "/status/updatedReplicas");
            let settled = at(object, "/status/currentRevision") == at(object, "/status/updateRevision")
                || (partition > 0 && updated >= wanted - partition);
            seen && all(&["readyReplicas"]) && (!rolling || settled)
        }
        "DaemonSet" => {
            let wanted = at(object, "/status/desiredNumberScheduled").as_i64();
            let all = ["updatedNumberScheduled", "numberAvailable"];
            seen && wanted.is_some_and(|wanted| {
                all.iter().all(|field| number(object, &format!("/status/{field}")) == wanted)
            })
        }
        "Pod" => {
            let containers = at(object, "/status/containerStatuses").as_array();
            at(object, "/status/phase") == "Succeeded"
                || containers.is_some_and(|all| all.iter().all(|one| at(one, "/ready") == true))
        }
        "CustomResourceDefinition" => has_condition(object, "Established"),
        _ => true,
    }
}

/// What keeps an object from being ready, as far as it says so itself.
fn state_of(object: &Json) -> String {
    let mut parts = Vec::new();
    for (name, field) in [("ready", "readyReplicas"), ("available", "availableReplicas")] {
        if at(object, "/spec/replicas").is_i64() {
            let (have, wanted) =
                (number(object, &format!("/status/{field}")), number(object, "/spec/replicas"));
            parts.push(format!("{have} of {wanted} replicas are {name}"));
        }
    }
    if let Some(phase) = at(object, "/status/phase").as_str() {
        parts.push(format!("its phase is {phase}"));
    }
    for condition in at(object, "/status/conditions").as_array().into_iter().flatten() {
        if at(condition, "/status") == "False" {
            let text = |pointer: &str| at(condition, pointer).as_str().unwrap_or_default();
            parts.push(
                format!("{}: {} {}", text("/type"), text("/reason"), text("/message")).trim().to_owned(),
            );
        }
    }
    for container in at(object, "/status/containerStatuses").as_array().into_iter().flatten() {
        if let Some(reason) = at(container, "/state/waiting/reason").as_str() {
            parts
                .push(format!("container {}: {reason}", at(container, "/name").as_str().unwrap_or_default()));
        }
    }
    if parts.is_empty() { "its status does not say why".into() } else { parts.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn waiting(condition: Option<(&str, Value, Option<&str>)>) -> Waiting {
        Waiting {
            wait: true,
            wait_sleep: 5,
            wait_timeout: 120,
            wait_condition: condition.map(|(kind, status, reason)| Condition {
                kind: kind.into(),
                status,
                reason: reason.map(str::to_owned),
            }),
        }
    }

    #[test]
    fn each_kind_is_ready_in_its_own_way() {
        let deployment = |generation: i64, updated: i64, available: i64| {
            json!({"kind": "Deployment", "metadata": {"generation": generation}, "spec": {"replicas": 2},
                "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": updated,
                "availableReplicas": available}})
        };
        let daemons = |ready: i64| {
            json!({"kind": "DaemonSet", "status": {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3,
                "numberAvailable": ready}})
        };
        let set = |update: &str| {
            json!({"kind": "StatefulSet", "spec": {"replicas": 1}, "status": {"readyReplicas": 1,
                "currentRevision": "a", "updateRevision": update}})
        };
        for (object, is_ready) in [
            (deployment(2, 2, 2), true),
            (deployment(3, 2, 2), false),
            (deployment(2, 1, 2), false),
            (deployment(2, 2, 1), false),
            (json!({"kind": "Deployment", "spec": {"replicas": 0}, "status": {}}), true),
            (json!({"kind": "Deployment", "spec": {}}), false),
            (daemons(3), true),
            (daemons(2), false),
            (json!({"kind": "DaemonSet"}), false),
            (set("a"), true),
            (set("b"), false),
            (json!({"kind": "Pod", "status": {"phase": "Pending"}}), false),
            (json!({"kind": "Pod", "status": {"phase": "Succeeded"}}), true),
            (json!({"kind": "Pod", "status": {"containerStatuses": [{"ready": true}]}}), true),
            (
                json!({"kind": "Pod", "status": {"containerStatuses": [{"ready": true}, {"ready": false}]}}),
                false,
            ),
            (json!({"kind": "CustomResourceDefinition"}), false),
            (json!({"kind": "ConfigMap"}), true),
        ] {
            assert_eq!(waiting(None).satisfied(&object), is_ready, "{object}");
        }
    }

    #[test]
    fn a_condition_is_its_type_status_and_reason() {
        let job = json!({"kind": "Job", "status": {"conditions": [{"type": "Complete", "status": "True", "reason": "R"}]}});
        for (condition, holds) in [
            (("Complete", Value::from(true), None), true),
            (("Complete", Value::from("true"), Some("R")), true),
            (("Complete", Value::from("True"), Some("Q")), false),
            (("Complete", Value::from("False"), None), false),
            (("Failed", Value::from("True"), None), false),
            (("Failed", Value::from("Unknown"), None), true),
        ] {
            assert_eq!(waiting(Some(condition.clone())).satisfied(&job), holds, "{condition:?}");
        }
    }

    #[test]
    fn what_is_not_ready_says_why() {
        let object = json!({"spec": {"replicas": 2}, "status": {"readyReplicas": 1, "conditions": [
            {"type": "Available", "status": "False", "reason": "Few", "message": "too few"}]}});
        assert_eq!(
            state_of(&object),
            "1 of 2 replicas are ready; 0 of 2 replicas are available; Available: Few too few"
        );
    }
}
