//! `k8s_drain`: a node that takes no more pods, and whose pods go elsewhere.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::k8s_taint::node;
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch, Value};
use crate::modules::kubectl::{Connection, Id, Kubectl, Place, Selection, at, object_of, selected};

/// Cordon, drain or uncordon a node.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The node.
    name: String,
    /// What it is to be.
    #[serde(default)]
    state: State,
    /// Labels: only pods that have them go.
    #[serde(default, alias = "label_selectors")]
    #[schemars(extend("x-aliases" = ["label_selectors"]))]
    pod_selectors: Vec<String>,
    /// How pods are taken off.
    #[serde(default)]
    delete_options: DrainOptions,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

/// What a node is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It takes no new pods.
    Cordon,
    /// It takes no new pods, and those that it has go.
    #[default]
    Drain,
    /// It takes pods.
    Uncordon,
}

/// How pods are taken off a node.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DrainOptions {
    /// Seconds that each pod has to end; by default as the pod says.
    terminate_grace_period: Option<i64>,
    /// Also pods that nothing would start again elsewhere.
    #[serde(default)]
    force: bool,
    /// Leave pods of DaemonSets where they are instead of failing.
    #[serde(default)]
    ignore_daemonsets: bool,
    /// Also pods that lose what is in an emptyDir.
    #[serde(default)]
    delete_emptydir_data: bool,
    /// Delete pods instead of evicting them: disruption budgets do not count then.
    #[serde(default)]
    disable_eviction: bool,
    /// The most seconds to wait until all are gone; by default without end.
    wait_timeout: Option<u64>,
}

/// What must change.
#[derive(Debug)]
pub struct Plan {
    kubectl: Kubectl,
    /// Whether the node takes pods now.
    open: bool,
    /// The pods that go, as `namespace/name`.
    pods: Vec<String>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Empty the node before its upgrade
  k8s_drain:
    name: worker1
    delete_options:
      ignore_daemonsets: true
      delete_emptydir_data: true
      wait_timeout: 300

- name: It may work again
  k8s_drain:
    name: worker1
    state: uncordon
";
    const RETURNS: &'static str = "
result: What was done.
pods: The pods that went.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let kubectl = self.connection.open(host)?;
        let live = object_of(&kubectl, host, &node(&self.name), None)?;
        let live = live.ok_or_else(|| Fail::new(format!("there is no node {}", self.name)))?;
        let open = at(&live, "/spec/unschedulable") != true;
        let pods = if self.state == State::Drain { self.pods(&kubectl, host)? } else { Vec::new() };
        let done = match self.state {
            State::Cordon => !open,
            State::Uncordon => open,
            State::Drain => !open && pods.is_empty(),
        };
        Ok((!done).then_some(Plan { kubectl, open, pods }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        let word = match self.state {
            State::Cordon => "cordoned",
            State::Drain => "drained",
            State::Uncordon => "uncordoned",
        };
        Ok(Outcome::unchanged().with("result", format!("node {} already {word}", self.name)))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.tell(plan))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let side = |open: bool, pods: &[String]| {
            Value::from_pairs([("schedulable", Value::from(open)), ("pods", Value::from(pods.to_vec()))])
        };
        vec![Diff {
            before_header: self.name.clone(),
            after_header: self.name.clone(),
            before: side(plan.open, &plan.pods),
            after: side(self.state == State::Uncordon, &[]),
            prepared: None,
        }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let words = self.words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        plan.kubectl.act(host, &words, None)?;
        Ok(self.tell(&plan))
    }
}

impl Args {
    fn words(&self) -> Vec<String> {
        let verb = match self.state {
            State::Cordon => "cordon",
            State::Drain => "drain",
            State::Uncordon => "uncordon",
        };
        let mut words = vec![verb.to_owned(), self.name.clone()];
        if self.state != State::Drain {
            return words;
        }
        let options = &self.delete_options;
        for (given, word) in [
            (options.force, "--force"),
            (options.ignore_daemonsets, "--ignore-daemonsets"),
            (options.delete_emptydir_data, "--delete-emptydir-data"),
            (options.disable_eviction, "--disable-eviction"),
        ] {
            words.extend(given.then(|| word.to_owned()));
        }
        words.extend(options.terminate_grace_period.map(|seconds| format!("--grace-period={seconds}")));
        words.extend(options.wait_timeout.map(|seconds| format!("--timeout={seconds}s")));
        let selectors = self.pod_selectors.join(",");
        words.extend((!selectors.is_empty()).then(|| format!("--pod-selector={selectors}")));
        words
    }

    /// The pods that have to go.
    fn pods(&self, kubectl: &Kubectl, host: &dyn Look) -> Result<Vec<String>, Fail> {
        let selection = Selection {
            label_selectors: self.pod_selectors.clone(),
            field_selectors: vec![format!("spec.nodeName={}", self.name)],
        };
        let all = selected(kubectl, host, "Pod.v1.", Place::Everywhere, &selection)?.unwrap_or_default();
        let (mut going, mut refused) = (Vec::new(), Vec::new());
        for pod in &all {
            let id = Id::of(pod);
            let name = format!("{}/{}", id.namespace.unwrap_or_default(), id.name);
            match self.judge(pod) {
                Fate::Stays => {}
                Fate::Goes => going.push(name),
                Fate::Refused(why) => refused.push(format!("{name} {why}")),
            }
        }
        if refused.is_empty() {
            return Ok(going);
        }
        Err(Fail::new(format!("node {} can't be drained: {}", self.name, refused.join("; "))))
    }

    /// As `kubectl drain` judges, so that check mode knows what it would refuse.
    fn judge(&self, pod: &Json) -> Fate {
        let mirror = at(pod, "/metadata/annotations").get("kubernetes.io/config.mirror").is_some();
        if mirror {
            return Fate::Stays;
        }
        let phase = at(pod, "/status/phase").as_str().unwrap_or_default();
        let finished = matches!(phase, "Succeeded" | "Failed");
        let owners = at(pod, "/metadata/ownerReferences").as_array();
        let controller = owners.into_iter().flatten().find(|owner| at(owner, "/controller") == true);
        let options = &self.delete_options;
        match controller {
            Some(owner) if at(owner, "/kind") == "DaemonSet" && !finished => {
                return if options.ignore_daemonsets {
                    Fate::Stays
                } else {
                    Fate::Refused("belongs to a DaemonSet (delete_options.ignore_daemonsets leaves it)")
                };
            }
            None if !options.force && !finished => {
                return Fate::Refused("belongs to nothing that would start it again (delete_options.force)");
            }
            _ => {}
        }
        let volumes = at(pod, "/spec/volumes").as_array();
        let local = volumes.is_some_and(|all| all.iter().any(|volume| volume.get("emptyDir").is_some()));
        if local && !options.delete_emptydir_data && !finished {
            return Fate::Refused("has data in an emptyDir (delete_options.delete_emptydir_data)");
        }
        Fate::Goes
    }

    fn tell(&self, plan: &Plan) -> Outcome {
        let word = match self.state {
            State::Cordon => "cordoned",
            State::Drain => "drained",
            State::Uncordon => "uncordoned",
        };
        Outcome::changed()
            .with("result", format!("node {} {word}", self.name))
            .with("pods", plan.pods.clone())
    }
}

/// What becomes of a pod when its node is drained.
enum Fate {
    /// It stays.
    Stays,
    /// It goes.
    Goes,
    /// It would have to go, but must not.
    Refused(&'static str),
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    const NODE: &str = "kubectl get Node.v1. w --ignore-not-found --output=json";
    const PODS: &str = "kubectl get Pod.v1. --output=json --field-selector=spec.nodeName=w --all-namespaces";

    fn live(unschedulable: bool) -> String {
        format!(
            r#"{{"kind": "Node", "metadata": {{"name": "w"}}, "spec": {{"unschedulable": {unschedulable}}}}}"#
        )
    }

    fn pods(all: &[(&str, &str, &str)]) -> String {
        let one = |(name, owner, more): &(&str, &str, &str)| {
            let owner = if owner.is_empty() {
                String::new()
            } else {
                format!(r#""ownerReferences": [{{"kind": "{owner}", "controller": true}}],"#)
            };
            format!(r#"{{"kind": "Pod", "metadata": {{{owner} "namespace": "n", "name": "{name}"}}{more}}}"#)
        };
        format!(r#"{{"kind": "List", "items": [{}]}}"#, all.iter().map(one).collect::<Vec<_>>().join(","))
    }

    #[test]
    fn cordon_and_uncordon_happen_once() {
        for (state, before) in [("cordon", false), ("uncordon", true)] {
            let line = format!("kubectl {state} w");
            let mut host = FakeHost::new().answer(&line, 0, "");
            for unschedulable in [before, before, !before] {
                host = host.answer(NODE, 0, &live(unschedulable));
            }
            host.converge::<Args>(&format!("{{name: w, state: {state}}}"));
            assert_eq!(host.ran, [line]);
        }
        let fail = FakeHost::new().answer(NODE, 0, "").play::<Args>("name: w").unwrap_err();
        assert_eq!(fail.msg, "there is no node w");
    }

    #[test]
    fn a_drain_is_done_when_only_what_may_stay_is_left() {
        let some = [
            ("a", "ReplicaSet", ""),
            ("d", "DaemonSet", ""),
            ("m", "", r#", "status": {"phase": "Failed"}"#),
        ];
        let line = "kubectl drain w --ignore-daemonsets --grace-period=5 --timeout=60s";
        let mut host = FakeHost::new()
            .answer(NODE, 0, &live(false))
            .answer(NODE, 0, &live(false))
            .answer(NODE, 0, &live(true))
            .answer(PODS, 0, &pods(&some))
            .answer(PODS, 0, &pods(&some))
            .answer(PODS, 0, &pods(&some[1..2]))
            .answer(line, 0, "");
        let args = "{name: w, delete_options: {ignore_daemonsets: true, terminate_grace_period: 5, wait_timeout: 60}}";
        let outcome = host.converge::<Args>(args);
        assert_eq!(outcome.fields["pods"].to_string(), "['n/a', 'n/m']");
        assert_eq!(host.ran, [line]);
    }

    #[test]
    fn pods_that_must_not_go_are_named_before_anything_happens() {
        let all = [
            ("d", "DaemonSet", ""),
            ("e", "ReplicaSet", r#", "spec": {"volumes": [{"emptyDir": {}}]}"#),
            ("u", "", ""),
        ];
        let mut host = FakeHost::new().answer(NODE, 0, &live(false)).answer(PODS, 0, &pods(&all));
        let fail = host.check::<Args>("name: w").unwrap_err();
        for word in ["n/d belongs to a DaemonSet", "n/e has data", "n/u belongs to nothing"] {
            assert!(fail.msg.contains(word), "{}", fail.msg);
        }
        let args =
            "{name: w, delete_options: {ignore_daemonsets: true, delete_emptydir_data: true, force: true}}";
        assert!(host.check::<Args>(args).unwrap().changed);
    }
}
