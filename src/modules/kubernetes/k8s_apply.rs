//! `k8s_apply`: `kubectl apply` as a task. A thin module over `kubectl/`; `k8s` with `apply: true` does the same.

use schemars::JsonSchema;
use serde::Deserialize;

use super::k8s::RETURNS;
use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};
use crate::modules::kubectl::{Changes, Connection, How, Showing, Source, Waiting, Wish};

/// Apply manifests to a cluster.
///
/// What was in the last applied manifest of an object and is not in this one is taken away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
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
- name: The manifests that lie on the host
  k8s_apply:
    src: /srv/app/ingress.yml
    namespace: shop

- name: The role's own
  k8s_apply:
    template: app.yml.j2
    wait: true
";
    const RETURNS: &'static str = RETURNS;
    type Plan = Changes;

    fn plan(&self, host: &dyn Look) -> Result<Option<Changes>, Fail> {
        let kubectl = self.connection.open(host)?;
        let namespace = self.source.namespace.as_deref();
        let wish = Wish { docs: self.source.documents(host)?, namespace, how: How::Apply, go_on: false };
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
        plan.apply(host, &self.waiting, false, &Showing::default())
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn manifests_are_applied_once() {
        let object =
            r#"{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "n"}}"#;
        let apply = "kubectl apply --filename=- --output=json --validate=false --namespace=n";
        let mut host = FakeHost::new()
            .answer("kubectl get", 0, "")
            .answer("kubectl get", 0, "")
            .answer("kubectl get", 0, object)
            .answer(apply, 0, object);
        let outcome =
            host.converge::<Args>("{definition: {kind: ConfigMap, metadata: {name: a}}, namespace: n}");
        assert_eq!(host.ran, [apply]);
        assert_eq!(outcome.fields["method"].as_str(), Some("apply"));
    }
}
