//! `k8s_scale`: how many pods an object runs: a patch of one number.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::k8s::RETURNS;
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};
use crate::modules::kubectl::{
    Change, Changes, Connection, How, Id, Kubectl, Place, Selection, Showing, Source, Strategy, Waiting,
    Wish, at, object_of, resource, selected,
};

/// Set how many replicas a Deployment, ReplicaSet, StatefulSet, ReplicationController or Job runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// How many. Of a Job: how many at the same time.
    replicas: u32,
    /// Do it only if there are this many now.
    current_replicas: Option<u32>,
    /// Do it only if the object has this resource version.
    resource_version: Option<String>,
    /// Labels of the objects of `kind`, instead of `name`.
    #[serde(default)]
    label_selectors: Vec<String>,
    /// Go on with the other objects if one can't be scaled.
    #[serde(default)]
    continue_on_error: bool,
    /// Which objects.
    #[serde(rename = "@source")]
    #[schemars(flatten)]
    source: Source,
    /// Waiting.
    #[serde(rename = "@waiting")]
    #[schemars(flatten)]
    waiting: Waiting,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Five of them, and wait until all are up
  k8s_scale:
    api_version: apps/v1
    kind: Deployment
    name: web
    namespace: shop
    replicas: 5
    wait: true

- name: Only if nobody else has scaled it
  k8s_scale:
    api_version: apps/v1
    kind: Deployment
    name: web
    namespace: shop
    current_replicas: 5
    replicas: 3
";
    const RETURNS: &'static str = RETURNS;
    type Plan = Changes;

    fn plan(&self, host: &dyn Look) -> Result<Option<Changes>, Fail> {
        let kubectl = self.connection.open(host)?;
        let namespace = self.source.namespace.as_deref();
        let (mut changes, mut warnings) = (Vec::new(), Vec::new());
        for live in self.objects(&kubectl, host)? {
            let field = if at(&live, "/kind") == "Job" { "parallelism" } else { "replicas" };
            let mut doc = json!({
                "apiVersion": live["apiVersion"], "kind": live["kind"],
                "metadata": {"name": live["metadata"]["name"]},
                "spec": {field: self.replicas},
            });
            if let Some(namespace) = live["metadata"].get("namespace") {
                doc["metadata"]["namespace"] = namespace.clone();
            }
            if let Some(why) = self.unwanted(&live, field) {
                warnings.push(format!("{} was not scaled: {why}", Id::of(&live)));
                doc["spec"] = json!({});
            }
            let how = How::PatchOnly(vec![Strategy::Merge]);
            let wish = Wish { docs: vec![doc], namespace, how, go_on: self.continue_on_error };
            let planned: Vec<Change> = wish.plan(&kubectl, host)?;
            changes.extend(planned);
        }
        Ok(Some(Changes::new(kubectl, changes, warnings)))
    }

    fn predicted(&self, plan: &Changes, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(plan.predicted(&Showing::default()))
    }

    fn diff(&self, plan: &Changes) -> Vec<Diff> {
        plan.diff(&Showing::default())
    }

    fn apply(&self, plan: Changes, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        plan.apply(host, &self.waiting, self.continue_on_error, &Showing::default())
    }
}

impl Args {
    /// The objects that are to be scaled, as they are.
    fn objects(&self, kubectl: &Kubectl, host: &dyn Look) -> Result<Vec<Json>, Fail> {
        let source = &self.source;
        let namespace = source.namespace.as_deref();
        if let Some(kind) =
            source.kind.as_ref().filter(|_| source.name.is_none() && !self.label_selectors.is_empty())
        {
            let selection =
                Selection { label_selectors: self.label_selectors.clone(), ..Selection::default() };
            let kind = resource(kind, source.api_version.as_deref());
            let found = selected(kubectl, host, &kind, Place::In(namespace), &selection)?;
            return Ok(found.unwrap_or_default());
        }
        let mut found = Vec::new();
        for doc in source.documents(host)? {
            let id = Id::of(&doc);
            let live = object_of(kubectl, host, &id, namespace)?;
            found.push(live.ok_or_else(|| Fail::new(format!("{id} is not there, so it can't be scaled")))?);
        }
        Ok(found)
    }

    /// Why an object is left as it is although its number differs.
    fn unwanted(&self, live: &Json, field: &str) -> Option<String> {
        let now = at(live, &format!("/spec/{field}"));
        if let Some(current) = self.current_replicas.filter(|current| *now != json!(current)) {
            return Some(format!("it has {now} replicas, not {current}"));
        }
        let version = at(live, "/metadata/resourceVersion");
        let wanted = self.resource_version.as_ref().filter(|wanted| *version != json!(wanted))?;
        Some(format!("its resource version is {version}, not {wanted}"))
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    const ARGS: &str = "{api_version: apps/v1, kind: Deployment, name: w, namespace: n, replicas: 3}";

    fn live(replicas: u32) -> String {
        format!(
            r#"{{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {{"name": "w", "namespace": "n",
                "resourceVersion": "7"}}, "spec": {{"replicas": {replicas}}}}}"#
        )
    }

    #[test]
    fn a_number_is_patched_once() {
        let patch = "kubectl patch Deployment.v1.apps w --type=merge --patch-file=/dev/stdin --output=json --namespace=n";
        let mut host = FakeHost::new().answer(patch, 0, &live(3));
        for replicas in [1, 1, 1, 1, 3] {
            host = host.answer("kubectl get", 0, &live(replicas));
        }
        host.converge::<Args>(ARGS);
        assert_eq!(host.ran, [patch]);
        assert!(String::from_utf8_lossy(&host.stdin).contains("\"spec\":{\"replicas\":3}"));
    }

    #[test]
    fn conditions_leave_it_alone() {
        for more in ["current_replicas: 2", "resource_version: '6'"] {
            let mut host = FakeHost::new().answer("kubectl get", 0, &live(1));
            let outcome = host.play::<Args>(&ARGS.replace('}', &format!(", {more}}}"))).unwrap();
            assert!(!outcome.changed && outcome.warnings[0].contains("was not scaled"), "{outcome:?}");
            assert_eq!(host.touches, 0);
        }
        let mut host = FakeHost::new().answer("kubectl get", 0, "");
        let fail = host.play::<Args>(ARGS).unwrap_err();
        assert_eq!(fail.msg, "Deployment w is not there, so it can't be scaled");
    }
}
