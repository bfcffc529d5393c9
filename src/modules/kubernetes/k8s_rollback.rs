//! `k8s_rollback`: back to the revision before: `kubectl rollout undo`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Support, Touch, Value};
use crate::modules::kubectl::{
    Connection, Id, Kubectl, Place, Selection, Showing, at, diff_of, object_of, resource, selected, shown,
};

/// Roll a Deployment or DaemonSet back to its revision before this one.
///
/// Each run rolls back, so a second one rolls forward again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// `Deployment` or `DaemonSet`.
    #[serde(default)]
    kind: Kind,
    /// Its API version.
    #[serde(default = "apps", alias = "api", alias = "version")]
    #[schemars(extend("x-aliases" = ["api", "version"]))]
    api_version: String,
    /// Its name; by default all that are selected.
    #[serde(default)]
    name: Option<String>,
    /// Its namespace; by default the kubeconfig's.
    #[serde(default)]
    namespace: Option<String>,
    /// Which, instead of a name.
    #[serde(rename = "@selection")]
    #[schemars(flatten)]
    selection: Selection,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

/// What can be rolled back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum Kind {
    /// A Deployment: its revisions are ReplicaSets.
    #[default]
    Deployment,
    /// A DaemonSet: its revisions are ControllerRevisions.
    DaemonSet,
}

fn apps() -> String {
    "apps/v1".into()
}

/// One object and the pod template that it had before.
#[derive(Debug)]
struct Step {
    live: Json,
    after: Json,
    revision: i64,
}

/// What is rolled back, and what can't be.
#[derive(Debug)]
pub struct Plan {
    kubectl: Kubectl,
    steps: Vec<Step>,
    warnings: Vec<String>,
}

impl Module for Args {
    const SUPPORT: Support = Support { check: true, diff: true, idempotent: false };
    const EXAMPLES: &'static str = "
- name: The new version does not work
  k8s_rollback:
    kind: Deployment
    name: web
    namespace: shop
  when: health is failed
";
    const RETURNS: &'static str = "
rollback_info: The object as it is now; of several objects a list.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let kubectl = self.connection.open(host)?;
        let (mut steps, mut warnings) = (Vec::new(), Vec::new());
        for live in self.objects(&kubectl, host)? {
            match self.before(&kubectl, host, &live)? {
                Some((revision, template)) => {
                    let mut after = live.clone();
                    after["spec"]["template"] = template;
                    steps.push(Step { live, after, revision });
                }
                None => warnings.push(format!("No rollout history found for resource {}", Id::of(&live))),
            }
        }
        Ok(Some(Plan { kubectl, steps, warnings }))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        let after: Vec<Json> = plan.steps.iter().map(|step| step.after.clone()).collect();
        Ok(tell(&after, plan.warnings.clone()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let hidden = Showing::default().hidden;
        plan.steps.iter().map(|step| diff_of(Some(&step.live), Some(&step.after), &hidden)).collect()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut done = Vec::new();
        for step in &plan.steps {
            let id = Id::of(&step.live);
            let target = format!("{}/{}", id.resource(), id.name);
            let revision = format!("--to-revision={}", step.revision);
            let place = id.namespace.as_ref().map(|name| format!("--namespace={name}"));
            let mut words = vec!["rollout", "undo", target.as_str(), revision.as_str()];
            words.extend(place.as_deref());
            plan.kubectl.act(host, &words, None)?;
            done.push(object_of(&plan.kubectl, host.as_look(), &id, None)?.unwrap_or_default());
        }
        Ok(tell(&done, plan.warnings))
    }
}

fn tell(objects: &[Json], warnings: Vec<String>) -> Outcome {
    let hidden = Showing::default().hidden;
    let mut all: Vec<Value> = objects.iter().map(|object| shown(object, &hidden, false)).collect();
    let outcome = Outcome { changed: !all.is_empty(), warnings, ..Outcome::default() };
    let info = if all.len() == 1 { all.remove(0) } else { Value::list(all) };
    outcome.with("rollback_info", info)
}

impl Args {
    fn word(&self) -> &'static str {
        if self.kind == Kind::Deployment { "Deployment" } else { "DaemonSet" }
    }

    fn objects(&self, kubectl: &Kubectl, host: &dyn Look) -> Result<Vec<Json>, Fail> {
        let namespace = self.namespace.clone();
        match &self.name {
            Some(name) => {
                let (api_version, kind) = (self.api_version.clone(), self.word().to_owned());
                let id = Id { api_version, kind, namespace, name: name.clone() };
                let live = object_of(kubectl, host, &id, None)?;
                Ok(vec![
                    live.ok_or_else(|| Fail::new(format!("{id} is not there, so it can't be rolled back")))?,
                ])
            }
            None => {
                let kind = resource(self.word(), Some(&self.api_version));
                let place = Place::In(namespace.as_deref());
                Ok(selected(kubectl, host, &kind, place, &self.selection)?.unwrap_or_default())
            }
        }
    }

    /// The number of the revision before the newest, and its pod template.
    fn before(&self, kubectl: &Kubectl, host: &dyn Look, live: &Json) -> Result<Option<(i64, Json)>, Fail> {
        let kind = if self.kind == Kind::Deployment { "ReplicaSet" } else { "ControllerRevision" };
        let id = Id::of(live);
        let kind = resource(kind, Some(&self.api_version));
        let place = Place::In(id.namespace.as_deref());
        let all = selected(kubectl, host, &kind, place, &Selection::default())?.unwrap_or_default();
        let own = |one: &&Json| {
            let owners = at(one, "/metadata/ownerReferences").as_array();
            owners.is_some_and(|all| all.iter().any(|owner| owner["uid"] == live["metadata"]["uid"]))
        };
        let mut revisions: Vec<(i64, &Json)> =
            all.iter().filter(own).map(|one| (self.number(one), one)).collect();
        revisions.sort_by_key(|(number, _)| *number);
        let Some((number, found)) = revisions.len().checked_sub(2).and_then(|before| revisions.get(before))
        else {
            return Ok(None);
        };
        let template = if self.kind == Kind::Deployment { "/spec/template" } else { "/data/spec/template" };
        let mut template = at(found, template).clone();
        if let Some(map) = template.as_object_mut() {
            map.shift_remove("$patch");
        }
        // The ReplicaSet's own label is none of the Deployment's.
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Json::as_object_mut) {
            labels.shift_remove("pod-template-hash");
        }
        Ok(Some((*number, template)))
    }

    fn number(&self, revision: &Json) -> i64 {
        match self.kind {
            Kind::Deployment => {
                let annotations = at(revision, "/metadata/annotations");
                let number = annotations.get("deployment.kubernetes.io/revision").unwrap_or(&Json::Null);
                number.as_str().and_then(|number| number.parse().ok()).unwrap_or(0)
            }
            Kind::DaemonSet => at(revision, "/revision").as_i64().unwrap_or(0),
        }
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::modules::api::fake::FakeHost;

    fn object(image: &str) -> Json {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "namespace": "n", "uid": "u"},
            "spec": {"template": {"metadata": {"labels": {}}, "spec": {"image": image}}}})
    }

    fn sets(images: &[&str]) -> String {
        let one = |(i, image): (usize, &&str)| {
            json!({"kind": "ReplicaSet", "metadata": {"ownerReferences": [{"uid": "u"}],
                "annotations": {"deployment.kubernetes.io/revision": format!("{}", i + 9)}},
                "spec": {"template": {"metadata": {"labels": {"pod-template-hash": "x"}}, "spec": {"image": image}}}})
        };
        let mut items: Vec<Json> = images.iter().enumerate().map(one).collect();
        items.push(json!({"kind": "ReplicaSet", "metadata": {"ownerReferences": [{"uid": "other"}]}}));
        json!({"kind": "List", "items": items}).to_string()
    }

    #[test]
    fn the_revision_before_the_newest_comes_back() {
        let undo = "kubectl rollout undo Deployment.v1.apps/w --to-revision=10 --namespace=n";
        let mut host = FakeHost::new()
            .answer("kubectl get Deployment.v1.apps w", 0, &object("c").to_string())
            .answer("kubectl get ReplicaSet.v1.apps", 0, &sets(&["a", "b", "c"]))
            .answer(undo, 0, "");
        let outcome = host.check::<Args>("{name: w, namespace: n}").unwrap();
        assert!(outcome.changed && outcome.diff[0].after.to_string().contains("'image': 'b'"));
        assert!(!outcome.diff[0].after.to_string().contains("pod-template-hash"));
        assert!(host.play::<Args>("{name: w, namespace: n}").unwrap().changed);
        assert_eq!(host.ran, [undo]);
    }

    #[test]
    fn without_history_nothing_happens() {
        let mut host = FakeHost::new()
            .answer("kubectl get Deployment.v1.apps w", 0, &object("a").to_string())
            .answer("kubectl get ReplicaSet.v1.apps", 0, &sets(&["a"]));
        let outcome = host.play::<Args>("{name: w, namespace: n}").unwrap();
        assert!(!outcome.changed && outcome.warnings[0].contains("No rollout history"), "{outcome:?}");
        let fail = FakeHost::new().answer("kubectl get", 0, "").play::<Args>("{name: w}").unwrap_err();
        assert_eq!(fail.msg, "Deployment w is not there, so it can't be rolled back");
    }
}
