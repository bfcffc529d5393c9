//! `k8s_taint`: what keeps pods away from a node: a patch of its list of taints.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};
use crate::modules::kubectl::{
    Changes, Connection, How, Id, Showing, Strategy, Waiting, Wish, at, object_of,
};

/// Taint a node, or take taints away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The node.
    name: String,
    /// The taints.
    taints: Vec<Taint>,
    /// Whether the node has them.
    #[serde(default)]
    state: State,
    /// Give a taint of the same key and effect the new value; else that is an error.
    #[serde(default)]
    replace: bool,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

/// A taint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Taint {
    /// Its key.
    key: String,
    /// Its value.
    #[serde(default)]
    value: Option<String>,
    /// What it does to pods that do not tolerate it. Needed unless `state` is `absent`; then, without it, all of the key go.
    #[serde(default)]
    effect: Option<Effect>,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum Effect {
    /// None comes.
    NoSchedule,
    /// None comes, those that are there go.
    NoExecute,
    /// They come only if there is no other place.
    PreferNoSchedule,
}

/// Whether a node has taints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It has.
    #[default]
    Present,
    /// It has not.
    Absent,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Keep this node for the database
  k8s_taint:
    name: worker3
    taints:
      - key: dedicated
        value: database
        effect: NoSchedule

- name: Let pods run on the only node
  k8s_taint:
    name: master
    state: absent
    taints:
      - key: node-role.kubernetes.io/master
";
    const RETURNS: &'static str = "
result: The node as it is now.
";
    type Plan = Changes;

    fn plan(&self, host: &dyn Look) -> Result<Option<Changes>, Fail> {
        let kubectl = self.connection.open(host)?;
        let id = node(&self.name);
        let live = object_of(&kubectl, host, &id, None)?;
        let live = live.ok_or_else(|| Fail::new(format!("there is no node {}", self.name)))?;
        let now = at(&live, "/spec/taints").as_array().cloned().unwrap_or_default();
        let wanted = match self.state {
            State::Present => self.with(now.clone())?,
            State::Absent => now.iter().filter(|taint| !self.removes(taint)).cloned().collect(),
        };
        let mut doc =
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name}, "spec": {}});
        if wanted != now {
            doc["spec"]["taints"] = if wanted.is_empty() { Json::Null } else { Json::Array(wanted) };
        }
        let how = How::PatchOnly(vec![Strategy::Merge]);
        let wish = Wish { docs: vec![doc], namespace: None, how, go_on: false };
        let changes = wish.plan(&kubectl, host)?;
        Ok(Some(Changes::new(kubectl, changes, Vec::new())))
    }

    fn predicted(&self, plan: &Changes, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(plan.predicted(&Showing::default()))
    }

    fn diff(&self, plan: &Changes) -> Vec<Diff> {
        plan.diff(&Showing::default())
    }

    fn apply(&self, plan: Changes, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        plan.apply(host, &Waiting::none(), false, &Showing::default())
    }
}

/// What a node is called.
pub(super) fn node(name: &str) -> Id {
    Id { api_version: "v1".into(), kind: "Node".into(), namespace: None, name: name.to_owned() }
}

impl Args {
    /// The node's taints with the wanted ones.
    fn with(&self, mut taints: Vec<Json>) -> Result<Vec<Json>, Fail> {
        for taint in &self.taints {
            let Some(effect) = taint.effect else {
                return Err(Fail::new(format!("the taint {} needs an effect", taint.key)));
            };
            let place = taints.iter().position(|other| {
                at(other, "/key") == taint.key.as_str() && at(other, "/effect") == effect.word()
            });
            let value = taint.value.clone().unwrap_or_default();
            match place {
                Some(place) if at(&taints[place], "/value").as_str().unwrap_or_default() == value => {}
                Some(_) if !self.replace => {
                    return Err(Fail::new(format!(
                        "node {} has the taint {}:{} with another value: replace: true would change it",
                        self.name,
                        taint.key,
                        effect.word()
                    )));
                }
                Some(place) => taints[place]["value"] = json!(value),
                None => {
                    let mut new = json!({"key": taint.key, "effect": effect.word()});
                    if !value.is_empty() {
                        new["value"] = json!(value);
                    }
                    taints.push(new);
                }
            }
        }
        Ok(taints)
    }

    fn removes(&self, found: &Json) -> bool {
        self.taints.iter().any(|taint| {
            at(found, "/key") == taint.key.as_str()
                && taint.effect.is_none_or(|effect| at(found, "/effect") == effect.word())
                && taint
                    .value
                    .as_ref()
                    .is_none_or(|value| at(found, "/value").as_str().unwrap_or_default() == value)
        })
    }
}

impl Effect {
    fn word(self) -> &'static str {
        match self {
            Effect::NoSchedule => "NoSchedule",
            Effect::NoExecute => "NoExecute",
            Effect::PreferNoSchedule => "PreferNoSchedule",
        }
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    const PATCH: &str = "kubectl patch Node.v1. n --type=merge --patch-file=/dev/stdin --output=json";

    fn live(taints: &str) -> String {
        format!(
            r#"{{"apiVersion": "v1", "kind": "Node", "metadata": {{"name": "n", "resourceVersion": "3"}},
                "spec": {{"taints": [{taints}]}}}}"#
        )
    }

    #[test]
    fn taints_come_and_go_once_and_others_stay() {
        const OTHER: &str = r#"{"key": "o", "effect": "NoExecute"}"#;
        const BOTH: &str =
            r#"{"key": "o", "effect": "NoExecute"}, {"key": "a", "effect": "NoSchedule", "value": "b"}"#;
        for (args, before, after) in [
            ("{name: n, taints: [{key: a, value: b, effect: NoSchedule}]}", OTHER, BOTH),
            ("{name: n, state: absent, taints: [{key: a}]}", BOTH, OTHER),
            ("{name: n, state: absent, taints: [{key: a, effect: NoSchedule}]}", BOTH, OTHER),
        ] {
            let mut host = FakeHost::new().answer(PATCH, 0, &live(after));
            for taints in [before, before, before, before, after] {
                host = host.answer("kubectl get", 0, &live(taints));
            }
            host.converge::<Args>(args);
            let sent: serde_json::Value = serde_json::from_slice(&host.stdin).unwrap();
            let wanted: serde_json::Value = serde_json::from_str(&live(after)).unwrap();
            assert_eq!(sent["spec"], wanted["spec"], "{args}");
        }
    }

    #[test]
    fn another_value_is_taken_only_if_that_is_asked_for() {
        let host = || {
            FakeHost::new().answer(
                "kubectl get",
                0,
                &live(r#"{"key": "a", "effect": "NoSchedule", "value": "b"}"#),
            )
        };
        let args = "{name: n, taints: [{key: a, value: c, effect: NoSchedule}]}";
        let fail = host().play::<Args>(args).unwrap_err();
        assert!(fail.msg.contains("a:NoSchedule with another value"), "{}", fail.msg);
        let mut host =
            host().answer(PATCH, 0, &live(r#"{"key": "a", "effect": "NoSchedule", "value": "c"}"#));
        assert!(host.check::<Args>(&args.replace("{name", "{replace: true, name")).unwrap().changed);
        let fail = FakeHost::new().answer("kubectl get", 0, "").play::<Args>(args).unwrap_err();
        assert_eq!(fail.msg, "there is no node n");
        assert!(
            host.play::<Args>("{name: n, taints: [{key: a}]}").unwrap_err().msg.contains("needs an effect")
        );
    }
}
