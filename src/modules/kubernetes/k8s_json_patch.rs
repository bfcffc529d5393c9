//! `k8s_json_patch`: operations on one object (RFC 6902).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::k8s::RETURNS;
use crate::modules::api::{Diff, Fail, Look, Map, Module, Outcome, Touch, Value};
use crate::modules::kubectl::{Change, Changes, Connection, Id, Showing, Waiting, object_of};

/// Change an object by JSON patch operations.
///
/// It counts as changed if the object would differ: `replace` with the value that is there changes nothing, `add` to a list
/// always does.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The kind of the object.
    kind: String,
    /// Its API version; by default the one that the API server prefers.
    #[serde(alias = "api", alias = "version")]
    #[schemars(extend("x-aliases" = ["api", "version"]))]
    api_version: Option<String>,
    /// Its name.
    name: String,
    /// Its namespace; by default the kubeconfig's.
    namespace: Option<String>,
    /// The operations: mappings of `op`, `path` and `value` or `from`.
    #[schemars(with = "Vec<BTreeMap<String, Value>>")]
    patch: Vec<Map>,
    /// Fields that neither results nor diffs show.
    #[serde(default = "hidden")]
    hidden_fields: Vec<String>,
    /// Waiting.
    #[serde(rename = "@waiting")]
    #[schemars(flatten)]
    waiting: Waiting,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

fn hidden() -> Vec<String> {
    Showing::default().hidden
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Another image
  k8s_json_patch:
    api_version: apps/v1
    kind: Deployment
    name: web
    namespace: shop
    patch:
      - op: replace
        path: /spec/template/spec/containers/0/image
        value: registry.example.org/web:2.2
";
    const RETURNS: &'static str = RETURNS;
    type Plan = Changes;

    fn plan(&self, host: &dyn Look) -> Result<Option<Changes>, Fail> {
        let kubectl = self.connection.open(host)?;
        let id = Id {
            api_version: self.api_version.clone().unwrap_or_default(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        };
        let live = object_of(&kubectl, host, &id, None)?;
        let live = live.ok_or_else(|| Fail::new(format!("{id} is not there, so it can't be patched")))?;
        let operations: Json = self.patch.iter().map(|one| Json::from(&Value::map(one.clone()))).collect();
        let change = Change::by_operations(&kubectl, host, live, operations)?;
        Ok(Some(Changes::new(kubectl, vec![change], Vec::new())))
    }

    fn predicted(&self, plan: &Changes, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(plan.predicted(&self.showing()))
    }

    fn diff(&self, plan: &Changes) -> Vec<Diff> {
        plan.diff(&self.showing())
    }

    fn apply(&self, plan: Changes, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        plan.apply(host, &self.waiting, false, &self.showing())
    }
}

impl Args {
    fn showing(&self) -> Showing {
        Showing { hidden: self.hidden_fields.clone(), secrets: false }
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn operations_count_by_what_they_change() {
        let args = "{kind: Pod, version: v1, name: p, namespace: n, patch: [{op: add, path: /metadata/labels/a, value: b}]}";
        let pod = |labels: &str| {
            format!(
                r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "p", "namespace": "n", "labels": {labels}}}}}"#
            )
        };
        let patch = "kubectl patch Pod.v1. p --type=json --patch-file=/dev/stdin --output=json --namespace=n";
        let (before, after) = (pod("{}"), pod(r#"{"a": "b"}"#));
        let mut host = FakeHost::new()
            .answer("kubectl get", 0, &before)
            .answer("kubectl get", 0, &before)
            .answer("kubectl get", 0, &after)
            .answer(patch, 0, &after);
        let outcome = host.converge::<Args>(args);
        assert_eq!(outcome.fields["method"].as_str(), Some("patch"));
        assert_eq!(host.ran, [patch]);
        assert_eq!(host.stdin, br#"[{"op":"add","path":"/metadata/labels/a","value":"b"}]"#);
        let fail = FakeHost::new().answer("kubectl get", 0, "").play::<Args>(args).unwrap_err();
        assert_eq!(fail.msg, "Pod n/p is not there, so it can't be patched");
    }
}
